//! The Chat side of the crash test: messages to users with several devices and to a group, broadcasts to every active
//! room, callbacks and pushes.
//!
//! What is promised beyond what the oracle knows of RTM, and so what is a violation:
//!
//! * each device of a user is owed what that device has not acked, a device never seen before what no device of the
//!   user has acked; an ack is durable when a later message of the same client was answered, and what it acked does
//!   not come over a later connection of the device, nor to a new one;
//! * a broadcast that was answered with 200 is in the history of every room that was active then, once, and a client
//!   in the room that resumes sees it; under one ID, so that it sees it once. One in doubt is in all rooms or in none;
//! * every message that was answered with 200, or came out of an inbox, is told to the backend, for a receiver who was
//!   away a second time; again and again until the backend has answered 200. What comes again is the same, with the
//!   same `callId`. A message that was told is in the inboxes, too;
//! * every message that was answered with 200 comes as a push to each device of a receiver who was away, and so does every
//!   message that a client was handed and does not ack, when its session ends or the wait for acks is over; unless newer
//!   messages have replaced it in a full inbox. The push says what the message says, to the right user, with the right
//!   token and `id`, signed. It comes again, the same, only if it was answered otherwise than with 200 or cut off, or the
//!   server was killed after it came. None comes for a message that its receiver is known to have acked for 3 s (what was
//!   decided less than 2 s ago is sent without another look), for one's own message, or to a user who wants none. A message
//!   that was pushed is in the inboxes, too.

mod callbacks;
mod client;
mod hook;
mod load;
mod look;
mod push_hook;
mod pushes;
mod requests;
mod rooms;
mod roster;
mod verify;

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use tokio::time::sleep;

use self::callbacks::CallbackLog;
use self::client::Resume;
use self::hook::Hook;
pub(super) use self::load::start;
use self::push_hook::PushHook;
use self::pushes::PushLog;
use self::rooms::Rooms;
pub(super) use self::verify::verify;
use super::World;
use super::counts::{Broadcasts, Callbacks, Pushes, Traffic};
use super::oracle::{INBOX, Mailbox, Oracle};
use crate::stentor::chat::{AppToken, Backend};
use crate::stentor::config::ChatSetup;

/// Long enough for whoever wants to come back after the restart.
const STAY_MS: u64 = 10_000;

/// In so much time everything is read that a dead server has written.
const READ: Duration = Duration::from_millis(20);

/// How long a client may take to ack before its user is told by push: the shortest there is.
const PUSH_ACK_WAIT_MS: u64 = 1000;

/// Devices of one user: those of the roster, and new ones, of which the oldest is forgotten.
const DEVICES: usize = 4;

/// The Chat part of what the tasks of a run share.
pub(super) struct Chat {
    oracle: RefCell<Oracle>,
    rooms: RefCell<Rooms>,
    callbacks: RefCell<CallbackLog>,
    hook: Hook,
    pushes: RefCell<PushLog>,
    push_hook: PushHook,
    /// What the set-up made; nothing before it.
    made: RefCell<Option<Rc<Made>>>,
    /// Sessions that were cut, to be resumed.
    sessions: RefCell<HashMap<Mailbox, Resume>>,
}

/// What is there all the time.
struct Made {
    token: AppToken,
    /// By user.
    user_tokens: HashMap<String, String>,
    group: String,
}

impl Chat {
    /// Opens the ports that callbacks and pushes go to.
    pub(super) fn new() -> anyhow::Result<Self> {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a port for callbacks or pushes");
        Ok(Self {
            oracle: RefCell::new(Oracle::new(roster::names())),
            rooms: RefCell::default(),
            callbacks: RefCell::default(),
            hook: Hook::new(listen()?)?,
            pushes: RefCell::default(),
            push_hook: PushHook::new(listen()?)?,
            made: RefCell::default(),
            sessions: RefCell::default(),
        })
    }

    /// What the server is to be configured with.
    pub(super) fn setup(&self) -> ChatSetup {
        ChatSetup {
            room_stay_ms: STAY_MS,
            inbox_messages: INBOX,
            devices: DEVICES,
            callbacks_to: Some(self.hook.address),
            push_ack_wait_ms: PUSH_ACK_WAIT_MS,
        }
    }

    fn made(&self) -> anyhow::Result<Rc<Made>> {
        self.made.borrow().clone().context("nothing was set up")
    }

    /// What happened so far.
    pub(super) fn counts(&self) -> (Traffic, Broadcasts, Callbacks, Pushes) {
        let (oracle, rooms, callbacks) = (self.oracle.borrow(), self.rooms.borrow(), self.callbacks.borrow());
        let pushes = self.pushes.borrow();
        (oracle.counts.clone(), rooms.counts.clone(), callbacks.counts.clone(), pushes.counts.clone())
    }

    /// The server was killed.
    pub(super) fn killed(&self) {
        self.oracle.borrow_mut().killed();
        self.rooms.borrow_mut().killed();
    }

    /// The server is dead and about to be started. What it had written is read first, so that it is known to be of its
    /// earlier life.
    pub(super) async fn starting(&self) {
        sleep(READ).await;
        self.pushes.borrow_mut().starting();
    }

    /// Everything that was found since it was last asked for.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut all = std::mem::take(&mut self.oracle.borrow_mut().violations);
        all.append(&mut self.rooms.borrow_mut().violations);
        all.append(&mut self.callbacks.borrow_mut().violations);
        all.append(&mut self.pushes.borrow_mut().violations);
        all.iter_mut().for_each(|violation| violation.insert_str(0, "Chat: "));
        all
    }
}

/// Registers users and devices, makes the group and the rooms.
pub(super) async fn set_up(world: &Rc<World>) -> anyhow::Result<()> {
    let chat = &world.chat;
    chat.hook.serve(world, fastrand::Rng::new())?;
    chat.push_hook.serve(world, fastrand::Rng::new())?;
    let mut backend = Backend::open(world.address.get()).await?;
    let mut user_tokens = HashMap::new();
    for user in roster::users() {
        user_tokens.insert(user.to_owned(), backend.user_token(user).await?);
    }
    let members: Vec<_> = roster::members().collect();
    let group = backend.group(roster::OWNER, &members).await?;
    chat.push_hook.set_up(&mut backend).await?;
    let token = backend.token().clone();
    *chat.made.borrow_mut() = Some(Rc::new(Made { token, user_tokens, group }));
    for room in 0..roster::ROOMS {
        load::make_room(world, roster::watcher_of(room)).await?;
    }
    for mailbox in roster::mailboxes() {
        look::look_once(world, client::Who::of(mailbox), false, None, Duration::ZERO).await?;
    }
    for number in 0..roster::WATCHERS {
        let mailbox = roster::watcher_mailbox(number);
        let client = verify::resume_watching(world, mailbox).await?;
        verify::stop_watching(world, mailbox, client);
    }
    Ok(())
}
