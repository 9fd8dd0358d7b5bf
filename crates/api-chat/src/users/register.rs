//! `POST users`: registers one user (an object) or up to 60 (an array).

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::DirectoryError;
use stentor_core::directory::users::{NewUser, User};

use super::view::user_view;
use super::{MAX_NICKNAME, MAX_PASSWORD};
use crate::auth::{BadToken, Principal, authenticate, bearer};
use crate::body::{Object, RawBody};
use crate::call::Visit;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::token::illegal_username;

/// Users in one request (Easemob account documents).
pub(super) const MAX_USERS: usize = 60;

/// Register users
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "registerUsers",
    tag = "users",
    request_body(content = serde_json::Value, description = "One user, or an array of up to 60", example = json!({"username": "user1", "password": "123"})),
    responses((status = 200, description = "The users", body = serde_json::Value)),
)]
pub(super) async fn handler(visit: Visit, headers: HeaderMap, body: RawBody) -> Result<Response, ChatError> {
    let open = visit.chat.features.open_registration;
    if !open {
        only_app(&visit, &headers).await?;
    }
    visit.limit(ChatRule::Registrations)?;
    match body.value()? {
        Value::Object(user) => {
            let user = register(&visit, &Object(user)).await?;
            Ok(visit.reply().path("/users").entities(vec![user_view(&user)]).send())
        }
        Value::Array(users) => {
            // Registration by anybody is of one user.
            if open {
                only_app(&visit, &headers).await?;
            }
            batch(&visit, users).await
        }
        _ => Err(ChatError::illegal_argument("this is an invalid request.")),
    }
}

/// Only the app's backend. The texts are those of this endpoint; which token gets which is said in
/// `docs/compatibility.md`.
async fn only_app(visit: &Visit, headers: &HeaderMap) -> Result<(), ChatError> {
    let refused = |text| ChatError::new(StatusCode::UNAUTHORIZED, "unauthorized", text);
    let Ok(token) = bearer(headers) else {
        return Err(refused("Open registration doesn't allow, so register user need token"));
    };
    match authenticate(&visit.state, &visit.chat, &visit.app, token).await {
        Ok(granted) if granted.principal == Principal::App => Ok(()),
        Ok(_) => Err(refused("registration is not open, please contact the app admin")),
        Err(BadToken::Corrupt) => Err(refused("token is illegal.")),
        Err(BadToken::Store(error)) => Err(error.into()),
        Err(_) => Err(ChatError::oauth()),
    }
}

/// What is asked for, checked.
struct Registration<'a> {
    name: &'a str,
    password: &'a str,
    nickname: Option<&'a str>,
}

fn read(user: &Object) -> Result<Registration<'_>, ChatError> {
    let name = user.text("username")?.unwrap_or_default();
    user_id(name).map_err(|error| illegal_username(name, error))?;
    let password = user.text("password")?.unwrap_or_default();
    if password.is_empty() {
        return Err(ChatError::illegal_argument("password or pin must provided"));
    }
    if password.chars().count() > MAX_PASSWORD {
        return Err(ChatError::illegal_argument("PASSWORD_TOO_LONG"));
    }
    let nickname = user.text("nickname")?;
    if nickname.is_some_and(|nickname| nickname.chars().count() > MAX_NICKNAME) {
        return Err(ChatError::illegal_argument("NICKNAME_TOO_LONG"));
    }
    Ok(Registration { name, password, nickname })
}

async fn register(visit: &Visit, user: &Object) -> Result<User, ChatError> {
    let Registration { name, password, nickname } = read(user)?;
    let id = user_id(name).map_err(|error| illegal_username(name, error))?;
    if visit.node().find_user(&visit.app, &id).await?.is_some() {
        // Before the hash, which costs much.
        return Err(DirectoryError::UserExists(name.to_owned()).into());
    }
    if !visit.node().may_register(&visit.app) {
        return Err(ChatError::resource_limited());
    }
    let password_hash = Some(visit.state.passwords().hash(password).await?);
    let new = NewUser { name: id, password_hash, nickname: nickname.map(str::to_owned) };
    Ok(visit.node().register(&visit.app, new).await?)
}

/// Registers what it can (D-45): who is there already is named in `data`.
async fn batch(visit: &Visit, users: Vec<Value>) -> Result<Response, ChatError> {
    if users.len() > MAX_USERS {
        return Err(ChatError::illegal_argument(format!(
            "Request body array size[{}] had almost reached or been greater than the upper range value[{MAX_USERS}]",
            users.len()
        )));
    }
    let mut objects = Vec::with_capacity(users.len());
    for user in users {
        let Value::Object(user) = user else {
            return Err(ChatError::illegal_argument("this is an invalid request."));
        };
        objects.push(Object(user));
    }
    check_passwords(&objects)?;
    let (mut registered, mut failed) = (Vec::new(), Vec::new());
    for user in &objects {
        match register(visit, user).await {
            Ok(user) => registered.push(user_view(&user)),
            Err(refused) if refused.error == "duplicate_unique_property_exists" => {
                let name = user.text("username")?.unwrap_or_default();
                let reason = format!("the {name} already exists");
                failed.push(json!({ "username": name, "registerUserFailReason": reason }));
            }
            // Ours: those that came in before stay, and the backend must hear of them.
            Err(refused) if refused.error == "resource_limited" && !registered.is_empty() => {
                let name = user.text("username")?.unwrap_or_default();
                failed.push(json!({ "username": name, "registerUserFailReason": refused.description }));
            }
            Err(refused) => return Err(refused),
        }
    }
    Ok(visit.reply().path("/users").entities(registered).data(failed).send())
}

/// Nothing is registered if anything is not as it should be, or a user stands there with two passwords.
fn check_passwords(users: &[Object]) -> Result<(), ChatError> {
    let mut passwords = std::collections::BTreeMap::new();
    for user in users {
        let Registration { name, password, .. } = read(user)?;
        if *passwords.entry(name.to_ascii_lowercase()).or_insert(password) != password {
            // The vendor's text goes on with the passwords; ours does not show them.
            return Err(ChatError::new(
                StatusCode::BAD_REQUEST,
                "duplicate_unique_property_exists",
                format!("the same user {name} has a different password, the passwords are ***"),
            ));
        }
    }
    Ok(())
}
