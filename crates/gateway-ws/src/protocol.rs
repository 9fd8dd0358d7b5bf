//! The protocols that clients speak, one per path. They share the connection, the frames around requests
//! ([`crate::codec`]) and the way in; each has its own first frame, requests and notices.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use stentor_core::accounts::{Credential, LoginRefused};
use stentor_core::app::AppPolicy;
use stentor_core::clock::MonotonicMs;
use stentor_core::id::{DeviceId, MessageId, NameError, RoomId, SessionId, UserId};
use stentor_core::node::App;
use stentor_core::notice::{CodecSlot, Notice};
use stentor_core::session::{Closing, ConnectError, Session};

use crate::carrier::Carrier;
use crate::codec::{self, Malformed, Refusal};
use crate::frame::parser::Messages;
use crate::packing::{Out, Packing};
use crate::state::GatewayState;
use crate::teller::{Audience, Numbers};
use crate::{chat, msync, rtm};

/// A protocol, chosen by the path that a client connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Of RTM clients: `docs/gateway.md`.
    Rtm,
    /// Of Chat clients: `docs/gateway-chat.md`.
    Chat,
    /// Of the vendor's Chat SDKs, in one of three wrappings: `docs/gateway-msync.md`.
    Msync(Carrier),
}

/// A slot of its own for each: of every notice it keeps one complete frame, WebSocket header included, that all
/// receivers share.
const fn slot(number: usize) -> CodecSlot {
    match CodecSlot::new(number) {
        Some(slot) => slot,
        None => panic!("there are more protocols than slots"),
    }
}

impl Protocol {
    /// Every protocol that HTTP leads to.
    pub const ALL: [Self; 4] = [Self::Rtm, Self::Chat, Self::Msync(Carrier::WebSocket), Self::Msync(Carrier::SockJs)];

