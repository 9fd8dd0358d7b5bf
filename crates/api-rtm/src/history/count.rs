//! `GET …/rtm/message/history/count`: how many messages a query would find.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use stentor_http_kit::RequestId;
use stentor_http_kit::json::json;
use utoipa::ToSchema;

use super::filter::RawFilter;
use crate::call::{Call, request_id};
use crate::error::{ApiError, BadRequest, ErrorBody};
use crate::state::RtmState;

/// The body of a reply.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountReply {
    /// `success`.
    #[schema(example = "success")]
    result: &'static str,
    /// The request's ID.
    #[schema(value_type = String, example = "10116762670167749259")]
    request_id: RequestId,
    /// `ok`.
    #[schema(example = "ok")]
    code: &'static str,
    /// How many messages match.
    #[schema(example = 123)]
    count: u64,
}

/// Takes off one pair of quotes: the documents' examples have them (`source="src"`), real clients do not. No name
/// and no time holds a quote of its own.
fn unquoted(value: Cow<'_, str>) -> Cow<'_, str> {
    match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => Cow::Owned(inner.to_owned()),
        None => value,
    }
}

/// Count messages of the past
///
/// Counts text messages that were sent with `enable_historical_messaging`. 100 calls a second and App ID, together
/// with queries.
#[utoipa::path(
    get,
    path = "/dev/v2/project/{appid}/rtm/message/history/count",
    operation_id = "countHistory",
    tag = "history",
    params(
        ("appid" = String, Path, description = "App ID"),
        ("source" = Option<String>, Query, description = "Only from this user"),
        ("destination" = Option<String>, Query, description = "Only to this user or channel"),
        ("start_time" = String, Query, description = "The first instant: UTC, 2019-08-01T01:22:10Z"),
        ("end_time" = String, Query, description = "The last instant: UTC, 2019-08-01T01:32:10Z"),
    ),
    responses(
        (status = 200, body = inline(CountReply), description = "The number"),
        (status = 400, body = ErrorBody, description = "A parameter breaks its rule"),
        (status = 401, body = ErrorBody, description = "No or wrong credentials"),
        (status = 403, body = ErrorBody, description = "History is switched off for this App ID"),
        (status = 429, body = ErrorBody, description = "Too many calls"),
        (status = 500, body = ErrorBody, description = "The server failed"),
    )
)]
pub(crate) async fn handler(State(state): State<RtmState>, request: Request) -> Response {
    let id = request_id(&request);
    count(&state, request, id).await.unwrap_or_else(|error| error.into_response(id))
}

async fn count(state: &RtmState, request: Request, id: RequestId) -> Result<Response, ApiError> {
    let (call, _) = Call::begin(state, request)?;
    let optional = |name| Ok::<_, BadRequest>(call.query(name)?.map(unquoted).filter(|value| !value.is_empty()));
    let required = |name| optional(name)?.ok_or_else(|| BadRequest(format!("{name} is required").into()));
    let raw = RawFilter {
        source: optional("source")?,
        destination: optional("destination")?,
        start_time: required("start_time")?,
        end_time: required("end_time")?,
    };
    let filter = raw.check(&call)?;
    state.node().allow_history_query(&call.app)?;
    let count = state.node().history_count(&call.app, &filter).await?;
    Ok(json(StatusCode::OK, &CountReply { result: "success", request_id: id, code: "ok", count }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_of_quotes_comes_off() {
        for (value, bare) in
            [("src", "src"), ("\"src\"", "src"), ("\"\"", ""), ("\"", "\""), ("\"src", "\"src"), ("\"\"a\"\"", "\"a\"")]
        {
            assert_eq!(unquoted(value.into()), bare, "{value}");
        }
    }

    #[test]
    fn a_reply_has_its_keys_in_order() {
        let reply = CountReply { result: "success", request_id: RequestId(1), code: "ok", count: 123 };
        let text = serde_json::to_string(&reply).unwrap();
        assert_eq!(text, r#"{"result":"success","request_id":"1","code":"ok","count":123}"#);
    }
}
