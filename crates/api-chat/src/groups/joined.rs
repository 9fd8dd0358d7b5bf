//! The groups that a user is in: `users/{username}/joined_chatgroups`, `chatgroups/user/{username}`, how many they are, and
//! whether it is in one: `chatgroups/{group_id}/user/{username}/is_joined`.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::members::Role;
use stentor_core::directory::rooms::{Room, RoomDetail};
use stentor_core::id::{RoomId, UserId};

use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::joined::joined;
use crate::rooms::rights::Right;

/// Groups on a page of `joined_chatgroups`.
const MAX_PAGE: usize = 1000;
/// Groups when nothing is said about pages.
const UNPAGED: usize = 500;
/// Groups on a page of `chatgroups/user`.
pub(super) const MAX_SHORT_PAGE: usize = 20;
/// The same when nobody says how many.
pub(super) const SHORT_PAGE: usize = 5;

/// List the groups that a user is in
#[utoipa::path(
    get,
    path = "/users/{username}/joined_chatgroups",
    operation_id = "listJoinedGroups",
    tag = "groups",
    params(
        ("username" = String, Path, description = "The user"),
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 1000 if it is not given"),
    ),
    responses((status = 200, description = "A page of groups", body = serde_json::Value)),
)]
pub(super) async fn of_user(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let groups = joined(&asked, MAX_PAGE, UNPAGED, ChatRule::GroupLists).await?;
    let view = |group: &Room| json!({ "groupid": group.id, "groupname": group.name, "disabled": group.disabled });
    let views: Vec<_> = groups.iter().map(view).collect();
    Ok(asked.answer(views).params(asked.query_params(&["pagenum", "pagesize"])).count(groups.len()).send())
}

/// List the groups that a user is in, with what is known of them
#[utoipa::path(
    get,
    path = "/chatgroups/user/{username}",
    operation_id = "listJoinedGroupDetails",
    tag = "groups",
    params(
        ("username" = String, Path, description = "The user"),
        ("pagenum" = Option<u32>, Query, description = "From 0"),
        ("pagesize" = Option<u32>, Query, description = "1 to 20; 5 if it is not given"),
        ("needAffiliations" = Option<bool>, Query, description = "With the number of members"),
        ("needRole" = Option<bool>, Query, description = "With what the user is in each"),
    ),
    responses((status = 200, description = "A page of groups", body = serde_json::Value)),
)]
pub(super) async fn details(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let user = asked.user_param("username")?;
    asked.app_or(&user)?;
    asked.limit(ChatRule::GroupLists)?;
    asked.node().user(&asked.app, &user).await?;
    let size = asked.query_number("pagesize", SHORT_PAGE, MAX_SHORT_PAGE);
    let skip = asked.query_number("pagenum", 0, usize::MAX).saturating_mul(size);
    let groups = asked.node().joined_rooms(&asked.app, asked.kind(), &user, skip, size).await?;
    let total = asked.node().joined_count(&asked.app, asked.kind(), &user).await?;
    let views = views(&asked, &user, &groups).await?;
    let count = views.len();
    let reply = asked.reply().entities(views).params(asked.query_params(&["pagenum", "pagesize"]));
    Ok(reply.count(count).total(total).send())
}

async fn views(asked: &Asked, user: &UserId, groups: &[Room]) -> Result<Vec<Value>, ChatError> {
    let wants = |name| asked.query(name).is_some_and(|text| text == "true");
    let ids: Vec<RoomId> = groups.iter().map(Room::room_id).collect();
    let found = asked.node().room_details(&asked.app, asked.kind(), &ids).await?;
    let mut views = Vec::with_capacity(groups.len());
    for RoomDetail { room, members } in found.into_iter().flatten() {
        let mut view = json!({
            "id": room.id,
            "groupId": room.id,
            "name": room.name,
            "avatar": room.avatar,
            "owner": room.owner,
            "description": room.description,
            "disabled": room.disabled,
            "public": room.public,
            "allowinvites": room.allow_invites,
            "membersonly": room.members_only,
            "maxusers": room.max_users,
            "created": room.created_ms,
        });
        if wants("needAffiliations") {
            view["affiliationsCount"] = json!(members);
        }
        if wants("needRole") {
            let member = asked.node().find_member(&asked.app, &room.room_id(), user).await?;
            view["permission"] = json!(member.map_or("member", |member| role(member.role)));
        }
        views.push(view);
    }
    Ok(views)
}

/// Count the groups that a user is in
#[utoipa::path(
    get,
    path = "/chatgroups/user/{username}/joined_count",
    operation_id = "countJoinedGroups",
    tag = "groups",
    params(("username" = String, Path, description = "The user")),
    responses((status = 200, description = "How many they are", body = serde_json::Value)),
)]
pub(super) async fn count(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let user = asked.user_param("username")?;
    asked.app_or(&user)?;
    asked.limit(ChatRule::GroupLists)?;
    asked.node().user(&asked.app, &user).await?;
    let count = asked.node().joined_count(&asked.app, asked.kind(), &user).await?;
    Ok(asked.answer(count).send())
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

/// Say whether a user is in a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/user/{username}/is_joined",
    operation_id = "isGroupJoined",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("username" = String, Path, description = "The user"),
    ),
    responses((status = 200, description = "Whether the user is in it", body = serde_json::Value)),
)]
pub(super) async fn is_joined(call: RoomCall) -> Result<Response, ChatError> {
    in_group(call).await
}

/// Say whether a user is in a group: the same by another method
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/user/{username}/is_joined",
    operation_id = "isGroupJoinedByPost",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("username" = String, Path, description = "The user"),
    ),
    responses((status = 200, description = "Whether the user is in it", body = serde_json::Value)),
)]
pub(super) async fn is_joined_post(call: RoomCall) -> Result<Response, ChatError> {
    in_group(call).await
}

/// Who is not there, or is asked about a group that is not there, is not in it.
async fn in_group(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let (user, group) = (user_id(asked.param("username")), asked.room_id());
    if let (Some(own), Ok(user)) = (asked.principal().user(), &user)
        && own != user
    {
        asked.room_for(Right::Member).await?;
    }
    asked.limit_rooms()?;
    let joined = match (user, group) {
        (Ok(user), Ok(group)) => {
            asked.node().find_room(&asked.app, asked.kind(), &group).await?.is_some()
                && asked.node().is_member(&asked.app, &group, &user).await?
        }
        _ => false,
    };
    Ok(asked.reply().data(joined).send())
}
