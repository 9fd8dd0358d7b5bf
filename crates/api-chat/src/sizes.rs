//! Sizes and numbers, for `docs/limits.md`: each family says its own, from the constants and the policy it works with.

use std::fmt::Display;

use stentor_chat_content::MAX_BYTES;

use crate::app::RoomSizes;
use crate::policy::ChatLimits;
use crate::state::MAX_BODY_BYTES;

/// A size or number, and what happens beyond it.
#[derive(Debug, Clone)]
pub struct Size {
    /// What is limited.
    pub what: &'static str,
    /// The limit, with its unit.
    pub limit: String,
    /// What happens beyond it.
    pub beyond: &'static str,
    /// The keys of `[apps.chat]`, or `section.key` of another, that change it; empty if nothing does.
    pub keys: &'static [&'static str],
}

/// One that is fixed.
pub(crate) fn size(what: &'static str, limit: impl Display, beyond: &'static str) -> Size {
    Size { what, limit: limit.to_string(), beyond, keys: &[] }
}

impl Size {
    /// The same, changed by configuration.
    pub(crate) fn by(self, keys: &'static [&'static str]) -> Self {
        Self { keys, ..self }
    }
}

/// Milliseconds as days, hours, minutes or seconds.
pub(crate) fn span(ms: u64) -> String {
    let (count, unit) = match ms {
        _ if ms >= 86_400_000 && ms.is_multiple_of(86_400_000) => (ms / 86_400_000, "days"),
        _ if ms >= 60_000 && ms.is_multiple_of(60_000) => (ms / 60_000, "minutes"),
        _ if ms.is_multiple_of(1000) => (ms / 1000, "s"),
        _ => (ms, "ms"),
    };
    format!("{count} {unit}")
}

/// Every size and number of this dialect, with its defaults.
#[must_use]
pub fn sizes() -> Vec<Size> {
    let (limits, rooms) = (ChatLimits::default(), RoomSizes::default());
    let mut sizes = vec![
        size("Request body, apart from files", format!("{MAX_BODY_BYTES} bytes"), "413"),
        size(
            "Body and `ext` of a message",
            format!("{MAX_BYTES} bytes of both, as they are delivered"),
            "400, clients 510",
        ),
    ];
    sizes.extend(crate::messages::sizes(&limits));
    sizes.extend(crate::token::sizes());
    sizes.extend(crate::users::sizes(&limits));
    sizes.extend(crate::relations::sizes(&limits));
    sizes.extend(crate::metadata::sizes(&limits));
    sizes.extend(crate::presence::sizes(&limits));
    sizes.extend(crate::mutes::sizes());
    sizes.extend(crate::push::sizes());
    sizes.extend(crate::rooms::sizes(&limits, rooms));
    sizes.extend(crate::groups::sizes());
    sizes.extend(crate::files::sizes(&limits));
    sizes.extend(crate::history::sizes());
    sizes.extend(crate::callbacks::sizes());
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_there_once_and_says_what_happens() {
        let mut seen = std::collections::BTreeSet::new();
        for size in sizes() {
            assert!(seen.insert(size.what), "{} stands there twice", size.what);
            assert!(!size.limit.is_empty() && !size.beyond.is_empty(), "{}", size.what);
        }
        assert_eq!(
            (span(7 * 86_400_000), span(120_000), span(5000), span(50)),
            ("7 days".to_owned(), "2 minutes".to_owned(), "5 s".to_owned(), "50 ms".to_owned())
        );
    }
}