    /// Where its clients connect, unless the server says otherwise. SockJS has several routes below it; TCP has none.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Rtm => "/ws/rtm",
            Self::Chat => "/ws/chat",
            Self::Msync(Carrier::WebSocket) => "/websocket",
            Self::Msync(Carrier::SockJs) => "/ws",
            Self::Msync(Carrier::Tcp) => "",
        }
    }

    /// Where its frames are kept in an envelope; for the sender's `own` clients, if theirs are others.
    pub(crate) const fn slot(self, own: bool) -> CodecSlot {
        match (self, own) {
            (Self::Rtm, _) => slot(0),
            (Self::Chat, _) => slot(1),
            (Self::Msync(Carrier::WebSocket), own) => slot(2 + own as usize),
            (Self::Msync(Carrier::SockJs), own) => slot(4 + own as usize),
            (Self::Msync(Carrier::Tcp), own) => slot(6 + own as usize),
        }
    }

    /// Whether a client that comes back does not say so, and goes on by its device.
    pub(crate) const fn goes_on_by_device(self) -> bool {
        matches!(self, Self::Msync(_))
    }

    /// Whether its clients are asked how far they have read, because they do not say it when they come back. TCP has nothing to
    /// ask with.
    pub(crate) const fn has_checkpoints(self) -> bool {
        matches!(self, Self::Msync(Carrier::WebSocket | Carrier::SockJs))
    }

    /// What its messages are.
    pub(crate) const fn messages(self) -> Messages {
        match self {
            Self::Rtm | Self::Chat => Messages::Text,
            Self::Msync(carrier) => carrier.messages(),
        }
    }

    /// How long what comes in may be, so that a message of `max` bytes fits.
    pub(crate) const fn frame_bytes(self, max: usize) -> usize {
        match self {
            Self::Rtm | Self::Chat => max,
            Self::Msync(carrier) => carrier.frame_bytes(max),
        }
    }

    /// The complete frame of a notice; empty if its clients are told nothing.
    pub(crate) fn notice(self, notice: &Notice, audience: &Audience<'_>) -> Bytes {
        match self {
            Self::Rtm => rtm::notice::notice(notice),
            Self::Chat => chat::notice::notice(notice),
            Self::Msync(_) => msync::notice::notice(notice, audience),
        }
    }

    /// Reads the first frame. `None` if it is something else than a login.
    pub(crate) fn opening(self, message: Message<'_>) -> Result<Option<Box<Opening>>, Malformed> {
        match self {
            Self::Rtm => rtm::opening(message.text()?),
            Self::Chat => chat::opening(message.text()?),
            Self::Msync(_) => msync::opening(message.bytes()),
        }
    }

    /// Reads a later frame, and begins what it asks for.
    pub(crate) fn said(self, caller: &Arc<Caller>, message: Message<'_>) -> Result<Said, Malformed> {
        match self {
            Self::Rtm => rtm::said(caller, message.text()?),
            Self::Chat => chat::said(caller, message.text()?),
            Self::Msync(_) => msync::said(caller, message.bytes()),
        }
    }

    /// The frame that answers a sign of life, at `now_ms`: Unix time in milliseconds.
    pub(crate) fn pong(self, now_ms: u64) -> Bytes {
        match self {
            Self::Rtm | Self::Chat => codec::pong(now_ms),
            Self::Msync(_) => msync::unread(Vec::new(), now_ms),
        }
    }

    /// The frame that refuses a login.
    pub(crate) fn refused(self, refusal: &Refusal) -> Bytes {
        match self {
            Self::Rtm | Self::Chat => codec::refused(refusal),
            Self::Msync(_) => msync::refused(refusal),
        }
    }

    /// What a client is told before the core closes its connection, beside the close code.
    /// `replaced_by` is what the client said that took its place.
    pub(crate) fn last_words(self, why: Closing, replaced_by: Option<&str>, numbers: &Numbers) -> Option<Bytes> {
        match (self, why) {
            (Self::Rtm | Self::Chat, Closing::Draining { reconnect_after_ms }) => {
                Some(codec::reconnect(reconnect_after_ms))
            }
            (Self::Rtm | Self::Chat, _) => None,
            (Self::Msync(_), why) => msync::last_words(why, replaced_by, numbers),
        }
    }

    /// What a client is told that broke the protocol, beside the close code.
    pub(crate) fn malformed(self) -> Option<Bytes> {
        match self {
            Self::Rtm | Self::Chat => None,
            Self::Msync(_) => Some(msync::malformed()),
        }
    }

    /// What is said before the client has said anything.
    pub(crate) fn greeting(self) -> Option<Bytes> {
        match self {
            Self::Rtm | Self::Chat => None,
            Self::Msync(carrier) => carrier.greeting(),
        }
    }

    /// A frame as it is written to these clients; empty if it is not.
    pub(crate) fn wrapped(self, frame: Bytes) -> Bytes {
        match self {
            Self::Rtm | Self::Chat => frame,
            Self::Msync(carrier) => carrier.wrapped(frame),
        }
    }

    /// A frame as it was to be written, packed if it is to be.
    pub(crate) fn packed(self, frame: Bytes, packing: Option<&mut Out>) -> Bytes {
        match (self, packing) {
            (Self::Msync(carrier), Some(packing)) => match carrier.unwrapped(&frame) {
                Some(message) => carrier.message(&packing.pack(message)),
                None => frame,
            },
            _ => frame,
        }
    }

    /// Whether there is a way to compress what is sent. SockJS is text.
    pub(crate) const fn packs(self) -> bool {
        matches!(self, Self::Msync(Carrier::WebSocket | Carrier::Tcp))
    }

    /// The frames that end a connection.
    pub(crate) fn close(self, code: u16, reason: &str) -> Vec<Bytes> {
        match self {
            Self::Rtm | Self::Chat => Carrier::WebSocket.close(code, reason),
            Self::Msync(carrier) => carrier.close(code, reason),
        }
    }

    /// Parses the name that a client gives itself.
    pub(crate) fn user(self, policy: &AppPolicy, name: &str) -> Result<UserId, String> {
        match self {
            Self::Rtm => rtm::user(policy, name),
            Self::Chat | Self::Msync(_) => chat::user(policy, name),
        }
    }

    /// Why a client is not let in, in the words of the protocol.
    pub(crate) fn login_refused(self, why: &LoginError) -> Refusal {
        match self {
            Self::Rtm => rtm::login_refused(why),
            Self::Chat | Self::Msync(_) => chat::login_refused(why),
        }
    }

    /// The welcome's frame.
    pub(crate) fn welcome(self, welcome: &Welcome<'_>) -> Bytes {
        match self {
            Self::Rtm => rtm::welcome(welcome),
            Self::Chat => chat::welcome(welcome),
            Self::Msync(_) => msync::welcome(welcome),
        }
    }
}

/// A message of a client, of the kind that its protocol has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// The text; the parser lets nothing else through to protocols of texts.
    fn text(self) -> Result<&'a str, Malformed> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Binary(_) => Err(Malformed("the message is not a text".to_owned())),
        }
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// A client that logged in.
pub(crate) struct Caller {
    pub(crate) state: GatewayState,
    pub(crate) app: Arc<App>,
    pub(crate) session: Arc<Session>,
    pub(crate) attachment: u64,
    /// Since when: monotonic.
    pub(crate) attached_ms: MonotonicMs,
    pub(crate) packing: Packing,
    pub(crate) action_version: u32,
}

