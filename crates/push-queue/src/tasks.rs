//! Tasks: direct pushes to everybody, or to the users of labels. A task is a record that says whom is to be told what, from
//! when on, and how far that has come. One worker for an app goes through those that are due, a page of users of each in turn.
//!
//! The page's deliveries and how far the task has come are written in one step: a process that dies neither loses nor doubles
//! a page. What a dialect tells users without a delivery comes at least once.

use std::collections::HashSet;

use minicbor::{Decode, Encode};
use stentor_core::id::{MessageId, UserId};
use stentor_core::records::{Record, RecordKind, decode, encode};
use stentor_core::store::{Change, Scan, StoreError};
use tokio::sync::{Mutex, Notify};
use tokio::time::timeout;

use crate::keys::due_ms;
use crate::pace::{Pace, STORE_PAUSE};
use crate::parts::STEP;
use crate::queue::PushQueue;
use crate::words::{PageError, TaskPage};

/// Tasks of an app that are under way at the same time (documented).
pub const UNDER_WAY: usize = 3;
/// Tasks of an app, those that are to begin later among them.
pub const TASKS: usize = 100;

/// Users who are told in one step, unless they have so many devices that fewer fill one.
const PAGE: usize = 100;

/// So few users always fit: each with as many devices as there may be.
const SMALL_PAGE: usize = 6;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// Users who have all of these labels, the first being the one that fewest have; without any, everybody.
    pub labels: Vec<String>,
    /// What is said, in the dialect's own form.
    pub said: String,
    /// When it is to begin: Unix time in milliseconds; at once if there is none.
    pub start_ms: Option<u64>,
}

/// Why there is no task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// There are [`UNDER_WAY`] already, or [`TASKS`] in all.
    #[error("too many tasks")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A task that has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// Which.
    pub id: MessageId,
    /// Users who have all of these labels; without any, everybody.
    pub labels: Vec<String>,
    /// What is said, in the dialect's own form.
    pub said: String,
    /// When it begins, or has begun: Unix time in milliseconds.
    pub start_ms: u64,
    /// Some users have been told.
    pub begun: bool,
}

/// What the worker and those who make tasks share.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    /// Held while one is counted and made: there are never more than may be.
    making: Mutex<()>,
    /// Held while a page of one is told, and while one is taken away: it does not come back with the page. Not by who
    /// makes one, for a page may wait for the rate of what goes to clients.
    telling: Mutex<()>,
    pub(crate) wake: Notify,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct PushTask {
    #[n(0)]
    id: u64,
    #[n(1)]
    labels: Vec<String>,
    #[n(2)]
    said: String,
    /// Where the page before ended.
    #[n(3)]
    after: Option<String>,
}

impl Record for PushTask {
    const KIND: RecordKind = RecordKind::PushTask;
}

impl PushQueue {
    /// Makes a task; durable when this resolves. The number says which it is.
    ///
    /// # Errors
    /// When there are too many, or the store fails.
    pub async fn create_task(&self, new: NewTask) -> Result<MessageId, TaskError> {
        let (inner, NewTask { labels, said, start_ms }) = (&self.0, new);
        let (store, app, now_ms) = (inner.store(), inner.app.id(), inner.now_ms());
        let _making = inner.pushed_tasks.making.lock().await;
        if store.count_records(app, RecordKind::PushTask, "").await? >= TASKS as u64 {
            return Err(TaskError::TooMany);
        }
        if start_ms.is_none() {
            let first = store.scan_records(app, Scan::of(RecordKind::PushTask, "", UNDER_WAY)).await?;
            if first.iter().filter(|(key, _)| due_ms(key) <= now_ms).count() >= UNDER_WAY {
                return Err(TaskError::TooMany);
            }
        }
        let id = inner.node.fresh_id();
        let key = inner.intake.numbers.key(start_ms.unwrap_or(now_ms));
        let value = encode(&PushTask { id: id.0, labels, said, after: None });
        store.change(app, vec![Change::Put { kind: RecordKind::PushTask, key, value }]).await?;
        inner.pushed_tasks.wake.notify_one();
        Ok(id)
    }

