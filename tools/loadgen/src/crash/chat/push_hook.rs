//! The service that brings pushes to devices: takes them, or refuses them for now, cuts the connection, or is slow.

use std::cell::Cell;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};
use fastrand::Rng;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::pushes::{self, certificate_of, token};
use super::requests::{Asked, Requests};
use super::roster;
use crate::crash::World;
use crate::stentor::chat::Backend;
use crate::stentor::unix_seconds;
use crate::wire::signature;

/// The certificates: each leads to a path of its own.
const CERTIFICATES: [(&str, &str); 2] = [("hook", "a secret of pushes"), ("hook/2", "another secret of pushes")];

/// How old a signature may be, in seconds.
const MAX_AGE_S: u64 = 60;

/// The slowest answer, in milliseconds.
const SLOW_MS: u64 = 300;

/// Where pushes arrive. The port stays the same over all rounds.
pub(super) struct PushHook {
    listener: TcpListener,
    address: SocketAddr,
    /// Takes everything at once.
    calm: Cell<bool>,
}

/// What becomes of a try.
enum Answer {
    Taken,
    TakenLate,
    NotNow,
    Cut,
}

impl PushHook {
    pub(super) fn new(listener: TcpListener) -> anyhow::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, calm: Cell::new(true) })
    }

    /// From now on everything is taken at once, or not.
    pub(super) fn be_calm(&self, calm: bool) {
        self.calm.set(calm);
    }

    /// Makes the certificates, and binds the devices of everybody. All want to see what messages say; one wants none.
    pub(super) async fn set_up(&self, backend: &mut Backend) -> anyhow::Result<()> {
        for (number, (name, secret)) in CERTIFICATES.iter().enumerate() {
            backend.webhook(name, &format!("http://{}/push/{number}", self.address), secret).await?;
        }
        for mailbox in roster::mailboxes() {
            let (user, device) = roster::device(mailbox);
            let (notifier, _) = CERTIFICATES[certificate_of(device)];
            backend.bind(user, device, notifier, &token(user, device)).await?;
        }
        for user in roster::members() {
            backend.put(&format!("users/{user}"), &serde_json::json!({"notification_display_style": 1})).await?;
            if !roster::wants_pushes(user) {
                let path = format!("users/{user}/notification/user/{user}");
                backend.put(&path, &serde_json::json!({"type": "NONE"})).await?;
            }
        }
        Ok(())
    }

    /// Takes pushes as long as the round lasts.
    pub(super) fn serve(&self, world: &Rc<World>, mut rng: Rng) -> anyhow::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        let world = Rc::clone(world);
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (world, rng) = (Rc::clone(&world), rng.fork());
                let life = world.chat.pushes.borrow().life();
                spawn_local(async move {
                    // The server ends its connections when it is killed.
                    let _ = take(&world, stream, life, rng).await;
                });
            }
        });
        Ok(())
    }

    fn decide(&self, rng: &mut Rng) -> Answer {
        match rng.u8(..100) {
            _ if self.calm.get() => Answer::Taken,
            0..10 => Answer::NotNow,
            10..15 => Answer::Cut,
            15..30 => Answer::TakenLate,
            _ => Answer::Taken,
        }
    }
}

async fn take(world: &World, stream: TcpStream, life: u64, mut rng: Rng) -> anyhow::Result<()> {
    let mut requests = Requests::new(stream)?;
    loop {
        let asked = requests.next().await?;
        let Some(certificate) = verified(world, &asked) else {
            requests.answer("401 Unauthorized").await?;
            continue;
        };
        let Some(one) = came(world, certificate, &asked.body, life)? else {
            requests.answer("400 Bad Request").await?;
            continue;
        };
        let taken = match world.chat.push_hook.decide(&mut rng) {
            Answer::Taken => requests.answer("200 OK").await.is_ok(),
            Answer::TakenLate => {
                sleep(Duration::from_millis(rng.u64(..SLOW_MS))).await;
                requests.answer("200 OK").await.is_ok()
            }
            Answer::NotNow => {
                world.chat.pushes.borrow_mut().answered(one, false);
                requests.answer("503 Service Unavailable").await?;
                continue;
            }
            Answer::Cut => {
                world.chat.pushes.borrow_mut().answered(one, false);
                return Ok(());
            }
        };
        world.chat.pushes.borrow_mut().answered(one, taken);
        ensure!(taken, "the server is gone");
    }
}

fn came(world: &World, certificate: usize, body: &[u8], life: u64) -> anyhow::Result<Option<pushes::Try>> {
    let group = world.chat.made()?.group.clone();
    let mut oracle = world.chat.oracle.borrow_mut();
    let mut pushes = world.chat.pushes.borrow_mut();
    let one = pushes.came(certificate, body, life, (&oracle, &group));
    if let Some(one) = one {
        // Neither is there without the other: the message was taken.
        pushes.counts.taken += u64::from(oracle.taken(one.number));
    }
    Ok(one)
}

/// Which certificate signed it. What is signed otherwise, or long ago, is a violation.
fn verified(world: &World, asked: &Asked) -> Option<usize> {
    let checked = (|| {
        let number: usize = asked.path.strip_prefix("/push/").context("another path")?.parse()?;
        let (_, secret) = CERTIFICATES.get(number).context("no such certificate")?;
        let at_s = signature::verify(secret, &asked.signature, &asked.body).context("it is signed otherwise")?;
        let now_s = u64::from(unix_seconds());
        ensure!(now_s.abs_diff(at_s) <= MAX_AGE_S, "it was signed {} s ago", now_s.saturating_sub(at_s));
        Ok(number)
    })();
    checked
        .map_err(|error: anyhow::Error| {
            let what = format!("a push to {} with the signature {:?}: {error:#}", asked.path, asked.signature);
            world.chat.pushes.borrow_mut().violations.push(what);
        })
        .ok()
}
