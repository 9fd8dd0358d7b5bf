//! A session: one client of a user, connected or expected back, and where its state is kept.
//!
//! Locks: a session's state may be locked while a hub shard or a room is, never the other way round.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::app::App;
use crate::attributes::UserAttributes;
use crate::clock::MonotonicMs;
use crate::connect::lately::Lately;
use crate::id::{DeviceId, MessageId, RoomId, SessionId, UserId};
use crate::limits::ClientWindows;
use crate::mailbox::{Expectation, GivenUp, Mailbox, Offered};
use crate::notice::{Envelope, Notice};

/// Why a connection is closed, or a session ended, by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The user logged in elsewhere and the policy allows no more sessions. The session has ended, unless it was the same
    /// device, and goes on with it.
    Replaced,
    /// The client resumed the session on another connection; this one is stale. The session lives on.
    Superseded,
    /// The client does not read or ack fast enough: its mailbox is full. The session may be resumed while its
    /// mailbox still holds every peer message, and has ended otherwise.
    SlowConsumer,
    /// The credential expired. The session has ended.
    CredentialExpired,
    /// Nothing was heard of the client for too long. The session has ended.
    Silent,
    /// The app's backend ended the session.
    LoggedOut(LogoutReason),
    /// The server goes down: come back after so many milliseconds. The session may be resumed.
    Draining {
        /// Spread over the clients, so that they do not come back all at once.
        reconnect_after_ms: u64,
    },
}

/// Why the app's backend ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutReason {
    /// It asked for that and nothing else: the user may log in again.
    Forced,
    /// The user has another password.
    PasswordChanged,
    /// The user may not log in any more.
    Deactivated,
    /// The user is not there any more.
    Deleted,
}

/// The way from a session's mailbox to its socket. Implemented by gateways; called with locks held, so an
/// implementation only takes note and returns.
pub trait Outlet: Send + Sync + std::fmt::Debug {
    /// The mailbox was empty and has something now: take it with [`Session::take`].
    fn ready(self: Arc<Self>);

    /// The client was not heard of for [`crate::policy::SessionPolicy::unreachable_ms`]: ask it for a sign of life, if there
    /// is a way to. Called without locks.
    fn probe(self: Arc<Self>) {}

    /// Close the connection. What [`Session::take`] still holds need not be written.
    fn close(self: Arc<Self>, why: Closing);

    /// What the client says that takes this one's place: [`Login::to_replaced`]. Comes before [`Outlet::close`].
    fn replaced_by(&self, _words: &Arc<str>) {}
}

/// What a client asks for when it connects; its credential was checked before.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// When the session ends unless the credential is renewed: Unix time in milliseconds.
    pub expires_at_ms: Option<u64>,
    /// Continue an earlier session instead of opening a new one, if it is still there.
    pub resume: Option<Resume>,
    /// After how long without a word from the client its connection counts as dead, in milliseconds, if that is another
    /// time than [`crate::policy::SessionPolicy::silence_ms`]: some give fewer signs of life.
    pub silence_ms: Option<u64>,
    /// What it says to the clients on this node whose place it takes. The gateway bounds its length.
    pub to_replaced: Option<Arc<str>>,
}

/// Where a client that comes back left off.
#[derive(Debug, Clone)]
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// The newest message it has of each room; `None` if the client does not say that, but is known by its device
    /// ([`crate::node::Node::away`]). A room that is missing is replayed from its join. Where room messages have
    /// levels, they come in no order between the levels: a room may stand here several times, with the newest message
    /// of each level; of a level that is missing, what is recent comes again.
    pub rooms: Option<Vec<(RoomId, MessageId)>>,
}

/// A session that is connected.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The session.
    pub session: Arc<Session>,
    /// Which of the session's connections this is: [`crate::node::Node::detach`] wants it back.
    pub attachment: u64,
    /// It is the session that was asked to be resumed, with its rooms.
    pub resumed: bool,
    /// The rooms it is in.
    pub rooms: Vec<RoomId>,
}

