//! What a message says and asks for, as its push needs it.

use async_trait::async_trait;
use serde_json::{Map, Value};
use stentor_chat_content::{ContentType, ContentView};
use stentor_core::message::{Message, MessageKind, Target};
use stentor_core::push::{PushAsked, PushLanguage, PushMoment, PushSort, Said, Translation};
use stentor_core::store::Change;
use stentor_push::Extensions;
use stentor_push_queue::{PageError, PushResult, TaskPage, Wording, Words};

use super::asked::{ExtAsked, of_ext};
use super::tasks;
use super::zone::PushZone;
use crate::callbacks::Callbacks;

/// Translations of a message that are looked at. Ours.
const MAX_TRANSLATIONS: usize = 64;

/// The dialect's part of the pushes of an app.
#[derive(Debug)]
pub struct ChatWords {
    /// The time zone of the times at which users want no pushes.
    pub zone: PushZone,
    /// The language of what is not the message's own, for receivers who have set none that is known.
    pub language: PushLanguage,
    /// Who is told how pushes ended.
    pub callbacks: Option<Callbacks>,
}

#[async_trait]
impl Words for ChatWords {
    /// Commands are never pushed, but the log says so.
    fn tells(&self, message: &Message) -> bool {
        message.marks.kind == MessageKind::Content && !matches!(message.to, Target::Room(_))
    }

    fn read(&self, message: &Message) -> Option<Wording> {
        ContentView::decode(&message.payload).ok().map(wording)
    }

    fn moment(&self, now_ms: u64) -> PushMoment {
        self.zone.moment(now_ms)
    }

    fn language(&self) -> PushLanguage {
        self.language
    }

    async fn tell_page(&self, page: TaskPage<'_>) -> Result<(), PageError> {
        tasks::tell_page(page).await
    }

    fn ended(&self, result: &PushResult<'_>) -> Vec<Change> {
        self.callbacks.as_ref().map_or_else(Vec::new, |callbacks| callbacks.push_ended(result))
    }
}

/// Reads a content and its extension (push extension documents). When it was sent is not in it.
pub(crate) fn wording(content: ContentView<'_>) -> Wording {
    let ext = object(content.ext());
    let ExtAsked { asked, sender, template, group_nickname } = of_ext(&ext);
    let sort = if content.kind() == ContentType::Command { PushSort::Command } else { PushSort::Said };
    let is_text = matches!(content.kind(), ContentType::Text | ContentType::Command);
    let body = if is_text { object(Some(content.body())) } else { Map::new() };
    let text = body.get("msg").and_then(Value::as_str).unwrap_or_default();
    let (text, otherwise) = match content.kind() {
        ContentType::Text | ContentType::Command => (Some(text.to_owned()), Said::Custom),
        ContentType::Image => (None, Said::Image),
        ContentType::Audio => (None, Said::Audio),
        ContentType::Video => (None, Said::Video),
        ContentType::File => (None, Said::File),
        ContentType::Location => (None, Said::Location),
        ContentType::Custom => (None, Said::Custom),
    };
    Wording {
        asked: PushAsked { sort, ..asked },
        text,
        translations: translations(body.get("translations")),
        otherwise,
        sender,
        template,
        group_nickname,
        badge: ext.get("em_apns_ext").and_then(|apns| apns.get("em_push_badge")).and_then(badge),
        custom: custom(&ext),
        extensions: Extensions::of(&ext),
    }
}

/// The translations beside a text, as SDKs attach them: `[{"code":"zh-Hans","text":"…"}]`. What has another form is none.
fn translations(list: Option<&Value>) -> Vec<Translation> {
    let translation = |item: &Value| {
        let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Translation { language: text("code")?, text: text("text").filter(|text| !text.is_empty())? })
    };
    list.and_then(Value::as_array).into_iter().flatten().take(MAX_TRANSLATIONS).filter_map(translation).collect()
}

/// A number at the app's icon.
fn badge(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|badge| u32::try_from(badge).ok())
}

/// What the device's app gets as `e`: `em_push_ext.custom`; of older clients `em_apns_ext.extern`, or else all of
/// `em_apns_ext`, as the documents of APNs and of the callback show it, but for the texts, which the push has already.
fn custom(ext: &Map<String, Value>) -> Option<Value> {
    let of = |object: &str, name: &str| ext.get(object).and_then(|object| object.get(name));
    let rest = || {
        let mut apns = ext.get("em_apns_ext")?.as_object()?.clone();
        apns.retain(|key, _| key != "em_push_title" && key != "em_push_content");
        (!apns.is_empty()).then(|| Value::from(apns))
    };
    of("em_push_ext", "custom").or_else(|| of("em_apns_ext", "extern")).cloned().or_else(rest)
}

/// The members of a JSON object; none if it is none.
fn object(json: Option<&str>) -> Map<String, Value> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_app_gets_of_the_sender_s_own() {
        let of = |ext: Value| custom(ext.as_object().expect("an object"));
        let apns = json!({ "extern": "mine", "em_push_sound": "ring.caf" });
        assert_eq!(
            of(json!({ "em_push_ext": { "custom": { "k": 1 } }, "em_apns_ext": apns })),
            Some(json!({ "k": 1 }))
        );
        assert_eq!(of(json!({ "em_apns_ext": apns })), Some(json!("mine")));
        let sound = json!({ "em_push_sound": "ring.caf" });
        assert_eq!(of(json!({ "em_apns_ext": sound })), Some(sound));
        let worded = json!({ "em_push_title": "T", "em_push_content": "C" });
        assert_eq!(of(json!({ "em_apns_ext": worded })), None, "the push says it");
        assert_eq!(of(json!({ "em_apns_ext": {}, "em_push_ext": "no" })), None);
        assert_eq!(of(json!({})), None);
    }
}
