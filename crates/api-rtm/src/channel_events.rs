//! `GET …/rtm/vendor/channel_events`: takes joins and leaves off the app's queue.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use stentor_core::events::{Event, EventKind};
use stentor_core::id::RoomId;
use stentor_http_kit::RequestId;
use stentor_http_kit::json::json;
use utoipa::ToSchema;

use crate::app::EventFields;
use crate::call::{Call, request_id};
use crate::error::{ApiError, ErrorBody};
use crate::state::RtmState;
use crate::user_events::{EventsReply, type_name};

/// A join or leave.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelEvent<'a> {
    /// Which channel. The name in the documents of 2021.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "example_channel_id")]
    channel_id: Option<&'a str>,
    /// The same. The name in the documents since 2022.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "example_channel_id")]
    group_id: Option<&'a str>,
    /// Who.
    #[schema(example = "rtmtest_RTM_4852_4857w7%")]
    user_id: &'a str,
    /// `Join` or `Leave`.
    #[serde(rename = "type")]
    #[schema(example = "Join")]
    event_type: &'static str,
    /// When: Unix time in milliseconds. The name in the documents of 2021.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1578027418981_u64)]
    ts: Option<u64>,
    /// The same. The name in the documents since 2022.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1578027418981_u64)]
    ms: Option<u64>,
}

/// Writes an event as the app's option says.
fn render(event: &Event, fields: EventFields) -> ChannelEvent<'_> {
    let channel = event.room.as_ref().map_or("", RoomId::as_str);
    ChannelEvent {
        channel_id: fields.seed().then_some(channel),
        group_id: fields.current().then_some(channel),
        user_id: event.user.as_str(),
        event_type: type_name(event.event_type),
        ts: fields.seed().then_some(event.at_ms),
        ms: fields.current().then_some(event.at_ms),
    }
}

/// Take channel events
///
/// The oldest joins and leaves of the queue, which keeps 2000. 10 calls a second and App ID.
#[utoipa::path(
    get,
    path = "/dev/v2/project/{appid}/rtm/vendor/channel_events",
    operation_id = "takeChannelEvents",
    tag = "events",
    params(("appid" = String, Path, description = "App ID")),
    responses(
        (status = 200, body = inline(EventsReply<ChannelEvent>), description = "Taken off the queue"),
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
    let events = state.node().pull_events(&call.app, EventKind::Room).await?;
    let fields = call.rtm.options.event_fields;
    let events = events.iter().map(|event| render(event, fields)).collect();
    Ok(json(StatusCode::OK, &EventsReply { result: "success", request_id: id, events }))
}

#[cfg(test)]
mod tests {
    use stentor_core::events::EventType;
    use stentor_core::id::UserId;

    use super::*;

    #[test]
    fn an_event_is_spelt_in_three_ways() {
        let (user, room) = (UserId::from_trusted("u"), Some(RoomId::from_trusted("c")));
        let event = Event { event_type: EventType::Leave, user, room, at_ms: 7 };
        for (fields, text) in [
            (EventFields::Both, r#"{"channel_id":"c","group_id":"c","user_id":"u","type":"Leave","ts":7,"ms":7}"#),
            (EventFields::Seed, r#"{"channel_id":"c","user_id":"u","type":"Leave","ts":7}"#),
            (EventFields::Current, r#"{"group_id":"c","user_id":"u","type":"Leave","ms":7}"#),
        ] {
            assert_eq!(serde_json::to_string(&render(&event, fields)).unwrap(), text);
        }
    }
}
