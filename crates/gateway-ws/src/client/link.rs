//! What a client of any protocol does with its connection.

use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stentor_core::id::MessageId;
use tokio::sync::{mpsc, oneshot};

use super::actor::Command;
use super::memory::{Memory, Resume};
use super::{ClientError, replies};

/// A connection that is logged in, and the events of type `E` that come over it.
#[derive(Debug)]
pub(super) struct Link<E> {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) events: mpsc::Receiver<E>,
    pub(super) memory: Arc<Mutex<Memory>>,
}

impl<E> Link<E> {
    pub(super) fn resume_point(&self) -> Resume {
        self.memory.lock().resume_point()
    }

    pub(super) fn joined(&self, room: &str) {
        self.memory.lock().joined(room);
    }

    pub(super) fn left(&self, room: &str) {
        self.memory.lock().left(room);
    }

    pub(super) async fn next(&mut self) -> Option<E> {
        self.events.recv().await
    }

    pub(super) async fn ack(&self, ids: &[MessageId]) -> Result<(), ClientError> {
        self.send_text(ack_frame(ids)).await
    }

    pub(super) async fn ping(&self) -> Result<(), ClientError> {
        self.send_text(PING.to_owned()).await
    }

    pub(super) async fn close(self) {
        let Self { commands, mut events, .. } = self;
        let _ = commands.send(Command::Close).await;
        while events.recv().await.is_some() {}
    }

    pub(super) async fn send_text(&self, text: String) -> Result<(), ClientError> {
        self.commands.send(Command::Text(text)).await.map_err(|_| ClientError::Closed)
    }

    pub(super) async fn request<T: DeserializeOwned>(&self, kind: &str, fields: Value) -> Result<T, ClientError> {
        let (answer, answered) = oneshot::channel();
        let command = Command::Request { kind: kind.to_owned(), fields, answer };
        self.commands.send(command).await.map_err(|_| ClientError::Closed)?;
        let text = answered.await.map_err(|_| ClientError::Closed)?;
        replies::parse(&text)
    }

    pub(super) async fn done(&self, kind: &str, fields: Value) -> Result<(), ClientError> {
        self.request::<replies::Done>(kind, fields).await.map(|_| ())
    }
}

pub(super) const PING: &str = r#"{"type":"ping"}"#;

pub(super) fn ack_frame(ids: &[MessageId]) -> String {
    let mut frame = String::with_capacity(24 + ids.len() * 22);
    frame.push_str(r#"{"type":"ack","ids":["#);
    for (index, id) in ids.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(frame, "{comma}\"{id}\"");
    }
    frame.push_str("]}");
    frame
}

pub(super) fn object(kind: &str, id: Option<u64>, fields: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Frame<'a, T> {
        #[serde(rename = "type")]
        kind: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        #[serde(flatten)]
        fields: &'a T,
    }
    serde_json::to_string(&Frame { kind, id, fields }).unwrap_or_default()
}
