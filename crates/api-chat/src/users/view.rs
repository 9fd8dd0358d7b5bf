//! A user as replies show it.

use serde_json::{Value, json};
use stentor_core::directory::users::{QuietHours, User};
use stentor_core::id::UserId;
use stentor_core::push::PushBinding;

use crate::call::Call;
use crate::error::ChatError;

/// How the names of ignored groups begin.
pub(crate) const IGNORE: &str = "notification_ignore_";

/// Several users.
pub(crate) fn user_views(users: &[User]) -> Vec<Value> {
    users.iter().map(user_view).collect()
}

/// `uuid`, `type`, `created`, `modified`, `username`, `activated`, and what else is set.
pub(crate) fn user_view(user: &User) -> Value {
    let mut view = json!({
        "uuid": user.uuid,
        "type": "user",
        "created": user.created_ms,
        "modified": user.modified_ms,
        "username": user.name,
        "activated": user.active,
    });
    if let Some(nickname) = &user.nickname {
        view["nickname"] = nickname.as_str().into();
    }
    if let Some(style) = user.push_style {
        view["notification_display_style"] = (style as u8).into();
    }
    if let Some(QuietHours { on, from, to }) = user.quiet_hours {
        view["notification_no_disturbing"] = on.into();
        if on {
            view["notification_no_disturbing_start"] = from.into();
            view["notification_no_disturbing_end"] = to.into();
        }
    }
    for group in &user.ignored_groups {
        view[format!("{IGNORE}{group}")] = true.into();
    }
    view
}

/// The same, with the devices that are bound for pushes, and what of the one that was bound last older clients look for.
pub(crate) fn bound_user_view(user: &User, bindings: &[PushBinding]) -> Value {
    let mut view = user_view(user);
    if let Some(last) = bindings.last() {
        view["notifier_name"] = last.notifier.as_str().into();
        view["device_token"] = last.token.as_str().into();
        let info = |binding: &PushBinding| {
            json!({
                "device_Id": binding.device, "device_token": binding.token, "notifier_name": binding.notifier,
            })
        };
        view["pushInfo"] = bindings.iter().map(info).collect();
    }
    view
}

/// Several users with their devices.
pub(crate) async fn bound_user_views(call: &Call, users: &[User]) -> Result<Vec<Value>, ChatError> {
    let names: Vec<_> = users.iter().map(|user| UserId::from_trusted(&user.name)).collect();
    let bindings = call.node().push_bindings_of(&call.app, &names).await?;
    Ok(users.iter().zip(&bindings).map(|(user, bindings)| bound_user_view(user, bindings)).collect())
}
