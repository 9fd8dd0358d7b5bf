//! `POST chatfiles`: takes a file (file upload documents).

use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use stentor_core::directory::files::{File, FileError, NewFile};
use stentor_files::{FileKey, content};

use super::form::{Room, receive};
use super::refusal::quota_used_up;
use super::{blobs, secret};
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// The width and height of a thumbnail whose upload says nothing else, in pixels (file upload documents).
pub(super) const THUMBNAIL_PIXELS: u32 = 170;

/// The largest thumbnail that is made, in pixels; ours.
pub(super) const MAX_THUMBNAIL_PIXELS: u32 = 1024;

/// The path, which is also the URL that files are named under: clients put `/` and the UUID behind it.
const PATH: &str = "/chatfiles";

/// Upload a file
#[utoipa::path(
    post,
    path = "/chatfiles",
    operation_id = "uploadFile",
    tag = "files",
    params(
        ("restrict-access" = Option<bool>, Header, description = "Whether readers need the share-secret"),
        ("thumbnail-width" = Option<u32>, Header, description = "Pixels; 170 by default. Also as a field of the form"),
        ("thumbnail-height" = Option<u32>, Header, description = "Pixels; 170 by default. Also as a field of the form"),
    ),
    request_body(content_type = "multipart/form-data", content = serde_json::Value, description = "The part `file`"),
    responses(
        (status = 200, description = "The file's UUID, and its share-secret if it has one", body = serde_json::Value),
        (status = 413, description = "The file is too large", body = serde_json::Value),
    ),
)]
pub(super) async fn handler(call: Call, headers: HeaderMap, body: Body) -> Result<Response, ChatError> {
    call.limit(ChatRule::FileUploads)?;
    let Received { key, new, restrict_access } = receive_file(&call, &headers, body).await?;
    let share_secret = restrict_access.then(secret::share_secret).transpose();
    let share_secret = match share_secret {
        Ok(secret) => secret,
        Err(error) => {
            blobs::discard(&call.state.files().store, &key).await;
            return Err(error);
        }
    };
    let (uuid, new) = (new.uuid.clone(), NewFile { secret_digest: share_secret.as_deref().map(secret::digest), ..new });
    let (node, app) = (call.node().clone(), call.app.clone());
    keep(&call, key, async move { node.add_file(&app, new).await.map_err(refused) }).await?;
    let mut entity = json!({ "uuid": uuid, "type": "chatfile" });
    if let Some(secret) = share_secret {
        entity["share-secret"] = secret.into();
    }
    Ok(call.reply().path(PATH).uri(call.url(PATH)).entities(vec![entity]).send())
}

/// A file whose bytes are kept, and that has no record yet.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) key: FileKey,
    /// Without a secret.
    pub(crate) new: NewFile,
    /// Whether its readers shall need one.
    pub(crate) restrict_access: bool,
}

/// Takes the bytes of an upload.
pub(crate) async fn receive_file(call: &Call, headers: &HeaderMap, body: Body) -> Result<Received, ChatError> {
    let uuid = secret::uuid()?;
    let key = FileKey::new(call.chat.uuid(), &uuid).map_err(|_| ChatError::internal())?;
    let policy = call.app.policy().directory.files;
    let quota = policy.files_bytes.saturating_sub(call.node().file_bytes(&call.app).await?);
    if quota == 0 && policy.file_bytes > 0 {
        return Err(quota_used_up());
    }
    let room = Room { file: policy.file_bytes, quota };
    let uploaded = receive(call.state.files(), &key, headers, body, room).await?;
    let pixels = |wanted: Option<u32>| wanted.unwrap_or(THUMBNAIL_PIXELS).clamp(1, MAX_THUMBNAIL_PIXELS);
    let new = NewFile {
        uuid,
        bytes: uploaded.stored.size,
        content_type: content::served_type(&uploaded.stored.head, uploaded.content_type.as_deref()).to_owned(),
        name: uploaded.name,
        thumbnail: (pixels(uploaded.fields.thumbnail_width), pixels(uploaded.fields.thumbnail_height)),
        owner: call.principal().user().map(|user| user.as_str().to_owned()),
        ..NewFile::default()
    };
    Ok(Received { key, new, restrict_access: uploaded.fields.restrict_access })
}

/// Writes the record, or takes the bytes back; also when the client has gone meanwhile.
pub(crate) async fn keep(
    call: &Call,
    key: FileKey,
    recording: impl Future<Output = Result<File, ChatError>> + Send + 'static,
) -> Result<File, ChatError> {
    let store = call.state.files().store.clone();
    let recording = tokio::spawn(async move {
        let recorded = recording.await;
        if recorded.is_err() {
            blobs::discard(&store, &key).await;
        }
        recorded
    });
    recording.await.unwrap_or_else(|_panicked| Err(ChatError::internal()))
}

pub(crate) fn refused(error: FileError) -> ChatError {
    match error {
        FileError::QuotaUsedUp { .. } => quota_used_up(),
        FileError::Store(error) => error.into(),
    }
}
