//! `GET chatfiles/{uuid}`: a file, a range of it, or its thumbnail (file download documents).

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_RANGE, RANGE,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::Response;
use futures_util::TryStreamExt;
use stentor_core::directory::files::File;
use stentor_files::content::{GUARDS, disposition};
use stentor_files::range::{Selection, content_range, select};
use stentor_files::thumbnail::Bounds;
use stentor_files::{FileKey, GetError, StoreFailure, Thumbnail, ThumbnailError};

use super::refusal::{expired, no_such_range, not_there};
use super::secret;
use crate::auth::{authenticate, bearer};
use crate::call::Visit;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Download a file
#[utoipa::path(
    get,
    path = "/chatfiles/{uuid}",
    operation_id = "downloadFile",
    tag = "files",
    params(
        ("uuid" = String, Path, description = "The file's UUID"),
        ("share-secret" = Option<String>, Header, description = "Of a file with restricted access. Also in the query"),
        ("thumbnail" = Option<bool>, Header, description = "Whether the thumbnail is wanted. Also in the query"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "A range of it", content_type = "application/octet-stream"),
        (status = 404, description = "It is not there, or has expired", body = serde_json::Value),
        (status = 416, description = "The range begins behind it", body = serde_json::Value),
    ),
    security((), ("bearer" = [])),
)]
pub(super) async fn handler(visit: Visit, method: Method, headers: HeaderMap) -> Result<Response, ChatError> {
    visit.limit(ChatRule::FileDownloads)?;
    // Nobody needs a token, but a bad one is refused, as in the documents' example.
    if headers.contains_key(AUTHORIZATION) {
        authenticate(&visit.state, &visit.chat, &visit.app, bearer(&headers)?).await?;
    }
    let uuid = visit.param("uuid").to_ascii_lowercase();
    let key = FileKey::new(visit.chat.uuid(), &uuid).map_err(|_| not_there())?;
    // A group's files are found in the group only.
    let file = visit.node().find_file(&visit.app, &uuid).await?.filter(|file| file.group.is_none());
    let file = file.ok_or_else(not_there)?;
    may_read(&visit, &headers, &file)?;
    send(&visit, key, file, &method, &headers).await
}

/// Sends a file that may be read: all of it, a range, or its thumbnail.
pub(crate) async fn send(
    visit: &Visit,
    key: FileKey,
    file: File,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, ChatError> {
    if file.has_expired(visit.now_ms()) {
        return Err(expired(key.uuid()));
    }
    let wanted = Wanted { visit, key, file, head_only: *method == Method::HEAD, headers };
    let thumbnail = option(visit, headers, "thumbnail").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    match if thumbnail { wanted.thumbnail().await? } else { None } {
        Some(thumbnail) => wanted.send_thumbnail(thumbnail),
        None => wanted.send_file().await,
    }
}

/// A header, or the same in the query.
fn option(visit: &Visit, headers: &HeaderMap, name: &'static str) -> Option<String> {
    let header = headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok());
    header.map(str::to_owned).or_else(|| visit.query(name))
}

fn may_read(visit: &Visit, headers: &HeaderMap, file: &File) -> Result<(), ChatError> {
    let Some(digest) = &file.secret_digest else { return Ok(()) };
    let presented = option(visit, headers, "share-secret");
    if secret::opens(digest, presented.as_deref()) { Ok(()) } else { Err(ChatError::oauth()) }
}

/// A file that may be read.
struct Wanted<'a> {
    visit: &'a Visit,
    key: FileKey,
    file: File,
    head_only: bool,
    headers: &'a HeaderMap,
}

