//! What goes on on the RTM side when the server is killed: senders, users after their habits, and a backend that pulls events.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::client::Client;
use super::oracle::{To, Wish};
use super::roster::{self, CHANNELS, Habit, REST_SENDERS, USERS, name, rest_name, users};
use super::{World, chat};
use crate::stentor::request::{Events, PeerFlags, channel_message, events, peer_message};
use crate::wire::http::HttpConnection;

/// How long tasks may take to notice that the server is gone.
const NOTICE: Duration = Duration::from_secs(8);

/// The longest payload of the load, after the number.
const PADDING: usize = 1500;

/// The tasks of a load, of both sides.
pub(super) struct Load {
    world: Rc<World>,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// Starts the load.
///
/// # Errors
/// When there is no port for callbacks.
pub(super) fn start(world: &Rc<World>, rng: &mut Rng) -> anyhow::Result<Load> {
    let mut tasks = JoinSet::new();
    for sender in 0..REST_SENDERS {
        tasks.spawn_local(send(Rc::clone(world), sender, rng.fork()));
    }
    for user in users() {
        let (world, rng) = (Rc::clone(world), rng.fork());
        match USERS[user].1 {
            Habit::Acks => drop(tasks.spawn_local(stay(world, user, true))),
            Habit::Mute => drop(tasks.spawn_local(stay(world, user, false))),
            Habit::Stumbles => drop(tasks.spawn_local(stumble(world, user, rng))),
            Habit::ComesAndGoes => drop(tasks.spawn_local(come_and_go(world, user, rng))),
            Habit::Away => {}
        }
    }
    // A pull that is lost with the server hides what events would tell, so not in every round.
    if rng.bool() {
        tasks.spawn_local(pull(Rc::clone(world), rng.fork()));
    }
    chat::start(world, rng, &mut tasks)?;
    Ok(Load { world: Rc::clone(world), tasks })
}

impl Load {
    /// Whoever gave up while the server was there did so because it failed.
    pub(super) fn check_alive(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            let why = match ended {
                Ok(Ok(())) => "it ended".to_owned(),
                Ok(Err(error)) => format!("{error:#}"),
                Err(error) => error.to_string(),
            };
            self.world.oracle.borrow_mut().violations.push(format!("under load, before the kill: {why}"));
        }
    }

    /// Waits until everybody has noticed that the server is gone, having read what it had still sent.
    pub(super) async fn end(mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Whoever has not noticed by then is cancelled.
        let _ = timeout(NOTICE, all).await;
    }
}

pub(super) fn pause(rng: &mut Rng, most_ms: u64) -> impl Future<Output = ()> + use<> {
    sleep(Duration::from_micros(rng.u64(..=most_ms * 1000)))
}

/// Sends over REST, one message after the other.
async fn send(world: Rc<World>, number: usize, mut rng: Rng) -> anyhow::Result<()> {
    let (sender, from) = (roster::rest(number), rest_name(number));
    let mut connection = HttpConnection::open(world.address.get()).await?;
    loop {
        let history = rng.u8(..5) == 0;
        let padding = "p".repeat(rng.usize(..PADDING) * usize::from(rng.bool()));
        let (number, request) = if rng.u8(..5) == 0 {
            let channel = rng.usize(..CHANNELS.len());
            let number = world.oracle.borrow_mut().begin(sender, To::place(channel), Wish { keep: false, history });
            let payload = format!("{number}:{padding}");
            (number, channel_message(&from, CHANNELS[channel], &payload, history))
        } else {
            // Every second message goes to the inbox that overflows.
            let user = if rng.bool() { 0 } else { rng.usize(..USERS.len()) };
            let flags = PeerFlags { keep: rng.u8(..6) > 0, history, wait_for_ack: rng.u8(..8) == 0 };
            let wish = Wish { keep: flags.keep, history };
            let number = world.oracle.borrow_mut().begin(sender, To::mailboxes([user]), wish);
            (number, peer_message(&from, name(user), &format!("{number}:{padding}"), flags))
        };
        let response = connection.exchange(&request).await?;
        let answer: Value = serde_json::from_slice(&response.body).context("an answer that is not JSON")?;
        let delivered = answer["code"] == "message_delivered";
        world.oracle.borrow_mut().answered(number, response.status, delivered);
        pause(&mut rng, 2).await;
    }
}

