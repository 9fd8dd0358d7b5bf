//! `users/{username}/notification/{chattype}/{key}`: which messages are pushed, and when none are; for everything, or
//! for one conversation.

use axum::response::Response;
use serde_json::{Map, Value, json};
use stentor_core::id::{RoomId, UserId};
use stentor_core::push::{ConversationPush, DailyInterval, PushChange, PushConversation, PushMode, PushPreferences};

use super::{invalid, owner, refused};
use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::ChatError;
use crate::names::any_user;
use crate::rates::ChatRule;

/// The longest time without pushes: 7 days (push settings documents).
pub(super) const MAX_DURATION_MS: i64 = 604_800_000;

/// Characters of a conversation's name; it need not exist.
const MAX_KEY: usize = 255;

/// What the settings are of.
enum About {
    Everything,
    One(PushConversation),
}

/// Get what is pushed
#[utoipa::path(
    get,
    path = "/users/{username}/notification/{chattype}/{key}",
    operation_id = "getPushSettings",
    tag = "push",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("chattype" = String, Path, description = "`user` or `chatgroup`"),
        ("key" = String, Path, description = "The other user, or the group; the user itself for everything"),
    ),
    responses((status = 200, description = "The settings", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    let about = about(&call, &user)?;
    call.limit(ChatRule::PushSettingReads)?;
    let data = match about {
        About::Everything => general(&call.node().push_preferences(&call.app, &user).await.map_err(refused)?),
        About::One(conversation) => {
            let found = call.node().conversation_pushes(&call.app, &user, &[conversation]).await.map_err(refused)?;
            own(&found.into_iter().next().flatten().unwrap_or_default())
        }
    };
    Ok(reply(&call, data))
}

/// Set what is pushed
#[utoipa::path(
    put,
    path = "/users/{username}/notification/{chattype}/{key}",
    operation_id = "setPushSettings",
    tag = "push",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("chattype" = String, Path, description = "`user` or `chatgroup`"),
        ("key" = String, Path, description = "The other user, or the group; the user itself for everything"),
    ),
    request_body(content = serde_json::Value, description = "What is not named stays as it is", example = json!({
        "type": "NONE", "ignoreInterval": "21:30-08:00", "ignoreDuration": 86400000
    })),
    responses((status = 200, description = "The settings as they are now", body = serde_json::Value)),
)]
pub(super) async fn put(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    let about = about(&call, &user)?;
    call.limit(ChatRule::PushSettingChanges)?;
    let change = change(&body.object()?, call.chat.push_midnight_clears)?;
    let node = call.node();
    let data = match about {
        About::Everything => general(&node.change_push(&call.app, &user, change).await.map_err(refused)?),
        About::One(conversation) => {
            // To be as everything else is means to have no setting, neither of the mode nor of a time.
            let change = Some(change).filter(|change| *change != DEFAULT);
            own(&node.change_conversation_push(&call.app, &user, &conversation, change).await.map_err(refused)?)
        }
    };
    tell(&call, &user, &data).await?;
    Ok(reply(&call, data))
}

/// The user's devices that are there are told; which one asked is said, if it says so.
async fn tell(call: &Call, user: &UserId, data: &Value) -> Result<(), ChatError> {
    let group = call.param("chattype") == "chatgroup";
    let mut news = json!({ "event": "push_settings", "with": call.param("key"), "group": group, "data": data });
    if let Some(device) = call.query("resource") {
        news["device"] = device.into();
    }
    Ok(call.node().tell_devices(&call.app, user, news.to_string().into()).await?)
}

/// Nothing but `DEFAULT`.
const DEFAULT: PushChange = PushChange { mode: Some(None), quiet: None, quiet_for_ms: None };

fn about(call: &Call, user: &UserId) -> Result<About, ChatError> {
    let key = call.param("key");
    if key.is_empty() || key.chars().count() > MAX_KEY || key.chars().any(|c| c.is_control() || c == '/') {
        return Err(invalid("key"));
    }
    match call.param("chattype") {
        "user" => {
            let other = any_user(key);
            Ok(if other == *user { About::Everything } else { About::One(PushConversation::User(other)) })
        }
        "chatgroup" => Ok(About::One(PushConversation::Group(RoomId::from_trusted(key)))),
        _ => Err(ChatError::no_route()),
    }
}

