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
use crate::state::ChatState;

pub use blobs::{Orphans, sweep_orphans};
pub(crate) use download::send;
pub(crate) use refusal::not_there;
pub(crate) use upload::{Received, keep, receive_file, refused};

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
