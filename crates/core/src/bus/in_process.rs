//! Several nodes in one process, or one alone: the bus as an executable specification.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{Address, Bus, BusError, ClusterMessage};
use crate::id::NodeId;

/// Messages that wait for one node; one more is dropped, and its sender told.
const QUEUE: usize = 1024;

type Parcel = (NodeId, ClusterMessage);

#[derive(Debug, Default)]
struct Shared {
    queues: HashMap<NodeId, mpsc::Sender<Parcel>>,
    directory: HashMap<Address, HashSet<NodeId>>,
}

/// One node's end of the bus.
#[derive(Debug)]
pub struct InProcessBus {
    node: NodeId,
    shared: Arc<Mutex<Shared>>,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Parcel>>,
}

impl InProcessBus {
    /// The bus of a node that is alone.
    #[must_use]
    pub fn alone() -> Self {
        Self::add(NodeId::SINGLE, Arc::default())
    }

    /// The buses of `count` nodes, numbered from 0, that reach each other. At most 1024.
    #[must_use]
    pub fn cluster(count: u16) -> Vec<Self> {
        let shared = Arc::default();
        (0..count).filter_map(NodeId::new).map(|node| Self::add(node, Arc::clone(&shared))).collect()
    }

    fn add(node: NodeId, shared: Arc<Mutex<Shared>>) -> Self {
        let (sender, incoming) = mpsc::channel(QUEUE);
        shared.lock().queues.insert(node, sender);
        Self { node, shared, incoming: tokio::sync::Mutex::new(incoming) }
    }
}

impl Drop for InProcessBus {
    fn drop(&mut self) {
        let mut shared = self.shared.lock();
        shared.queues.remove(&self.node);
        shared.directory.retain(|_, nodes| {
            nodes.remove(&self.node);
            !nodes.is_empty()
        });
    }
}

#[async_trait]
impl Bus for InProcessBus {
    fn has_others(&self) -> bool {
        self.shared.lock().queues.len() > 1
    }

    async fn announce(&self, address: &Address) -> Result<(), BusError> {
        self.shared.lock().directory.entry(address.clone()).or_default().insert(self.node);
        Ok(())
    }

    async fn withdraw(&self, address: &Address) -> Result<(), BusError> {
        let mut shared = self.shared.lock();
        if let Some(nodes) = shared.directory.get_mut(address) {
            nodes.remove(&self.node);
            if nodes.is_empty() {
                shared.directory.remove(address);
            }
        }
        Ok(())
    }

    async fn locate(&self, address: &Address) -> Result<Vec<NodeId>, BusError> {
        let shared = self.shared.lock();
        let nodes = shared.directory.get(address).into_iter().flatten();
        Ok(nodes.copied().filter(|node| *node != self.node).collect())
    }

    async fn send(&self, to: NodeId, message: ClusterMessage) -> Result<(), BusError> {
        let queue = self.shared.lock().queues.get(&to).cloned().ok_or(BusError::NoNode)?;
        queue.try_send((self.node, message)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => BusError::Full,
            mpsc::error::TrySendError::Closed(_) => BusError::NoNode,
        })
    }

    async fn publish(&self, message: ClusterMessage) -> Result<(), BusError> {
        let others: Vec<_> = self.shared.lock().queues.keys().copied().filter(|node| *node != self.node).collect();
        let mut result = Ok(());
        for node in others {
            // One node that is gone or busy does not keep the others from it.
            result = self.send(node, message.clone()).await.and(result);
        }
        result
    }

    async fn receive(&self) -> Parcel {
        match self.incoming.lock().await.recv().await {
            Some(parcel) => parcel,
            None => std::future::pending().await,
        }
    }
}
