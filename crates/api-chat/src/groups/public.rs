//! `GET publicchatgroups`: the groups that anybody finds, the newest first.

use axum::response::Response;
use serde_json::json;
use stentor_core::records::cursor;

use crate::error::ChatError;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::list::after;

/// On a page when nobody says how many.
const DEFAULT_LIMIT: usize = 20;
/// On a page.
pub(super) const MAX_LIMIT: usize = 1000;
/// Groups that are looked at for one page: where most are private, a page may be shorter than asked for.
const MAX_SEEN: usize = 2000;

/// List public groups
#[utoipa::path(
    get,
    path = "/publicchatgroups",
    operation_id = "listPublicGroups",
    tag = "groups",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 1000; 20 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "A page of groups", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    asked.limit_rooms()?;
    let limit = asked.query_number("limit", DEFAULT_LIMIT, MAX_LIMIT);
    let (mut next, mut views, mut seen) = (after(&asked)?, Vec::new(), 0);
    loop {
        let page = asked.node().rooms(&asked.app, asked.kind(), next, limit - views.len()).await?;
        seen += page.items.len();
        let public = page.items.iter().map(|detail| &detail.room).filter(|group| group.public);
        views.extend(
            public.map(
                |group| json!({ "id": group.id, "name": group.name, "groupid": group.id, "groupname": group.name }),
            ),
        );
        next = page.next;
        if next.is_none() || views.len() >= limit || seen >= MAX_SEEN {
            break;
        }
    }
    let (count, params) = (views.len(), asked.query_params(&["limit", "cursor"]));
    Ok(asked.answer(views).params(params).count(count).cursor(next.as_deref().map(cursor)).send())
}
