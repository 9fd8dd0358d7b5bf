//! `users/{username}/push/binding`: the devices of a user that pushes reach (push documents), and the same as older
//! clients set it with `PUT users/{username}`.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::push::{Binding, PushBinding};

use super::{invalid, owner, refused};
use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Bytes of a device's name, and of a certificate's. Ours.
pub(super) const MAX_NAME: usize = 256;
/// Bytes of a provider's token: a subscription of Web Push, as JSON, is the longest. Ours.
pub(super) const MAX_TOKEN: usize = 4096;

/// Bind a device, or unbind it
#[utoipa::path(
    put,
    path = "/users/{username}/push/binding",
    operation_id = "bindPushDevice",
    tag = "push",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value,
        description = "Without a token, the device is unbound from the certificate; without a certificate, from all",
        example = json!({"device_id": "phone", "notifier_name": "apns", "device_token": "a1b2"})),
    responses((status = 200, description = "What the device is bound with now", body = serde_json::Value)),
)]
pub(super) async fn put(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushBindings)?;
    let body = body.object()?;
    let binding = read(&body)?.ok_or_else(|| invalid("device_id"))?;
    let bound = call.node().change_push_bindings(&call.app, &user, &binding).await.map_err(refused)?;
    let (Binding::Bind { device, .. } | Binding::Unbind { device, .. }) = binding else {
        return Err(ChatError::internal());
    };
    Ok(reply(&call, bound.iter().filter(|other| other.device == device)))
}

/// List the devices that are bound
#[utoipa::path(
    get,
    path = "/users/{username}/push/binding",
    operation_id = "listPushDevices",
    tag = "push",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "Every device with every certificate", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushBindings)?;
    // Of a user that is not there, nothing is not the answer.
    call.node().user(&call.app, &user).await.map_err(refused)?;
    let bound = call.node().push_bindings(&call.app, &user).await?;
    Ok(reply(&call, bound.iter()))
}

/// The binding that a body asks for; `None` if it names no device.
///
/// # Errors
/// 400: a field is missing, or of another form.
pub(crate) fn read(body: &Object) -> Result<Option<Binding<'_>>, ChatError> {
    let text = |name: &'static str, max: usize| {
        let text = body.text(name)?;
        if text.is_some_and(|text| text.len() > max || text.chars().any(char::is_control)) {
            return Err(invalid(name));
        }
        Ok(text)
    };
    let Some(device) = text("device_id", MAX_NAME)? else { return Ok(None) };
    if device.is_empty() {
        return Err(invalid("device_id"));
    }
    let notifier = text("notifier_name", MAX_NAME)?.ok_or_else(|| invalid("notifier_name"))?;
    let token = text("device_token", MAX_TOKEN)?;
    Ok(Some(match (notifier, token) {
        ("", _) => Binding::Unbind { device, notifier: None },
        (_, None) => return Err(invalid("device_token")),
        (notifier, Some("")) => Binding::Unbind { device, notifier: Some(notifier) },
        (notifier, Some(token)) => Binding::Bind { device, notifier, token },
    }))
}

fn reply<'a>(call: &Call, bound: impl Iterator<Item = &'a PushBinding>) -> Response {
    let view = |binding: &PushBinding| json!({ "device_id": binding.device, "device_token": binding.token, "notifier_name": binding.notifier });
    let entities: Vec<Value> = bound.map(view).collect();
    call.reply().path("/users").entities(entities).send()
}
