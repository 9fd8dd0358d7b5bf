//! The message history, an hour at a time: `GET chatmessages/{time}` answers where it can be downloaded, and the URL that
//! it names answers compressed lines of JSON (history documents).

mod download;
mod hour;
mod record;
mod url;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::app::HISTORY_DOWNLOAD_MS;
use crate::sizes::{Size, size, span};
use crate::state::ChatState;

pub(crate) use download::Downloads;

/// What is limited of the history, for `docs/limits.md`.
pub(crate) fn sizes() -> Vec<Size> {
    vec![
        size("Hours of the history that can be downloaded", format!("those of {}", span(HISTORY_DOWNLOAD_MS)), "400")
            .by(&["history_download_s"]),
        size("Downloads of the history at a time", download::AT_A_TIME, "503"),
        size("The URL of such a download is good for", span(url::VALID_S * 1000), "403"),
    ]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![routes!(url::handler), routes!(download::handler)]
}