    /// The tasks that have not come to their end, in the order of their beginning.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tasks(&self) -> Result<Vec<TaskView>, StoreError> {
        let found = self.tasks_by_key().await?;
        let view = |(key, task): (String, PushTask)| TaskView {
            id: MessageId(task.id),
            start_ms: due_ms(&key),
            begun: task.after.is_some(),
            labels: task.labels,
            said: task.said,
        };
        Ok(found.into_iter().map(view).collect())
    }

    /// Takes a task away, behind the page of users that is being told: nobody else is. `false` if there is none of that number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cancel_task(&self, id: MessageId) -> Result<bool, StoreError> {
        let inner = &self.0;
        let _telling = inner.pushed_tasks.telling.lock().await;
        let found = self.tasks_by_key().await?;
        let Some((key, _)) = found.into_iter().find(|(_, task)| task.id == id.0) else { return Ok(false) };
        inner.store().change(inner.app.id(), vec![Change::Delete { kind: RecordKind::PushTask, key }]).await?;
        Ok(true)
    }

    /// Those that can be read.
    async fn tasks_by_key(&self) -> Result<Vec<(String, PushTask)>, StoreError> {
        let scan = Scan::of(RecordKind::PushTask, "", TASKS);
        let found = self.0.store().scan_records(self.0.app.id(), scan).await?;
        Ok(found.into_iter().filter_map(|(key, value)| Some((key, decode(&value).ok()?))).collect())
    }

    /// The next users of a task, and where they end; `None` if there are no more. No more than what is written of them in
    /// one step.
    async fn page_of(&self, task: &PushTask) -> Result<(Vec<UserId>, Option<String>), StoreError> {
        let mut limit = PAGE;
        loop {
            let page = self.users_of(task, limit).await?;
            let bindings = self.0.node.push_bindings_of(&self.0.app, &page.0).await?;
            // The entry of the log or the callback; of each device a push and its place in the log.
            let weight: usize = bindings.iter().map(|bindings| 2 + 2 * bindings.len()).sum();
            if weight <= STEP || limit <= SMALL_PAGE {
                return Ok(page);
            }
            limit = (limit / 2).max(SMALL_PAGE);
        }
    }

    async fn users_of(&self, task: &PushTask, limit: usize) -> Result<(Vec<UserId>, Option<String>), StoreError> {
        let (node, app) = (&self.0.node, &self.0.app);
        let Some((first, others)) = task.labels.split_first() else {
            let page = node.users(app, task.after.clone(), limit).await?;
            return Ok((page.items.into_iter().map(|user| UserId::from_trusted(&user.name)).collect(), page.next));
        };
        let page = node.push_label_users(app, first, task.after.as_deref(), limit).await?;
        let mut users: Vec<_> = page.items.into_iter().map(|(user, _)| user).collect();
        for label in others {
            let have = node.have_push_label(app, label, &users).await?;
            users = users.into_iter().zip(have).filter(|(_, has)| *has).map(|(user, _)| user).collect();
        }
        Ok((users, page.next))
    }
}

/// The worker.
pub(crate) struct TaskWorker {
    queue: PushQueue,
    pace: Pace,
    /// The keys of what cannot be read: left for the version that can.
    odd: HashSet<String>,
}

/// What a look found.
#[derive(Default)]
struct Look {
    pages: usize,
    next_due_ms: Option<u64>,
}

impl TaskWorker {
    pub(crate) fn new(queue: PushQueue) -> Self {
        Self { queue, pace: Pace::default(), odd: HashSet::new() }
    }

    /// Works until the queue is stopped.
    pub(crate) async fn run(mut self) {
        let queue = self.queue.clone();
        let (stop, wake, clock) = (&queue.0.stop, &queue.0.pushed_tasks.wake, queue.0.node.clock());
        loop {
            // A page that is dropped half-way is told again after the next start.
            let Some(look) = stop.run_until_cancelled(self.look()).await else { return };
            let look = match look {
                Ok(look) => look,
                Err(error) => {
                    tracing::warn!(app = %queue.0.app.id(), %error, "push tasks wait for the store");
                    let _ = timeout(STORE_PAUSE, stop.cancelled()).await;
                    continue;
                }
            };
            if look.pages > 0 {
                self.pace.busy();
                continue;
            }
            let pause = self.pace.pause(clock, look.next_due_ms);
            tokio::select! {
                () = wake.notified() => self.pace.busy(),
                () = pause => self.pace.looked(),
                () = stop.cancelled() => return,
            }
        }
    }

    /// Tells a page of each task that is under way.
    async fn look(&mut self) -> Result<Look, StoreError> {
        let inner = self.queue.0.clone();
        let (mut look, now_ms) = (Look::default(), inner.now_ms());
        let scan = Scan::of(RecordKind::PushTask, "", UNDER_WAY + self.odd.len());
        for (key, value) in inner.store().scan_records(inner.app.id(), scan).await? {
            if self.odd.contains(&key) {
                continue;
            }
            if due_ms(&key) > now_ms {
                look.next_due_ms = Some(due_ms(&key));
                break;
            }
            // The sender says when there is room again.
            if inner.intake.deliveries.is_full() {
                break;
            }
            let told = match decode::<PushTask>(&value) {
                Ok(task) => self.tell(&key, task).await,
                Err(_) => Err(PageError::Unreadable),
            };
            match told {
                Ok(()) => look.pages += 1,
                Err(PageError::Store(error)) => return Err(error),
                Err(PageError::Unreadable) => {
                    tracing::error!(app = %inner.app.id(), "a push task cannot be read");
                    self.odd.insert(key);
                    look.pages += 1;
                }
            }
        }
        Ok(look)
    }

    /// Tells the next page of a task, unless it has been taken away.
    async fn tell(&self, key: &str, mut task: PushTask) -> Result<(), PageError> {
        let inner = &self.queue.0;
        let _telling = inner.pushed_tasks.telling.lock().await;
        if inner.store().read_record(inner.app.id(), RecordKind::PushTask, key).await?.is_none() {
            return Ok(());
        }
        let (users, next) = self.queue.page_of(&task).await?;
        let (kind, key) = (RecordKind::PushTask, key.to_owned());
        let said = std::mem::take(&mut task.said);
        let change = match next {
            None => Change::Delete { kind, key },
            Some(after) => {
                let task = PushTask { said: said.clone(), after: Some(after), ..task };
                Change::Put { kind, key, value: encode(&task) }
            }
        };
        let page = TaskPage { queue: &self.queue, said: &said, users: &users, step: vec![change] };
        self.queue.0.intake.words.tell_page(page).await
    }
}
