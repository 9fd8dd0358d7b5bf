//! The message history, an hour at a time: `GET chatmessages/{time}` answers where it can be downloaded, and the URL that
//! it names answers compressed lines of JSON (history documents).

mod download;
mod hour;
mod record;
mod url;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::state::ChatState;

pub(crate) use download::Downloads;

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![routes!(url::handler), routes!(download::handler)]
}
