//! `GET chatmessages/{time}/file`: the lines of an hour, compressed as they are read. In memory is one page of them.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::try_unfold;
use stentor_core::app::App;
use stentor_core::id::MessageId;
use stentor_core::node::{Node, QueryError};
use stentor_core::store::HistoryPage;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::hour::Hour;
use super::record;
use super::url::check;
use crate::call::Visit;
use crate::error::ChatError;

/// Messages that are read at a time.
const PAGE: u64 = 100;

/// Downloads at a time, of all apps; one more gets 503.
pub(super) const AT_A_TIME: usize = 8;

/// The places of downloads.
#[derive(Debug, Clone)]
pub(crate) struct Downloads(Arc<Semaphore>);

impl Default for Downloads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

/// Download an hour of messages
#[utoipa::path(
    get,
    path = "/chatmessages/{time}/file",
    operation_id = "downloadMessageHistory",
    tag = "messages",
    params(
        ("time" = String, Path, description = "An hour of UTC, yyyyMMddHH", example = "2018112717"),
        ("Expires" = String, Query, description = "Of the URL that was given"),
        ("Signature" = String, Query, description = "Of the URL that was given"),
    ),
    responses((status = 200, description = "Compressed lines of JSON", content_type = "application/gzip")),
    security(()),
)]
pub(super) async fn handler(visit: Visit) -> Result<Response, ChatError> {
    let hour = Hour::of(&visit)?;
    check(&visit, &hour)?;
    let place = visit.state.downloads().0.clone().try_acquire_owned().map_err(|_| ChatError::unavailable())?;
    let name = format!("attachment; filename=\"{}.gz\"", hour.text);
    let lines = Lines {
        node: visit.node().clone(),
        app: visit.app.clone(),
        hour,
        after: None,
        packed: Some(GzEncoder::new(Vec::new(), Compression::fast())),
        _place: place,
    };
    let pieces = try_unfold(lines, async |lines| {
        lines.next().await.inspect_err(|error| {
            // It ends early then, and the client knows by the missing end.
            tracing::warn!(error = error as &dyn std::error::Error, "a download of the history broke off");
        })
    });
    let response = Response::builder()
        .header(CONTENT_TYPE, "application/gzip")
        .header(CONTENT_DISPOSITION, name)
        .header(CACHE_CONTROL, "private");
    response.body(Body::from_stream(pieces)).map_err(|_| ChatError::internal())
}

/// Where a download is.
struct Lines {
    node: Node,
    app: Arc<App>,
    hour: Hour,
    after: Option<MessageId>,
    /// `None` when all of it is written.
    packed: Option<GzEncoder<Vec<u8>>>,
    _place: OwnedSemaphorePermit,
}

/// Why a download ends early.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("cannot be compressed")]
    Compression(#[from] std::io::Error),
}

impl Lines {
    /// The next piece; `None` at the end. Pages that compress to nothing yet are not handed on.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BrokenOff> {
        while let Some(mut packed) = self.packed.take() {
            let page = HistoryPage { offset: 0, limit: PAGE, newest_first: false };
            let messages = self.node.history(&self.app, &self.hour.filter(self.after), page).await?;
            let mut lines = Vec::new();
            messages.iter().for_each(|message| record::append(message, &mut lines));
            packed.write_all(&lines)?;
            let piece = match messages.last() {
                Some(last) => {
                    self.after = Some(last.id);
                    let piece = std::mem::take(packed.get_mut());
                    self.packed = Some(packed);
                    piece
                }
                None => packed.finish()?,
            };
            if !piece.is_empty() {
                return Ok(Some((piece.into(), self)));
            }
        }
        Ok(None)
    }
}

/// Why the history cannot be read.
pub(super) fn lines_error(error: QueryError) -> ChatError {
    match error {
        QueryError::Store(error) => error.into(),
        // The app's features were looked at before.
        QueryError::NoHistory | QueryError::Limited(_) => ChatError::internal(),
    }
}
