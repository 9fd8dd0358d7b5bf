//! `GET …/rtm/vendor/user_events`: takes logins and logouts off the app's queue.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use stentor_core::events::{Event, EventKind, EventType};
use stentor_http_kit::RequestId;
use stentor_http_kit::json::json;
use utoipa::ToSchema;

use crate::app::EventFields;
use crate::call::{Call, request_id};
use crate::error::{ApiError, ErrorBody};
use crate::state::RtmState;

/// The body of a reply.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsReply<E> {
    /// `success`.
    #[schema(example = "success")]
    pub(crate) result: &'static str,
    /// The request's ID.
    #[schema(value_type = String, example = "10116762670167749259")]
    pub(crate) request_id: RequestId,
    /// The oldest events, at most 1000, oldest first. They are gone from the queue.
    pub(crate) events: Vec<E>,
}

/// A login or logout.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserEvent<'a> {
    /// Who.
    #[schema(example = "rtmtest_RTM_4852_4857w7%")]
    user_id: &'a str,
    /// `Login` or `Logout`.
    #[serde(rename = "type")]
    #[schema(example = "Login")]
    event_type: &'static str,
    /// When: Unix time in milliseconds. The name in the documents of 2021.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1578027420761_u64)]
    ts: Option<u64>,
    /// The same. The name in the documents since 2022.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1578027420761_u64)]
    ms: Option<u64>,
}

/// Writes an event as the app's option says.
fn render(event: &Event, fields: EventFields) -> UserEvent<'_> {
    UserEvent {
        user_id: event.user.as_str(),
        event_type: type_name(event.event_type),
        ts: fields.seed().then_some(event.at_ms),
        ms: fields.current().then_some(event.at_ms),
    }
}

/// What the documents call it.
pub(crate) const fn type_name(event_type: EventType) -> &'static str {
    match event_type {
        EventType::Login => "Login",
        EventType::Logout => "Logout",
        EventType::Join => "Join",
        EventType::Leave => "Leave",
    }
}

/// Take user events
///
/// The oldest logins and logouts of the queue, which keeps 2000. 10 calls a second and App ID.
#[utoipa::path(
    get,
    path = "/dev/v2/project/{appid}/rtm/vendor/user_events",
    operation_id = "takeUserEvents",
    tag = "events",
    params(("appid" = String, Path, description = "App ID")),
    responses(
        (status = 200, body = inline(EventsReply<UserEvent>), description = "Taken off the queue"),
        (status = 400, body = ErrorBody, description = "The App ID is invalid"),
        (status = 401, body = ErrorBody, description = "No or wrong credentials"),
        (status = 429, body = ErrorBody, description = "Too many calls"),
        (status = 500, body = ErrorBody, description = "The server failed"),
        (status = 503, body = ErrorBody, description = "The store is full or busy"),
    )
)]
pub(crate) async fn handler(State(state): State<RtmState>, request: Request) -> Response {
    let id = request_id(&request);
    pull(&state, request, id).await.unwrap_or_else(|error| error.into_response(id))
}

async fn pull(state: &RtmState, request: Request, id: RequestId) -> Result<Response, ApiError> {
    let (call, _) = Call::begin(state, request)?;
    let events = state.node().pull_events(&call.app, EventKind::User).await?;
    let fields = call.rtm.options.event_fields;
    let events = events.iter().map(|event| render(event, fields)).collect();
    Ok(json(StatusCode::OK, &EventsReply { result: "success", request_id: id, events }))
}

#[cfg(test)]
mod tests {
    use stentor_core::id::UserId;

    use super::*;

    #[test]
    fn an_event_is_spelt_in_three_ways() {
        let user = UserId::from_trusted("rtmtest_RTM_4852_4857w7%");
        let event = Event { event_type: EventType::Login, user, room: None, at_ms: 1_578_027_420_761 };
        for (fields, text) in [
            (
                EventFields::Both,
                r#"{"user_id":"rtmtest_RTM_4852_4857w7%","type":"Login","ts":1578027420761,"ms":1578027420761}"#,
            ),
            (EventFields::Seed, r#"{"user_id":"rtmtest_RTM_4852_4857w7%","type":"Login","ts":1578027420761}"#),
            (EventFields::Current, r#"{"user_id":"rtmtest_RTM_4852_4857w7%","type":"Login","ms":1578027420761}"#),
        ] {
            assert_eq!(serde_json::to_string(&render(&event, fields)).unwrap(), text);
        }
    }

    #[test]
    fn a_reply_has_its_keys_in_the_documents_order() {
        let reply = EventsReply::<UserEvent<'_>> { result: "success", request_id: RequestId(1), events: Vec::new() };
        let text = serde_json::to_string(&reply).unwrap();
        assert_eq!(text, r#"{"result":"success","request_id":"1","events":[]}"#);
    }
}
