//! `GET chatmessages/{time}`: where an hour of the history can be downloaded. The URL is signed, so that whoever has it
//! needs no token, and good for half an hour: as long as that of the documents' example.

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use stentor_core::store::HistoryPage;

use super::download::lines_error;
use super::hour::Hour;
use crate::call::{Call, Visit};
use crate::error::ChatError;
use crate::rates::ChatRule;

/// How long a URL is good, in seconds.
pub(super) const VALID_S: u64 = 1800;

/// What the key is used for; no token is signed so.
const PURPOSE: &str = "chatmessages";

/// Where an hour of messages can be downloaded
#[utoipa::path(
    get,
    path = "/chatmessages/{time}",
    operation_id = "messageHistory",
    tag = "messages",
    params(("time" = String, Path, description = "An hour of UTC, yyyyMMddHH", example = "2018112717")),
    responses(
        (status = 200, description = "A URL of compressed lines of JSON", body = serde_json::Value),
        (status = 404, description = "Nothing was said in this hour", body = serde_json::Value),
    ),
)]
pub(super) async fn handler(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::HistoryDownloads)?;
    let hour = Hour::of(&call)?;
    let one = HistoryPage { offset: 0, limit: 1, newest_first: false };
    if call.node().history(&call.app, &hour.filter(None), one).await.map_err(lines_error)?.is_empty() {
        return Err(hour.nothing(&call));
    }
    let expires_s = call.now_ms() / 1000 + VALID_S;
    let signature = call.state.access_key().sign(PURPOSE, &signed(&call, &hour, expires_s));
    let signature = URL_SAFE_NO_PAD.encode(signature);
    let path = format!("/chatmessages/{}/file?Expires={expires_s}&Signature={signature}", hour.text);
    Ok(call.reply().data(vec![json!({ "url": call.url(&path) })]).send())
}

/// What a signature is of: nothing else can be downloaded with it.
fn signed(visit: &Visit, hour: &Hour, expires_s: u64) -> String {
    format!("{}\n{}\n{expires_s}", visit.chat.key(), hour.text)
}

/// Whether the query of a request was signed here, for this, not too long ago.
///
/// # Errors
/// 403. No document has it: the vendor's URLs lead to a store of others.
pub(super) fn check(visit: &Visit, hour: &Hour) -> Result<(), ChatError> {
    let refused = |text| ChatError::new(StatusCode::FORBIDDEN, "access_denied", text);
    let expires_s = visit.query("Expires").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let signature = visit.query("Signature").and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
    if !visit.state.access_key().verify(PURPOSE, &signed(visit, hour, expires_s), &signature) {
        return Err(refused("the signature of this URL does not match"));
    }
    if expires_s <= visit.now_ms() / 1000 {
        return Err(refused("this URL has expired"));
    }
    Ok(())
}
