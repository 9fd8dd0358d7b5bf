//! A user's client: tells the oracle what arrives, acks if that is its habit, and says that it is there.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, timeout};

use super::World;
use super::oracle::Number;
use super::roster::name;
use crate::stentor::login::{LoggedIn, PING, log_in, read_text};
use crate::stentor::notice;
use crate::wire::websocket::{FrameSink, FrameSource};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connected client. Dropping it cuts the connection.
pub(super) struct Client {
    state: Rc<State>,
    session: String,
    resumed: bool,
    reader: JoinHandle<()>,
    pinger: JoinHandle<()>,
}

struct State {
    world: Rc<World>,
    user: usize,
    acks: bool,
    sink: FrameSink,
    requests: Cell<u64>,
    replies: RefCell<HashMap<u64, oneshot::Sender<Value>>>,
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
        let LoggedIn { source, sink, welcome, early } =
            log_in(world.address.get(), None, name(user), resume, &world.scratch).await?;
        let session = welcome["session"].as_str().context("no session in the welcome")?.to_owned();
        let resumed = welcome["resumed"] == true;
        if !resumed {
            world.events.borrow_mut().confirmed(name(user), None);
        }
        {
            let counts = &mut world.oracle.borrow_mut().counts;
            counts.logins += 1;
            counts.resumed += u64::from(resumed);
        }
        let state = Rc::new(State {
            world: Rc::clone(world),
            user,
            acks,
            sink,
            requests: Cell::new(0),
            replies: RefCell::default(),
            received: RefCell::default(),
            from_inbox: Cell::new(0),
            last_message: Cell::new(Instant::now()),
            newest: RefCell::default(),
        });
        let asked = welcome["ping_interval_ms"].as_u64().context("no ping_interval_ms in the welcome")?;
        // With a grace as short as a test wants it, a client that keeps to the interval may be gone before.
        let interval = Duration::from_millis(asked).min(world.grace / 4);
        let reader = spawn_local(Rc::clone(&state).read(source, early));
        let pinger = spawn_local(Rc::clone(&state).ping(interval));
        Ok(Self { state, session, resumed, reader, pinger })
    }

    /// Whether the server continued the session that was asked for.
    pub(super) fn resumed(&self) -> bool {
        self.resumed
    }

    /// What a later login sends to continue this session.
    pub(super) fn resume(&self) -> Value {
        let channels: HashMap<_, _> =
            self.state.newest.borrow().iter().map(|(channel, id)| (channel.clone(), id.to_string())).collect();
        json!({"session": self.session, "channels": channels})
    }

    /// Waits until the connection has ended.
    pub(super) async fn ended(&mut self) {
        // The reader does not panic and is only cancelled with the client.
        let _ = (&mut self.reader).await;
    }

    pub(super) async fn join(&self, channel: &str) -> anyhow::Result<()> {
        let (events, user) = (&self.state.world.events, name(self.state.user));
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
    pub(super) async fn expect_ok(&self, mut request: Value) -> anyhow::Result<Value> {
        let id = self.state.requests.get();
        self.state.requests.set(id + 1);
        request["id"] = json!(id);
        let (sender, receiver) = oneshot::channel();
        self.state.replies.borrow_mut().insert(id, sender);
        self.state.sink.send_text(&request.to_string())?;
        let reply = timeout(PATIENCE, receiver).await.with_context(|| format!("no reply to {request}"))?;
        let reply = reply.context("the connection ended before the reply")?;
        ensure!(reply["ok"] == true, "{request} was answered with {reply}");
        Ok(reply)
    }

    /// Waits until no message came for some time.
    pub(super) async fn quiet_for(&self, span: Duration) -> anyhow::Result<()> {
        loop {
            ensure!(!self.reader.is_finished(), "the server closed the connection of {}", name(self.state.user));
            let left = span.saturating_sub(self.state.last_message.get().elapsed());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left).await;
        }
    }

    /// The peer messages that came over this connection.
    pub(super) fn received(&self) -> BTreeSet<Number> {
        self.state.received.borrow().clone()
    }

    /// How many peer messages came from the inbox.
    pub(super) fn count_from_inbox(&self) -> usize {
        self.state.from_inbox.get()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
        self.pinger.abort();
    }
}

impl State {
    async fn ping(self: Rc<Self>, interval: Duration) {
        loop {
            sleep(interval).await;
            if self.sink.send_text(PING).is_err() {
                return;
            }
        }
    }

    /// Reads until the connection ends, for whatever reason: the user's task finds out what that means.
    async fn read(self: Rc<Self>, mut source: FrameSource, early: Vec<Value>) {
        let mut to_ack = Vec::new();
        early.iter().for_each(|frame| self.take(frame, &mut to_ack));
        loop {
            if self.ack(&mut to_ack).is_err() {
                break;
            }
            let read = source.read(|opcode, payload| {
                self.take(&read_text(opcode, payload)?, &mut to_ack);
                Ok(())
            });
            // What came before an error counts.
            if !matches!(read.await, Ok(true)) {
                let _ = self.ack(&mut to_ack);
                break;
            }
        }
        self.replies.borrow_mut().clear();
    }

    fn take(&self, frame: &Value, to_ack: &mut Vec<(u64, Number)>) {
        let taken = match frame["type"].as_str() {
            Some("peer_message") => self.message(frame, None).map(|message| to_ack.push(message)),
            Some("channel_message") => {
                let channel = frame["channel"].as_str().unwrap_or_default();
                self.message(frame, Some(channel)).map(|(id, _)| {
                    self.newest.borrow_mut().insert(channel.to_owned(), id);
                })
            }
            Some("reply") => {
                let waiting = frame["id"].as_u64().and_then(|id| self.replies.borrow_mut().remove(&id));
                // Nobody waits for a reply that came too late.
                waiting.map(|waiting| drop(waiting.send(frame.clone()))).context("a reply to nothing")
            }
            _ => Ok(()),
        };
        if let Err(error) = taken {
            let what = format!("{}: {error:#}: {frame}", name(self.user));
            self.world.oracle.borrow_mut().violations.push(what);
        }
    }

    fn message(&self, frame: &Value, channel: Option<&str>) -> anyhow::Result<(u64, Number)> {
        let id = frame["message_id"].as_str().and_then(|id| id.parse().ok()).context("no message ID")?;
        let (from, payload) = (frame["from"].as_str(), frame["payload"].as_str());
        let (Some(from), Some(payload)) = (from, payload) else { bail!("no sender or payload") };
        self.last_message.set(Instant::now());
        let number = self.world.oracle.borrow_mut().delivered(self.user, channel, from, id, payload);
        let number = number.context("a message that does not make sense")?;
        if channel.is_none() {
            self.received.borrow_mut().insert(number);
            self.from_inbox.set(self.from_inbox.get() + usize::from(frame["from_inbox"] == true));
        }
        Ok((id, number))
    }

    fn ack(&self, to_ack: &mut Vec<(u64, Number)>) -> anyhow::Result<()> {
        let messages = std::mem::take(to_ack);
        if !self.acks || messages.is_empty() {
            return Ok(());
        }
        let mut oracle = self.world.oracle.borrow_mut();
        messages.iter().for_each(|(_, number)| oracle.acking(self.user, *number));
        let ids: Vec<u64> = messages.iter().map(|(id, _)| *id).collect();
        self.sink.send_text(&notice::ack(&ids))
    }
}
