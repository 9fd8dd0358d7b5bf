//! Carries out broadcasts in the background: one job of the app after the other, one step after the other.

use std::sync::Arc;

use super::job::{Job, Planned, Step, done_of, waiting_of};
use crate::app::{App, BroadcastPolicy};
use crate::delivery::SendBroadcast;
use crate::delivery::room::{FanOut, Place};
use crate::directory::pair;
use crate::id::{MessageId, RoomId};
use crate::node::Node;
use crate::records::{RecordKind, decode};
use crate::store::{Change, Keep, Scan, StoreError};
use crate::timers::Due;

/// How long after the store refused a step it is tried again, in milliseconds.
const RETRY_MS: u64 = 1000;

/// What of an app's broadcasts is only in memory.
#[derive(Debug, Default)]
pub(crate) struct Broadcasting {
    running: bool,
    /// There may be another job since the one who runs has looked.
    again: bool,
    /// The newest message that this process has fanned out: the write of its step may fail and be tried again.
    fanned_out: Option<MessageId>,
}

impl Broadcasting {
    /// Whether the message is still to be fanned out by this process. IDs come in their order.
    fn is_first_time(&mut self, id: MessageId) -> bool {
        let first = self.fanned_out < Some(id);
        self.fanned_out = self.fanned_out.max(Some(id));
        first
    }

    /// Whether who asks is to run; otherwise whoever runs looks again.
    fn start(&mut self) -> bool {
        self.again = self.running;
        !std::mem::replace(&mut self.running, true)
    }

    /// Whether who runs, having found no job, is to look again.
    fn look_again(&mut self) -> bool {
        self.running = std::mem::take(&mut self.again);
        self.running
    }
}

impl Node {
    /// Carries out the jobs of an app in the background, oldest first, if that is not being done already.
    pub(crate) fn carry_out_broadcasts(&self, app: &Arc<App>) {
        let Some(policy) = app.policy().broadcasts else { return };
        if !app.broadcasting.lock().start() {
            return;
        }
        let (node, app) = (self.clone(), app.clone());
        self.spawn(async move {
            if let Err(error) = node.all_broadcasts(&app, policy).await {
                tracing::warn!(app = %app.id(), %error, "broadcasts wait until the store takes their next step");
                app.broadcasting.lock().running = false;
                node.look_at_broadcasts_in(&app, RETRY_MS);
            }
        });
    }

    fn look_at_broadcasts_in(&self, app: &Arc<App>, ms: u64) {
        self.timers().at(self.clock().monotonic_ms() + ms, Due::Broadcasts(Arc::downgrade(app)));
    }

    async fn all_broadcasts(&self, app: &Arc<App>, policy: BroadcastPolicy) -> Result<(), StoreError> {
        let mut after = None;
        // On the way down a job is left where it is: it goes on at the next start.
        while !self.is_draining() {
            let scan = Scan { after: after.take(), ..Scan::of(RecordKind::Broadcast, waiting_of(self.id()), 1) };
            let Some((key, bytes)) = self.store().scan_records(app.id(), scan).await?.pop() else {
                self.forget_broadcasts(app).await?;
                if app.broadcasting.lock().look_again() {
                    continue;
                }
                return Ok(());
            };
            match decode::<Job>(&bytes) {
                Ok(job) => self.carry_out(app, policy, &job).await?,
                Err(error) => tracing::error!(app = %app.id(), key, %error, "a broadcast cannot be carried out"),
            }
            after = Some(key);
        }
        Ok(())
    }

    async fn carry_out(&self, app: &Arc<App>, policy: BroadcastPolicy, job: &Job) -> Result<(), StoreError> {
        let asked = job.asked();
        let mut step = job.last_step(&**self.store(), app.id()).await?;
        // Another process may have fanned it out, or this one before its write was refused.
        let mut from_store = true;
        while !self.is_draining() {
            let mut keeps = Vec::new();
            let mut changes = Vec::new();
            if let Some(step) = step.as_mut().filter(|step| !step.done) {
                for planned in &mut step.rooms {
                    self.broadcast_to(app, job, &asked, planned, &mut keeps).await;
                    planned.late |= from_store;
                }
                step.done = true;
                changes.push(job.put(step));
            }
            let next = self.plan_step(app, policy, step.as_ref()).await?;
            changes.extend(match &next {
                Some(next) => vec![job.put(next)],
                None => job.done(self.clock().wall_ms()),
            });
            self.write_step(app, keeps, changes).await?;
            if next.is_none() {
                break;
            }
            (step, from_store) = (next, false);
        }
        Ok(())
    }

