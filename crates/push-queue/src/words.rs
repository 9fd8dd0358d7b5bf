//! What a dialect says of messages and is told of pushes.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;
use stentor_core::id::{MessageId, UserId};
use stentor_core::message::Message;
use stentor_core::push::{PushAsked, PushLanguage, PushMoment, Said, SenderText, Translation};
use stentor_core::store::{Change, StoreError};
use stentor_push::Extensions;

use crate::queue::PushQueue;

/// What a message says and asks for, as its push needs it.
#[derive(Debug, Clone)]
pub struct Wording {
    /// What matters for the decision.
    pub asked: PushAsked,
    /// The text, if it is one.
    pub text: Option<String>,
    /// The text in other languages, as its sender attached it.
    pub translations: Vec<Translation>,
    /// What it is otherwise.
    pub otherwise: Said<'static>,
    /// What its sender asks for.
    pub sender: SenderText,
    /// The name of the template that its sender asks for.
    pub template: Option<String>,
    /// What the sender is called in the group, by its own word.
    pub group_nickname: Option<String>,
    /// The number at the app's icon that the sender asks for.
    pub badge: Option<u32>,
    /// What the device's app gets beside the text.
    pub custom: Option<Value>,
    /// The sender's wishes for particular providers.
    pub extensions: Extensions,
}

impl Wording {
    /// What it says.
    #[must_use]
    pub fn said(&self) -> Said<'_> {
        self.text.as_deref().map_or(self.otherwise, Said::Text)
    }
}

/// How the push of a message to a user ended, or to one of the user's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushEnd {
    /// A provider has taken it.
    Sent,
    /// It was held back: nobody was asked.
    HeldBack,
    /// A provider does not take it: the push or the device's token is bad.
    Refused,
    /// A provider does not take it from us: the certificate is bad.
    NotLetIn,
    /// It was tried for as long as it may be.
    GaveUp,
}

/// The device that a push went to, or did not.
#[derive(Debug, Clone, Copy)]
pub struct ResultDevice<'a> {
    /// The device, by its own word.
    pub device: &'a str,
    /// What the provider knows it by. Never to be logged.
    pub token: &'a str,
    /// The name of the certificate.
    pub notifier: &'a str,
    /// The provider's name; none if there is no such certificate.
    pub provider: Option<&'a str>,
}

/// What became of a push.
#[derive(Debug, Clone, Copy)]
pub struct PushResult<'a> {
    /// The receiver.
    pub user: &'a str,
    /// The message.
    pub message: MessageId,
    /// Its sender; empty if nobody sent it.
    pub from: &'a str,
    /// Its group.
    pub group: Option<&'a str>,
    /// Which device; none if it is about all of them.
    pub device: Option<ResultDevice<'a>>,
    /// How it ended.
    pub end: PushEnd,
    /// Of one that was sent, the provider's own ID; of one that was held back, why, in the words of the documents; else
    /// what the provider said.
    pub detail: &'a str,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
}

/// Users of a task who are to be told now.
#[derive(Debug)]
pub struct TaskPage<'a> {
    /// The queue; the task is its app's.
    pub queue: &'a PushQueue,
    /// What is said, as the dialect wrote it into the task.
    pub said: &'a str,
    /// Whom.
    pub users: &'a [UserId],
    /// What says that they are told: to be written last, in one step with the deliveries ([`PushQueue::direct_with`]).
    pub step: Vec<Change>,
}

/// Why a page was not told.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// What is said cannot be read: another version wrote it. The task is left for it.
    #[error("what a task says cannot be read")]
    Unreadable,
    /// The page is tried again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A dialect's part. Called by workers; [`Self::tells`] with locks held, so it must return at once.
#[async_trait]
pub trait Words: Send + Sync + fmt::Debug {
    /// Whether people are told of this message when they are away; what it says need not be looked at.
    fn tells(&self, message: &Message) -> bool;

    /// Reads a message. `None`: it cannot be read.
    fn read(&self, message: &Message) -> Option<Wording>;

    /// A time, as the decision needs it: Unix time in milliseconds.
    fn moment(&self, now_ms: u64) -> PushMoment;

    /// The language of what is not the message's own, if a receiver has set none that is known.
    fn language(&self) -> PushLanguage;

    /// Tells these users what a task says, and writes the step. The page comes again if the process dies, or this fails,
    /// before the step is written.
    ///
    /// # Errors
    /// When what is said cannot be read, or the store fails.
    async fn tell_page(&self, page: TaskPage<'_>) -> Result<(), PageError>;

    /// What is to be written, in the same step, when a push has ended so.
    fn ended(&self, _result: &PushResult<'_>) -> Vec<Change> {
        Vec::new()
    }
}
