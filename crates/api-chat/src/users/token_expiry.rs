//! `GET sdk/users/{username}/token/expires`: when the token of this very request ends. Clients ask it of a new token
//! before they use it (Web SDK); no document has it. What they are connected with by then lasts as long as the new token.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use stentor_http_kit::json::json as reply;

use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// The end of a token that has none: clients subtract the time from it. The documents print it for mutes for ever.
const NEVER_MS: u64 = 4_638_873_600_000;

/// When a user's token ends
#[utoipa::path(
    get,
    path = "/sdk/users/{username}/token/expires",
    operation_id = "getTokenExpiry",
    tag = "tokens",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "`expire_timestamp`: Unix time in milliseconds", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::Tokens)?;
    call.node().user(&call.app, &name).await?;
    // The Web SDK asks when it is given another token, and says nothing of it to its connection.
    if call.principal().user() == Some(&name) {
        call.node().renew_sessions(&call.app, &name, call.granted.expires_at_ms);
    }
    Ok(reply(StatusCode::OK, &json!({ "expire_timestamp": call.granted.expires_at_ms.unwrap_or(NEVER_MS) })))
}
