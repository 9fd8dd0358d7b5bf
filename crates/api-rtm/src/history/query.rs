//! `POST …/rtm/message/history/query`: asks for messages, and is answered with where to get them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use stentor_core::store::HistoryPage;
use stentor_http_kit::RequestId;
use stentor_http_kit::json::json;
use utoipa::ToSchema;

use super::filter::RawFilter;
use super::handle::{self, Query};
use crate::call::{Call, request_id};
use crate::error::{ApiError, BadRequest, ErrorBody};
use crate::fields::{self, Field};
use crate::state::RtmState;

/// Messages in a reply unless the request says otherwise. The documents name no default.
const DEFAULT_LIMIT: u64 = 20;
/// Messages in a reply at most. The documents allow 20, 50 and 100, but real clients send others.
const MAX_LIMIT: u64 = 100;

/// The body of a request, read but not checked.
#[derive(Debug, PartialEq, Eq)]
pub struct QueryBody<'a> {
    /// Which messages.
    pub filter: RawFilter<'a>,
    /// Which of them.
    pub page: HistoryPage,
}

/// The body of a request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; `parse` reads the fields one by one")]
pub(crate) struct QueryRequest {
    /// Which messages.
    filter: FilterRequest,
    /// How many matches to skip.
    #[schema(required = false, default = 0)]
    offset: u64,
    /// How many messages, 1 to 100; documented are 20, 50 and 100.
    #[schema(required = false, default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    /// `asc`, oldest first, or `desc`.
    #[schema(required = false, default = "asc")]
    order: String,
}

/// Which messages. At least one of `source` and `destination` is needed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct FilterRequest {
    /// Only from this user.
    source: Option<String>,
    /// Only to this user or channel.
    destination: Option<String>,
    /// The first instant: UTC.
    #[schema(example = "2019-08-01T01:22:10Z")]
    start_time: String,
    /// The last instant: UTC.
    #[schema(example = "2019-08-01T01:32:10Z")]
    end_time: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    filter: Field<'a>,
    #[serde(borrow)]
    offset: Field<'a>,
    #[serde(borrow)]
    limit: Field<'a>,
    #[serde(borrow)]
    order: Field<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FilterFields<'a> {
    #[serde(borrow)]
    source: Field<'a>,
    #[serde(borrow)]
    destination: Field<'a>,
    #[serde(borrow)]
    start_time: Field<'a>,
    #[serde(borrow)]
    end_time: Field<'a>,
}

/// Reads a body. Names and times are not checked here.
///
/// # Errors
/// Which field is missing, of the wrong type or out of range.
pub fn parse(body: &[u8]) -> Result<QueryBody<'_>, BadRequest> {
    let body: Fields<'_> = fields::object(body)?;
    let filter: FilterFields<'_> = fields::nested("filter", body.filter)?;
    let limit = fields::number("limit", body.limit)?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(BadRequest(format!("limit must be 1 to {MAX_LIMIT}").into()));
    }
    let newest_first = match fields::text_or_none("order", body.order)?.as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(BadRequest("order must be asc or desc".into())),
    };
    Ok(QueryBody {
        filter: RawFilter {
            source: fields::text_or_none("source", filter.source)?,
            destination: fields::text_or_none("destination", filter.destination)?,
            start_time: fields::text("start_time", filter.start_time)?,
            end_time: fields::text("end_time", filter.end_time)?,
        },
        page: HistoryPage { offset: fields::number("offset", body.offset)?.unwrap_or(0), limit, newest_first },
    })
}

/// The body of a reply.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryReply {
    /// `success`.
    #[schema(example = "success")]
    result: &'static str,
    /// The request's ID.
    #[schema(value_type = String, example = "10116762670167749259")]
    request_id: RequestId,
    /// As asked.
    #[schema(example = 100)]
    offset: u64,
    /// As asked.
    #[schema(example = 20)]
    limit: u64,
    /// As asked: `asc` or `desc`.
    #[schema(example = "asc")]
    order: &'static str,
    /// Where to get the messages: `~` stands for the base URL with the App ID. Good for five minutes.
    #[schema(example = "~/rtm/message/history/query/MjIzMDA3OjEyODA5MzkyOQ==")]
    location: String,
}