/// Why a client could not connect.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Too many logins of this user.
    #[error(transparent)]
    Limited(#[from] crate::limits::Limited),
    /// The node goes down.
    #[error("the node is draining")]
    Draining,
    /// The rooms of the user could not be read.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// One client of a user.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    /// Orders sessions by their beginning, across nodes.
    opened: MessageId,
    user: UserId,
    device: DeviceId,
    app: Arc<App>,
    /// When something was heard of the client last.
    heard_ms: AtomicU64,
    /// Whether those who watch the user were told that it cannot be reached.
    unreachable: AtomicBool,
    /// The timer that is armed for this session; others that fire are stale.
    timer_ms: AtomicU64,
    /// A timer is armed that looks whether it acks.
    ack_watch: AtomicBool,
    /// It has ended: the same as in its state, for those who hold another session's lock.
    over: AtomicBool,
    state: Mutex<SessionState>,
    /// Behind a box, because most sessions never ask for anything that is limited.
    windows: Mutex<Option<Box<ClientWindows>>>,
}

/// What changes in a session's life.
#[derive(Debug)]
pub(crate) struct SessionState {
    /// The connection, while there is one.
    pub(crate) outlet: Option<Arc<dyn Outlet>>,
    /// Counts the connections.
    pub(crate) attachment: u64,
    /// The client has what was offered before this moment.
    pub(crate) confirmed_ms: MonotonicMs,
    /// What happened to the rooms and groups of its user.
    pub(crate) lately: Lately,
    /// Since when there is no connection.
    pub(crate) detached_ms: MonotonicMs,
    /// The session is over; nothing may be added any more.
    pub(crate) ended: bool,
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) expiry_told: bool,
    /// After how long without a word the connection is dead.
    pub(crate) silence_ms: u64,
    pub(crate) mailbox: Mailbox,
    /// Observers were told that messages up to this one are not acked.
    pub(crate) unacked_told: MessageId,
    pub(crate) rooms: Vec<JoinedRoom>,
    pub(crate) watched: Vec<UserId>,
    pub(crate) attributes: Option<Box<UserAttributes>>,
}

/// A room that a session is in.
#[derive(Debug, Clone)]
pub(crate) struct JoinedRoom {
    pub(crate) room: RoomId,
    /// Messages up to this one were sent before the session came in.
    pub(crate) joined_after: MessageId,
}

impl Session {
    pub(crate) fn new(app: Arc<App>, id: SessionId, opened: MessageId, login: &Login, now_ms: MonotonicMs) -> Self {
        let state = SessionState {
            outlet: None,
            attachment: 0,
            confirmed_ms: now_ms,
            lately: Lately::default(),
            detached_ms: now_ms,
            ended: false,
            expires_at_ms: login.expires_at_ms,
            expiry_told: false,
            silence_ms: login.silence_ms.unwrap_or(app.policy().sessions.silence_ms),
            mailbox: Mailbox::default(),
            unacked_told: MessageId::ZERO,
            rooms: Vec::new(),
            watched: Vec::new(),
            attributes: None,
        };
        Self {
            id,
            opened,
            user: login.user.clone(),
            device: login.device.clone(),
            app,
            heard_ms: AtomicU64::new(now_ms),
            unreachable: AtomicBool::new(false),
            timer_ms: AtomicU64::new(0),
            ack_watch: AtomicBool::new(false),
            over: AtomicBool::new(false),
            state: Mutex::new(state),
            windows: Mutex::new(None),
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// On which device.
    #[must_use]
    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    /// In which app.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Moves up to `max_notices` and about `max_bytes` of what waits for the connection `attachment` into `into`,
    /// in order; nothing if that is not the session's connection any more. The outlet is told again when the
    /// mailbox, found empty here, fills.
    pub fn take(&self, attachment: u64, max_notices: usize, max_bytes: usize, into: &mut Vec<Arc<Envelope>>) {
        let mut state = self.state.lock();
        if state.attachment == attachment {
            state.mailbox.take(max_notices, max_bytes, into);
        }
    }

    /// The client is known to have everything that was put into the mailbox before `at_ms` (of the monotonic clock), because
    /// something came back on the connection `attachment` that it can only have said then. Where clients do not say
    /// what they have of their rooms, this is from where those are replayed.
    pub fn confirm(&self, attachment: u64, at_ms: MonotonicMs) {
        let mut state = self.state.lock();
        if state.attachment == attachment {
            state.confirmed_ms = state.confirmed_ms.max(at_ms);
            state.lately.forget_before(at_ms);
        }
    }

    /// The rooms it is in.
    #[must_use]
    pub fn rooms(&self) -> Vec<RoomId> {
        self.state.lock().room_ids()
    }

    /// Notices that wait in the mailbox.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.lock().mailbox.waiting()
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.state.lock().outlet.is_some()
    }

    pub(crate) fn opened(&self) -> MessageId {
        self.opened
    }

    pub(crate) fn state(&self) -> parking_lot::MutexGuard<'_, SessionState> {
        self.state.lock()
    }

