//! `pushMessage` of a direct push: what it says, and what it asks of the providers (push notification documents).

use serde_json::{Map, Value, json};
use stentor_push::Extensions;
use stentor_push_queue::direct::DirectPush;

use super::super::invalid;
use super::bad_request;
use crate::body::Object;
use crate::error::ChatError;

/// The longest title, content and subtitle; a Chinese character counts as two (documented).
pub(in crate::push) const LENGTHS: [(&str, usize); 3] = [("title", 32), ("content", 100), ("subTitle", 10)];
/// Pairs and characters of the extension (documented).
pub(in crate::push) const EXT: (usize, usize) = (10, 1024);
/// Bytes of all of it. Ours.
pub(in crate::push) const MAX_BYTES: usize = 8 * 1024;

/// The title and content without any (documented).
const DEFAULT: (&str, &str) = ("您有一条新消息", "请及时查看");

/// The objects of single providers (documented).
const PROVIDERS: [&str; 10] = ["easemob", "apns", "fcm", "fcmV1", "huawei", "meizu", "oppo", "vivo", "xiaomi", "honor"];

/// What a direct push is, for devices and for connected clients.
#[derive(Debug, Clone)]
pub(super) struct PushMessage {
    pub(super) push: DirectPush,
    /// As it was sent, with the defaults in it.
    pub(super) json: Map<String, Value>,
}

