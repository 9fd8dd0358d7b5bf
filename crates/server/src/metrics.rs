//! What is measured: the core's registry, and beside it HTTP, the gateway, the store, the sockets and the process.
//! Every name is listed in `docs/operations.md`, which a test compares with the page.

mod figures;
mod http;
mod process;
mod readings;

use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

pub(crate) use figures::register_figures;
pub(crate) use http::HttpCounters;

/// The media type of the page.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every metric starts with this.
pub(crate) const PREFIX: &str = "stentor";

/// The page `/metrics`. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Page(Arc<Mutex<Registry>>);

impl Page {
    /// A page of what is registered.
    pub(crate) fn new(registry: Registry) -> Self {
        Self(Arc::new(Mutex::new(registry)))
    }

    /// Everything as it is now.
    pub(crate) fn render(&self) -> String {
        let mut page = String::with_capacity(16 * 1024);
        if text::encode(&mut page, &self.0.lock()).is_err() {
            // Writing to a string does not fail; a collector that fails leaves its part out.
            tracing::warn!("the metrics page is incomplete");
        }
        page
    }
}
