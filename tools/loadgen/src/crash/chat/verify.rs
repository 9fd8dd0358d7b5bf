//! After the restart, without load: wait for the callbacks and pushes, look into every inbox, into the histories of the rooms,
//! and at what their clients got.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{Client, Who};
use super::look::look;
use super::rooms::MARK;
use super::roster::{self, Habit};
use crate::crash::World;
use crate::crash::oracle::Mailbox;
use crate::crash::verify::QUIET as HANDED;
use crate::stentor::chat::Backend;

/// How long callbacks may take to come when they are all taken, and broadcasts to be carried out.
const SLOW: Duration = Duration::from_secs(20);

/// What should not come any more would come by then.
const QUIET: Duration = Duration::from_millis(60);

/// Users for whom a device logs in that was never seen before.
const WITH_NEW_DEVICES: [&str; 2] = ["chat-idle", "chat-lags"];

/// Messages on a page of a history: the most there are.
const PAGE: usize = 100;

pub(in crate::crash) async fn verify(world: &Rc<World>, rng: &mut Rng) -> anyhow::Result<()> {
    world.chat.hook.be_calm(true);
    world.chat.push_hook.be_calm(true);
    let mut looking = JoinSet::new();
    // At once, within the grace.
    let rooms = Rc::clone(world);
    looking.spawn_local(async move { check_rooms(&rooms).await });
    // Before the inboxes: what is told of a message that nobody answered shows that it was taken.
    callbacks(world).await;
    // Before anybody acks.
    let unacked = unacked(world, rng).await?;
    pushes(world).await;
    world.chat.pushes.borrow_mut().settle(&world.chat.oracle.borrow());
    for client in unacked {
        client.log_out().await?;
    }
    // Now and then those who do not ack do not ack here either: their inboxes stay for the next round.
    let peek = rng.u8(..3) == 0;
    for user in roster::members() {
        let new_device = WITH_NEW_DEVICES.contains(&user) && rng.bool();
        let new_device = new_device.then(|| format!("new-{}", rng.u32(..)));
        looking.spawn_local(look(Rc::clone(world), user, new_device, peek));
    }
    while let Some(looked) = looking.join_next().await {
        looked??;
    }
    // What came out of an inbox was told, too.
    callbacks(world).await;
    world.chat.callbacks.borrow_mut().settle();
    Ok(())
}

/// Clients that do not ack come back after the kill, to their session or to a new one. What they are handed is told to
/// their devices: when the session ends, or when they are there and have not acked for long enough. Those are returned.
async fn unacked(world: &Rc<World>, rng: &mut Rng) -> anyhow::Result<Vec<Client>> {
    let mut there = Vec::new();
    for mailbox in roster::mailboxes().filter(|mailbox| roster::habit(*mailbox) == Habit::Mute) {
        let session = world.chat.sessions.borrow_mut().remove(&mailbox).filter(|_| rng.bool());
        let client = Client::log_in(world, Who::of(mailbox), false, session).await?;
        client.quiet_for(HANDED).await?;
        let (received, _) = client.received();
        {
            let (oracle, mut pushes) = (world.chat.oracle.borrow(), world.chat.pushes.borrow_mut());
            for number in received {
                let id = oracle.id_of(mailbox, number).context("a message without an ID")?;
                pushes.owe(number, roster::device(mailbox).0, id, false);
            }
        }
        if client.resumed() || rng.bool() {
            there.push(client);
        } else {
            client.log_out().await?;
        }
    }
    Ok(there)
}

/// Waits until every push came, and no more come.
async fn pushes(world: &World) {
    let began = Instant::now();
    while began.elapsed() < SLOW {
        let (missing, last) = {
            let pushes = world.chat.pushes.borrow();
            (pushes.missing(&world.chat.oracle.borrow()), pushes.last)
        };
        let quiet = last.is_none_or(|last| last.elapsed() >= QUIET) && began.elapsed() >= QUIET;
        if missing == 0 && quiet {
            return;
        }
        sleep(QUIET / 4).await;
    }
}

