//! `GET users/{username}/joined_chatrooms`: the rooms that a user is in, the newest first.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::rooms::{Room, RoomDetail};
use stentor_core::id::RoomId;

use super::asked::{Asked, Numbered, RoomCall};
use super::view::full_owner;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Rooms on a page.
pub(super) const MAX_PAGE: usize = 1000;
/// Rooms when nothing is said about pages (room documents).
pub(super) const UNPAGED: usize = 500;

/// List the rooms that a user is in
#[utoipa::path(
    get,
    path = "/users/{username}/joined_chatrooms",
    operation_id = "listJoinedRooms",
    tag = "rooms",
    params(
        ("username" = String, Path, description = "The user"),
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 1000 if it is not given"),
        ("detail" = Option<bool>, Query, description = "With owner, description and limits"),
    ),
    responses((status = 200, description = "A page of rooms", body = serde_json::Value)),
)]
pub(super) async fn handler(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_room(call);
    let rooms = joined(&asked, MAX_PAGE, UNPAGED, ChatRule::JoinedRooms).await?;
    let detail = asked.query("detail").is_some_and(|text| text == "true");
    let ids: Vec<RoomId> = rooms.iter().map(Room::room_id).collect();
    let found = if detail { asked.node().room_details(&asked.app, asked.kind(), &ids).await? } else { Vec::new() };
    let views: Vec<_> = if detail {
        found.iter().flatten().map(|detail| detailed(&asked, detail)).collect()
    } else {
        rooms.iter().map(plain).collect()
    };
    let count = views.len();
    Ok(asked.answer(views).params(asked.query_params(&["pagenum", "pagesize", "detail"])).count(count).send())
}

/// The rooms or groups of the user in the path that are on the page.
pub(crate) async fn joined(
    asked: &Asked,
    max_page: usize,
    unpaged: usize,
    rule: ChatRule,
) -> Result<Vec<Room>, ChatError> {
    let user = asked.user_param("username")?;
    asked.app_or(&user)?;
    asked.limit(rule)?;
    asked.node().user(&asked.app, &user).await?;
    let paged = asked.query("pagenum").is_some() || asked.query("pagesize").is_some();
    let wanted = Numbered::of(asked, if paged { max_page } else { unpaged }, max_page);
    Ok(asked.node().joined_rooms(&asked.app, asked.kind(), &user, wanted.skip, wanted.size).await?)
}

fn plain(room: &Room) -> Value {
    json!({ "id": room.id, "name": room.name, "disabled": room.disabled.to_string() })
}

/// What web clients read.
fn detailed(asked: &Asked, detail: &RoomDetail) -> Value {
    let room = &detail.room;
    let mut view = plain(room);
    view["title"] = json!(room.name);
    view["owner"] = json!(full_owner(&asked.chat, room));
    view["created"] = json!(room.created_ms);
    view["description"] = json!(room.description);
    view["max_users"] = json!(room.max_users);
    view["affiliations_count"] = json!(detail.members);
    view
}
