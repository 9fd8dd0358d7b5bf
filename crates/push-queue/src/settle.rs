//! What is written when pushes were tried: in one step with their removal from the queue, or their putting off.

use std::sync::Arc;

use stentor_core::records::{RecordKind, encode};
use stentor_core::store::Change;
use stentor_push::{ErrorClass, Line, Next, PushError, Sent};

use crate::delivery::Delivery;
use crate::keys::queue_of;
use crate::log::{self, Device, DeviceState};
use crate::queue::Inner;
use crate::standing::HAS_COME;
use crate::words::{PushEnd, PushResult, ResultDevice};

/// How a push ended, for who waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendEnd {
    /// The provider has taken it, and gave it this ID.
    Sent(String),
    /// It did not, and is not asked again.
    Failed(String),
}

/// What became of a try.
#[derive(Debug)]
pub(crate) enum Tried {
    /// The provider was asked.
    Asked {
        /// What it answered.
        outcome: Result<Sent, PushError>,
        /// It is one service: when it is paused, it is for every push.
        whole: bool,
        /// The push says something else than the log does.
        reworded: bool,
    },
    /// It was not: why the device is not told any more.
    Needless(String),
}

/// A try that has ended.
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) key: String,
    pub(crate) delivery: Delivery,
    /// The way it took.
    pub(crate) line: Option<Arc<Line>>,
    pub(crate) tried: Tried,
}

/// What is to be written of tries that have ended, and done when it is.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) changes: Vec<Change>,
    pub(crate) keys: Vec<String>,
    /// How many left the queue.
    pub(crate) gone: u64,
    /// Who waits hears of these.
    pub(crate) ended: Vec<(String, SendEnd)>,
    /// Whose tokens are dead, and since when if the provider says so.
    pub(crate) dead: Vec<(Delivery, Option<u64>)>,
}

/// How a push stands after a try.
struct Standing {
    state: DeviceState,
    reason: Option<String>,
    sent_id: Option<String>,
    end: Option<PushEnd>,
}

impl Standing {
    fn failed(reason: &str, end: PushEnd) -> Self {
        Self { state: DeviceState::Failed, reason: Some(reason.to_owned()), sent_id: None, end: Some(end) }
    }
}

impl Settled {
    pub(crate) fn add(&mut self, inner: &Inner, ended: Try) {
        let Try { key, mut delivery, line, tried } = ended;
        let provider = line.as_ref().map(|line| line.name());
        let now_ms = inner.now_ms();
        self.changes.push(Change::Delete { kind: RecordKind::PushDelivery, key: key.clone() });
        self.keys.push(key);
        if let Tried::Asked { reworded: true, .. } = tried {
            self.changes.push(log::put_entry(&delivery.user, delivery.message(), delivery.entry()));
        }
        let standing = match tried {
            Tried::Needless(reason) => {
                let (state, reason) = (DeviceState::LeftOut, Some(reason));
                Standing { state, reason, sent_id: None, end: Some(PushEnd::HeldBack) }
            }
            Tried::Asked { outcome: Ok(Sent { id }), .. } => {
                delivery.attempts += 1;
                Standing { state: DeviceState::Sent, reason: None, sent_id: Some(id), end: Some(PushEnd::Sent) }
            }
            Tried::Asked { outcome: Err(error), .. } => self.failed(inner, &mut delivery, &error, now_ms),
        };
        self.note(inner, &delivery, provider, standing, now_ms);
    }

    fn failed(&mut self, inner: &Inner, delivery: &mut Delivery, error: &PushError, now_ms: u64) -> Standing {
        let age_ms = now_ms.saturating_sub(delivery.sent_at_ms);
        let reason = match &delivery.failure {
            // Why it is paused is what is to be known.
            Some(failure) if error.class() == ErrorClass::Paused => failure.clone(),
            _ => error.to_string(),
        };
        if error.class() != ErrorClass::Paused {
            delivery.attempts += 1;
            delivery.failure = Some(reason.clone());
        }
        match inner.schedule.next(error, delivery.attempts, age_ms, inner.random()) {
            Next::Again { wait_ms } => {
                let key = format!("{}{}", queue_of(&delivery.notifier), inner.intake.numbers.key(now_ms + wait_ms));
                delivery.wait_ms = wait_ms;
                self.changes.push(Change::Put { kind: RecordKind::PushDelivery, key, value: encode(delivery) });
                Standing { state: DeviceState::Waiting, reason: Some(reason), sent_id: None, end: None }
            }
            Next::Forget => {
                let since_ms = match error {
                    PushError::DeadToken { since_ms, .. } => *since_ms,
                    _ => None,
                };
                self.dead.push((delivery.clone(), since_ms));
                Standing::failed(&reason, PushEnd::Refused)
            }
            Next::GiveUp => Standing::failed(
                &reason,
                match error.class() {
                    ErrorClass::Refused => PushEnd::Refused,
                    ErrorClass::Credentials => PushEnd::NotLetIn,
                    _ => PushEnd::GaveUp,
                },
            ),
        }
    }

    /// Writes how it stands into the log, and tells the dialect if that is the end.
    fn note(
        &mut self,
        inner: &Inner,
        delivery: &Delivery,
        provider: Option<&'static str>,
        standing: Standing,
        now_ms: u64,
    ) {
        let Standing { state, reason, sent_id, end } = standing;
        if let Some(end) = end {
            self.gone += 1;
            let told = reason.as_deref() != Some(HAS_COME);
            let Delivery { user, from, group, device, token, notifier, .. } = delivery;
            let result = PushResult {
                user,
                message: delivery.message(),
                from,
                group: group.as_deref(),
                device: Some(ResultDevice { device, token, notifier, provider }),
                end,
                detail: sent_id.as_deref().or(reason.as_deref()).unwrap_or_default(),
                at_ms: now_ms,
            };
            // Who has come needs no push: that is no failure.
            if told {
                self.changes.extend(inner.intake.words.ended(&result));
            }
            let end = match &sent_id {
                Some(id) => SendEnd::Sent(id.clone()),
                None => SendEnd::Failed(reason.clone().unwrap_or_default()),
            };
            self.ended.push((delivery.dedup_key(), end));
        }
        let device = Device {
            device: delivery.device.clone(),
            notifier: delivery.notifier.clone(),
            provider: provider.map(str::to_owned),
            state,
            reason,
            sent_id,
            attempts: delivery.attempts,
            at_ms: now_ms,
        };
        self.changes.push(log::put_device(&delivery.user, delivery.message(), delivery.number, device));
    }
}
