//! `PUT users/{username}`: changes what the body names, and leaves the rest as it is.
//!
//! The same URL takes several kinds of settings; each has a reader in [`SETTINGS`]. Keys that none of them knows are
//! ignored, and a body in which none of them finds anything is refused.

use axum::response::Response;
use serde_json::Value;
use stentor_core::directory::users::{PushStyle, QuietHours, UserChange};

use super::MAX_NICKNAME;
use super::view::{IGNORE, bound_user_views};
use crate::body::{Object, RawBody, WrongType};
use crate::call::Call;
use crate::error::ChatError;
use crate::push::binding;
use crate::rates::ChatRule;

/// Reads one kind of settings into a change. `false` if the body names none of it.
type Setting = fn(&Object, &mut UserChange) -> Result<bool, ChatError>;

/// Every kind of settings.
const SETTINGS: [Setting; 4] = [nickname, push_style, quiet_hours, ignored_groups];

/// Change a user
#[utoipa::path(
    put,
    path = "/users/{username}",
    operation_id = "changeUser",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, description = "What to change", example = json!({"nickname": "testuser"})),
    responses((status = 200, description = "The user as it is now", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::Registrations)?;
    let body = body.object()?;
    let mut change = UserChange::default();
    let mut named = false;
    for setting in SETTINGS {
        named |= setting(&body, &mut change)?;
    }
    let binding = binding::read(&body)?;
    if !named && binding.is_none() {
        // The documents require nothing and say nothing of a body without anything; key and text are theirs for bad
        // parameters.
        return Err(ChatError::illegal_argument("parameters is invalid : nickname"));
    }
    let user = call.node().change_user(&call.app, &name, &change).await?;
    if let Some(binding) = binding {
        call.node().change_push_bindings(&call.app, &name, &binding).await?;
    }
    let views = bound_user_views(&call, &[user]).await?;
    Ok(call.reply().path("/users").uri(call.url("/users")).entities(views).send())
}

/// The name that pushes show; empty for none.
fn nickname(body: &Object, change: &mut UserChange) -> Result<bool, ChatError> {
    let Some(nickname) = body.text("nickname")? else { return Ok(false) };
    if nickname.chars().count() > MAX_NICKNAME {
        return Err(ChatError::illegal_argument("NICKNAME_TOO_LONG"));
    }
    change.nickname = Some(nickname.to_owned());
    Ok(true)
}

/// How much pushes show: 0 or 1, as a number or a text (the documents have both).
fn push_style(body: &Object, change: &mut UserChange) -> Result<bool, ChatError> {
    const NAME: &str = "notification_display_style";
    change.push_style = match body.integer(NAME)? {
        None => return Ok(false),
        Some(0) => Some(PushStyle::Hint),
        Some(1) => Some(PushStyle::Content),
        Some(_) => return Err(WrongType(NAME).into()),
    };
    Ok(true)
}

/// Whole hours without pushes, as the older SDKs set them.
fn quiet_hours(body: &Object, change: &mut UserChange) -> Result<bool, ChatError> {
    let Some(on) = body.flag("notification_no_disturbing")? else { return Ok(false) };
    let hour = |name| match body.integer(name)? {
        None if on => Err(WrongType(name)),
        None => Ok(0),
        Some(hour) => u8::try_from(hour).ok().filter(|hour| *hour < 24).ok_or(WrongType(name)),
    };
    let (from, to) = (hour("notification_no_disturbing_start")?, hour("notification_no_disturbing_end")?);
    change.quiet_hours = Some(QuietHours { on, from, to });
    Ok(true)
}

/// `notification_ignore_{group}`, at the top or, as the Web SDK has it, in the first of `entities`.
fn ignored_groups(body: &Object, change: &mut UserChange) -> Result<bool, ChatError> {
    let inner = body.0.get("entities").and_then(|entities| entities.as_array()?.first()?.as_object());
    for (name, value) in body.0.iter().chain(inner.into_iter().flatten()) {
        let Some(group) = name.strip_prefix(IGNORE).filter(|group| is_group(group)) else { continue };
        let ignored = match value {
            Value::Bool(ignored) => *ignored,
            Value::String(text) => text.eq_ignore_ascii_case("true"),
            _ => return Err(ChatError::illegal_argument("parameters is invalid : notification_ignore")),
        };
        change.ignored_groups.push((group.to_owned(), ignored));
    }
    Ok(!change.ignored_groups.is_empty())
}

fn is_group(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
