//! The blob store as the core sees it, and blobs that no record knows: those of uploads that were killed between their
//! last byte and their record.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use stentor_core::app::App;
use stentor_core::directory::files::Blobs;
use stentor_core::node::Node;
use stentor_core::store::StoreError;
use stentor_files::{FileKey, FileStore, Listed, StoreFailure};

use crate::state::ChatState;

/// Blobs younger than this may still get their record, in milliseconds: a day, by the clock of the disk or bucket.
const YOUNG_MS: u64 = 86_400_000;

/// Blobs that are looked up at a time.
const STEP: usize = 256;

/// The blobs of one app.
#[derive(Debug)]
pub(super) struct AppBlobs {
    store: FileStore,
    /// The app's UUID.
    app: String,
}

impl AppBlobs {
    pub(super) fn new(store: FileStore, app: &str) -> Self {
        Self { store, app: app.to_owned() }
    }
}

#[async_trait]
impl Blobs for AppBlobs {
    async fn delete(&self, uuid: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.store.delete(&FileKey::new(&self.app, uuid)?).await?;
        Ok(())
    }
}

/// Deletes a blob that got no record. If that fails, it is an orphan.
pub(super) async fn discard(store: &FileStore, key: &FileKey) {
    if let Err(error) = store.delete(key).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a refused file's bytes stay until they are swept");
    }
}

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum Orphans {
    /// The blobs cannot be listed or deleted.
    #[error(transparent)]
    Blobs(#[from] StoreFailure),
    /// The records cannot be read.
    #[error(transparent)]
    Records(#[from] StoreError),
}

/// Deletes the blobs of our apps that no record knows and that are older than a day at `now_ms` (Unix time, by the
/// machine's clock). Blobs of apps that are not configured stay. Returns how many it deleted.
///
/// # Errors
/// When blobs or records cannot be read; what was deleted before is deleted.
pub async fn sweep_orphans(state: &ChatState, now_ms: u64) -> Result<usize, Orphans> {
    let store = &state.files().store;
    let old = store.list().try_filter(|blob| {
        // A thumbnail goes with its file.
        let old = !blob.is_thumbnail && blob.written_at_ms.saturating_add(YOUNG_MS) <= now_ms;
        std::future::ready(old)
    });
    let mut steps = std::pin::pin!(old.try_chunks(STEP));
    let mut deleted = 0;
    while let Some(step) = steps.next().await {
        let step = step.map_err(|error| error.1)?;
        for (chat, app) in state.apps() {
            let blobs: Vec<_> = step.iter().filter(|blob| blob.key.app() == chat.uuid()).collect();
            deleted += sweep(store, state.node(), &app, &blobs).await?;
        }
    }
    Ok(deleted)
}

async fn sweep(store: &FileStore, node: &Node, app: &Arc<App>, blobs: &[&Listed]) -> Result<usize, Orphans> {
    let uuids = blobs.iter().map(|blob| blob.key.uuid().to_owned()).collect();
    let kept = node.files_kept(app, uuids).await?;
    let mut deleted = 0;
    for (blob, _) in blobs.iter().zip(kept).filter(|(_, kept)| !kept) {
        store.delete(&blob.key).await?;
        deleted += 1;
    }
    Ok(deleted)
}
