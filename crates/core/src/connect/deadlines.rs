//! When a session's time is up: silence, the end of the grace, an expired credential.

use std::sync::Arc;

use crate::app::App;
use crate::clock::MonotonicMs;
use crate::directory::effects::sessions_of;
use crate::id::UserId;
use crate::node::{Node, RequestError};
use crate::notice::{Envelope, Notice};
use crate::session::{Closing, Session, SessionState};
use crate::timers::Due;

impl Node {
    /// Something was heard of the client.
    pub fn heard(&self, session: &Arc<Session>) {
        if session.note_heard(self.clock().monotonic_ms()) {
            self.tell_watchers(session.app(), session.user());
            self.arm_session_timer(session);
        }
    }

    /// The client brought a new credential; it was checked before.
    ///
    /// # Errors
    /// When the rate is used up, or the session has ended.
    pub fn renew(&self, session: &Arc<Session>, expires_at_ms: Option<u64>) -> Result<(), RequestError> {
        session.app().limit_login(session.user(), self.clock().monotonic_us())?;
        let mut state = session.state();
        if state.ended {
            return Err(RequestError::SessionEnded);
        }
        state.expires_at_ms = expires_at_ms;
        state.expiry_told = false;
        drop(state);
        self.arm_session_timer(session);
        Ok(())
    }

    /// A user showed a good credential: its sessions on this node that would end before that one do not end sooner. Returns how
    /// many. No rate counts it.
    pub fn renew_sessions(&self, app: &App, user: &UserId, expires_at_ms: Option<u64>) -> usize {
        let mut renewed = 0;
        for session in sessions_of(app, user) {
            let mut state = session.state();
            let ends = state.expires_at_ms.filter(|_| !state.ended);
            if ends.is_some_and(|ends_ms| expires_at_ms.is_none_or(|later_ms| later_ms > ends_ms)) {
                state.expires_at_ms = expires_at_ms;
                state.expiry_told = false;
                drop(state);
                self.arm_session_timer(&session);
                renewed += 1;
            }
        }
        renewed
    }

    /// Arms the session's timer for the next moment at which something may be due.
    pub(super) fn arm_session_timer(&self, session: &Arc<Session>) {
        // Under the session's lock, so that what was decided last is also what is armed last.
        let state = session.state();
        if let Some(at_ms) = self.session_due_at(session, &state) {
            session.set_timer_ms(at_ms);
            self.timers().at(at_ms, Due::session(session));
        }
    }

    /// When something may be due: monotonic. `None` if the session has ended.
    fn session_due_at(&self, session: &Session, state: &SessionState) -> Option<MonotonicMs> {
        if state.ended {
            return None;
        }
        let policy = &session.app().policy().sessions;
        let heard_ms = session.heard_ms();
        let mut due_ms = match state.outlet {
            Some(_) => heard_ms + state.silence_ms,
            None => state.detached_ms + policy.grace_ms,
        };
        if !session.is_unreachable() {
            due_ms = due_ms.min(heard_ms + policy.unreachable_ms);
        }
        if let (Some(expires_at_ms), Some(_)) = (state.expires_at_ms, &state.outlet) {
            let told = if state.expiry_told { 0 } else { policy.credential_notice_ms };
            let left_ms = expires_at_ms.saturating_sub(told).saturating_sub(self.clock().wall_ms());
            due_ms = due_ms.min(self.clock().monotonic_ms() + left_ms);
        }
        Some(due_ms)
    }

    /// The timer of a session, armed for `armed_ms`.
    pub(crate) fn session_due(&self, session: &Arc<Session>, armed_ms: MonotonicMs) {
        if session.timer_ms() != armed_ms {
            return; // another one was armed later
        }
        let now_ms = self.clock().monotonic_ms();
        let policy = &session.app().policy().sessions;
        let heard_ms = session.heard_ms();
        let why = {
            let mut state = session.state();
            match &state.outlet {
                None if state.detached_ms + policy.grace_ms <= now_ms => Some(Closing::Silent),
                Some(_) if heard_ms + state.silence_ms <= now_ms => Some(Closing::Silent),
                Some(_) => self.credential_due(&mut state, policy.credential_notice_ms),
                None => None,
            }
        };
        if let Some(why) = why {
            self.end(session, why);
            return;
        }
        if heard_ms + policy.unreachable_ms <= now_ms && session.note_unreachable() {
            self.tell_watchers(session.app(), session.user());
            let outlet = session.state().outlet.clone();
            if let Some(outlet) = outlet {
                outlet.probe();
            }
        }
        self.arm_session_timer(session);
    }

    /// Announces an expiring credential, or says that it has expired.
    fn credential_due(&self, state: &mut SessionState, notice_ms: u64) -> Option<Closing> {
        let expires_at_ms = state.expires_at_ms?;
        let wall_ms = self.clock().wall_ms();
        if expires_at_ms <= wall_ms {
            return Some(Closing::CredentialExpired);
        }
        if expires_at_ms - notice_ms.min(expires_at_ms) <= wall_ms && !std::mem::replace(&mut state.expiry_told, true) {
            state.mailbox.push(&Envelope::new(Notice::CredentialExpiring { expires_at_ms }));
            state.tell_outlet();
        }
        None
    }
}
