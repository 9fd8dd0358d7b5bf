//! Who subscribes, and how frames get to them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Notify, oneshot};
use tokio::task::{spawn_local, yield_now};

use super::Mode;
use crate::wire::frame;

/// A subscriber's socket.
pub(super) struct Subscriber {
    socket: OwnedWriteHalf,
    /// Bytes that the socket did not take yet.
    backlog: RefCell<Vec<u8>>,
    /// Frames that wait for the next round of writing (coalescing, messages to one user).
    pending: RefCell<Vec<u8>>,
}

impl Subscriber {
    pub(super) fn new(socket: OwnedWriteHalf) -> Rc<Self> {
        Rc::new(Self { socket, backlog: RefCell::default(), pending: RefCell::default() })
    }

    /// One `send()`; what the socket does not take is written when it can.
    pub(super) fn send(self: &Rc<Self>, bytes: &[u8]) {
        let mut backlog = self.backlog.borrow_mut();
        if !backlog.is_empty() {
            backlog.extend_from_slice(bytes);
            return;
        }
        let taken = self.socket.try_write(bytes).unwrap_or_default();
        if taken < bytes.len() {
            backlog.extend_from_slice(&bytes[taken..]);
            spawn_local(Rc::clone(self).work_off());
        }
    }

    async fn work_off(self: Rc<Self>) {
        while self.socket.writable().await.is_ok() {
            let mut backlog = self.backlog.borrow_mut();
            match self.socket.try_write(&backlog) {
                Ok(taken) => drop(backlog.drain(..taken)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
            if backlog.is_empty() {
                *backlog = Vec::new();
                return;
            }
        }
    }
}

/// All subscribers.
pub(super) struct Hub {
    mode: Mode,
    room: RefCell<Vec<Rc<Subscriber>>>,
    users: RefCell<HashMap<u32, Rc<Subscriber>>>,
    room_pending: RefCell<Vec<u8>>,
    users_pending: RefCell<Vec<Rc<Subscriber>>>,
    pending: Notify,
    last_id: Cell<u64>,
    acks: RefCell<HashMap<u64, oneshot::Sender<()>>>,
}

impl Hub {
    pub(super) fn new(mode: Mode) -> Rc<Self> {
        Rc::new(Self {
            mode,
            room: RefCell::default(),
            users: RefCell::default(),
            room_pending: RefCell::default(),
            users_pending: RefCell::default(),
            pending: Notify::new(),
            // As many digits as the server's own IDs.
            last_id: Cell::new(1_000_000_000_000_000_000),
            acks: RefCell::default(),
        })
    }

    pub(super) fn enter_room(&self, subscriber: Rc<Subscriber>) {
        self.room.borrow_mut().push(subscriber);
    }

    pub(super) fn add_user(&self, user: u32, subscriber: Rc<Subscriber>) {
        self.users.borrow_mut().insert(user, subscriber);
    }

    pub(super) fn publish_to_room(&self, payload: &[u8]) {
        let id = self.next_id();
        let frame =
            encode(r#"{"type":"channel_message","channel":"bench","from":"backend","payload":""#, payload, id, "");
        if self.mode == Mode::Coalescing {
            self.room_pending.borrow_mut().extend_from_slice(&frame);
            self.pending.notify_one();
        } else {
            self.room.borrow().iter().for_each(|subscriber| subscriber.send(&frame));
        }
    }

    /// Returns the message's ID, or nothing if the user is not there.
    pub(super) fn publish_to_user(&self, user: u32, payload: &[u8]) -> Option<u64> {
        let subscriber = self.users.borrow().get(&user).cloned()?;
        let id = self.next_id();
        let frame =
            encode(r#"{"type":"peer_message","from":"backend","payload":""#, payload, id, r#","from_inbox":false"#);
        if self.mode == Mode::Coalescing {
            let mut pending = subscriber.pending.borrow_mut();
            if pending.is_empty() {
                self.users_pending.borrow_mut().push(Rc::clone(&subscriber));
            }
            pending.extend_from_slice(&frame);
            self.pending.notify_one();
        } else {
            subscriber.send(&frame);
        }
        Some(id)
    }

    /// Resolves when the message is acked. Call it before anything else may run, lest the ack be missed.
    pub(super) fn ack_of(&self, id: u64) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.acks.borrow_mut().insert(id, sender);
        receiver
    }

    pub(super) fn acked(&self, id: u64) {
        if let Some(waiting) = self.acks.borrow_mut().remove(&id) {
            // Its publisher may have gone.
            let _ = waiting.send(());
        }
    }

    fn next_id(&self) -> u64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    /// Coalescing: writes what was collected, once the publications that are ready now have been taken.
    pub(super) async fn write_pending(self: Rc<Self>) {
        loop {
            self.pending.notified().await;
            yield_now().await;
            let for_room = self.room_pending.take();
            if !for_room.is_empty() {
                self.room.borrow().iter().for_each(|subscriber| subscriber.send(&for_room));
            }
            for subscriber in self.users_pending.take() {
                let frames = subscriber.pending.take();
                subscriber.send(&frames);
            }
        }
    }
}

/// The server's notice with this payload; the time is a constant of the right length.
fn encode(before: &str, payload: &[u8], id: u64, after: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(before.len() + payload.len() + 96);
    text.extend_from_slice(before.as_bytes());
    text.extend_from_slice(payload);
    text.extend_from_slice(format!(r#"","ts":1700000000000,"message_id":"{id}"{after}}}"#).as_bytes());
    frame::from_server(frame::TEXT, &text)
}
