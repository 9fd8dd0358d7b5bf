//! The first frame of a connection: who it is, whether the token is good, and which session it goes on with.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use stentor_core::accounts::LoginRefused;
use stentor_core::app::AppPolicy;
use stentor_core::id::RoomId;
use stentor_core::session::{ConnectError, Connected, Login, Resume};
use tokio::time::timeout;

use super::{Attached, End, Step, Task};
use crate::carrier::Carrier;
use crate::codec::VERSION;
use crate::packing::Packing;
use crate::protocol::{Caller, LoginError, Opening, Protocol, ResumeFrom, Welcome};

impl Task {
    /// Waits for the login and answers it. Breaks with the reason if the client is not logged in afterwards.
    pub(super) async fn login(&mut self) -> ControlFlow<End> {
        let closing = self.state.closing().clone();
        let limit = self.state.config().login_timeout;
        let first_frame = closing.run_until_cancelled(poll_fn(|cx| self.poll(cx)));
        let opening = match timeout(limit, first_frame).await {
            Ok(Some(Step::Login(opening))) => opening,
            Ok(Some(Step::End(end))) => return ControlFlow::Break(end),
            Ok(None) => return ControlFlow::Break(End::GoingDown),
            Err(_) => return ControlFlow::Break(End::NoLogin(self.protocol.login_refused(&LoginError::Timeout))),
        };
        match self.connect(*opening).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(End::Refused(self.protocol.login_refused(&error))),
        }
    }

    async fn connect(&mut self, opening: Opening) -> Result<(), LoginError> {
        if opening.version != VERSION {
            return Err(LoginError::Version);
        }
        let (node, logins) = (self.state.node(), self.state.logins(self.protocol));
        let app = logins.app(&opening.app).and_then(|id| node.app(id.as_str())).ok_or(LoginError::App)?;
        let policy = app.policy();
        let user = self.protocol.user(policy, &opening.user).map_err(LoginError::User)?;
        let (reference, action_version) = (opening.reference, opening.action_version);
        let device = opening.device.map_err(LoginError::Device)?;
        let now_ms = node.clock().wall_ms();
        let grant = logins.check(&policy.id, &user, opening.credential.as_ref(), now_ms).await?;
        let resume = match opening.resume {
            None if self.protocol.goes_on_by_device() => node.away(&app, &user, &device),
            resume => resume.and_then(|resume| resume_from(policy, resume)),
        };
        let (expires_at_ms, silence_ms) = (grant.expires_at_ms, self.silence_ms());
        let to_replaced = opening.to_replaced.map(Into::into);
        let login = Login { user, device, expires_at_ms, resume, silence_ms, to_replaced };
        let outlet = Arc::clone(&self.connection);
        let connected = node.connect(&app, login, outlet).await?;
        if let Some(generation) = grant.generation
            && !node.confirm(&connected.session, generation).await.map_err(ConnectError::Store)?
        {
            return Err(LoginRefused::InvalidToken.into());
        }
        let allowed = self.state.config().sdk_compression && self.protocol.packs();
        let packing = if allowed { opening.packing } else { Packing::None };
        let welcome = self.welcome(policy, &connected, reference.as_deref(), (grant.expires_at_ms, packing));
        let Connected { session, attachment, .. } = connected;
        if self.connection.attach(Arc::clone(&session), attachment, welcome, packing.out()) {
            self.held = Some(Box::pin(tokio::time::sleep(self.state.config().hold_timeout)));
        }
        self.unpacker = packing.unpacker();
        let (state, attached_ms) = (self.state.clone(), self.state.node().clock().monotonic_ms());
        let caller = Caller { state, app, session, attachment, attached_ms, packing, action_version };
        self.attached = Some(Attached(Arc::new(caller)));
        Ok(())
    }

    /// The SDKs for phones and desktops give fewer signs of life than those in browsers.
    fn silence_ms(&self) -> Option<u64> {
        let ms = |silence: Duration| u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
        (self.protocol == Protocol::Msync(Carrier::Tcp)).then(|| ms(self.state.config().sdk_tcp_silence))
    }

    fn welcome(
        &self,
        policy: &AppPolicy,
        connected: &Connected,
        reference: Option<&str>,
        (expires_at_ms, packing): (Option<u64>, Packing),
    ) -> bytes::Bytes {
        self.protocol.welcome(&Welcome {
            session: connected.session.id(),
            resumed: connected.resumed,
            user: connected.session.user(),
            device: connected.session.device(),
            reference,
            expires_at_ms,
            packing,
            rooms: &connected.rooms,
            server_time: self.state.node().clock().wall_ms(),
            ping_interval_ms: policy.sessions.unreachable_ms / 3,
            grace_ms: policy.sessions.grace_ms,
            ack_timeout_ms: policy.sessions.ack_timeout_ms,
            max_frame_bytes: self.state.config().max_frame_bytes,
        })
    }
}

/// A session number or room that cannot be one of the server's is one that the server does not have.
fn resume_from(policy: &AppPolicy, resume: ResumeFrom) -> Option<Resume> {
    let room = |name: &str| RoomId::parse(name, &policy.room_names).ok();
    let rooms = resume.rooms.into_iter().filter_map(|(name, newest)| room(&name).map(|room| (room, newest)));
    resume.session.map(|session| Resume { session, rooms: Some(rooms.collect()) })
}
