//! The devices of a user that pushes reach: which token a provider has given to which device, and with which of the
//! app's certificates the provider is spoken to.

use minicbor::{Decode, Encode};

use crate::app::App;
use crate::directory::DirectoryError;
use crate::directory::contacts::expect_user;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Record, RecordKind};
use crate::store::StoreError;

/// Bindings of one user; one more takes the place of the one that was bound longest ago.
pub const BINDINGS: usize = 64;

/// A device that is told of offline messages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushBinding {
    /// The device, by its own word.
    #[n(0)]
    pub device: String,
    /// The name of the certificate. It need not be there.
    #[n(1)]
    pub notifier: String,
    /// What the provider knows the device by.
    #[n(2)]
    pub token: String,
    /// Bound at: Unix time in milliseconds.
    #[n(3)]
    pub bound_ms: u64,
}

#[derive(Debug, Clone, Default, Encode, Decode)]
struct PushBindings {
    /// The one that was bound last comes last.
    #[n(0)]
    bindings: Vec<PushBinding>,
}

impl Record for PushBindings {
    const KIND: RecordKind = RecordKind::PushBindings;
}

/// A change of a user's bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding<'a> {
    /// The device has this token for this certificate; it replaces the one of before.
    Bind {
        /// The device.
        device: &'a str,
        /// The certificate.
        notifier: &'a str,
        /// The token.
        token: &'a str,
    },
    /// The device is not bound with this certificate any more; `None`: with none.
    Unbind {
        /// The device.
        device: &'a str,
        /// The certificate.
        notifier: Option<&'a str>,
    },
    /// The provider does not know this token any more.
    Dead {
        /// The certificate.
        notifier: &'a str,
        /// The token.
        token: &'a str,
        /// One that was bound later stands: Unix time in milliseconds.
        bound_up_to_ms: u64,
    },
}

impl PushBindings {
    fn change(&mut self, change: &Binding<'_>, now_ms: u64) {
        match *change {
            Binding::Bind { device, notifier, token } => {
                self.bindings.retain(|other| other.device != device || other.notifier != notifier);
                let (device, notifier, token) = (device.to_owned(), notifier.to_owned(), token.to_owned());
                self.bindings.push(PushBinding { device, notifier, token, bound_ms: now_ms });
                let beyond = self.bindings.len().saturating_sub(BINDINGS);
                self.bindings.drain(..beyond);
            }
            Binding::Unbind { device, notifier } => {
                let is = |other: &PushBinding| notifier.is_none_or(|notifier| other.notifier == notifier);
                self.bindings.retain(|other| other.device != device || !is(other));
            }
            Binding::Dead { notifier, token, bound_up_to_ms } => {
                let is_dead = |other: &PushBinding| {
                    other.notifier == notifier && other.token == token && other.bound_ms <= bound_up_to_ms
                };
                self.bindings.retain(|other| !is_dead(other));
            }
        }
    }
}

impl Node {
    /// Changes a user's bindings. Returns what they are then.
    ///
    /// # Errors
    /// When the user is not there, or the store fails.
    pub async fn change_push_bindings(
        &self,
        app: &App,
        user: &UserId,
        change: &Binding<'_>,
    ) -> Result<Vec<PushBinding>, DirectoryError> {
        let now_ms = self.clock().wall_ms();
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let mut found = records.get::<PushBindings>(user.as_str()).await?.unwrap_or_default();
            let before = found.bindings.clone();
            found.change(change, now_ms);
            if found.bindings == before {
                return Ok(before);
            }
            records.put(user.as_str(), &found);
            if records.commit().await? {
                return Ok(found.bindings);
            }
        }
    }

    /// A user's bindings, the one that was bound last comes last; none if there is no such user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_bindings(&self, app: &App, user: &UserId) -> Result<Vec<PushBinding>, StoreError> {
        Ok(self.find::<PushBindings>(app, user.as_str()).await?.unwrap_or_default().bindings)
    }

    /// The bindings of several users, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_bindings_of(&self, app: &App, users: &[UserId]) -> Result<Vec<Vec<PushBinding>>, StoreError> {
        let keys = users.iter().map(|user| user.as_str().to_owned()).collect();
        let found = self.find_all::<PushBindings>(app, keys).await?;
        Ok(found.into_iter().map(|found| found.unwrap_or_default().bindings).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(changes: &[Binding<'_>]) -> Vec<String> {
        let mut bindings = PushBindings::default();
        for (now_ms, change) in (0..).zip(changes) {
            bindings.change(change, now_ms);
        }
        let shown = |binding: &PushBinding| {
            format!("{} {} {} {}", binding.device, binding.notifier, binding.token, binding.bound_ms)
        };
        bindings.bindings.iter().map(shown).collect()
    }

    fn bind<'a>(device: &'a str, notifier: &'a str, token: &'a str) -> Binding<'a> {
        Binding::Bind { device, notifier, token }
    }

    #[test]
    fn a_device_has_one_token_for_each_certificate() {
        let changes = [bind("d", "n", "1"), bind("d", "m", "2"), bind("e", "n", "3"), bind("d", "n", "4")];
        assert_eq!(after(&changes), ["d m 2 1", "e n 3 2", "d n 4 3"]);
    }

    #[test]
    fn what_is_unbound() {
        let all = [bind("d", "n", "1"), bind("d", "m", "2"), bind("e", "n", "3")];
        let with = |last: Binding<'static>| after(&[&all[..], &[last]].concat());
        assert_eq!(with(Binding::Unbind { device: "d", notifier: Some("n") }), ["d m 2 1", "e n 3 2"]);
        assert_eq!(with(Binding::Unbind { device: "d", notifier: None }), ["e n 3 2"]);
        assert_eq!(with(Binding::Unbind { device: "x", notifier: None }).len(), 3);
        let dead = |notifier, token, bound_up_to_ms| with(Binding::Dead { notifier, token, bound_up_to_ms });
        assert_eq!(dead("n", "1", 0), ["d m 2 1", "e n 3 2"]);
        assert_eq!(dead("m", "1", 9).len(), 3);
        assert_eq!(dead("n", "3", 1).len(), 3, "it was bound again");
        assert_eq!(dead("n", "3", 2).len(), 2);
    }

    #[test]
    fn one_more_than_may_be_takes_the_place_of_the_oldest() {
        let devices: Vec<_> = (0..=BINDINGS).map(|number| number.to_string()).collect();
        let changes: Vec<_> = devices.iter().map(|device| bind(device, "n", "t")).collect();
        let left = after(&changes);
        assert_eq!((left.len(), left[0].as_str()), (BINDINGS, "1 n t 1"));
    }
}
