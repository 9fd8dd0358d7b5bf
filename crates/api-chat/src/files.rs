//! Files: one file per endpoint, and what they are made of. The bytes are in the blob store of `stentor-files`, the
//! records in the core's directory.

mod blobs;
mod download;
mod form;
mod paced;
mod refusal;
mod secret;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use stentor_core::app::App;
use stentor_core::node::Node;
use stentor_files::thumbnail::ThumbnailOptions;
use stentor_files::{FileStore, Thumbnails};
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::app::ChatApp;
use crate::policy::ChatLimits;
use crate::sizes::{Size, size, span};
use crate::state::ChatState;

pub use blobs::{Orphans, sweep_orphans};
pub(crate) use download::send;
pub(crate) use refusal::not_there;
pub(crate) use upload::{Received, keep, receive_file, refused};

/// What is limited of files, for `docs/limits.md`.
pub(crate) fn sizes(limits: &ChatLimits) -> Vec<Size> {
    let (files, thumbnails) = (limits.directory.files, ThumbnailOptions::default());
    let (pixels, million) = (thumbnails.decode.max_pixels, 1_000_000);
    let largest = format!("{} million pixels, {} bytes", pixels / million, thumbnails.max_file_bytes);
    let edge = upload::MAX_THUMBNAIL_PIXELS;
    let thumbnail = format!("{edge} by {edge} pixels, {} if nothing is said", upload::THUMBNAIL_PIXELS);
    vec![
        size("Uploaded file", format!("{} bytes", files.file_bytes), "413").by(&["file_bytes"]),
        size("Files of an app", format!("{} bytes", files.files_bytes), "403").by(&["files_bytes"]),
        size("Files are kept for", span(files.retention_ms), "404").by(&["file_retention_s"]),
        size("Parts of an upload's form", form::MAX_PARTS, "400"),
        size("An upload brings at least", format!("{} bytes in 1 s, in the long run", paced::SLOWEST), "408"),
        size("Thumbnail", thumbnail, "smaller"),
        size("Picture with a thumbnail", largest, "sent itself"),
        size(
            "Thumbnails that are made, and that wait for it",
            format!("{} and {}", thumbnails.at_a_time, thumbnails.waiting),
            "503",
        ),
    ]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![routes!(upload::handler), routes!(download::handler)]
}

/// Where the bytes of files are, and how uploads are read.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) store: FileStore,
    pub(crate) thumbnails: Thumbnails,
    /// An upload that brings nothing for so long is given up.
    pub(crate) idle_timeout: Duration,
}

impl Files {
    pub(crate) fn new(store: FileStore, idle_timeout: Duration) -> Self {
        let thumbnails = Thumbnails::new(store.clone(), ThumbnailOptions::default());
        Self { store, thumbnails, idle_timeout }
    }

    /// Tells the core where an app's files are, so that expired ones go.
    pub(crate) fn keep(&self, node: &Node, app: &Arc<App>, chat: &ChatApp) {
        if !node.keep_files_in(app, Arc::new(blobs::AppBlobs::new(self.store.clone(), chat.uuid()))) {
            tracing::debug!(app = %app.id(), "the place of the files was set before");
        }
    }
}
