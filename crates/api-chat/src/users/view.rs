//! A user as replies show it.

use serde_json::{Value, json};
use stentor_core::directory::users::{QuietHours, User};

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