/// Waits until every callback came, and no more come.
async fn callbacks(world: &World) {
    let began = Instant::now();
    while began.elapsed() < SLOW {
        let (missing, last) = {
            let callbacks = world.chat.callbacks.borrow();
            (callbacks.missing(), callbacks.last)
        };
        let quiet = last.is_none_or(|last| last.elapsed() >= QUIET) && began.elapsed() >= QUIET;
        if missing == 0 && quiet {
            return;
        }
        sleep(QUIET / 4).await;
    }
}

/// The history of each room, and what the clients in rooms got, until nothing is missing.
async fn check_rooms(world: &Rc<World>) -> anyhow::Result<()> {
    let mut watchers = Vec::new();
    for number in 0..roster::WATCHERS {
        let mailbox = roster::watcher_mailbox(number);
        watchers.push((mailbox, resume_watching(world, mailbox).await?));
    }
    let mut backend = Backend::with_token(world.address.get(), world.chat.made()?.token.clone()).await?;
    let began = Instant::now();
    loop {
        read_histories(world, &mut backend).await?;
        let missing = {
            let rooms = world.chat.rooms.borrow();
            rooms.not_stored() + rooms.not_seen()
        };
        if missing == 0 || began.elapsed() > SLOW {
            break;
        }
        sleep(QUIET).await;
    }
    sleep(QUIET).await;
    read_histories(world, &mut backend).await?;
    world.chat.rooms.borrow_mut().settle();
    for (mailbox, client) in watchers {
        stop_watching(world, mailbox, client);
    }
    Ok(())
}

/// Reads what is new in the histories of all rooms.
async fn read_histories(world: &World, backend: &mut Backend) -> anyhow::Result<()> {
    let rooms: Vec<_> =
        world.chat.rooms.borrow().rooms().iter().map(|room| (room.id.clone(), room.settled_up_to)).collect();
    for (room, (id, from)) in rooms.into_iter().enumerate() {
        let mut start = from.to_string();
        loop {
            let body = json!({
                "queue": format!("{id}@conference.easemob.com"), "start": start, "is_positive": true, "pull_number": PAGE,
            });
            let page = backend.post(&format!("users/{}/messageroaming", roster::OWNER), &body).await?;
            let page = &page["data"];
            for message in page["msgs"].as_array().context("no messages")? {
                take_stored(world, room, message)?;
            }
            match page["next_key"].as_str() {
                Some(next) if page["is_last"] == false => next.clone_into(&mut start),
                _ => break,
            }
        }
    }
    Ok(())
}

fn take_stored(world: &World, room: usize, message: &Value) -> anyhow::Result<()> {
    let (id, text) = (message["id"].as_str(), message["body"]["msg"].as_str());
    let (id, text) = id.and_then(|id| id.parse().ok()).zip(text).context("a message without ID or text")?;
    let mut rooms = world.chat.rooms.borrow_mut();
    rooms.read_up_to(room, id);
    if text.starts_with(MARK) {
        rooms.stored(room, text, id);
    }
    Ok(())
}

/// Continues the session of a watcher, which must be there: the server may be away for much less than the grace.
pub(super) async fn resume_watching(world: &Rc<World>, mailbox: Mailbox) -> anyhow::Result<Client> {
    let session = world.chat.sessions.borrow().get(&mailbox).cloned();
    let client = Client::log_in(world, Who::of(mailbox), true, session.clone()).await?;
    if session.is_some() && !client.resumed() {
        let what = format!("the session of {} was gone", roster::device(mailbox).0);
        world.chat.rooms.borrow_mut().violations.push(what);
    }
    Ok(client)
}

/// Cuts its connection, and keeps what it knows for the next time.
pub(super) fn stop_watching(world: &World, mailbox: Mailbox, client: Client) {
    let mut sessions = world.chat.sessions.borrow_mut();
    sessions.insert(mailbox, client.resume());
    drop(client);
}
