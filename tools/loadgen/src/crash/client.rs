//! An RTM user's client: tells the oracle what arrives, and acks if that is its habit.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::World;
use super::connection::{Connection, Ear};
use super::oracle::Number;
use super::roster::{CHANNELS, name};
use crate::stentor::login::log_in;

/// A connected client. Dropping it cuts the connection.
pub(super) struct Client {
    connection: Connection<Listener>,
    session: String,
    resumed: bool,
}

struct Listener {
    world: Rc<World>,
    user: usize,
    acks: bool,
    received: RefCell<BTreeSet<Number>>,
    from_inbox: Cell<usize>,
    last_message: Cell<Instant>,
    newest: RefCell<HashMap<String, u64>>,
}

impl Client {
    /// Logs in, or continues a session.
    pub(super) async fn log_in(
        world: &Rc<World>,
        user: usize,
        acks: bool,
        resume: Option<Value>,
    ) -> anyhow::Result<Self> {
        world.events.borrow_mut().trying(name(user), None);
        let logged_in = log_in(world.address.get(), None, name(user), resume, &world.scratch).await?;
        let session = logged_in.welcome["session"].as_str().context("no session in the welcome")?.to_owned();
        let resumed = logged_in.welcome["resumed"] == true;
        if !resumed {
            world.events.borrow_mut().confirmed(name(user), None);
        }
        {
            let counts = &mut world.oracle.borrow_mut().counts;
            counts.logins += 1;
            counts.resumed += u64::from(resumed);
        }
        let listener = Listener {
            world: Rc::clone(world),
            user,
            acks,
            received: RefCell::default(),
            from_inbox: Cell::new(0),
            last_message: Cell::new(Instant::now()),
            newest: RefCell::default(),
        };
        Ok(Self { connection: Connection::new(logged_in, world.grace / 4, listener)?, session, resumed })
    }

    /// Whether the server continued the session that was asked for.
    pub(super) fn resumed(&self) -> bool {
        self.resumed
    }

    /// What a later login sends to continue this session.
    pub(super) fn resume(&self) -> Value {
        let newest = self.connection.ear().newest.borrow();
        let channels: HashMap<_, _> = newest.iter().map(|(channel, id)| (channel.clone(), id.to_string())).collect();
        json!({"session": self.session, "channels": channels})
    }

    /// Waits until the connection has ended.
    pub(super) async fn ended(&mut self) {
        self.connection.ended().await;
    }

    pub(super) async fn join(&self, channel: &str) -> anyhow::Result<()> {
        let listener = self.connection.ear();
        let (events, user) = (&listener.world.events, name(listener.user));
        events.borrow_mut().trying(user, Some(channel));
        self.expect_ok(json!({"type": "join", "channel": channel})).await?;
        events.borrow_mut().confirmed(user, Some(channel));
        Ok(())
    }

    pub(super) async fn leave(&self, channel: &str) -> anyhow::Result<()> {
        self.expect_ok(json!({"type": "leave", "channel": channel})).await.map(drop)
    }

    pub(super) async fn log_out(&self) -> anyhow::Result<()> {
        self.expect_ok(json!({"type": "logout"})).await.map(drop)
    }

    /// Sends a request and returns its successful reply.
    pub(super) async fn expect_ok(&self, request: Value) -> anyhow::Result<Value> {
        self.connection.expect_ok(request).await
    }

    /// Waits until no message came for some time.
    pub(super) async fn quiet_for(&self, span: Duration) -> anyhow::Result<()> {
        let listener = self.connection.ear();
        loop {
            ensure!(!self.connection.is_over(), "the server closed the connection of {}", name(listener.user));
            let left = span.saturating_sub(listener.last_message.get().elapsed());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left).await;
        }
    }

    /// The peer messages that came over this connection.
    pub(super) fn received(&self) -> BTreeSet<Number> {
        self.connection.ear().received.borrow().clone()
    }

    /// How many peer messages came from the inbox.
    pub(super) fn count_from_inbox(&self) -> usize {
        self.connection.ear().from_inbox.get()
    }
}

impl Ear for Listener {
    fn take(&self, frame: &Value) -> anyhow::Result<Option<(u64, Number)>> {
        match frame["type"].as_str() {
            Some("peer_message") => self.message(frame, None).map(Some),
            Some("channel_message") => {
                let channel = frame["channel"].as_str().unwrap_or_default();
                let (id, _) = self.message(frame, Some(channel))?;
                self.newest.borrow_mut().insert(channel.to_owned(), id);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn acking(&self, messages: &[(u64, Number)]) -> bool {
        if self.acks {
            let mut oracle = self.world.oracle.borrow_mut();
            messages.iter().for_each(|(_, number)| oracle.acking(self.user, *number));
        }
        self.acks
    }

    fn wrong(&self, what: String) {
        self.world.oracle.borrow_mut().violations.push(format!("{}: {what}", name(self.user)));
    }
}

impl Listener {
    fn message(&self, frame: &Value, channel: Option<&str>) -> anyhow::Result<(u64, Number)> {
        let id = frame["message_id"].as_str().and_then(|id| id.parse().ok()).context("no message ID")?;
        let (from, payload) = (frame["from"].as_str(), frame["payload"].as_str());
        let (Some(from), Some(payload)) = (from, payload) else { bail!("no sender or payload") };
        let place = |channel| CHANNELS.iter().position(|known| *known == channel).context("an unknown channel");
        let place = channel.map(place).transpose()?;
        self.last_message.set(Instant::now());
        let number = self.world.oracle.borrow_mut().delivered(self.user, place, from, id, payload);
        let number = number.context("a message that does not make sense")?;
        if place.is_none() {
            self.received.borrow_mut().insert(number);
            self.from_inbox.set(self.from_inbox.get() + usize::from(frame["from_inbox"] == true));
        }
        Ok((id, number))
    }
}
