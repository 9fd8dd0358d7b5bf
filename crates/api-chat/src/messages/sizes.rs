//! The sizes and numbers of messages, for `docs/limits.md`.

use stentor_chat_content::{MAX_CUSTOM_EXTS, MAX_DEPTH};

use super::{chatgroups, chatrooms, recall, request, roaming, roaming_deletion, users};
use crate::policy::ChatLimits;
use crate::sizes::{Size, size, span};

/// What is limited of messages.
pub(crate) fn sizes(limits: &ChatLimits) -> Vec<Size> {
    let (inbox, overload) = (limits.inbox, &limits.overload);
    let mut sizes = vec![
        size("Rooms of a message", chatrooms::MAX_ROOMS, "400"),
        size("Users of a message", users::MAX_USERS, "400"),
        size("Groups of a message", chatgroups::MAX_GROUPS, "400"),
        size("Named members of a room's message", chatrooms::MAX_USERS, "400"),
        size("Named members of a group's message", chatgroups::MAX_USERS, "400"),
        size("`roam_ignore_users`", request::MAX_HIDDEN, "400"),
        size(
            "Names of rooms, groups and senders that need not exist",
            format!("{} bytes", request::MAX_NAME_BYTES),
            "400",
        ),
        size("`customExts`", MAX_CUSTOM_EXTS, "400"),
        size("Depth of a body or `ext`", MAX_DEPTH, "400"),
        size("Messages kept per absent user", inbox.cap, "the newest replaces the oldest").by(&["inbox_messages"]),
        size("They wait for", span(inbox.retention_ms), "deleted").by(&["inbox_retention_s"]),
        size(
            "Messages into one room",
            format!("{} in 1 s", overload.room_messages_per_second),
            "while the server is busy, low ones are not delivered, then normal ones",
        )
        .by(&["room_budget_per_second"]),
        size(
            "Room messages that wait for a client",
            format!("{} or {} bytes", overload.lane_notices, overload.lane_bytes),
            "low ones go first, then normal ones",
        ),
        size("A server is busy when something waits to be written for", span(overload.busy_after_ms), "see above"),
        size("Messages in one recall", recall::MAX_MESSAGES, "400"),
        size("Roaming messages deleted at once", roaming_deletion::MAX_MESSAGES, "400"),
        size(
            "Roaming messages on a page",
            format!("{}, {} if nothing is said", roaming::MAX_PAGE, roaming::DEFAULT_PAGE),
            "so many",
        ),
    ];
    sizes.extend(
        limits
            .recalls_within_ms
            .map(|ms| size("Messages may be taken back for", span(ms), "403, clients 504").by(&["recall_within_s"])),
    );
    sizes.extend(limits.edits.map(|edits| size("Edits of a message", edits, "403, clients 500")));
    sizes.extend(limits.history.iter().flat_map(|history| {
        [
            size("Messages are kept for roaming, downloads and recalls for", span(history.retention_ms), "deleted")
                .by(&["history_retention_s"]),
            size("Messages kept for that", format!("{} bytes", history.max_bytes), "the newest replaces the oldest")
                .by(&["history_bytes"]),
        ]
    }));
    sizes.extend(limits.broadcasts.iter().flat_map(|broadcasts| {
        [
            size("Broadcasts in a second", broadcasts.per_second, "429").by(&["broadcasts_per_second"]),
            size("Broadcasts in a minute", broadcasts.per_minute, "429").by(&["broadcasts_per_minute"]),
            size("Broadcasts in a day (UTC)", broadcasts.per_day, "403").by(&["broadcasts_per_day"]),
            size("Broadcasts that wait", broadcasts.waiting, "503"),
        ]
    }));
    sizes
}
