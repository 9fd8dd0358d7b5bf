//! `GET chatrooms/{chatroom_id}/delivery`: what became of a room's messages, by their level. Ours: no document has it.

use axum::response::Response;
use serde_json::{Map, Value, json};
use stentor_core::delivery::LevelDelivery;
use stentor_core::message::Priority;

use super::request::room;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// What became of a room's messages
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/delivery",
    operation_id = "roomDelivery",
    tag = "messages",
    params(("chatroom_id" = String, Path, description = "The room ID")),
    responses((status = 200, description = "Counts of each level, of this node", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::Rooms)?;
    let delivery = call.node().room_delivery(&call.app, &room(call.param("chatroom_id")));
    let level = |priority| delivery.map_or_else(LevelDelivery::default, |delivery| delivery.level(priority));
    let levels: Map<String, Value> = [("high", Priority::High), ("normal", Priority::Normal), ("low", Priority::Low)]
        .map(|(name, priority)| (name.to_owned(), counts(level(priority))))
        .into_iter()
        .collect();
    let data = json!({ "since": delivery.map(|delivery| delivery.since_ms), "levels": levels });
    Ok(call.reply().path(call.path()).data(data).send())
}

fn counts(level: LevelDelivery) -> Value {
    json!({
        "accepted": level.accepted, "offered": level.offered, "dropped": level.dropped(),
        "dropped_over_budget": level.over_budget, "dropped_lanes_full": level.lanes_full,
        "dropped_slow_consumer": level.slow_consumer,
    })
}
