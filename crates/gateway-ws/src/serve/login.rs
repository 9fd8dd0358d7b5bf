//! The first frame of a connection: who it is, whether the token is good, and which session it goes on with.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;

use stentor_core::app::AppPolicy;
use stentor_core::id::{AppId, DeviceId, RoomId};
use stentor_core::session::{Connected, Login, Resume};
use tokio::time::timeout;

use super::{Attached, End, Step, Task};
use crate::codec::reply::{self, Refusal, VERSION, Welcome};
use crate::codec::request::{Login as LoginFrame, ResumeFrom};
use crate::codes::login;
use crate::requests::{self, Caller};

impl Task {
    /// Waits for the login and answers it. Breaks with the reason if the client is not logged in afterwards.
    pub(super) async fn login(&mut self) -> ControlFlow<End> {
        let closing = self.state.closing().clone();
        let limit = self.state.config().login_timeout;
        let first_frame = closing.run_until_cancelled(poll_fn(|cx| self.poll(cx)));
        let frame = match timeout(limit, first_frame).await {
            Ok(Some(Step::Login(frame))) => frame,
            Ok(Some(Step::End(end))) => return ControlFlow::Break(end),
            Ok(None) => return ControlFlow::Break(End::GoingDown),
            Err(_) => return ControlFlow::Break(End::NoLogin),
        };
        match self.connect(*frame).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(refusal) => ControlFlow::Break(End::Refused(refusal)),
        }
    }

    async fn connect(&mut self, frame: LoginFrame) -> Result<(), Refusal> {
        if frame.version != VERSION {
            return Err(refusal(login::REJECTED, format!("version {VERSION} is spoken")));
        }
        let node = self.state.node();
        let app = node.app(&frame.app).ok_or_else(|| refusal(login::INVALID_APP, "invalid app id"))?;
        let policy = app.policy();
        let user = requests::user(policy, &frame.user).map_err(|error| refusal(login::INVALID_ARGUMENT, error))?;
        let id: &AppId = &policy.id;
        let grant = self
            .state
            .logins()
            .check(id, &user, frame.token.as_deref(), node.clock().wall_ms())
            .map_err(|why| refusal(login::refused(why), why))?;
        let request = Login {
            user,
            device: DeviceId::only(),
            expires_at_ms: grant.expires_at_ms,
            resume: frame.resume.and_then(|resume| resume_from(policy, resume)),
        };
        let outlet = Arc::clone(&self.connection);
        let connected =
            node.connect(&app, request, outlet).await.map_err(|error| refusal(login::not_connected(&error), &error))?;
        let welcome = self.welcome(policy, &connected);
        let Connected { session, attachment, .. } = connected;
        self.connection.attach(Arc::clone(&session), attachment, welcome);
        let caller = Caller { state: self.state.clone(), app, session, attachment };
        self.attached = Some(Attached(Arc::new(caller)));
        Ok(())
    }

    fn welcome(&self, policy: &AppPolicy, connected: &Connected) -> bytes::Bytes {
        reply::welcome(&Welcome {
            session: connected.session.id(),
            resumed: connected.resumed,
            channels: &connected.rooms,
            server_time: self.state.node().clock().wall_ms(),
            ping_interval_ms: policy.sessions.unreachable_ms / 3,
            grace_ms: policy.sessions.grace_ms,
            ack_timeout_ms: policy.sessions.ack_timeout_ms,
            max_frame_bytes: self.state.config().max_frame_bytes,
        })
    }
}

fn refusal(code: u32, reason: impl std::fmt::Display) -> Refusal {
    Refusal { code, reason: reason.to_string() }
}

/// A session number or channel that cannot be one of the server's is one that the server does not have.
fn resume_from(policy: &AppPolicy, resume: ResumeFrom) -> Option<Resume> {
    let room = |name: &str| RoomId::parse(name, &policy.room_names).ok();
    let rooms = resume.channels.into_iter().filter_map(|(name, newest)| room(&name).map(|room| (room, newest.0)));
    resume.session.map(|session| Resume { session, rooms: rooms.collect() })
}
