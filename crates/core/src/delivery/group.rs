//! To the members of a group, there or not: one message for all of them, in the inbox of each until acked.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::slice;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use super::post::Draft;
use super::{Origin, SendError, SendGroup, SendGroups, SendOptions, SentGroup};
use crate::app::App;
use crate::directory;
use crate::gate::{Passed, Saying};
use crate::id::{RoomId, UserId};
use crate::limits::Rule;
use crate::message::{Marks, Target};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::records::RecordKind;
use crate::store::{Cancelled, Commit, Keep, Scan, StoreError};

/// How many groups one command may have. Dialects allow fewer.
pub const GROUPS: usize = 20;

/// How many members a message may go to. Dialects allow smaller groups.
pub const MEMBERS: usize = 20_000;

/// How many members are read at once.
const PAGE: usize = 1000;

/// Groups share this many turns.
const TURNS: usize = 64;

/// Who sends to a group waits for its turn before it reads the members: messages then come to all members in the
/// order of their numbers, and those of one client in the order of its requests. Nothing else is held meanwhile, apart
/// from the turn of the message that is edited.
#[derive(Debug)]
pub(crate) struct GroupTurns {
    turns: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for GroupTurns {
    fn default() -> Self {
        Self { turns: (0..TURNS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }
}

impl GroupTurns {
    /// First come, first served.
    pub(crate) async fn of(&self, what: impl Hash) -> MutexGuard<'_, ()> {
        let turn = usize::try_from(self.hasher.hash_one(what) % TURNS as u64).unwrap_or(0);
        self.turns[turn].lock().await
    }
}

/// What goes to a group.
pub(super) struct ToGroup<'a> {
    pub(super) from: &'a UserId,
    pub(super) group: &'a RoomId,
    pub(super) passed: &'a Passed<'a>,
    pub(super) only_for: &'a [UserId],
    pub(super) options: &'a SendOptions,
}

/// The backend's rate of messages for these members, or for all.
fn rule_for(only_for: &[UserId]) -> Rule {
    if only_for.is_empty() { Rule::GroupSends } else { Rule::TargetedGroupSends }
}

impl Node {
    /// Sends to the members of a group, without the sender. Answers when everything that is to be kept is durable.
    ///
    /// # Errors
    /// When the message was not taken. One that was to be kept and could not be may have reached clients that are
    /// connected all the same.
    pub async fn send_group(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        send: SendGroup,
    ) -> Result<SentGroup, SendError> {
        let SendGroup { from, group, payload, only_for, options } = send;
        Self::check_payload(app, &payload)?;
        self.limit_send(app, origin, rule_for(&only_for))?;
        let target = Target::Group(group.clone());
        let saying = Saying::new(payload, options.marks).only_for(&only_for);
        let passed = self.pass_gate(app, origin, &from, slice::from_ref(&target), saying).await?;
        let to = ToGroup { from: &from, group: &group, passed: &passed, only_for: &only_for, options: &options };
        let (sent, durable) = self.post_to_group(app, origin, to).await?;
        drop(passed);
        durable.await?;
        Ok(sent)
    }

    /// Sends to the members of several groups: a message for each group, answered in their order.
    ///
    /// # Errors
    /// When nothing was taken: the rate must have room for all, and a client must be a member of all. When the
    /// store fails, some may have been taken.
    pub async fn send_groups(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        send: SendGroups,
    ) -> Result<Vec<SentGroup>, SendError> {
        let SendGroups { from, groups, payload, only_for, options } = send;
        Self::check_payload(app, &payload)?;
        Self::check_count(groups.len(), GROUPS)?;
        self.limit_sends(app, origin, rule_for(&only_for), groups.len())?;
        if let Origin::Client(session) = origin {
            for group in &groups {
                let member = self.members_among(app, group, std::slice::from_ref(session.user())).await?;
                if member.is_empty() {
                    return Err(SendError::NotInRoom);
                }
            }
        }
        let targets: Vec<_> = groups.iter().cloned().map(Target::Group).collect();
        let saying = Saying::new(payload, options.marks).only_for(&only_for);
        let passed = self.pass_gate(app, origin, &from, &targets, saying).await?;
        let (mut sent, mut durable) = (Vec::with_capacity(groups.len()), Vec::with_capacity(groups.len()));
        for group in &groups {
            let to = ToGroup { from: &from, group, passed: &passed, only_for: &only_for, options: &options };
            let (taken, commit) = self.post_to_group(app, origin, to).await?;
            sent.push(taken);
            durable.push(commit);
        }
        drop(passed);
        for commit in durable {
            commit.await?;
        }
        Ok(sent)
    }

