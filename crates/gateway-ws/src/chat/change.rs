//! What a Chat client changes of messages that were sent: it takes them back, or gives them another content.

use serde_json::value::RawValue;
use stentor_chat_content::{
    Content, ContentError, ContentType, ContentView, MAX_BYTES, Replacement, edit_payload, recall_payload,
};
use stentor_core::delivery::recall::Recall;
use stentor_core::delivery::{Edit, Edited, Origin};
use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::{MessageId, UserId};
use stentor_core::message::Message;

use super::answer::{Answer, Client};
use super::codes;
use super::reply::Outcome;
use super::request;
use super::send::invalid;
use crate::codec::Refusal;

/// What a recall may say, in bytes.
const MAX_RECALL_EXT_BYTES: usize = 4096;

impl Client {
    /// Takes back what the user has sent, or what others have sent to the user's groups and rooms.
    pub(crate) fn recall(self, asked: &request::Recall<'_>) -> Answer {
        match self.recalled(asked) {
            Ok((kind, recall)) => Answer::waits(async move {
                let recalled = self.state.node().recall(&self.app, Origin::Client(&self.session), recall).await;
                recalled
                    .map(|recalled| self.changed(recalled.notice))
                    .map_err(|error| codes::not_recalled(kind, &error))
            }),
            Err(refusal) => Answer::Done(Err(refusal)),
        }
    }

    fn recalled(&self, asked: &request::Recall<'_>) -> Result<(RoomKind, Recall), Refusal> {
        let Some(within_ms) = self.app.policy().recalls_within_ms else {
            return Err(Refusal::new(codes::NOT_ENABLED, "the app has no recalls"));
        };
        let (ext, by) = (asked.ext.as_deref(), self.session.user());
        if ext.is_some_and(|ext| ext.len() > MAX_RECALL_EXT_BYTES) {
            return Err(invalid(format_args!("`ext` must not be longer than {MAX_RECALL_EXT_BYTES} bytes")));
        }
        let to = self.to(&asked.chat_type, &asked.to)?;
        let kind = to.kind();
        let payload = |ext| recall_payload(&asked.message_id.0.to_string(), by.as_str(), ext).into();
        let recall = Recall {
            id: asked.message_id.0,
            to: to.into(),
            by: by.clone(),
            payload: payload(ext),
            if_silenced: ext.map(|_| payload(None)),
            within_ms: Some(within_ms),
            even_if_gone: false,
            sync_sender: true,
        };
        Ok((kind, recall))
    }

    /// Gives what the user has sent another content.
    pub(crate) fn edit(self, asked: &request::Edit<'_>) -> Answer {
        let (kind, edit) = match self.edited(asked) {
            Ok(edited) => edited,
            Err(refusal) => return Answer::Done(Err(refusal)),
        };
        let new = New { body: asked.body.map(ToOwned::to_owned), ext: asked.ext.map(ToOwned::to_owned) };
        Answer::waits(async move {
            let (id, by) = (edit.id, edit.by.clone());
            let change = |message: &Message, edits| new.of(id, &by, message, edits);
            let edited = self.state.node().edit(&self.app, Origin::Client(&self.session), edit, change).await;
            edited.map(|notice| self.changed(notice)).map_err(|error| codes::not_edited(kind, error))
        })
    }

    fn edited(&self, asked: &request::Edit<'_>) -> Result<(RoomKind, Edit), Refusal> {
        if self.app.policy().edits.is_none() {
            return Err(Refusal::new(codes::NOT_ENABLED, "the app has no edits"));
        }
        if asked.body.is_none() && asked.ext.is_none() {
            return Err(invalid("`body` or `ext` must say what is new"));
        }
        let to = self.to(&asked.chat_type, &asked.to)?;
        let kind = to.kind();
        Ok((kind, Edit { id: asked.message_id.0, to: Some(to.into()), by: self.session.user().clone() }))
    }

    fn changed(&self, notice: MessageId) -> Outcome {
        Outcome::Sent { id: notice, sent_at_ms: self.state.node().clock().wall_ms() }
    }
}

/// What is to be new of a message.
struct New {
    body: Option<Box<RawValue>>,
    ext: Option<Box<RawValue>>,
}

impl New {
    fn of(&self, id: MessageId, by: &UserId, message: &Message, edits: u8) -> Result<Edited, ContentError> {
        let old = ContentView::decode(&message.payload).map_err(|_| ContentError::TypeUnknown)?;
        if old.kind() == ContentType::Command {
            return Err(ContentError::TypeUnknown);
        }
        let new = Replacement { fields: self.body.as_deref(), ext: self.ext.as_deref(), combine_ext: false };
        let content = Content::edited(old, new, MAX_BYTES)?;
        let news = edit_payload(&id.to_string(), by.as_str(), message.from.as_str(), edits.into(), content.view());
        Ok(Edited { payload: content.into_payload().into(), news: news.into() })
    }
}
