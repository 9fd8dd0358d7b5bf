//! Changes of a registered room, in turn.
//!
//! Everything that changes a room or its members is a *work*. The works of one room wait in a queue, and whoever finds
//! the queue without a leader starts one: it takes what waits, reads what the works need in one go, has each of them
//! change what was read, and writes all of it in one step. Five thousand joins at once are a few dozen steps and not
//! five thousand conflicts over the number of members, and that number is exact. What follows (clients come into the
//! live room or leave it, and are told) happens in the same order, before the next step.
//!
//! The step expects everything that was read to be unchanged, so another node that changes the same room costs a
//! repetition and never a wrong count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::blocks::block_key;
use super::members::member_key;
use super::room_attributes::MAX_ATTRIBUTES;
use super::room_error::RoomError;
use super::rooms::{MemberCount, Room, RoomKind};
use super::second;
use super::turn::{Slot, Turn};
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Record, RecordKind};
use crate::sharded::Sharded;
use crate::store::{Change, Changed, Scan, StoreError};

/// A step takes works until they name so many users together.
const USERS_PER_STEP: usize = 512;

/// So many works of one room wait; one more is refused as busy.
const WAITING_MAX: usize = 16_384;

/// How often a step is tried that meets changes of other nodes.
const TRIES: usize = 32;

/// What is to be done to a room. It may run more than once before it is durable.
trait Work: Send {
    /// Whose membership it looks at.
    fn users(&self) -> &[UserId];

    /// The keys of shared files that it looks at.
    fn files(&self) -> &[String];

    fn wants(&self) -> Wants;

    fn run(&mut self, turn: &mut Turn);

    fn done(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// What a work needs beside room and users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wants {
    /// The custom attributes.
    pub(super) attributes: bool,
    /// The users' records: they may come in.
    admits: bool,
    /// A step of its own.
    alone: bool,
}

struct Job<T, F> {
    users: Vec<UserId>,
    files: Vec<String>,
    wants: Wants,
    by: Option<UserId>,
    work: F,
    answer: Option<Result<T, RoomError>>,
    waiter: oneshot::Sender<Result<T, RoomError>>,
}

impl<T: Send, F: FnMut(&mut Turn) -> Result<T, RoomError> + Send> Work for Job<T, F> {
    fn users(&self) -> &[UserId] {
        &self.users
    }

    fn files(&self) -> &[String] {
        &self.files
    }

    fn wants(&self) -> Wants {
        self.wants
    }

    fn run(&mut self, turn: &mut Turn) {
        turn.by = self.by.clone();
        self.answer = Some((self.work)(turn));
    }

    fn done(self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = match (outcome, self.answer) {
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => return,
            (Err(error), _) => Err(error.into()),
        };
        // Whoever asked may have gone; what was done stays done.
        let _ = self.waiter.send(answer);
    }
}

/// The works that wait, by room. A room is in here while it has a leader.
#[derive(Default)]
pub(crate) struct Turns {
    waiting: Sharded<String, VecDeque<Box<dyn Work>>>,
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").field("rooms", &self.waiting.len()).finish()
    }
}

/// Leads the queue of a room; if it does not come to its end, whoever waits gets an error.
struct Leader {
    app: Arc<App>,
    kind: RoomKind,
    id: RoomId,
    key: String,
    done: bool,
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.done {
            let left = self.app.room_turns.waiting.lock(&self.key).remove(&self.key);
            drop(left);
        }
    }
}

impl Leader {
    /// The next works; `None`, and the room has no leader any more, if there are none.
    fn take(&mut self) -> Option<Vec<Box<dyn Work>>> {
        let mut shard = self.app.room_turns.waiting.lock(&self.key);
        let waiting = shard.get_mut(&self.key)?;
        let (mut works, mut users) = (Vec::new(), 0);
        while let Some(next) = waiting.front() {
            let alone = next.wants().alone;
            if !works.is_empty() && (alone || users + next.users().len() > USERS_PER_STEP) {
                break;
            }
            users += next.users().len();
            works.extend(waiting.pop_front());
            if alone {
                break;
            }
        }
        if works.is_empty() {
            shard.remove(&self.key);
            self.done = true;
            return None;
        }
        Some(works)
    }
}