    /// Takes a message for a group and offers it. The commit resolves when it is durable.
    pub(super) async fn post_to_group(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        to: ToGroup<'_>,
    ) -> Result<(SentGroup, Commit), SendError> {
        self.post_to_group_by(app, origin, to, |keeps| self.queue_keeps(keeps)).await
    }

    /// The same, where `queue` brings what is to be kept into the store: called when nothing speaks against the message
    /// any more.
    pub(super) async fn post_to_group_by(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        to: ToGroup<'_>,
        queue: impl FnOnce(Vec<Keep>) -> Option<Commit>,
    ) -> Result<(SentGroup, Commit), SendError> {
        let ToGroup { from, group, passed, only_for, options } = to;
        let turn = app.group_turns.of(group).await;
        let receivers = self.group_receivers(app, origin, from, group, only_for).await?;
        let count = receivers.len();
        let mut marks = Marks { priority: passed.priority, ..options.marks };
        marks.targeted |= !only_for.is_empty();
        let draft =
            Draft { from: from.clone(), to: Target::Group(group.clone()), payload: passed.payload.clone(), marks };
        let post = self.post(app, origin, draft, receivers, options);
        self.metrics().accepted_group.inc();

        let keep = self.keep_of(app, &post, Cancelled::default());
        let commit = queue(keep.into_iter().collect());
        let offers = self.offer_post(app, &post, None);
        self.offer_elsewhere(app, &post.message, post.users(), post.keep, false).await;
        drop(turn);

        if !post.keep {
            self.metrics().dropped(DropReason::NobodyThere, offers.absent.len() as u64);
        }
        tracing::trace!(message = %post.message.id, %group, receivers = count, taken = offers.taken, "group message");
        let sent = SentGroup { id: post.message.id, sent_at_ms: post.message.sent_at_ms, receivers: count };
        let late = post.late(self, app, offers.absent);
        let commit = commit.unwrap_or_else(|| Box::pin(std::future::ready(Ok(()))));
        Ok((sent, self.look_again_when_durable(app, late.into_iter().collect(), commit)))
    }

    /// Who gets a message to a group: its members, or those of them who are named, without the sender.
    async fn group_receivers(
        &self,
        app: &App,
        origin: Origin<'_>,
        from: &UserId,
        group: &RoomId,
        only_for: &[UserId],
    ) -> Result<Vec<UserId>, SendError> {
        let sender = origin.sender(from.clone());
        let mut members = if only_for.is_empty() {
            self.group_members(app, group).await?
        } else {
            let named: HashSet<_> = only_for.iter().chain([&sender]).cloned().collect();
            self.members_among(app, group, &named.into_iter().collect::<Vec<_>>()).await?
        };
        let before = members.len();
        members.retain(|member| *member != sender);
        if matches!(origin, Origin::Client(_)) && members.len() == before {
            return Err(SendError::NotInRoom);
        }
        Ok(members)
    }

    /// Everybody in a group, in pages.
    async fn group_members(&self, app: &App, group: &RoomId) -> Result<Vec<UserId>, SendError> {
        let mut scan = Scan::of(RecordKind::Member, directory::pair(group.as_str(), ""), PAGE);
        let mut members = Vec::new();
        loop {
            let page = self.store().scan_records(app.id(), scan.clone()).await?;
            members.extend(page.iter().map(|(key, _)| UserId::from_trusted(directory::second(key))));
            Self::check_count(members.len(), MEMBERS)?;
            if page.len() < PAGE {
                return Ok(members);
            }
            scan.after = page.into_iter().next_back().map(|(key, _)| key);
        }
    }

    /// Those of the users who are in a group.
    async fn members_among(&self, app: &App, group: &RoomId, users: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let keys = users.iter().map(|user| directory::pair(group.as_str(), user.as_str())).collect();
        let found = self.store().read_records(app.id(), RecordKind::Member, keys).await?;
        Ok(users.iter().zip(found).filter(|(_, found)| found.is_some()).map(|(user, _)| user.clone()).collect())
    }
}
