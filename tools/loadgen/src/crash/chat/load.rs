//! What goes on on the Chat side when the server is killed: senders over REST, a maker of rooms, devices after their
//! habits, and clients that watch rooms.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::callbacks::Event;
use super::client::{Client, Who};
use super::roster::{self, Habit};
use crate::crash::World;
use crate::crash::load::pause;
use crate::crash::oracle::{Mailbox, Number, Sender, To, Wish};
use crate::stentor::chat::Backend;
use crate::wire::http::HttpConnection;

/// The longest text of the load, after the number.
const PADDING: usize = 1000;

const KEPT: Wish = Wish { keep: true, history: false };

/// The tasks of a load.
type Tasks = JoinSet<anyhow::Result<()>>;

/// Starts the load, as further tasks.
pub(in crate::crash) fn start(world: &Rc<World>, rng: &mut Rng, tasks: &mut Tasks) -> anyhow::Result<()> {
    world.chat.hook.serve(world, rng.fork())?;
    world.chat.hook.be_calm(false);
    world.chat.push_hook.serve(world, rng.fork())?;
    world.chat.push_hook.be_calm(false);
    for number in 0..roster::USER_SENDERS {
        tasks.spawn_local(send_to_users(Rc::clone(world), roster::user_sender(number), rng.fork()));
    }
    tasks.spawn_local(send_to_group(Rc::clone(world), rng.fork()));
    tasks.spawn_local(send_to_rooms(Rc::clone(world), rng.fork()));
    tasks.spawn_local(make_rooms(Rc::clone(world), rng.fork()));
    tasks.spawn_local(broadcast(Rc::clone(world), rng.fork()));
    for mailbox in roster::mailboxes() {
        let (world, rng) = (Rc::clone(world), rng.fork());
        match roster::habit(mailbox) {
            Habit::Away => {}
            Habit::Acks => drop(tasks.spawn_local(stay(world, mailbox, true))),
            Habit::Mute => drop(tasks.spawn_local(stay(world, mailbox, false))),
            Habit::Stumbles => drop(tasks.spawn_local(stumble(world, mailbox, rng))),
            Habit::Talks => drop(tasks.spawn_local(talk(world, mailbox, rng))),
        }
    }
    for number in 0..roster::WATCHERS {
        tasks.spawn_local(watch(Rc::clone(world), roster::watcher_mailbox(number), rng.fork()));
    }
    Ok(())
}

fn text(world: &World, number: Number, rng: &mut Rng) -> String {
    let text = format!("{number}:{}", "p".repeat(rng.usize(..PADDING) * usize::from(rng.bool())));
    world.chat.pushes.borrow_mut().says(number, &text);
    text
}

/// A message is durable, and its receiver was away.
fn was_away(world: &World, number: Number, user: &str, id: u64) {
    world.chat.callbacks.borrow_mut().owe(Event::Away, number, user, id);
    world.chat.pushes.borrow_mut().owe(number, user, id, true);
}

/// Sends over REST. Returns the IDs of the messages by receiver.
async fn post(
    world: &World,
    connection: &mut HttpConnection,
    path: &str,
    number: Number,
    body: &Value,
) -> anyhow::Result<Vec<(String, u64)>> {
    let response = connection.exchange(&world.chat.made()?.token.post(path, body)).await?;
    world.chat.oracle.borrow_mut().answered(number, response.status, false);
    let answer: Value = serde_json::from_slice(&response.body).context("an answer that is not JSON")?;
    let ids = answer["data"].as_object().with_context(|| format!("no data: {answer}"))?;
    let id = |id: &Value| id.as_str().and_then(|id| id.parse().ok()).context("no message ID");
    let ids: Vec<_> = ids.iter().map(|(to, one)| Ok((to.clone(), id(one)?))).collect::<anyhow::Result<_>>()?;
    let mut callbacks = world.chat.callbacks.borrow_mut();
    ids.iter().for_each(|(to, id)| callbacks.owe(Event::Sent, number, to, *id));
    Ok(ids)
}

/// To one to three users, of whom one in two is the one whose inbox overflows.
async fn send_to_users(world: Rc<World>, sender: Sender, mut rng: Rng) -> anyhow::Result<()> {
    let mut connection = HttpConnection::open(world.address.get()).await?;
    let all: Vec<_> = roster::members().collect();
    loop {
        let mut users: Vec<_> =
            (0..rng.usize(1..=3)).map(|_| all[rng.usize(..all.len()) * usize::from(rng.bool())]).collect();
        users.sort_unstable();
        users.dedup();
        let mailboxes: Vec<_> = users.iter().flat_map(|user| roster::mailboxes_of(user)).collect();
        let number = world.chat.oracle.borrow_mut().begin(sender, To::mailboxes(mailboxes), KEPT);
        let body = json!({
            "from": roster::sender_name(sender), "to": users, "type": "txt", "body": {"msg": text(&world, number, &mut rng)},
        });
        let ids = post(&world, &mut connection, "messages/users", number, &body).await?;
        for (user, id) in ids.iter().filter(|(user, _)| roster::is_always_away(user)) {
            was_away(&world, number, user, *id);
        }
        pause(&mut rng, 6).await;
    }
}

async fn send_to_group(world: Rc<World>, mut rng: Rng) -> anyhow::Result<()> {
    let mut connection = HttpConnection::open(world.address.get()).await?;
    let (made, sender) = (world.chat.made()?, roster::group_sender());
    loop {
        let to = To::group(roster::GROUP, roster::mailboxes().collect::<Vec<_>>());
        let number = world.chat.oracle.borrow_mut().begin(sender, to, KEPT);
        let body = json!({
            "from": roster::sender_name(sender), "to": [made.group], "type": "txt",
            "body": {"msg": text(&world, number, &mut rng)},
        });
        for (_, id) in post(&world, &mut connection, "messages/chatgroups", number, &body).await? {
            for user in roster::members().filter(|user| roster::is_always_away(user)) {
                was_away(&world, number, user, id);
            }
        }
        pause(&mut rng, 20).await;
    }
}

