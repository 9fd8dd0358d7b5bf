//! `GET chatrooms`: every room, the newest first, by cursor or by the number of the page.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::rooms::RoomDetail;
use stentor_core::records::{cursor, from_cursor};

use super::asked::{Asked, Numbered, RoomCall};
use super::refusals;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// On a page when nobody says how many.
pub(super) const DEFAULT_LIMIT: usize = 10;
/// On a page.
pub(super) const MAX_LIMIT: usize = 1000;
/// A page by its number is empty behind so many rooms: whoever wants more goes by cursor.
pub(super) const MAX_SKIPPED: usize = 20_000;

/// List rooms
#[utoipa::path(
    get,
    path = "/chatrooms",
    operation_id = "listRooms",
    tag = "rooms",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 1000; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
        ("pagenum" = Option<u32>, Query, description = "From 1, instead of a cursor"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 10 if it is not given"),
    ),
    responses((status = 200, description = "A page of rooms", body = serde_json::Value)),
)]
pub(super) async fn handler(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_room(call);
    asked.limit(ChatRule::RoomLists)?;
    list(&asked, |detail| {
        json!({
            "id": detail.room.id,
            "name": detail.room.name,
            "owner": detail.room.owner,
            "affiliations_count": detail.members,
        })
    })
    .await
}

/// A page of rooms or groups, each as `view` shows it.
pub(crate) async fn list(asked: &Asked, view: impl Fn(&RoomDetail) -> Value) -> Result<Response, ChatError> {
    let (found, next) = if asked.query("pagenum").is_some() || asked.query("pagesize").is_some() {
        (numbered(asked).await?, None)
    } else {
        let limit = asked.query_number("limit", DEFAULT_LIMIT, MAX_LIMIT);
        let page = asked.node().rooms(&asked.app, asked.kind(), after(asked)?, limit).await?;
        (page.items, page.next)
    };
    let views: Vec<_> = found.iter().map(view).collect();
    let params = asked.query_params(&["limit", "cursor", "pagenum", "pagesize"]);
    Ok(asked.answer(views).params(params).count(found.len()).cursor(next.as_deref().map(cursor)).send())
}

/// Behind which entry the page begins that a cursor asks for.
pub(crate) fn after(asked: &Asked) -> Result<Option<String>, ChatError> {
    match asked.cursor() {
        Some(text) => from_cursor(&text).map(Some).ok_or_else(|| refusals::invalid_parameter("cursor is invalid")),
        None => Ok(None),
    }
}

/// A page by its number: those before it are read, too, so many at a time.
async fn numbered(asked: &Asked) -> Result<Vec<RoomDetail>, ChatError> {
    let wanted = Numbered::of(asked, DEFAULT_LIMIT, MAX_LIMIT);
    let (mut skip, mut found, mut after) = (wanted.skip, Vec::new(), None);
    if skip >= MAX_SKIPPED {
        return Ok(found);
    }
    while found.len() < wanted.size {
        let page = asked.node().rooms(&asked.app, asked.kind(), after, MAX_LIMIT).await?;
        let skipped = skip.min(page.items.len());
        skip -= skipped;
        let left = wanted.size - found.len();
        found.extend(page.items.into_iter().skip(skipped).take(left));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}