impl Wanted<'_> {
    /// `None` for what has no thumbnail: then the file itself is sent (ours).
    async fn thumbnail(&self) -> Result<Option<Thumbnail>, ChatError> {
        let bounds = Bounds::new(self.file.thumbnail_width, self.file.thumbnail_height);
        match self.visit.state.files().thumbnails.get(&self.key, bounds).await {
            Ok(thumbnail) => Ok(Some(thumbnail)),
            Err(ThumbnailError::None(_)) => Ok(None),
            Err(ThumbnailError::NotFound) => Err(not_there()),
            Err(ThumbnailError::Busy) => Err(ChatError::unavailable()),
            Err(ThumbnailError::Store(failure)) => Err(failed(&failure)),
        }
    }

    fn send_thumbnail(&self, thumbnail: Thumbnail) -> Result<Response, ChatError> {
        let size = thumbnail.bytes.len() as u64;
        let tag = format!("\"{}-thumbnail\"", self.key.uuid());
        let (start, body) = match self.select(&tag, size) {
            Selection::Unsatisfiable => return Ok(no_such_range(size)),
            Selection::Whole => (self.start(&tag, thumbnail.content_type, size), thumbnail.bytes),
            Selection::Part(part) => {
                let start = self.start(&tag, thumbnail.content_type, part.end - part.start);
                let ends = |end: u64| usize::try_from(end).unwrap_or(usize::MAX).min(thumbnail.bytes.len());
                let bytes = thumbnail.bytes.slice(ends(part.start)..ends(part.end));
                (partial(start, &content_range(&part, size)), bytes)
            }
        };
        end(start, if self.head_only { Body::empty() } else { Body::from(body) })
    }

    async fn send_file(&self) -> Result<Response, ChatError> {
        let size = self.file.bytes;
        let tag = format!("\"{}\"", self.key.uuid());
        let selection = self.select(&tag, size);
        if selection == Selection::Unsatisfiable {
            return Ok(no_such_range(size));
        }
        let content_type = &self.file.content_type;
        if self.head_only {
            let there = self.visit.state.files().store.size(&self.key).await.map_err(not_read)?;
            return end(self.start(&tag, content_type, there), Body::empty());
        }
        let range = if let Selection::Part(part) = &selection { Some(part.clone()) } else { None };
        let blob = self.visit.state.files().store.get(&self.key, range).await.map_err(not_read)?;
        let start = self.start(&tag, content_type, blob.range.end - blob.range.start);
        let start = match selection {
            Selection::Part(_) => partial(start, &content_range(&blob.range, blob.size)),
            _ => start,
        };
        // It ends early then, and the client knows by the length.
        let body = blob.body.inspect_err(|failure| {
            tracing::warn!(error = failure as &dyn std::error::Error, "a download broke off");
        });
        end(start, Body::from_stream(body))
    }

    /// Which bytes to send. A range of another version than ours is not wanted; a file has one version.
    fn select(&self, tag: &str, size: u64) -> Selection {
        let same = self.headers.get(IF_RANGE).is_none_or(|wanted| wanted.as_bytes() == tag.as_bytes());
        let range = self.headers.get(RANGE).filter(|_| same && !self.head_only);
        select(range.and_then(|range| range.to_str().ok()), size)
    }

    fn start(&self, tag: &str, content_type: &str, length: u64) -> Builder {
        let start = Response::builder()
            .header(CONTENT_TYPE, content_type)
            .header(CONTENT_LENGTH, length)
            .header(CONTENT_DISPOSITION, disposition(content_type, self.file.name.as_deref()))
            .header(ACCEPT_RANGES, "bytes")
            .header(ETAG, tag)
            .header(CACHE_CONTROL, "private");
        GUARDS.into_iter().fold(start, |start, (name, value)| start.header(name, value))
    }
}

fn partial(start: Builder, content_range: &str) -> Builder {
    start.status(StatusCode::PARTIAL_CONTENT).header(CONTENT_RANGE, content_range)
}

fn end(start: Builder, body: Body) -> Result<Response, ChatError> {
    start.body(body).map_err(|error| {
        tracing::error!(%error, "the headers of a download cannot be written");
        ChatError::internal()
    })
}

fn not_read(error: GetError) -> ChatError {
    match error {
        // The bytes are not there, or fewer than were written.
        GetError::NotFound | GetError::OutOfRange { .. } => not_there(),
        GetError::Store(failure) => failed(&failure),
    }
}

fn failed(failure: &StoreFailure) -> ChatError {
    tracing::error!(error = failure as &dyn std::error::Error, "a file could not be read");
    ChatError::internal()
}