    pub(crate) fn windows(&self) -> parking_lot::MutexGuard<'_, Option<Box<ClientWindows>>> {
        self.windows.lock()
    }

    pub(crate) fn heard_ms(&self) -> MonotonicMs {
        self.heard_ms.load(Ordering::Relaxed)
    }

    /// Notes that something was heard. True if the user had been called unreachable.
    pub(crate) fn note_heard(&self, now_ms: MonotonicMs) -> bool {
        self.heard_ms.fetch_max(now_ms, Ordering::Relaxed);
        self.unreachable.load(Ordering::Relaxed) && self.unreachable.swap(false, Ordering::AcqRel)
    }

    /// True if this call made it unreachable.
    pub(crate) fn note_unreachable(&self) -> bool {
        !self.unreachable.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn set_timer_ms(&self, at_ms: MonotonicMs) {
        self.timer_ms.store(at_ms, Ordering::Release);
    }

    pub(crate) fn timer_ms(&self) -> MonotonicMs {
        self.timer_ms.load(Ordering::Acquire)
    }

    /// True if no timer that looks whether it acks was armed: the caller arms one.
    pub(crate) fn begin_ack_watch(&self) -> bool {
        !self.ack_watch.load(Ordering::Relaxed) && !self.ack_watch.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn end_ack_watch(&self) {
        self.ack_watch.store(false, Ordering::Release);
    }

    /// Notes that it has ended. Of two that end at the same time, one at least sees that the other [`Self::is_over`].
    pub(crate) fn set_over(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(crate) fn is_unreachable(&self) -> bool {
        self.unreachable.load(Ordering::Acquire)
    }

    /// Offers a peer message. What it answers decides whether anybody is there. Room messages that give way to it are
    /// added to `lost`.
    pub(crate) fn offer_peer(
        &self,
        envelope: &Arc<Envelope>,
        peer: PeerOffer,
        now_ms: MonotonicMs,
        lost: &mut LostMessages,
    ) -> Offered {
        let mut state = self.state.lock();
        if state.ended {
            return Offered::Gone;
        }
        if peer.again && state.mailbox.holds(peer.id) {
            return Offered::Taken;
        }
        let policy = self.app.policy();
        let limits = &policy.sessions;
        if !state.mailbox.make_space(envelope, limits, policy.overload.as_ref(), &mut lost.gave_way) {
            state.close_slow_consumer(now_ms, lost);
            if !state.mailbox.make_space(envelope, limits, None, &mut lost.gave_way) {
                return Offered::Overflow;
            }
        }
        state.mailbox.push_peer(envelope, peer.id, peer.expected, peer.kept);
        state.tell_outlet();
        Offered::Taken
    }

    /// Offers anything that is not acked. When the lanes are full, room messages of the lowest level go, and are added to
    /// `lost`; when the mailbox is full, the connection is closed.
    pub(crate) fn offer(
        &self,
        envelope: &Arc<Envelope>,
        now_ms: MonotonicMs,
        lost: &mut LostMessages,
    ) -> OfferedNotice {
        let mut state = self.state.lock();
        if state.ended {
            return OfferedNotice::Away;
        }
        let policy = self.app.policy();
        if matches!(envelope.notice, Notice::RoomEvent { .. }) {
            let remembered_ms = policy.sessions.grace_ms + policy.rooms.replayed_unnoticed_ms;
            let forgotten = state.lately.note(&self.user, envelope, now_ms, now_ms.saturating_sub(remembered_ms));
            lost.events += if state.outlet.is_none() { forgotten } else { 0 };
        }
        if state.outlet.is_none() {
            return OfferedNotice::Away;
        }
        let overload = policy.overload.as_ref();
        let mailbox = &mut state.mailbox;
        if let (Some(overload), Some((room, level))) = (overload, envelope.room_level()) {
            // Without the message there is no more in the mailbox than before: nobody is cut off for it.
            if !mailbox.make_space_in_lanes(envelope, level, overload, &mut lost.gave_way)
                || !mailbox.make_space(envelope, &policy.sessions, Some(overload), &mut lost.gave_way)
            {
                mailbox.note_missed(room);
                state.tell_outlet();
                return OfferedNotice::NoPlace;
            }
        } else if !mailbox.make_space(envelope, &policy.sessions, overload, &mut lost.gave_way) {
            state.close_slow_consumer(now_ms, lost);
            return OfferedNotice::Dropped;
        }
        state.mailbox.push(envelope);
        state.tell_outlet();
        OfferedNotice::Taken
    }

    pub(crate) fn is_in(&self, room: &RoomId) -> bool {
        self.state.lock().rooms.iter().any(|joined| &joined.room == room)
    }
}

/// What became of a notice that is not acked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfferedNotice {
    /// It is in the mailbox.
    Taken,
    /// There is no connection; a client that comes back is told what matters.
    Away,
    /// The lanes were full of what matters as much or more.
    NoPlace,
    /// The mailbox was full.
    Dropped,
}

/// Room messages that were in mailboxes and are not delivered.
#[derive(Debug, Default)]
pub(crate) struct LostMessages {
    /// To what matters more.
    pub(crate) gave_way: Vec<GivenUp>,
    /// To the end of a connection that was too slow.
    pub(crate) cut: Vec<GivenUp>,
    /// Events that happened while there was no connection, beyond what is remembered of them.
    pub(crate) events: u64,
}

/// What comes with a peer message.
#[derive(Debug, Clone)]
pub(crate) struct PeerOffer {
    pub(crate) id: MessageId,
    pub(crate) expected: Option<Arc<Expectation>>,
    pub(crate) kept: bool,
    /// The session may have it from the inbox already.
    pub(crate) again: bool,
}

impl SessionState {
    /// Tells the outlet that there is something to take, once until it has taken all.
    pub(crate) fn tell_outlet(&mut self) {
        if let Some(outlet) = &self.outlet
            && self.mailbox.announce()
        {
            outlet.clone().ready();
        }
    }

    /// Cuts a client that does not keep up: what is not acked stays for its resume, the rest is dropped.
    pub(crate) fn close_slow_consumer(&mut self, now_ms: MonotonicMs, lost: &mut LostMessages) {
        if let Some(outlet) = self.outlet.take() {
            outlet.close(Closing::SlowConsumer);
            self.detached_ms = now_ms;
        }
        lost.cut.extend(self.mailbox.room_messages());
        self.mailbox.detach();
    }

    pub(crate) fn room_ids(&self) -> Vec<RoomId> {
        self.rooms.iter().map(|joined| joined.room.clone()).collect()
    }
}
