//! A user as replies show it.

use serde_json::{Value, json};
use stentor_core::directory::users::User;

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
    view
}
