//! What translates the text of a message for receivers whose language its sender has attached no translation in.
//!
//! The trait is the seam; [`LibreTranslate`] is the one that is there. Off unless it is configured: every text that is
//! shown in a push is sent to the service then.

mod aside;
mod cache;
mod language;
mod libre;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use stentor_core::id::UserId;
use stentor_core::message::Message;
use stentor_core::push::{PreparedPush, PushMoment, PushRequest, Said, Translation, translated};
use stentor_core::records::{RecordKind, encode};
use stentor_core::store::{Change, StoreError};

pub use libre::{LibreTranslate, LibreTranslateSetup};

pub(crate) use aside::{Aside, Waits};

use crate::due::Due;
use crate::parts::{Decided, Part};
use crate::queue::PushQueue;

/// Into so many languages a message is translated: members of a group may have set as many as they are. Ours.
pub const MAX_LANGUAGES: usize = 16;

/// Translates texts. A translation is a kindness: there is none when the service is slow, down, or does not know the
/// language, and the original is shown.
#[async_trait]
pub trait Translator: Send + Sync + fmt::Debug {
    /// A text in another language. `source`: the language it is in; the translator finds out without one. Takes as long
    /// as its own bound at most.
    async fn translate(&self, text: &str, source: Option<&str>, target: &str) -> Option<String>;

    /// That bound.
    fn patience(&self) -> Duration;
}

/// A push that waits for a translator goes so long after the translator's bound at the latest.
pub(crate) const LATE: Duration = Duration::from_millis(500);

/// The text of a message in these languages, those that there is a translation in: at most [`MAX_LANGUAGES`], each once.
pub async fn translate_all<'a>(
    translator: &dyn Translator,
    text: &str,
    languages: impl IntoIterator<Item = &'a str>,
) -> Vec<Translation> {
    let mut wanted: Vec<&str> = Vec::new();
    for language in languages {
        if wanted.len() < MAX_LANGUAGES && !language.is_empty() && !wanted.contains(&language) {
            wanted.push(language);
        }
    }
    let translation = async |language: &str| {
        let text = translator.translate(text, None, language).await?;
        Some(Translation { language: language.to_owned(), text })
    };
    join_all(wanted.into_iter().map(translation)).await.into_iter().flatten().collect()
}

impl PushQueue {
    /// Words those pushes anew that show the text in no language that their receivers have set, where translations are
    /// there. Those that can wait for them are taken out, and due again when they are there: nobody else waits for a
    /// translator. Only what is shown is sent to it.
    pub(crate) async fn translate(
        &self,
        asking: &Asking<'_>,
        users: &mut Vec<UserId>,
        prepared: &mut Vec<Option<PreparedPush>>,
        into: &mut Decided,
    ) -> Result<(), StoreError> {
        let (Some(translator), Said::Text(text)) = (&self.0.translator, asking.request.said) else { return Ok(()) };
        let languages: Vec<String> = prepared.iter().flatten().filter_map(wanted).map(str::to_owned).collect();
        if languages.is_empty() {
            return Ok(());
        }
        match self.0.aside.of(asking.message.id) {
            Some(found) => self.word(asking, &found, users, prepared).await,
            None if asking.waited => Ok(()),
            None => {
                let (mut later, mut now) = (Vec::new(), Vec::new());
                for (user, one) in users.iter().zip(&*prepared) {
                    if one.as_ref().is_some_and(waits) { later.push(user.clone()) } else { now.push(user.clone()) }
                }
                if self.set_aside(asking, translator, text, languages, &later, into) {
                    prepared.retain(|one| !one.as_ref().is_some_and(waits));
                    *users = now;
                }
                Ok(())
            }
        }
    }

    /// Has the translator asked, and these users due again afterwards. `false` if too many wait for it.
    fn set_aside(
        &self,
        asking: &Asking<'_>,
        translator: &Arc<dyn Translator>,
        text: &str,
        languages: Vec<String>,
        users: &[UserId],
        into: &mut Decided,
    ) -> bool {
        let (inner, now_ms, id) = (&self.0, self.0.now_ms(), asking.message.id);
        let patience_ms = u64::try_from((translator.patience() + LATE).as_millis()).unwrap_or(u64::MAX);
        let until_ms = now_ms.saturating_add(patience_ms);
        let key = inner.intake.numbers.key(until_ms);
        let waits = inner.aside.wait(id, &key, now_ms, until_ms.saturating_add(patience_ms));
        if waits == Waits::Not {
            return false;
        }
        let due = Due::of_message(asking.message, users).translated();
        let put = Change::Put { kind: RecordKind::PushDue, key, value: encode(&due) };
        into.parts.push(Part { changes: vec![put], due: 1, ..Part::default() });
        if waits == Waits::First {
            let (queue, translator, text) = (self.clone(), translator.clone(), text.to_owned());
            inner.spawn(async move {
                let found = translate_all(&*translator, &text, languages.iter().map(String::as_str)).await;
                queue.0.aside.settle(id, found);
                queue.0.intake.wake.notify_one();
            });
        }
        true
    }

    /// Words the pushes anew that these translations are for.
    async fn word(
        &self,
        asking: &Asking<'_>,
        found: &[Translation],
        users: &[UserId],
        prepared: &mut [Option<PreparedPush>],
    ) -> Result<(), StoreError> {
        let can = |prepared: &PreparedPush| wanted(prepared).is_some_and(|code| translated(found, code).is_some());
        let places: Vec<_> = prepared.iter_mut().zip(users).filter(|(one, _)| one.as_ref().is_some_and(can)).collect();
        if places.is_empty() {
            return Ok(());
        }
        let translations = [asking.request.translations, found].concat();
        let request = PushRequest { translations: &translations, ..*asking.request };
        let users: Vec<_> = places.iter().map(|(_, user)| (*user).clone()).collect();
        let worded = self.0.node.prepare_pushes(&self.0.app, &request, &users, asking.moment).await?;
        for ((place, _), worded) in places.into_iter().zip(worded) {
            *place = worded;
        }
        Ok(())
    }
}

/// A message whose pushes are worded.
pub(crate) struct Asking<'a> {
    pub(crate) message: &'a Message,
    pub(crate) request: &'a PushRequest<'a>,
    pub(crate) moment: PushMoment,
    /// It has waited for its translations: it does so once.
    pub(crate) waited: bool,
}

fn waits(prepared: &PreparedPush) -> bool {
    wanted(prepared).is_some()
}

/// The language in which the text of a push is wanted, and is not there.
fn wanted(prepared: &PreparedPush) -> Option<&str> {
    prepared.untranslated.as_deref().filter(|_| prepared.decision.is_ok())
}
