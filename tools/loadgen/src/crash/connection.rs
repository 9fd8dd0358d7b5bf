//! A client's connection, in either protocol: requests and their replies, acks, and saying that it is there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, timeout};

use super::oracle::Number;
use crate::stentor::login::{LoggedIn, PING, read_text};
use crate::stentor::notice;
use crate::wire::websocket::{FrameSink, FrameSource};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a client does with what it hears.
pub(super) trait Ear: 'static {
    /// Takes a frame that is no reply. Returns the ID and number of a message that is to be acked.
    ///
    /// # Errors
    /// When it makes no sense.
    fn take(&self, frame: &Value) -> anyhow::Result<Option<(u64, Number)>>;

    /// Whether to ack these. They are acked at once then.
    fn acking(&self, messages: &[(u64, Number)]) -> bool;

    /// Something came that must not come.
    fn wrong(&self, what: String);
}

/// A connection. Dropping it cuts it.
pub(super) struct Connection<E> {
    state: Rc<State<E>>,
    reader: JoinHandle<()>,
    pinger: JoinHandle<()>,
}

struct State<E> {
    ear: E,
    sink: FrameSink,
    requests: Cell<u64>,
    replies: RefCell<HashMap<u64, oneshot::Sender<Value>>>,
}

impl<E: Ear> Connection<E> {
    /// Begins to listen. The client is heard of at least once in `silence`, and as often as the server asks for.
    ///
    /// # Errors
    /// When the welcome does not say how often that is.
    pub(super) fn new(logged_in: LoggedIn, silence: Duration, ear: E) -> anyhow::Result<Self> {
        let LoggedIn { source, sink, welcome, early } = logged_in;
        let asked = welcome["ping_interval_ms"].as_u64().context("no ping_interval_ms in the welcome")?;
        // With a grace as short as a test wants it, a client that keeps to the interval may be gone before.
        let interval = Duration::from_millis(asked).min(silence);
        let state = Rc::new(State { ear, sink, requests: Cell::new(0), replies: RefCell::default() });
        let reader = spawn_local(Rc::clone(&state).read(source, early));
        let pinger = spawn_local(Rc::clone(&state).ping(interval));
        Ok(Self { state, reader, pinger })
    }

    pub(super) fn ear(&self) -> &E {
        &self.state.ear
    }

    /// Whether the connection has ended.
    pub(super) fn is_over(&self) -> bool {
        self.reader.is_finished()
    }

    /// Waits until the connection has ended.
    pub(super) async fn ended(&mut self) {
        // The reader does not panic and is only cancelled with the client.
        let _ = (&mut self.reader).await;
    }

    /// Sends a request and returns its successful reply.
    ///
    /// # Errors
    /// When there is none, or it is no success.
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
}

impl<E> Drop for Connection<E> {
    fn drop(&mut self) {
        self.reader.abort();
        self.pinger.abort();
    }
}

impl<E: Ear> State<E> {
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
        let taken = if frame["type"] == "reply" {
            let waiting = frame["id"].as_u64().and_then(|id| self.replies.borrow_mut().remove(&id));
            // Nobody waits for a reply that came too late.
            waiting.map(|waiting| drop(waiting.send(frame.clone()))).context("a reply to nothing")
        } else {
            self.ear.take(frame).map(|message| to_ack.extend(message))
        };
        if let Err(error) = taken {
            self.ear.wrong(format!("{error:#}: {frame}"));
        }
    }

    fn ack(&self, to_ack: &mut Vec<(u64, Number)>) -> anyhow::Result<()> {
        let messages = std::mem::take(to_ack);
        if messages.is_empty() || !self.ear.acking(&messages) {
            return Ok(());
        }
        let ids: Vec<u64> = messages.iter().map(|(id, _)| *id).collect();
        self.sink.send_text(&notice::ack(&ids))
    }
}
