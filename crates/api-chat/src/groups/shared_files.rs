//! `chatgroups/{group_id}/share_files…`: files that the members of a group share (group file documents).

use axum::body::Body;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::rooms::Room;
use stentor_core::directory::shared_files::{ShareError, SharedFile};
use stentor_files::FileKey;

use crate::error::ChatError;
use crate::files::{Received, keep, not_there, receive_file, refused, send};
use crate::rooms::asked::{Asked, Numbered, RoomCall};
use crate::rooms::refusals;
use crate::rooms::rights::Right;

/// Files on a page, also if nobody says how many.
const MAX_PAGE: usize = 1000;

/// Whose a file is that the backend shared: the name that it has in callbacks.
const APP_ADMIN: &str = "@ppAdmin";

/// List the shared files of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/share_files",
    operation_id = "listSharedFiles",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 1000 if it is not given"),
    ),
    responses((status = 200, description = "A page of files, the newest first", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let group = asked.room_for(Right::Member).await?;
    asked.limit_rooms()?;
    let page = Numbered::of(&asked, MAX_PAGE, MAX_PAGE);
    let found = asked.node().shared_files(&asked.app, &group.room_id(), page.skip, page.size).await?;
    let files: Vec<_> = found.iter().map(|(uuid, file)| view(uuid, file)).collect();
    Ok(asked.answer(files).params(asked.query_params(&["pagesize", "pagenum"])).send())
}

/// Share a file with a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/share_files",
    operation_id = "shareFile",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content_type = "multipart/form-data", content = serde_json::Value, description = "The part `file`"),
    responses(
        (status = 200, description = "The file's ID and URL", body = serde_json::Value),
        (status = 413, description = "The file is too large", body = serde_json::Value),
    ),
)]
pub(super) async fn share(call: RoomCall, headers: HeaderMap, body: Body) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let group = asked.room_for(Right::Member).await?;
    may_use(&asked, &group)?;
    asked.limit_rooms()?;
    let id = group.room_id();
    // Before the bytes, which cost much.
    asked.node().may_share(&asked.app, &id).await.map_err(|error| asked.refused(error))?;
    let Received { key, new, .. } = receive_file(&asked, &headers, body).await?;
    let uuid = new.uuid.clone();
    let (node, app, id_text) = (asked.node().clone(), asked.app.clone(), asked.id_text().to_owned());
    let family = asked.family;
    let sharing = async move {
        node.share_file(&app, &id, new).await.map_err(|error| match error {
            ShareError::File(error) => refused(error),
            ShareError::Group(error) => refusals::refused(family, error, &id_text),
        })
    };
    let file = keep(&asked, key, sharing).await?;
    let data = json!({
        "file_url": asked.url(&format!("{}/{uuid}", asked.path())),
        "group_id": asked.id_text(),
        "file_name": name(&uuid, file.name.as_deref()),
        "created": file.created_ms,
        "file_id": uuid,
        "file_size": file.bytes,
    });
    Ok(asked.answer(data).send())
}

/// Download a shared file
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/share_files/{file_id}",
    operation_id = "downloadSharedFile",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("file_id" = String, Path, description = "The file"),
        ("thumbnail" = Option<bool>, Header, description = "Whether the thumbnail is wanted. Also in the query"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "A range of it", content_type = "application/octet-stream"),
        (status = 404, description = "Group or file is not there", body = serde_json::Value),
    ),
)]
pub(super) async fn download(call: RoomCall, method: Method, headers: HeaderMap) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let group = asked.room_for(Right::Member).await?;
    asked.limit_rooms()?;
    let uuid = file_id(&asked);
    let key = FileKey::new(asked.chat.uuid(), &uuid).map_err(|_| not_there())?;
    let file = asked.node().find_shared_file(&asked.app, &group.room_id(), &uuid).await?;
    send(&asked, key, file.ok_or_else(not_there)?, &method, &headers).await
}

/// Delete a shared file
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/share_files/{file_id}",
    operation_id = "deleteSharedFile",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("file_id" = String, Path, description = "The file"),
    ),
    responses((status = 200, description = "The file is gone", body = serde_json::Value)),
)]
pub(super) async fn delete(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let group = asked.room_for(Right::Member).await?;
    may_use(&asked, &group)?;
    asked.limit_rooms()?;
    let (id, uuid) = (group.room_id(), file_id(&asked));
    let file = asked.node().find_shared_file(&asked.app, &id, &uuid).await?.ok_or_else(not_there)?;
    let own = asked.principal().user().is_some_and(|user| file.owner.as_deref() == Some(user.as_str()));
    if !own {
        asked.may(&group, Right::Manage).await?;
    }
    let by = asked.principal().user();
    asked.node().unshare_file(&asked.app, &id, &uuid, by).await.map_err(|error| asked.refused(error))?;
    Ok(asked.answer(json!({ "group_id": asked.id_text(), "file_id": uuid, "result": true })).send())
}

/// A user does nothing in a group that is switched off.
fn may_use(asked: &Asked, group: &Room) -> Result<(), ChatError> {
    if group.disabled && asked.principal().user().is_some() {
        return Err(refusals::disabled(&group.id));
    }
    Ok(())
}

fn file_id(asked: &Asked) -> String {
    asked.param("file_id").to_ascii_lowercase()
}

/// A file without a name is called as its ID.
fn name<'a>(uuid: &'a str, name: Option<&'a str>) -> &'a str {
    name.unwrap_or(uuid)
}

fn view(uuid: &str, file: &SharedFile) -> Value {
    json!({
        "file_id": uuid,
        "file_name": name(uuid, file.name.as_deref()),
        "file_owner": file.owner.as_deref().unwrap_or(APP_ADMIN),
        "file_size": file.bytes,
        "created": file.created_ms,
    })
}