impl Node {
    /// Has `work` done to a room in its turn; `users` are those whose membership it looks at. Returns when it is
    /// durable, and everybody here who is connected was told. What `work` does is done even if nobody waits for it.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: Vec<UserId>,
        work: impl FnMut(&mut Turn) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        self.queue(app, kind, room, (users, Vec::new()), Wants::default(), work).await
    }

    /// The same, of a work that looks at shared files, which it names by their keys.
    pub(super) async fn in_turn_with_files<T: Send + 'static>(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        (users, files): (Vec<UserId>, Vec<String>),
        work: impl FnMut(&mut Turn) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        self.queue(app, kind, room, (users, files), Wants::default(), work).await
    }

    /// The same, of a work that may let the users in.
    pub(super) async fn in_turn_to_admit<T: Send + 'static>(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: Vec<UserId>,
        work: impl FnMut(&mut Turn) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        let wants = Wants { admits: true, ..Wants::default() };
        self.queue(app, kind, room, (users, Vec::new()), wants, work).await
    }

    /// The same, with the custom attributes at hand.
    pub(super) async fn in_turn_with_attributes<T: Send + 'static>(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: Vec<UserId>,
        work: impl FnMut(&mut Turn) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        let wants = Wants { attributes: true, ..Wants::default() };
        self.queue(app, kind, room, (users, Vec::new()), wants, work).await
    }

    /// The same, in a step of its own.
    pub(super) async fn in_turn_alone<T: Send + 'static>(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        work: impl FnMut(&mut Turn) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        let wants = Wants { alone: true, ..Wants::default() };
        self.queue(app, kind, room, (Vec::new(), Vec::new()), wants, work).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        (users, files): (Vec<UserId>, Vec<String>),
        wants: Wants,
        work: impl FnMut(&mut Turn) -> Result<T, RoomError> + Send + 'static,
    ) -> Result<T, RoomError> {
        let (waiter, answer) = oneshot::channel();
        let by = self.actor().cloned();
        let job = Box::new(Job { users, files, wants, by, work, answer: None, waiter });
        let key = kind.key(room);
        let lead = {
            let mut shard = app.room_turns.waiting.lock(&key);
            let waiting = shard.get_mut(&key);
            let lead = waiting.is_none();
            let waiting = match waiting {
                Some(waiting) => waiting,
                None => shard.entry(key.clone()).or_default(),
            };
            if waiting.len() >= WAITING_MAX {
                return Err(StoreError::Busy.into());
            }
            waiting.push_back(job);
            lead
        };
        if lead {
            let leader = Leader { app: app.clone(), kind, id: room.clone(), key, done: false };
            let node = self.clone();
            self.spawn(async move { node.lead(leader).await });
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Failed("the room's turn broke off".into()).into()))
    }

    async fn lead(&self, mut leader: Leader) {
        while let Some(mut works) = leader.take() {
            match self.step(&leader, &mut works).await {
                Ok((turn, former)) => {
                    let dissolved = turn.dissolved;
                    self.take_effect(&leader.app, turn, &former).await;
                    works.into_iter().for_each(|work| work.done(Ok(())));
                    self.forget_former(&leader, &former).await;
                    if dissolved {
                        // There may be many, and who still asks for the room need not wait for that.
                        let (node, app, id) = (self.clone(), leader.app.clone(), leader.id.clone());
                        self.spawn(async move { node.forget_shared_files(&app, &id).await });
                    }
                }
                Err(error) => works.into_iter().for_each(|work| work.done(Err(again(&error)))),
            }
        }
    }

    /// Does works in one step. Returns what came of it, and the former members of a room that is gone.
    async fn step(&self, leader: &Leader, works: &mut [Box<dyn Work>]) -> Result<(Turn, Vec<UserId>), StoreError> {
        let users: BTreeSet<UserId> = works.iter().flat_map(|work| work.users().iter().cloned()).collect();
        let files: BTreeSet<String> = works.iter().flat_map(|work| work.files().iter().cloned()).collect();
        let wants = Wants {
            attributes: works.iter().any(|work| work.wants().attributes),
            admits: works.iter().any(|work| work.wants().admits),
            alone: false,
        };
        for _ in 0..TRIES {
            let mut turn = self.read_turn(leader, &users, &files, wants).await?;
            works.iter_mut().for_each(|work| work.run(&mut turn));
            turn.by = None;
            if turn.leavers().next().is_some() {
                if turn.attributes.is_none() {
                    turn.attributes = Some(self.read_attributes(leader).await?);
                }
                turn.drop_attributes_of_leavers();
            }
            let former = if turn.dissolved { self.all_members(leader).await? } else { Vec::new() };
            let mut changes = turn.changes();
            if turn.dissolved && leader.kind == RoomKind::Group {
                changes.extend(self.forget_all_waiting(&leader.app, &leader.id).await?);
            }
            changes.extend(leader.app.observed(|observer| turn.observed(observer, &former)));
            let writes = changes.iter().any(|change| !matches!(change, Change::Expect { .. }));
            if !writes || self.store().change(leader.app.id(), changes).await? == Changed::Done {
                return Ok((turn, former));
            }
        }
        Err(StoreError::Busy)
    }

    async fn read_turn(
        &self,
        leader: &Leader,
        users: &BTreeSet<UserId>,
        files: &BTreeSet<String>,
        wants: Wants,
    ) -> Result<Turn, StoreError> {
        let (store, app, id) = (self.store(), leader.app.id(), &leader.id);
        let keys = |key: fn(&RoomId, &UserId) -> String| users.iter().map(|user| key(id, user)).collect::<Vec<_>>();
        // Queued together: one after the other they would cost as many trips to the store's threads.
        let comers =
            if wants.admits { users.iter().map(|user| user.as_str().to_owned()).collect() } else { Vec::new() };
        let (room, count, members, blocks, comers) = tokio::try_join!(
            store.read_record(app, Room::KIND, &leader.key),
            store.read_record(app, MemberCount::KIND, &MemberCount::key(id)),
            store.read_records(app, RecordKind::Member, keys(member_key)),
            store.read_records(app, RecordKind::RoomBlock, keys(block_key)),
            store.read_records(app, RecordKind::User, comers),
        )?;
        Ok(Turn {
            kind: leader.kind,
            id: id.clone(),
            now_ms: self.clock().wall_ms(),
            room: Slot::read(room)?,
            count: Slot::read(count)?,
            members: slots(users, members)?,
            blocks: slots(users, blocks)?,
            users: users.iter().cloned().zip(comers).collect(),
            files: slots(
                files,
                store.read_records(app, RecordKind::SharedFile, files.iter().cloned().collect()).await?,
            )?,
            shared: if files.is_empty() { 0 } else { self.count_shared_files(&leader.app, id).await? },
            attributes: if wants.attributes { Some(self.read_attributes(leader).await?) } else { None },
            by: None,
            effects: Vec::new(),
            dissolved: false,
        })
    }

    async fn read_attributes<T: Record>(&self, leader: &Leader) -> Result<BTreeMap<String, Slot<T>>, StoreError> {
        let scan = Scan::of(T::KIND, format!("{}/", leader.id), MAX_ATTRIBUTES + 1);
        let found = self.store().scan_records(leader.app.id(), scan).await?;
        found.into_iter().map(|(key, bytes)| Ok((second(&key).to_owned(), Slot::read(Some(bytes))?))).collect()
    }

    /// Every member, page by page.
    async fn all_members(&self, leader: &Leader) -> Result<Vec<UserId>, StoreError> {
        let (mut users, mut after) = (Vec::new(), None);
        loop {
            let page = self.member_page(&leader.app, &leader.id, after.as_deref(), PAGE).await?;
            users.extend(page.items.into_iter().map(|(user, _)| user));
            after = page.next;
            if after.is_none() {
                return Ok(users);
            }
        }
    }

    /// Takes a room that is gone out of the lists of its former members, so that other writes come between.
    async fn forget_former(&self, leader: &Leader, former: &[UserId]) {
        for users in former.chunks(USERS_PER_STEP) {
            let key = |user| super::joined::membership_key(leader.kind, user, &leader.id);
            let delete = |user| Change::Delete { kind: RecordKind::Membership, key: key(user) };
            if let Err(error) = self.store().change(leader.app.id(), users.iter().map(delete).collect()).await {
                tracing::debug!(%error, "entries of a room that is gone stay until they are met");
            }
        }
    }
}

/// Members that are read at a time.
pub(super) const PAGE: usize = 1000;

fn slots<K: Ord + Clone, T: Record>(
    keys: &BTreeSet<K>,
    found: Vec<Option<bytes::Bytes>>,
) -> Result<BTreeMap<K, Slot<T>>, StoreError> {
    keys.iter().cloned().zip(found).map(|(key, was)| Ok((key, Slot::read(was)?))).collect()
}

/// The same error for one more who waits.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Busy => StoreError::Busy,
        StoreError::Failed(source) => StoreError::Failed(source.to_string().into()),
    }
}
