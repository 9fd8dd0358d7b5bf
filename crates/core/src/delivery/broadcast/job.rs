//! How a broadcast that was taken is written down: the job, and its steps beside it.

use std::sync::Arc;

use bytes::Bytes;
use minicbor::{Decode, Encode};

use super::SendBroadcast;
use crate::id::{AppId, MessageId, NodeId, RoomId, UserId};
use crate::message::{Marks, Message, MessageKind, Target};
use crate::records::{Record, RecordKind, decode, encode};
use crate::store::{Change, Scan, Store, StoreError};

/// The keys of jobs that are not done, of all nodes, begin so.
pub(super) const WAITING: &str = "job/";
/// Those of jobs that are done and not forgotten.
const DONE: &str = "done/";
/// Those of the steps of both.
const STEP: &str = "step/";

/// A broadcast that was taken. It belongs to the node that took it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Job {
    #[n(0)]
    node: u16,
    #[n(1)]
    id: u64,
    #[n(2)]
    from: String,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    payload: Vec<u8>,
    /// Of the messages, as [`Marks::number`] writes them.
    #[n(4)]
    marks: u16,
    #[n(5)]
    history: bool,
    /// When it was taken: the time of its messages. Unix time in milliseconds.
    #[n(6)]
    taken_ms: u64,
    /// When its last step was fanned out: Unix time in milliseconds.
    #[n(7)]
    pub(super) done_ms: Option<u64>,
}

/// Rooms that get a broadcast together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Step {
    #[n(0)]
    pub(super) number: u32,
    /// The last active room that was looked at, in the order of their names.
    #[n(1)]
    pub(super) after: String,
    #[n(2)]
    pub(super) rooms: Vec<Planned>,
    /// It is known to have been fanned out.
    #[n(3)]
    pub(super) done: bool,
}

/// A room that gets a broadcast, and the ID of its message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Planned {
    #[n(0)]
    pub(super) room: String,
    #[n(1)]
    pub(super) id: u64,
    /// The room may have had a message of a later ID before this one. Matters if it is not known where it stood.
    #[n(2)]
    pub(super) late: bool,
    /// Where the message stood among the room's when it was fanned out: behind those that were taken since it was
    /// planned. Nothing if the room had no clients,
    /// or if that was before its step was read again.
    #[n(3)]
    pub(super) place: Option<u64>,
}

impl Record for Job {
    const KIND: RecordKind = RecordKind::Broadcast;
}

impl Record for Step {
    const KIND: RecordKind = RecordKind::Broadcast;
}

/// How the keys of the node's jobs that are not done begin; they are in the order of their IDs.
pub(super) fn waiting_of(node: NodeId) -> String {
    format!("{WAITING}{:04}/", node.get())
}

/// How the keys of the node's jobs that are done begin.
pub(super) fn done_of(node: NodeId) -> String {
    format!("{DONE}{:04}/", node.get())
}

impl Job {
    pub(super) fn new(node: NodeId, id: MessageId, taken_ms: u64, send: &SendBroadcast) -> Self {
        Self {
            node: node.get(),
            id: id.0,
            from: send.from.as_str().to_owned(),
            payload: send.payload.to_vec(),
            marks: Marks { priority: send.priority, echo: send.sync_sender, ..Marks::default() }.number(),
            history: send.history,
            taken_ms,
            done_ms: None,
        }
    }

    pub(super) fn id(&self) -> MessageId {
        MessageId(self.id)
    }

    pub(super) fn waiting_key(&self) -> String {
        self.key(WAITING)
    }

    fn key(&self, family: &str) -> String {
        format!("{family}{:04}/{:020}", self.node, self.id)
    }

    /// How the keys of its steps begin.
    pub(super) fn steps(&self) -> String {
        format!("{}/", self.key(STEP))
    }

    /// The step that was planned last.
    pub(super) async fn last_step(&self, store: &dyn Store, app: &AppId) -> Result<Option<Step>, StoreError> {
        let scan = Scan { backwards: true, ..Scan::of(Step::KIND, self.steps(), 1) };
        let last = store.scan_records(app, scan).await?.pop();
        last.map(|(_, bytes)| decode(&bytes)).transpose()
    }

    /// Writes a step down.
    pub(super) fn put(&self, step: &Step) -> Change {
        let key = format!("{}{:08}", self.steps(), step.number);
        Change::Put { kind: RecordKind::Broadcast, key, value: encode(step) }
    }

    /// Its last step is done; until it is forgotten, its messages can be found here.
    pub(super) fn done(&self, now_ms: u64) -> Vec<Change> {
        let kind = RecordKind::Broadcast;
        let value = encode(&Self { done_ms: Some(now_ms), ..self.clone() });
        vec![Change::Delete { kind, key: self.key(WAITING) }, Change::Put { kind, key: self.key(DONE), value }]
    }

    pub(super) fn forget(&self) -> Vec<Change> {
        let kind = RecordKind::Broadcast;
        let prefix = self.steps();
        vec![Change::Delete { kind, key: self.key(DONE) }, Change::DeletePrefix { kind, prefix }]
    }

    /// What was asked for.
    pub(super) fn asked(&self) -> SendBroadcast {
        let Marks { priority, echo, .. } = Marks::from_number(self.marks);
        SendBroadcast {
            from: UserId::from_trusted(&self.from),
            payload: Bytes::from(self.payload.clone()),
            priority,
            history: self.history,
            sync_sender: echo,
        }
    }

    /// The message to a room: the same one whenever it is asked for.
    pub(super) fn message(&self, asked: &SendBroadcast, planned: &Planned) -> Arc<Message> {
        let (priority, echo) = (asked.priority, asked.sync_sender);
        let marks = Marks { kind: MessageKind::Content, priority, broadcast: true, echo, ..Marks::default() };
        Arc::new(Message {
            id: MessageId(planned.id),
            from: asked.from.clone(),
            to: Target::Room(RoomId::from_trusted(&planned.room)),
            payload: asked.payload.clone(),
            sent_at_ms: self.taken_ms,
            marks,
        })
    }
}