/// Now and then a message of the ordinary kind into a room, mostly one that is watched.
async fn send_to_rooms(world: Rc<World>, mut rng: Rng) -> anyhow::Result<()> {
    let mut connection = HttpConnection::open(world.address.get()).await?;
    let watched: Vec<_> = (0..roster::ROOMS).filter(|room| roster::watcher_of(*room).is_some()).collect();
    loop {
        let room = if rng.u8(..4) == 0 { rng.usize(..roster::ROOMS) } else { watched[rng.usize(..watched.len())] };
        let id = world.chat.rooms.borrow().rooms()[room].id.clone();
        send_to_room(&world, &mut connection, (room, &id), roster::room_sender()).await?;
        pause(&mut rng, 80).await;
    }
}

/// One message into a room.
pub(super) async fn send_to_room(
    world: &World,
    connection: &mut HttpConnection,
    (room, id): (usize, &str),
    sender: Sender,
) -> anyhow::Result<()> {
    let number = world.chat.oracle.borrow_mut().begin(sender, To::place(roster::place(room)), Wish::default());
    let body = json!({
        "from": roster::sender_name(sender), "to": [id], "type": "txt", "body": {"msg": format!("{number}:")},
    });
    post(world, connection, "messages/chatrooms", number, &body).await.map(drop)
}

/// Makes a room and sends a first message into it: from then on it is active.
pub(super) async fn make_room(world: &World, watcher: Option<usize>) -> anyhow::Result<()> {
    let (made, address) = (world.chat.made()?, world.address.get());
    let owner = watcher.map_or(roster::OWNER, roster::watcher);
    let mut backend = Backend::with_token(address, made.token.clone()).await?;
    let id = backend.room(&[owner.to_owned()]).await?;
    let room = world.chat.rooms.borrow_mut().made(id.clone(), watcher);
    let mut connection = HttpConnection::open(address).await?;
    send_to_room(world, &mut connection, (room, &id), roster::maker()).await?;
    world.chat.rooms.borrow_mut().active(room);
    Ok(())
}

/// A room more, now and then.
async fn make_rooms(world: Rc<World>, mut rng: Rng) -> anyhow::Result<()> {
    loop {
        pause(&mut rng, 700).await;
        make_room(&world, None).await?;
    }
}

async fn broadcast(world: Rc<World>, mut rng: Rng) -> anyhow::Result<()> {
    let mut connection = HttpConnection::open(world.address.get()).await?;
    let made = world.chat.made()?;
    loop {
        pause(&mut rng, 120).await;
        let number = world.chat.rooms.borrow_mut().begin();
        let level = ["high", "normal", "low"][rng.usize(..3)];
        let body = json!({
            "from": "admin", "chatroom_msg_level": level,
            "msg": {"type": "txt", "msg": format!("{}{number}:", super::rooms::MARK)},
        });
        let response = connection.exchange(&made.token.post("messages/chatrooms/broadcast", &body)).await?;
        world.chat.rooms.borrow_mut().answered(number, response.status);
    }
}

/// Logs in and stays.
async fn stay(world: Rc<World>, mailbox: Mailbox, acks: bool) -> anyhow::Result<()> {
    let mut client = Client::log_in(&world, Who::of(mailbox), acks, None).await?;
    client.ended().await;
    if !acks {
        world.chat.sessions.borrow_mut().insert(mailbox, client.resume());
    }
    Ok(())
}

/// Loses its connection again and again; comes back to its session, or to a new one.
async fn stumble(world: Rc<World>, mailbox: Mailbox, mut rng: Rng) -> anyhow::Result<()> {
    let mut resume = None;
    loop {
        let mut client = Client::log_in(&world, Who::of(mailbox), true, resume.take()).await?;
        if timeout(Duration::from_millis(rng.u64(20..200)), client.ended()).await.is_ok() {
            world.chat.sessions.borrow_mut().insert(mailbox, client.resume());
            return Ok(());
        }
        resume = (rng.u8(..3) > 0).then(|| client.resume());
        drop(client);
        pause(&mut rng, 150).await;
    }
}

/// Sends to users and to the group.
async fn talk(world: Rc<World>, mailbox: Mailbox, mut rng: Rng) -> anyhow::Result<()> {
    let who = Who::of(mailbox);
    let others: Vec<_> = roster::members().filter(|user| *user != who.user).collect();
    let client = Client::log_in(&world, who, true, None).await?;
    loop {
        let to = (rng.u8(..4) > 0).then(|| others[rng.usize(..others.len())]);
        client.send(roster::client(mailbox), to).await?;
        pause(&mut rng, 20).await;
    }
}

/// Watches rooms: always in the session of before, with its connection lost now and then.
async fn watch(world: Rc<World>, mailbox: Mailbox, mut rng: Rng) -> anyhow::Result<()> {
    loop {
        let mut client = super::verify::resume_watching(&world, mailbox).await?;
        let stumbles = Duration::from_millis(rng.u64(50..600));
        let over = timeout(stumbles, client.ended()).await.is_ok();
        super::verify::stop_watching(&world, mailbox, client);
        if over {
            return Ok(());
        }
        // Long enough that some broadcast is done meanwhile: it is on its way when the server is killed.
        pause(&mut rng, 300).await;
    }
}
