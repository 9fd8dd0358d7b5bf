//! What was decided, user by user, and how it is written: in steps that are bounded.

use std::collections::HashSet;

use stentor_core::records::{RecordKind, encode};
use stentor_core::store::{Change, StoreError};

use crate::claims::Claim;
use crate::delivery::Delivery;
use crate::keys::queue_of;
use crate::queue::PushQueue;

/// About so many changes are written in one step: a step of the store must not hold up those of senders for long. A
/// user with as many devices as there may be makes two hundred.
pub(crate) const STEP: usize = 1_024;

/// What was decided for one user: written in one step, whatever else is in it.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) changes: Vec<Change>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Due records among the changes.
    pub(crate) due: u64,
    /// Counted when it is written.
    pub(crate) reason: Option<String>,
}

impl Part {
    /// About how much is written.
    fn weight(&self) -> usize {
        self.changes.len() + self.deliveries.len()
    }
}

/// What was decided, and who is kept from deciding it, too, until it is written.
#[derive(Default)]
pub(crate) struct Decided {
    pub(crate) parts: Vec<Part>,
    pub(crate) claims: Vec<Claim>,
}

impl Decided {
    pub(crate) fn add(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.claims.extend(other.claims);
    }

    /// How many pushes it makes.
    pub(crate) fn deliveries(&self) -> u64 {
        self.parts.iter().map(|part| part.deliveries.len() as u64).sum()
    }
}

impl PushQueue {
    /// Writes what was decided, and wakes who sends: in steps of at most about [`STEP`] changes, so that nobody waits long
    /// for the store. What is decided for a user is in one step, and `last` in the last one.
    pub(crate) async fn write(&self, decided: Decided, last: Vec<Change>) -> Result<(), StoreError> {
        let Decided { parts, claims } = decided;
        let mut steps = steps(parts);
        let final_step = steps.pop().unwrap_or_default();
        for step in steps {
            self.write_step(step, Vec::new()).await?;
        }
        let written = self.write_step(final_step, last).await;
        drop(claims);
        written
    }

    /// The same in one step, however much it is.
    pub(crate) async fn write_step(&self, parts: Vec<Part>, mut changes: Vec<Change>) -> Result<(), StoreError> {
        let (intake, now_ms) = (&self.0.intake, self.0.now_ms());
        let (mut notifiers, mut count, mut due, mut reasons) = (HashSet::new(), 0, 0, Vec::new());
        for part in parts {
            // In the order in which they were decided: a receiver is told in that order.
            for delivery in part.deliveries {
                let key = format!("{}{}", queue_of(&delivery.notifier), intake.numbers.key(now_ms));
                changes.push(Change::Put { kind: RecordKind::PushDelivery, key, value: encode(&delivery) });
                notifiers.insert(delivery.notifier);
                count += 1;
            }
            changes.extend(part.changes);
            reasons.extend(part.reason);
            due += part.due;
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.0.store().change(self.0.app.id(), changes).await?;
        intake.metrics.waiting("deliveries", intake.deliveries.add(count));
        intake.metrics.waiting("due", intake.due.add(due));
        for reason in reasons {
            intake.metrics.decided(&reason, 1);
        }
        self.wake_senders(&notifiers);
        Ok(())
    }
}

/// Puts together what is written in one step: about [`STEP`] changes, or one user's if that makes more.
fn steps(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let (mut steps, mut weight) = (Vec::<Vec<Part>>::new(), STEP);
    for part in parts {
        weight += part.weight();
        match steps.last_mut() {
            Some(step) if weight <= STEP => step.push(part),
            _ => {
                weight = part.weight();
                steps.push(vec![part]);
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_so_many_changes_and_never_half_of_a_user() {
        let part = |weight: usize| {
            let change = Change::Delete { kind: RecordKind::PushLog, key: String::new() };
            Part { changes: vec![change; weight], ..Part::default() }
        };
        let weights = |weights: &[usize]| {
            let steps = steps(weights.iter().map(|weight| part(*weight)).collect());
            steps.iter().map(|step| step.iter().map(Part::weight).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(weights(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(weights(&[STEP, 1, STEP - 1, 1]), [vec![STEP], vec![1, STEP - 1], vec![1]]);
        assert_eq!(weights(&[STEP + 1, 1]), [vec![STEP + 1], vec![1]]);
        // 200 users with 64 devices each: entry, and of each device a push and its place in the log.
        let many = weights(&[129; 200]);
        assert!(many.iter().all(|step| step.iter().sum::<usize>() <= STEP), "{many:?}");
        assert_eq!(many.iter().flatten().count(), 200);
    }
}
