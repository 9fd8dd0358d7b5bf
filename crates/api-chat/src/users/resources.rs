//! `GET users/{username}/resources`: on which devices a user is online.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::id::DeviceId;

use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// List the devices on which a user is online
#[utoipa::path(
    get,
    path = "/users/{username}/resources",
    operation_id = "listDevices",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "The devices", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::Resources)?;
    call.node().user(&call.app, &name).await?;
    let devices: Vec<_> = call.node().devices(&call.app, &name).iter().map(view).collect();
    Ok(call.reply().path(call.path()).entities(Vec::<Value>::new()).data(devices).send())
}

/// A client says one name of its device, and nothing else of it.
fn view(device: &DeviceId) -> Value {
    json!({ "res": device.as_str(), "device_uuid": device.as_str(), "device_name": device.as_str() })
}
