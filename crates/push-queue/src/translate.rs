//! What translates the text of a message for receivers whose language its sender has attached no translation in.
//!
//! The trait is the seam; [`LibreTranslate`] is the one that is there. Off unless it is configured: every text that is
//! shown in a push is sent to the service then.

mod cache;
mod language;
mod libre;

use std::fmt;

use async_trait::async_trait;
use futures_util::future::join_all;
use stentor_core::id::UserId;
use stentor_core::push::{PreparedPush, PushMoment, PushRequest, Said, Translation, translated};
use stentor_core::store::StoreError;

pub use libre::{LibreTranslate, LibreTranslateSetup};

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
}

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
    /// Words those pushes anew that show the text in no language that their receivers have set, where it can be
    /// translated. Only what is shown is sent to the translator.
    pub(crate) async fn translate(
        &self,
        request: &PushRequest<'_>,
        users: &[UserId],
        prepared: &mut [Option<PreparedPush>],
        moment: PushMoment,
    ) -> Result<(), StoreError> {
        let (Some(translator), Said::Text(text)) = (&self.0.translator, request.said) else { return Ok(()) };
        let found = translate_all(&**translator, text, prepared.iter().flatten().filter_map(wanted)).await;
        let can = |prepared: &PreparedPush| wanted(prepared).is_some_and(|code| translated(&found, code).is_some());
        let places: Vec<_> = prepared.iter_mut().zip(users).filter(|(one, _)| one.as_ref().is_some_and(can)).collect();
        if places.is_empty() {
            return Ok(());
        }
        let translations = [request.translations, &found].concat();
        let request = PushRequest { translations: &translations, ..*request };
        let users: Vec<_> = places.iter().map(|(_, user)| (*user).clone()).collect();
        let worded = self.0.node.prepare_pushes(&self.0.app, &request, &users, moment).await?;
        for ((place, _), worded) in places.into_iter().zip(worded) {
            *place = worded;
        }
        Ok(())
    }
}

/// The language in which the text of a push is wanted, and is not there.
fn wanted(prepared: &PreparedPush) -> Option<&str> {
    prepared.untranslated.as_deref().filter(|_| prepared.decision.is_ok())
}