    /// Fans the message to one room out, and adds what the history is to keep of it.
    async fn broadcast_to(
        &self,
        app: &Arc<App>,
        job: &Job,
        asked: &SendBroadcast,
        planned: &mut Planned,
        keeps: &mut Vec<Keep>,
    ) {
        let message = job.message(asked, planned);
        if app.broadcasting.lock().is_first_time(message.id) {
            self.metrics().accepted_room.inc();
            let room = RoomId::from_trusted(&planned.room);
            app.room_account(&room).accepted(asked.priority, self.clock().wall_ms());
            let fan_out = FanOut { message: &message, only_for: &[], place: Place::Last };
            planned.place = self.fan_out(app, fan_out).map(|place| place.0);
            self.fan_out_elsewhere(app, &message, &[]).await;
            // Large rooms one after the other would keep everybody else waiting.
            tokio::task::yield_now().await;
        }
        if let Some(history) = Self::keep_in_history(app, &message, asked.history, &[]) {
            let (app, history) = (app.id().clone(), Some(history));
            keeps.push(Keep { app, message, inbox: None, history, changes: Vec::new() });
        }
    }

    /// One durable step: what the history keeps, and how far the job is.
    async fn write_step(&self, app: &App, mut keeps: Vec<Keep>, changes: Vec<Change>) -> Result<(), StoreError> {
        match keeps.first_mut() {
            Some(first) => {
                first.changes = changes;
                self.store().keep_all(keeps).await
            }
            None => self.store().change(app.id(), changes).await.map(|_| ()),
        }
    }

    /// The step that comes behind `step`: its rooms, and the ID of each one's message. `None`: there are no more.
    async fn plan_step(
        &self,
        app: &App,
        policy: BroadcastPolicy,
        step: Option<&Step>,
    ) -> Result<Option<Step>, StoreError> {
        let mut after = step.map(|step| step.after.clone());
        loop {
            let scan = Scan::of(RecordKind::ActiveRoom, "", policy.rooms_per_step.max(1));
            let active = self.store().scan_records(app.id(), Scan { after, ..scan }).await?;
            let Some((last, _)) = active.last().cloned() else { return Ok(None) };
            let mut rooms = Vec::new();
            for (room, _) in active {
                if self.has_member(app, &room).await? {
                    let id = self.next_id(self.clock().wall_ms()).0;
                    rooms.push(Planned { room, id, late: false, place: None });
                }
            }
            if !rooms.is_empty() {
                let number = step.map_or(0, |step| step.number + 1);
                return Ok(Some(Step { number, after: last, rooms, done: false }));
            }
            after = Some(last);
        }
    }

    /// Whether a room has a member: a client that is in it, or one that the directory knows.
    async fn has_member(&self, app: &App, room: &str) -> Result<bool, StoreError> {
        let live = app.rooms.get(&RoomId::from_trusted(room)).is_some_and(|room| room.lock().members() > 0);
        if live {
            return Ok(true);
        }
        let members = Scan::of(RecordKind::Member, pair(room, ""), 1);
        Ok(!self.store().scan_records(app.id(), members).await?.is_empty())
    }

    /// Forgets jobs that were done a grace ago: nobody comes back for their messages any more.
    async fn forget_broadcasts(&self, app: &Arc<App>) -> Result<(), StoreError> {
        let grace_ms = app.policy().sessions.grace_ms;
        loop {
            let oldest = Scan::of(RecordKind::Broadcast, done_of(self.id()), 1);
            let Some((_, bytes)) = self.store().scan_records(app.id(), oldest).await?.pop() else { return Ok(()) };
            let job: Job = decode(&bytes)?;
            let age_ms = self.clock().wall_ms().saturating_sub(job.done_ms.unwrap_or_default());
            if age_ms < grace_ms {
                self.look_at_broadcasts_in(app, grace_ms - age_ms);
                return Ok(());
            }
            self.store().change(app.id(), job.forget()).await?;
        }
    }
}