/// Ask for messages of the past
///
/// Finds text messages that were sent with `enable_historical_messaging`. 100 calls a second and App ID.
#[utoipa::path(
    post,
    path = "/dev/v2/project/{appid}/rtm/message/history/query",
    operation_id = "queryHistory",
    tag = "history",
    params(("appid" = String, Path, description = "App ID")),
    request_body(content = inline(QueryRequest), content_type = "application/json"),
    responses(
        (status = 200, body = inline(QueryReply), description = "Where to get the messages"),
        (status = 400, body = ErrorBody, description = "A parameter breaks its rule"),
        (status = 401, body = ErrorBody, description = "No or wrong credentials"),
        (status = 403, body = ErrorBody, description = "History is switched off for this App ID"),
        (status = 413, body = ErrorBody, description = "The body is larger than 256 KiB"),
        (status = 415, body = ErrorBody, description = "The body is not JSON"),
        (status = 429, body = ErrorBody, description = "Too many calls"),
        (status = 500, body = ErrorBody, description = "The server failed"),
    )
)]
pub(crate) async fn handler(State(state): State<RtmState>, request: Request) -> Response {
    let id = request_id(&request);
    query(&state, request, id).await.unwrap_or_else(|error| error.into_response(id))
}

async fn query(state: &RtmState, request: Request, id: RequestId) -> Result<Response, ApiError> {
    let (call, body) = Call::begin(state, request)?;
    let body = call.read(state, body).await?;
    let asked = parse(&body)?;
    let query = Query { filter: asked.filter.check(&call)?, page: asked.page };
    state.node().allow_history_query(&call.app)?;
    let now_ms = state.node().clock().wall_ms();
    let handle = handle::seal(state.handle_key(), &call.rtm.app_id, &query, now_ms);
    let reply = QueryReply {
        result: "success",
        request_id: id,
        offset: query.page.offset,
        limit: query.page.limit,
        order: if query.page.newest_first { "desc" } else { "asc" },
        location: format!("~/rtm/message/history/query/{handle}"),
    };
    Ok(json(StatusCode::OK, &reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(rest: &str) -> String {
        format!(r#"{{"filter":{{"source":"s","start_time":"a","end_time":"b"}}{rest}}}"#)
    }

    #[test]
    fn the_documented_body_is_read() {
        let body = br#"{"filter":{"source":"s","destination":"d","start_time":"2019-08-01T01:22:10Z",
            "end_time":"2019-08-01T01:32:10Z"},"offset":100,"limit":20,"order":"asc"}"#;
        let expected = QueryBody {
            filter: RawFilter {
                source: Some("s".into()),
                destination: Some("d".into()),
                start_time: "2019-08-01T01:22:10Z".into(),
                end_time: "2019-08-01T01:32:10Z".into(),
            },
            page: HistoryPage { offset: 100, limit: 20, newest_first: false },
        };
        assert_eq!(parse(body), Ok(expected));
    }

    #[test]
    fn the_page_has_defaults_and_bounds() {
        let page = |rest: &str| parse(body(rest).as_bytes()).map(|body| body.page);
        let defaults = HistoryPage { offset: 0, limit: 20, newest_first: false };
        assert_eq!(page(""), Ok(defaults));
        assert_eq!(page(r#","offset":null,"limit":null,"order":null"#), Ok(defaults));
        for limit in [1, 10, 20, 50, 100] {
            assert_eq!(page(&format!(r#","limit":{limit}"#)), Ok(HistoryPage { limit, ..defaults }));
        }
        assert_eq!(page(r#","order":"desc""#), Ok(HistoryPage { newest_first: true, ..defaults }));
        for rest in [
            r#","limit":0"#,
            r#","limit":101"#,
            r#","limit":"20""#,
            r#","limit":-1"#,
            r#","offset":-1"#,
            r#","offset":"0""#,
            r#","order":"ASC""#,
            r#","order":1"#,
        ] {
            assert!(page(rest).is_err(), "{rest}");
        }
    }

    #[test]
    fn absent_null_and_empty_mean_the_same() {
        for source in ["", r#""source":"","#, r#""source":null,"#] {
            let body = format!(r#"{{"filter":{{{source}"destination":"d","start_time":"a","end_time":"b"}}}}"#);
            let filter = parse(body.as_bytes()).map(|body| body.filter.source);
            assert_eq!(filter, Ok(None), "{body}");
        }
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (body, reason) in [
            ("{}", "filter is required"),
            (r#"{"filter":null}"#, "filter must be an object"),
            (r#"{"filter":[]}"#, "filter must be an object"),
            (r#"{"filter":{"end_time":"b"}}"#, "start_time is required"),
            (r#"{"filter":{"start_time":"a"}}"#, "end_time is required"),
            (r#"{"filter":{"start_time":1,"end_time":"b"}}"#, "start_time must be a string"),
            (r#"{"filter":{"source":7}}"#, "source must be a string"),
        ] {
            let got = parse(body.as_bytes()).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(got, Err(reason.to_owned()), "{body}");
        }
    }
}
