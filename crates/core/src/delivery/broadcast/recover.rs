//! After a start: the messages of broadcasts that may have been on their way to clients when the process ended.

use std::sync::Arc;

use super::job::{Job, Planned, Step, done_of, waiting_of};
use crate::app::App;
use crate::delivery::room::{FanOut, Place};
use crate::id::{AppId, MessageId, NodeId, RoomId};
use crate::node::Node;
use crate::records::{Record, decode};
use crate::store::{Scan, Store, StoreError};

/// How many records are read at once.
const PAGE: usize = 64;

/// Every record of the family whose key begins so and that can be read, in order.
async fn all<R: Record>(store: &dyn Store, app: &AppId, prefix: &str) -> Result<Vec<R>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store.scan_records(app, Scan { after, ..Scan::of(R::KIND, prefix, PAGE) }).await?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        after = Some(last.clone());
        for (key, bytes) in &page {
            match decode(bytes) {
                Ok(record) => found.push(record),
                Err(error) => tracing::error!(%app, key, %error, "a broadcast cannot be carried out"),
            }
        }
    }
}

/// The node's jobs that are not forgotten, oldest first: a few minutes' worth.
async fn jobs(store: &dyn Store, app: &AppId, node: NodeId) -> Result<Vec<Job>, StoreError> {
    let mut jobs: Vec<Job> = all(store, app, &done_of(node)).await?;
    jobs.extend(all(store, app, &waiting_of(node)).await?);
    jobs.sort_by_key(Job::id);
    Ok(jobs)
}

/// The newest ID that a job of the node holds: those that are given later must be greater.
pub(crate) async fn newest_planned(store: &dyn Store, app: &AppId, node: NodeId) -> Result<MessageId, StoreError> {
    let mut newest = MessageId::ZERO;
    for job in jobs(store, app, node).await? {
        let step = job.last_step(store, app).await?;
        let planned =
            step.iter().flat_map(|step| &step.rooms).map(|planned| planned.id.max(planned.place.unwrap_or(0)));
        newest = newest.max(job.id()).max(MessageId(planned.max().unwrap_or(0)));
    }
    Ok(newest)
}

impl Node {
    /// Puts the messages of steps that were fanned out before the start back among the recent ones of their rooms.
    /// Nobody is connected yet: clients get what they say they lack. The others are carried out as always.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn recover_broadcasts(&self, app: &Arc<App>) -> Result<(), StoreError> {
        if app.policy().broadcasts.is_none() {
            return Ok(());
        }
        let jobs = jobs(&**self.store(), app.id(), self.id()).await?;
        let mut recent: Vec<(usize, Planned)> = Vec::new();
        for (at, job) in jobs.iter().enumerate() {
            let steps: Vec<Step> = all(&**self.store(), app.id(), &job.steps()).await?;
            let done = steps.into_iter().filter(|step| step.done).flat_map(|step| step.rooms);
            // Others have no clients that could come back.
            let live = done.filter(|planned| app.rooms.get(&RoomId::from_trusted(&planned.room)).is_some());
            recent.extend(live.map(|planned| (at, planned)));
        }
        // In the order of the places that they get.
        recent
            .sort_by_key(|(_, planned)| (planned.place.is_none() && planned.late, planned.place.unwrap_or(planned.id)));
        for (at, planned) in recent {
            let job = &jobs[at];
            let message = job.message(&job.asked(), &planned);
            let place = match planned.place {
                // A client that says that it has this message may lack what came behind it.
                Some(place) => Place::At(MessageId(place)),
                None if planned.late => Place::Last,
                None => Place::OfId,
            };
            self.fan_out(app, FanOut { message: &message, only_for: &[], place });
        }
        Ok(())
    }
}
