//! What the core needs a node-to-node transport to do. [`in_process`] is its executable specification, and
//! [`conformance`] the suite that every bus passes.
//!
//! At most once: a message may be lost, and the core does not rely on it for what is to be kept. Between two
//! nodes, messages arrive in the order in which they were sent.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::directory::status::PublishedStatus;
use crate::id::{AppId, DeviceId, MessageId, NodeId, UserId};
use crate::message::Message;
use crate::session::LogoutReason;

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod in_process;

/// A user in an app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The tenant.
    pub app: AppId,
    /// The user.
    pub user: UserId,
}

/// What goes from node to node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterMessage {
    /// Offer a peer message to the receiver's sessions there.
    Deliver {
        /// The tenant.
        app: AppId,
        /// The message.
        message: Arc<Message>,
        /// The inbox has it.
        kept: bool,
        /// The sender wants [`Self::Acked`] or [`Self::NobodyThere`].
        awaited: bool,
    },
    /// Offer a message to the sessions there of several users. Nobody waits for acks.
    Offer {
        /// The tenant.
        app: AppId,
        /// The message.
        message: Arc<Message>,
        /// To whom: its receivers, or its sender for a copy.
        users: Vec<UserId>,
        /// The inboxes have it.
        kept: bool,
        /// It was offered before: only sessions that began about then or later may not have it.
        late: bool,
    },
    /// A client of the sending node has the message.
    Acked {
        /// Which.
        message: MessageId,
    },
    /// No session of the sending node has the message, or will ack it.
    NobodyThere {
        /// Which.
        message: MessageId,
    },
    /// Fan a room message out to the members there.
    Room {
        /// The tenant.
        app: AppId,
        /// The message.
        message: Arc<Message>,
        /// Only for these users; for every member if there are none.
        only_for: Vec<UserId>,
    },
    /// A session was opened on the sending node: end those that the policy does not allow beside it.
    LoggedIn {
        /// The tenant.
        app: AppId,
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// The number of its beginning: only sessions that began before are ended.
        opened: MessageId,
    },
    /// Tell those there who asked for a user's status.
    Status {
        /// The tenant.
        app: AppId,
        /// The status.
        status: Arc<PublishedStatus>,
    },
    /// End the sessions of a user there.
    Disconnect {
        /// The tenant.
        app: AppId,
        /// The user.
        user: UserId,
        /// Only on this device.
        device: Option<DeviceId>,
        /// Why.
        why: LogoutReason,
    },
}

/// Why the bus did not do it.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// No such node, or it is gone.
    #[error("the node is not there")]
    NoNode,
    /// Its queue is full: dropped.
    #[error("the node's queue is full")]
    Full,
    /// Anything else.
    #[error("the bus failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One node's end of the transport, with the directory of who is where.
#[async_trait]
pub trait Bus: Send + Sync + fmt::Debug {
    /// Whether there may be other nodes: a node that is alone asks nothing else.
    fn has_others(&self) -> bool;

    /// This node has a session of the user. Every [`Self::locate`] that starts after this returned sees it.
    async fn announce(&self, address: &Address) -> Result<(), BusError>;

    /// This node has no session of the user any more.
    async fn withdraw(&self, address: &Address) -> Result<(), BusError>;

    /// The other nodes that have a session of the user.
    async fn locate(&self, address: &Address) -> Result<Vec<NodeId>, BusError>;

    /// Sends to one other node.
    async fn send(&self, to: NodeId, message: ClusterMessage) -> Result<(), BusError>;

    /// Sends to every other node.
    async fn publish(&self, message: ClusterMessage) -> Result<(), BusError>;

    /// The next message for this node, and who sent it. Waits for ever when there are no others.
    async fn receive(&self) -> (NodeId, ClusterMessage);
}