/// What a client's first frame asks for.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) version: u64,
    /// As its dialect names it.
    pub(crate) app: String,
    pub(crate) user: String,
    pub(crate) credential: OwnedCredential,
    pub(crate) device: Result<DeviceId, NameError>,
    pub(crate) resume: Option<ResumeFrom>,
    /// What the client calls this login; the welcome repeats it.
    pub(crate) reference: Option<String>,
    /// How the client would like to be compressed.
    pub(crate) packing: Packing,
    /// The version of what the client understands, where a protocol has one beside its own.
    pub(crate) action_version: u32,
    /// What the client says to those whose place it takes.
    pub(crate) to_replaced: Option<String>,
}

/// Where a client that comes back left off.
#[derive(Debug)]
pub(crate) struct ResumeFrom {
    /// `None` if it is in no form that the server gives.
    pub(crate) session: Option<SessionId>,
    /// The newest message of each room; of each level of it, where there are levels.
    pub(crate) rooms: Vec<(String, MessageId)>,
}

/// A credential as it came in.
pub(crate) enum OwnedCredential {
    None,
    Token(String),
    Password(String),
}

impl OwnedCredential {
    pub(crate) fn as_ref(&self) -> Credential<'_> {
        match self {
            Self::None => Credential::None,
            Self::Token(token) => Credential::Token(token),
            Self::Password(password) => Credential::Password(password),
        }
    }
}

impl fmt::Debug for OwnedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("version {} is spoken", crate::codec::VERSION)]
    Version,
    #[error("invalid app id")]
    App,
    #[error("{0}")]
    User(String),
    #[error("the device name {0}")]
    Device(NameError),
    #[error(transparent)]
    Credential(#[from] LoginRefused),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("no login in time")]
    Timeout,
}

/// What a client is told that was let in.
#[derive(Debug)]
pub(crate) struct Welcome<'a> {
    /// The session.
    pub(crate) session: SessionId,
    /// It is the session that was asked to be resumed.
    pub(crate) resumed: bool,
    /// Who it is.
    pub(crate) user: &'a UserId,
    /// On which device.
    pub(crate) device: &'a DeviceId,
    /// What the client calls the login.
    pub(crate) reference: Option<&'a str>,
    /// When the session ends unless the credential is renewed: Unix time in milliseconds.
    pub(crate) expires_at_ms: Option<u64>,
    /// The rooms it is in.
    pub(crate) rooms: &'a [RoomId],
    /// Unix time in milliseconds.
    pub(crate) server_time: u64,
    /// After so long without sending anything, the client pings.
    pub(crate) ping_interval_ms: u64,
    /// How long a silent session stays.
    pub(crate) grace_ms: u64,
    /// How long a sender waits for an ack.
    pub(crate) ack_timeout_ms: u64,
    /// How the connection is compressed from now on.
    pub(crate) packing: Packing,
    /// The largest message that the client may send.
    pub(crate) max_frame_bytes: usize,
}

/// What a client that is logged in has said.
pub(crate) enum Said {
    /// It wants to log in again.
    Login,
    Ping,
    /// It has these messages.
    Ack(Vec<MessageId>),
    /// It wants what is there of a conversation, and may have something of it.
    Pull(Pull),
    /// Nothing that is to be answered.
    Nothing,
    Request(Begun),
}

/// A client asks for a conversation.
pub(crate) struct Pull {
    /// The conversation's queue.
    pub(crate) address: stentor_msync::Jid,
    /// It has everything of the queue up to this one.
    pub(crate) key: Option<u64>,
}

/// What becomes of a request: `T`, in the words of the protocol, or why not.
pub(crate) type Answered<T> = Result<T, Refusal>;

/// A request on its way to its answer.
pub(crate) enum Answer<T> {
    /// It is answered.
    Done(Answered<T>),
    /// It waits: for a store, or for an ack. It has not done anything before it is polled; polled once in the order
    /// of the requests, they take effect in that order.
    Waits(Pin<Box<dyn Future<Output = Answered<T>> + Send>>),
}

impl<T: 'static> Answer<T> {
    pub(crate) fn waits(answer: impl Future<Output = Answered<T>> + Send + 'static) -> Self {
        Self::Waits(Box::pin(answer))
    }

    /// With the answer as a frame, which `reply` makes of it.
    pub(crate) fn begun(self, logs_out: bool, reply: impl FnOnce(&Answered<T>) -> Bytes + Send + 'static) -> Begun {
        match self {
            Self::Done(answered) => Begun::Done(reply(&answered)),
            Self::Waits(answered) => {
                Begun::Waits { answering: Box::pin(async move { reply(&answered.await) }), logs_out }
            }
        }
    }
}

/// The frame of an answer that is waited for.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Bytes> + Send>>;

/// A request that was begun.
pub(crate) enum Begun {
    /// It is answered.
    Done(Bytes),
    /// It waits, as in [`Answer::Waits`].
    Waits {
        answering: Answering,
        /// Then the connection ends.
        logs_out: bool,
    },
}
