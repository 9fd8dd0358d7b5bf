//! The content of a Chat message, as the Chat REST API, the gateways and the callbacks share it: its type, its body and
//! its extension.
//!
//! Source documents: the chat room message page (seed), and its siblings for users and groups. Nothing here knows how
//! a message is asked for or answered: a refusal is a [`ContentError`], and its text is the dialect's.
//!
//! # Text, not values
//! Body and extension are checked and kept as JSON *text*. They are delivered as they were sent: fields in the client's
//! order, those we do not know included, and numbers to the last digit. Only to build a tree of values and to write it
//! back takes as long as all that is done here (longer from some hundred bytes on), and it would need `preserve_order`
//! and `arbitrary_precision` of `serde_json`, which change the values of the whole server, and the latter breaks
//! untagged enums. The text is brought to a normal form, which [`ContentView::body`] describes; this is the form that is
//! measured, kept and delivered.
//!
//! # Limits
//! * Size: body and extension together, see [`Content::parse`]; the documents say [`MAX_BYTES`].
//! * Depth: [`MAX_DEPTH`] objects and arrays in each other. Nothing here recurses.
//! * Work: linear in the text, but for sorting the keys of an object. The caller bounds the text it parses.

mod admission;
mod content;
mod edited;
mod error;
mod fields;
mod kind;
mod news;
mod normal;
mod relations;
mod scan;
mod view;

pub use admission::AdmissionNews;
pub use content::Content;
pub use edited::Replacement;
pub use error::{ContentError, DecodeError};
pub use kind::ContentType;
pub use news::{edit_payload, read_payload, recall_payload};
pub use normal::MAX_DEPTH;
pub use relations::RelationNews;
pub use scan::{Members, Value};
pub use view::ContentView;

/// What body and extension may have together, in bytes: 5 KB (chat room message page).
pub const MAX_BYTES: usize = 5 * 1024;

/// How many pairs `customExts` may have (chat room message page).
pub const MAX_CUSTOM_EXTS: usize = 16;
