//! The backend's side of callbacks: takes them, or refuses them, cuts the connection, or is late. Only what was
//! answered with 200 has come.

use std::cell::Cell;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use fastrand::Rng;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::requests::Requests;
use crate::crash::World;
use crate::stentor::config::CALLBACK_TIMEOUT_MS;

/// Where callbacks arrive. The port stays the same over all rounds.
pub(super) struct Hook {
    listener: TcpListener,
    pub(super) address: SocketAddr,
    /// Takes everything at once.
    calm: Cell<bool>,
}

/// What becomes of a callback.
enum Answer {
    Taken,
    /// The server may have given up by then, or be gone.
    TakenLate,
    Failed,
    Cut,
}

impl Hook {
    pub(super) fn new(listener: TcpListener) -> anyhow::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, calm: Cell::new(true) })
    }

    /// From now on everything is taken at once, or not.
    pub(super) fn be_calm(&self, calm: bool) {
        self.calm.set(calm);
    }

    /// Takes callbacks as long as the round lasts.
    pub(super) fn serve(&self, world: &Rc<World>, mut rng: Rng) -> anyhow::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        let world = Rc::clone(world);
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (world, rng) = (Rc::clone(&world), rng.fork());
                spawn_local(async move {
                    // The server ends its connections when it is killed.
                    let _ = take(&world, stream, rng).await;
                });
            }
        });
        Ok(())
    }

    fn decide(&self, rng: &mut Rng) -> Answer {
        match rng.u8(..100) {
            _ if self.calm.get() => Answer::Taken,
            0..10 => Answer::Failed,
            10..15 => Answer::Cut,
            15..20 => Answer::TakenLate,
            _ => Answer::Taken,
        }
    }
}

async fn take(world: &World, stream: TcpStream, mut rng: Rng) -> anyhow::Result<()> {
    let mut requests = Requests::new(stream)?;
    loop {
        let body =
            serde_json::from_slice::<Value>(&requests.next().await?.body).context("a callback that is not JSON")?;
        let answer = world.chat.hook.decide(&mut rng);
        if !matches!(answer, Answer::Taken) {
            world.chat.callbacks.borrow_mut().counts.failed += 1;
        }
        match answer {
            Answer::Taken => {}
            Answer::TakenLate => sleep(Duration::from_millis(rng.u64(..2 * CALLBACK_TIMEOUT_MS))).await,
            Answer::Failed => {
                requests.answer("500 Internal Server Error").await?;
                continue;
            }
            Answer::Cut => return Ok(()),
        }
        requests.answer("200 OK").await?;
        if let Some(number) = world.chat.callbacks.borrow_mut().came(&body) {
            world.chat.oracle.borrow_mut().taken(number);
        }
    }
}
