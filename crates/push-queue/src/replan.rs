//! What waits for its time when the clock is put back: it would wait for so much longer. The order of the queue is that of
//! Unix time, because it outlives the process; how long something was to wait is in its record.

use stentor_core::records::{RecordKind, decode, encode};
use stentor_core::store::{Change, Scan, StoreError};

use crate::delivery::Delivery;
use crate::keys::{due_ms, notifier_of};
use crate::sender::{READ_AHEAD, Sender};

/// A clock that goes back by less was put right, as clocks are all the time. Milliseconds.
const PUT_BACK_MS: i64 = 1_000;

impl Sender {
    /// Sees whether the clock was put back since the last look, and plans anew what would wait too long. At the first look
    /// nothing is known of that: then for what waits longer than any wait of ours.
    pub(crate) async fn follow_clock(&mut self) -> Result<(), StoreError> {
        let inner = &self.queue.0;
        let (now_ms, monotonic_ms) = (inner.now_ms(), inner.node.clock().monotonic_ms());
        let offset_ms = now_ms.cast_signed().wrapping_sub(monotonic_ms.cast_signed());
        match self.offset_ms {
            None => self.plan_anew(now_ms, inner.schedule.longest_ms, None).await?,
            Some(before_ms) if before_ms - offset_ms > PUT_BACK_MS => {
                let back_ms = (before_ms - offset_ms).unsigned_abs();
                self.plan_anew(now_ms, 0, Some(back_ms)).await?;
                self.start_over();
            }
            Some(_) => {}
        }
        self.offset_ms = Some(offset_ms);
        Ok(())
    }

    /// Puts what is due more than `from_ms` ahead where it belongs, if it was never to wait that long: by how much the clock
    /// was put back; if that is not known, to its whole wait from now.
    async fn plan_anew(&self, now_ms: u64, from_ms: u64, back_ms: Option<u64>) -> Result<(), StoreError> {
        let (inner, kind) = (&self.queue.0, RecordKind::PushDelivery);
        let mut after = format!("{}{:016x}", self.prefix, now_ms + from_ms);
        loop {
            let scan = Scan { after: Some(after), ..Scan::of(kind, self.prefix.as_str(), READ_AHEAD) };
            let found = inner.store().scan_records(inner.app.id(), scan).await?;
            let more = (found.len() == READ_AHEAD).then(|| found.last().map(|(key, _)| key.clone())).flatten();
            let mut changes = Vec::new();
            for (key, value) in found {
                let due_ms = notifier_of(&key).map_or(0, |(_, rest)| due_ms(rest));
                // 0: of a version that did not note it.
                let Some(delivery) = decode::<Delivery>(&value).ok().filter(|found| found.wait_ms > 0) else {
                    continue;
                };
                let latest_ms = now_ms + delivery.wait_ms;
                if self.busy.contains_key(&key) || back_ms.is_none() && due_ms <= latest_ms {
                    continue;
                }
                let planned_ms = back_ms.map_or(latest_ms, |back| due_ms.saturating_sub(back).clamp(now_ms, latest_ms));
                changes.push(Change::Delete { kind, key });
                let key = format!("{}{}", self.prefix, inner.intake.numbers.key(planned_ms));
                changes.push(Change::Put { kind, key, value: encode(&delivery) });
            }
            if !changes.is_empty() {
                inner.store().change(inner.app.id(), changes).await?;
            }
            let Some(last) = more else { return Ok(()) };
            after = last;
        }
    }
}