/// Logs in, joins all channels and stays.
async fn stay(world: Rc<World>, user: usize, acks: bool) -> anyhow::Result<()> {
    let mut client = Client::log_in(&world, user, acks, None).await?;
    for channel in CHANNELS {
        client.join(channel).await?;
    }
    client.ended().await;
    Ok(())
}

/// Loses its connection again and again, and resumes: in time, or too late.
async fn stumble(world: Rc<World>, user: usize, mut rng: Rng) -> anyhow::Result<()> {
    let mut resume = None;
    loop {
        let mut client = Client::log_in(&world, user, true, resume).await?;
        if !client.resumed() {
            for channel in CHANNELS {
                client.join(channel).await?;
            }
        }
        if timeout(Duration::from_millis(rng.u64(5..200)), client.ended()).await.is_ok() {
            world.sessions.borrow_mut().insert(user, client.resume());
            return Ok(());
        }
        resume = Some(client.resume());
        drop(client);
        let late = rng.u8(..4) == 0;
        let gap = if late { world.grace + Duration::from_millis(50) } else { world.grace / rng.u32(3..20) };
        sleep(gap).await;
    }
}

/// Comes, joins, sends, leaves, and goes in one of several ways.
async fn come_and_go(world: Rc<World>, user: usize, mut rng: Rng) -> anyhow::Result<()> {
    loop {
        let client = Client::log_in(&world, user, true, None).await?;
        let joined = &CHANNELS[..rng.usize(..=CHANNELS.len())];
        for channel in joined {
            client.join(channel).await?;
        }
        for _ in 0..rng.u8(..4) {
            send_as_client(&world, &client, user, joined, &mut rng).await?;
        }
        pause(&mut rng, 30).await;
        match rng.u8(..4) {
            // In order.
            0 | 1 => {
                if let Some(channel) = joined.first() {
                    client.leave(channel).await?;
                }
                client.log_out().await?;
            }
            // Cut off: the next login finds the old session in its grace.
            2 => drop(client),
            // Replaced by itself.
            _ => {
                let second = Client::log_in(&world, user, true, None).await?;
                drop(client);
                second.log_out().await?;
            }
        }
        pause(&mut rng, 20).await;
    }
}

/// Sends one message through the client's own connection.
async fn send_as_client(
    world: &Rc<World>,
    client: &Client,
    user: usize,
    joined: &[&str],
    rng: &mut Rng,
) -> anyhow::Result<()> {
    let sender = roster::client(user);
    if !joined.is_empty() && rng.bool() {
        let number = world.oracle.borrow_mut().begin(sender, To::place(0), Wish::default());
        let request = json!({"type": "send_channel", "channel": CHANNELS[0], "payload": format!("{number}:")});
        client.expect_ok(request).await?;
        world.oracle.borrow_mut().answered(number, 200, false);
        return Ok(());
    }
    let to = rng.usize(..USERS.len());
    let wish = Wish { keep: true, history: false };
    let number = world.oracle.borrow_mut().begin(sender, To::mailboxes([to]), wish);
    let request = json!({"type": "send_peer", "to": name(to), "payload": format!("{number}:"), "keep": true});
    let reply = client.expect_ok(request).await?;
    world.oracle.borrow_mut().answered(number, 200, reply["result"] == "delivered");
    Ok(())
}

/// Pulls events as a backend does.
async fn pull(world: Rc<World>, mut rng: Rng) -> anyhow::Result<()> {
    let mut connection = HttpConnection::open(world.address.get()).await?;
    loop {
        for kind in [Events::User, Events::Channel] {
            let pulled = pull_once(&world, &mut connection, kind).await;
            if pulled.is_err() {
                world.events.borrow_mut().lost(kind);
            }
            pulled?;
        }
        pause(&mut rng, 60).await;
    }
}

/// One pull. Returns how many events it took.
pub(super) async fn pull_once(world: &World, connection: &mut HttpConnection, kind: Events) -> anyhow::Result<usize> {
    let body = connection.expect_ok(&events(kind)).await?;
    let answer = serde_json::from_slice(&body).context("events that are not JSON")?;
    Ok(world.events.borrow_mut().pulled(kind, &answer))
}