/// Reads a body. `midnight_clears`: whether `00:00-00:00` is no time at all instead of the whole day (the documents say
/// both).
fn change(body: &Object, midnight_clears: bool) -> Result<PushChange, ChatError> {
    let mode = body.text("type")?.map(|word| mode(word).ok_or_else(|| invalid("type"))).transpose()?;
    let quiet = match body.text("ignoreInterval")? {
        None => None,
        Some("") => Some(None),
        Some(text) => {
            let interval = DailyInterval::parse(text).ok_or_else(|| invalid("ignoreInterval"))?;
            let midnight = interval.to_string() == "00:00-00:00";
            Some(Some(interval).filter(|_| !(midnight && midnight_clears)))
        }
    };
    let quiet_for_ms = match body.integer("ignoreDuration")? {
        Some(ms) if !(0..=MAX_DURATION_MS).contains(&ms) => return Err(invalid("ignoreDuration")),
        // The Java SDK always sends a 0 along with a mode.
        Some(0) if mode.is_some() || quiet.is_some() => None,
        other => other.and_then(|ms| u64::try_from(ms).ok()),
    };
    Ok(PushChange { mode, quiet, quiet_for_ms })
}

fn mode(word: &str) -> Option<Option<PushMode>> {
    Some(match word {
        "DEFAULT" => None,
        "ALL" => Some(PushMode::All),
        "AT" => Some(PushMode::Mentions),
        "NONE" => Some(PushMode::Nothing),
        _ => return None,
    })
}

/// The word of a mode.
pub(super) fn word(mode: PushMode) -> &'static str {
    match mode {
        PushMode::All => "ALL",
        PushMode::Mentions => "AT",
        PushMode::Nothing => "NONE",
    }
}

/// The settings of everything: clients tell them from others by the interval, which is always there.
fn general(push: &PushPreferences) -> Value {
    let mut data = Map::new();
    data.insert("type".to_owned(), word(push.mode.unwrap_or(PushMode::All)).into());
    data.extend(push.quiet_until_ms.map(|until_ms| ("ignoreDuration".to_owned(), until_ms.into())));
    let interval = push.quiet.map(|quiet| quiet.to_string()).unwrap_or_default();
    data.insert("ignoreInterval".to_owned(), interval.into());
    data.into()
}

/// The settings of a conversation: only what it has.
pub(super) fn own(push: &ConversationPush) -> Value {
    let mut data = Map::new();
    data.extend(push.mode.map(|mode| ("type".to_owned(), word(mode).into())));
    data.extend(push.quiet_until_ms.map(|until_ms| ("ignoreDuration".to_owned(), until_ms.into())));
    data.into()
}

/// The URL in the reply does not name the user, as documented.
fn reply(call: &Call, data: Value) -> Response {
    let uri = call.url(&format!("/users/notification/{}/{}", call.param("chattype"), call.param("key")));
    call.reply().path("/users").uri(uri).data(data).send()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value, midnight_clears: bool) -> Result<PushChange, String> {
        let Value::Object(body) = body else { panic!("an object") };
        change(&Object(body), midnight_clears).map_err(|error| error.description.to_string())
    }

    #[test]
    fn what_a_body_changes() {
        let all_day = DailyInterval::parse("00:00-00:00");
        let nothing = PushChange::default();
        for (body, expected) in [
            (json!({}), nothing),
            (json!({ "type": "NONE" }), PushChange { mode: Some(Some(PushMode::Nothing)), ..nothing }),
            (json!({ "type": "DEFAULT", "ignoreDuration": 0 }), DEFAULT),
            (json!({ "ignoreInterval": "" }), PushChange { quiet: Some(None), ..nothing }),
            (json!({ "ignoreInterval": "0:0-00:00" }), PushChange { quiet: Some(all_day), ..nothing }),
            (json!({ "ignoreDuration": 0 }), PushChange { quiet_for_ms: Some(0), ..nothing }),
            (json!({ "ignoreDuration": "604800000" }), PushChange { quiet_for_ms: Some(604_800_000), ..nothing }),
            (json!({ "type": null, "other": 1 }), nothing),
        ] {
            assert_eq!(read(body.clone(), false), Ok(expected), "{body}");
        }
        let cleared = read(json!({ "ignoreInterval": "0:0-00:00" }), true);
        assert_eq!(cleared, Ok(PushChange { quiet: Some(None), ..nothing }));
        let kept = read(json!({ "ignoreInterval": "12:00-12:00" }), true);
        assert_eq!(kept, Ok(PushChange { quiet: Some(DailyInterval::parse("12:00-12:00")), ..nothing }));
    }

    #[test]
    fn what_is_no_setting() {
        for (field, value) in [
            ("type", json!("none")),
            ("type", json!("")),
            ("type", json!(1)),
            ("ignoreInterval", json!("8-10")),
            ("ignoreInterval", json!("24:00-08:00")),
            ("ignoreInterval", json!(8)),
            ("ignoreDuration", json!(-1)),
            ("ignoreDuration", json!(604_800_001)),
            ("ignoreDuration", json!(1.5)),
            ("ignoreDuration", json!("a day")),
        ] {
            let refused = read(json!({ field: value.clone() }), false);
            assert_eq!(refused, Err(format!("parameters is invalid : {field}")), "{value}");
        }
    }
}
