//! The end of a user's last session, where rooms are registered: the user leaves its rooms, and then the logout is
//! recorded.
//!
//! In this order no crash leaves a member behind whom nobody would ever take out: until the logout is durable, the
//! session is open in the store, and a node that starts finds it there, gives it the grace to come back, and departs it
//! again; leaving twice changes nothing. A join under way when the session ended is waited for: the session has ended
//! before, so no other can begin.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::app::App;
use crate::events::Transition;
use crate::id::UserId;
use crate::node::Node;
use crate::timers::Due;

/// A session that has ended, and whose logout is not recorded yet.
#[derive(Debug)]
pub(crate) struct Departure {
    app: Arc<App>,
    user: UserId,
    logout: Transition,
}

/// How long to wait before a departure that the store refused is tried again, in milliseconds.
const RETRY_MS: u64 = 1000;

/// How long to wait for joins under way, in milliseconds.
const JOINS_MS: u64 = 20;

impl Departure {
    pub(super) fn new(app: Arc<App>, user: UserId, logout: Transition) -> Arc<Self> {
        Arc::new(Self { app, user, logout })
    }
}

impl Node {
    /// Takes the user out of its rooms unless another session is there, and records the logout; if it cannot be done
    /// now, later.
    pub(crate) fn depart(self, departure: Arc<Departure>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let Departure { app, user, logout } = &*departure;
            let again_in_ms = if app.hub.has(user) || self.is_elsewhere(app, user).await {
                0
            } else if app.joining.is_joining(user) {
                JOINS_MS
            } else if let Err(error) = self.leave_rooms_if_away(app, user).await {
                tracing::warn!(%user, %error, "a user who is gone stays in its rooms until the store takes it");
                RETRY_MS
            } else {
                0
            };
            if again_in_ms == 0 {
                let logout = Transition { last: logout.last && !app.hub.has(user), ..logout.clone() };
                self.record(app, vec![logout]).await;
                return;
            }
            let at_ms = self.clock().monotonic_ms() + again_in_ms;
            self.timers().at(at_ms, Due::Departure(departure));
        })
    }
}