/// Reads it.
///
/// # Errors
/// 400: `MessageException` if it or a part of it is no object, `IllegalArgumentException` if a field is wrong.
pub(super) fn read(message: Option<&Value>) -> Result<PushMessage, ChatError> {
    let mut json = message.and_then(Value::as_object).cloned().ok_or_else(bad_request)?;
    if Value::from(json.clone()).to_string().len() > MAX_BYTES {
        return Err(bad_request());
    }
    // Examples of the documents write it so.
    if let Some(sub_title) = json.remove("sub_title") {
        json.entry("subTitle").or_insert(sub_title);
    }
    let mut fields = Object(json);
    for (name, max) in LENGTHS {
        if fields.text(name)?.is_some_and(|text| width(text) > max) {
            return Err(invalid(name));
        }
    }
    let given = |name| Ok::<_, ChatError>(fields.text(name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    let title = given("title")?.unwrap_or_else(|| DEFAULT.0.to_owned());
    let content = given("content")?.unwrap_or_else(|| DEFAULT.1.to_owned());
    for name in PROVIDERS.into_iter().chain(["config"]) {
        if !matches!(fields.0.get(name), None | Some(Value::Null | Value::Object(_))) {
            return Err(bad_request());
        }
    }
    let custom = match fields.0.get("ext") {
        None | Some(Value::Null) => None,
        Some(Value::Object(ext)) if ext.len() <= EXT.0 && json!(ext).to_string().chars().count() <= EXT.1 => {
            Some(json!(ext)).filter(|_| !ext.is_empty())
        }
        Some(_) => return Err(invalid("ext")),
    };
    let extensions = extensions(&fields.0);
    let badge = find(&fields.0, &["config", "badge", "setNum"]).and_then(Value::as_u64);
    let badge = badge.and_then(|badge| u32::try_from(badge).ok());
    fields.0.insert("title".to_owned(), title.as_str().into());
    fields.0.insert("content".to_owned(), content.as_str().into());
    Ok(PushMessage { push: DirectPush { title, content, badge, custom, extensions }, json: fields.0 })
}

/// Characters, of which those beyond Latin scripts are two.
fn width(text: &str) -> usize {
    text.chars().map(|char| if char < '\u{1100}' { 1 } else { 2 }).sum()
}

/// The fields for which a message's extension has a place, under its names. The others are not sent: no page says how a
/// provider of ours would take them.
fn extensions(message: &Map<String, Value>) -> Extensions {
    let at = |path: &[&str]| find(message, path).cloned();
    let picked = |rows: &[(&str, &[&str])]| {
        rows.iter().filter_map(|(name, path)| Some(((*name).to_owned(), at(path)?))).collect::<Map<_, _>>()
    };
    let apns = picked(&[
        ("em_push_badge", &["apns", "badge"]),
        ("em_push_sound", &["apns", "sound"]),
        ("em_push_mutable_content", &["apns", "mutableContent"]),
        ("em_push_content_available", &["apns", "contentAvailable"]),
        ("em_push_category", &["apns", "categoryName"]),
        ("em_push_collapse_key", &["apns", "collapseId"]),
        ("thread_id", &["apns", "threadId"]),
    ]);
    let mut android = picked(&[
        ("fcm_channel_id", &["fcm", "notification", "androidChannelId"]),
        ("huawei_click_action", &["config", "clickAction", "action"]),
        ("oppo_click_activity", &["config", "clickAction", "activity"]),
        ("vivo_click_activity", &["config", "clickAction", "activity"]),
        ("meizu_click_activity", &["config", "clickAction", "activity"]),
        ("xiaomi_channel_id", &["xiaomi", "channelId"]),
        ("oppo_channel_id", &["oppo", "channelId"]),
    ]);
    android.extend(picked(&[("fcm_channel_id", &["fcmV1", "androidConfig", "androidNotification", "channelId"])]));
    Extensions { apns, android, harmony: Map::new() }
}

fn find<'a>(message: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = rest.iter().try_fold(message.get(*first)?, |value, name| value.get(name))?;
    Some(value).filter(|value| !value.is_null() && value.as_str() != Some(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_and_asks_as_documented() {
        let message = json!({
            "title": "T", "content": "C", "sub_title": "S", "ext": { "k": 1 },
            "config": { "badge": { "setNum": 3 }, "clickAction": { "activity": "a.B" } },
            "apns": { "badge": 4, "sound": "ring.caf", "threadId": "t" }, "xiaomi": { "channelId": "x" }, "vivo": {},
        });
        let PushMessage { push, json } = read(Some(&message)).expect("good");
        assert_eq!((push.title.as_str(), push.content.as_str(), push.badge), ("T", "C", Some(3)));
        assert_eq!(push.custom, Some(json!({ "k": 1 })));
        let apns = json!({ "em_push_badge": 4, "em_push_sound": "ring.caf", "thread_id": "t" });
        assert_eq!(json!(push.extensions.apns), apns);
        assert_eq!(push.extensions.android["xiaomi_channel_id"], "x");
        assert_eq!(push.extensions.android["vivo_click_activity"], "a.B");
        assert_eq!(json["subTitle"], "S");
        let PushMessage { push, .. } = read(Some(&json!({}))).expect("good");
        assert_eq!((push.title.as_str(), push.content.as_str()), DEFAULT);
    }

    #[test]
    fn sizes_are_those_of_the_documents() {
        let refused =
            |field: &str, value: Value| read(Some(&json!({ field: value }))).err().map(|error| error.description);
        for (field, max) in LENGTHS {
            assert_eq!(refused(field, "x".repeat(max).into()), None);
            assert_eq!(refused(field, "中".repeat(max / 2).into()), None);
            let text = Some(format!("parameters is invalid : {field}").into());
            assert_eq!(refused(field, "x".repeat(max + 1).into()), text);
            assert_eq!(refused(field, format!("{}x", "中".repeat(max / 2)).into()), text);
            assert_eq!(refused(field, 7.into()), text);
        }
        let keys = |count: usize| (0..count).map(|key| (key.to_string(), json!(1))).collect::<Map<_, _>>();
        assert_eq!(refused("ext", keys(10).into()), None);
        assert!(refused("ext", keys(11).into()).is_some());
        assert_eq!(refused("ext", json!({ "k": "x".repeat(1024 - 8) })), None);
        assert!(refused("ext", json!({ "k": "x".repeat(1024 - 7) })).is_some());
        for odd in [json!([]), json!("a")] {
            assert_eq!(refused("apns", odd.clone()), Some("bad_request".into()));
            assert_eq!(read(Some(&odd)).err().map(|error| error.description), Some("bad_request".into()));
        }
        assert_eq!(refused("any", "x".repeat(MAX_BYTES).into()), Some("bad_request".into()));
    }
}
