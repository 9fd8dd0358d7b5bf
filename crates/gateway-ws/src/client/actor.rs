//! The task of one client connection: reads, writes, pings, acks, and hands events and replies to whom they are
//! for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use stentor_core::id::MessageId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::ClientOptions;
use super::link::{PING, ack_frame, object};
use super::memory::Memory;

/// What a client of some protocol is told.
pub(super) trait Event: Sized + Send + 'static {
    /// Reads a notice of this type, and notes in `memory` what must not come twice. `again`: messages that come
    /// again are told again.
    fn read(kind: &str, text: &str, memory: &mut Memory, again: bool) -> Told<Self>;

    /// The connection ended, with this code if it was closed.
    fn closed(code: Option<u16>) -> Self;
}

/// What a notice comes to.
pub(super) struct Told<E> {
    /// The message that is to be acked.
    pub(super) ack: Option<MessageId>,
    pub(super) event: Option<E>,
}

impl<E> Told<E> {
    pub(super) const NOTHING: Self = Self { ack: None, event: None };

    pub(super) fn event(event: E) -> Self {
        Self { ack: None, event: Some(event) }
    }
}

/// What the actor is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Make a request.
    Request { kind: String, fields: Value, answer: oneshot::Sender<Utf8Bytes> },
    /// Send a text as it is.
    Text(String),
    /// Close the connection.
    Close,
}

pub(super) struct Actor<S, E> {
    socket: WebSocketStream<S>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<E>,
    memory: Arc<Mutex<Memory>>,
    auto_ack: bool,
    /// `None` without automatic pings.
    ping_every: Option<Duration>,
    ping_at: Instant,
    silence: Duration,
    /// When the server was heard last, or could not be because nothing was read.
    heard_at: Instant,
    next_id: u64,
    unanswered: HashMap<u64, oneshot::Sender<Utf8Bytes>>,
    /// Acks that wait for the last frame of a burst.
    acks: Vec<MessageId>,
    /// An event that the queue has no room for; nothing is read meanwhile.
    waiting: Option<E>,
}

enum Next {
    Message(Option<Result<Message, WsError>>),
    Command(Option<Command>),
    Ping,
}

/// The connection ended, with this code if it was closed.
struct Ended(Option<u16>);

