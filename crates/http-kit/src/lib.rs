//! What every REST dialect of Stentor shares.
//!
//! Request IDs, bounded bodies, percent-decoding, secrets, JSON replies, and one thin layer that watches a route
//! for the access log and the metrics. It knows no dialect's words and no operation of the core: what a refusal
//! looks like on the wire is the dialect's business, so everything here that can fail returns an error value.
//!
//! It is also on the path of every message, so nothing here boxes a future or allocates where it can be helped.

pub mod body;
pub mod json;
pub mod metrics;
pub mod observe;
pub mod percent;
pub mod request_id;
pub mod secret;

pub use body::{BodyError, BodyLimits, read_body};
pub use metrics::{HttpMetrics, NoMetrics, RouteMetrics};
pub use observe::{Observe, ObserveLayer};
pub use request_id::{RequestId, RequestIds};
pub use secret::Secret;