impl From<WsError> for Ended {
    fn from(_: WsError) -> Self {
        Self(None)
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: std::borrow::Cow<'a, str>,
}

/// The request that a reply answers. Other frames have an `id` of another type.
#[derive(Deserialize)]
struct Answered {
    id: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin, E: Event> Actor<S, E> {
    pub(super) fn new(
        socket: WebSocketStream<S>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<E>,
        memory: Arc<Mutex<Memory>>,
        options: &ClientOptions,
        ping_interval_ms: u64,
    ) -> Self {
        let ping_every = options.auto_ping.then(|| Duration::from_millis(ping_interval_ms.max(1)));
        Self {
            socket,
            commands,
            events,
            memory,
            auto_ack: options.auto_ack,
            ping_every,
            ping_at: Instant::now() + ping_every.unwrap_or_default(),
            silence: options.silence,
            heard_at: Instant::now(),
            next_id: 1,
            unanswered: HashMap::new(),
            acks: Vec::new(),
            waiting: None,
        }
    }

    pub(super) async fn run(mut self) {
        let Ended(code) = loop {
            if let Err(ended) = self.step().await {
                break ended;
            }
        };
        self.unanswered.clear();
        if let Some(event) = self.waiting.take() {
            let _ = self.events.send(event).await;
        }
        let _ = self.events.send(E::closed(code)).await;
    }

    async fn step(&mut self) -> Result<(), Ended> {
        if self.waiting.is_none() {
            match self.socket.next().now_or_never() {
                Some(message) => return self.take_in(message),
                None => self.send_acks().await?,
            }
        }
        let next = tokio::select! {
            message = self.socket.next(), if self.waiting.is_none() => Next::Message(message),
            permit = self.events.reserve(), if self.waiting.is_some() => {
                // Without a permit nobody listens any more; requests may still be made.
                if let (Ok(permit), Some(event)) = (permit, self.waiting.take()) {
                    permit.send(event);
                }
                return Ok(());
            }
            command = self.commands.recv() => Next::Command(command),
            () = sleep_until(self.ping_at), if self.ping_every.is_some() => Next::Ping,
        };
        match next {
            Next::Message(message) => self.take_in(message),
            Next::Command(command) => self.obey(command).await,
            Next::Ping => self.ping().await,
        }
    }

    async fn ping(&mut self) -> Result<(), Ended> {
        if self.waiting.is_some() {
            self.heard_at = Instant::now();
        }
        if self.heard_at.elapsed() >= self.silence {
            return Err(Ended(None));
        }
        self.send(PING.to_owned()).await
    }

    async fn obey(&mut self, command: Option<Command>) -> Result<(), Ended> {
        match command {
            Some(Command::Request { kind, fields, answer }) => {
                let id = self.next_id;
                self.next_id += 1;
                self.unanswered.insert(id, answer);
                self.send(object(&kind, Some(id), &fields)).await
            }
            Some(Command::Text(text)) => self.send(text).await,
            Some(Command::Close) => {
                let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
                self.socket.close(Some(frame)).await?;
                while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
                Err(Ended(Some(CloseCode::Normal.into())))
            }
            // The client was dropped: the connection is lost, the session may be resumed.
            None => Err(Ended(None)),
        }
    }

    async fn send(&mut self, text: String) -> Result<(), Ended> {
        if let Some(every) = self.ping_every {
            self.ping_at = Instant::now() + every;
        }
        self.socket.send(Message::text(text)).await.map_err(Ended::from)
    }

    async fn send_acks(&mut self) -> Result<(), Ended> {
        if self.acks.is_empty() {
            return Ok(());
        }
        let frame = ack_frame(&self.acks);
        self.acks.clear();
        self.send(frame).await
    }

    fn take_in(&mut self, message: Option<Result<Message, WsError>>) -> Result<(), Ended> {
        self.heard_at = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => {
                self.take_in_text(text);
                Ok(())
            }
            Some(Ok(Message::Close(frame))) => Err(Ended(frame.map(|frame| frame.code.into()))),
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) | None => Err(Ended(None)),
        }
    }

    fn take_in_text(&mut self, text: Utf8Bytes) {
        let Ok(Head { kind }) = serde_json::from_str::<Head<'_>>(&text) else { return };
        match &*kind {
            "pong" => {}
            "reply" => {
                let answered = serde_json::from_str::<Answered>(&text).ok();
                if let Some(answer) = answered.and_then(|answered| self.unanswered.remove(&answered.id)) {
                    let _ = answer.send(text);
                }
            }
            kind => {
                let told = E::read(kind, &text, &mut self.memory.lock(), !self.auto_ack);
                self.acks.extend(told.ack.filter(|_| self.auto_ack));
                if let Some(event) = told.event {
                    self.tell(event);
                }
            }
        }
    }

    fn tell(&mut self, event: E) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
            self.waiting = Some(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::super::ClientEvent;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_falls_silent_is_taken_for_gone() {
        let (here, mut there) = tokio::io::duplex(1 << 20);
        let socket = WebSocketStream::from_raw_socket(here, Role::Client, None).await;
        let (_commands, commands) = mpsc::channel(1);
        let (events, mut told) = mpsc::channel(8);
        let memory = Arc::new(Mutex::new(Memory::new("0000000000000001", &[], None)));
        let actor = Actor::new(socket, commands, events, memory, &ClientOptions::default(), 2000);
        let started = Instant::now();
        let running = tokio::spawn(actor.run());
        // It speaks once, and then only listens.
        tokio::io::AsyncWriteExt::write_all(&mut there, b"\x81\x0f{\"type\":\"pong\"}").await.unwrap();
        assert_eq!(told.recv().await, Some(ClientEvent::Closed { code: None }));
        assert!(started.elapsed() >= ClientOptions::default().silence);
        running.await.unwrap();
    }
}
