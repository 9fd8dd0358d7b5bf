//! The sizes and numbers of rooms and groups, for `docs/limits.md`.

use stentor_core::directory::members::MAX_ADMINS;
use stentor_core::directory::room_attributes::MAX_ATTRIBUTES;

use super::{allow_list, announcement, blocks, fields, joined, list, members, metadata, mutes, room, super_admin};
use crate::app::RoomSizes;
use crate::policy::ChatLimits;
use crate::sizes::{Size, size, span};

/// What is limited of rooms and groups.
pub(crate) fn sizes(limits: &ChatLimits, rooms: RoomSizes) -> Vec<Size> {
    let characters = |count: usize| format!("{count} characters");
    let mut sizes = vec![
        size("Members of a room", rooms.room_users, "403").by(&["room_users"]),
        size("Members of a room whose creator does not say", rooms.room_users_default, "403")
            .by(&["room_users_default"]),
        size("Members of a group", rooms.group_users, "403").by(&["group_users"]),
        size("Members of a group whose creator does not say", rooms.group_users_default, "403")
            .by(&["group_users_default"]),
    ];
    sizes.extend(limits.rooms.registered.iter().flat_map(|registered| {
        [
            size("Rooms of an app", registered.rooms, "403").by(&["rooms"]),
            size("Groups of an app", registered.groups, "403").by(&["groups"]),
            size("Rooms that a user is in", registered.rooms_per_user, "403, clients 4").by(&["rooms_per_user"]),
            size("Groups that a user is in", registered.groups_per_user, "403").by(&["groups_per_user"]),
        ]
    }));
    sizes.extend([
        size("Name of a room or group", characters(fields::MAX_NAME), "403"),
        size("Description of a room or group", characters(fields::MAX_DESCRIPTION), "403"),
        size("`custom` of a room", characters(fields::MAX_CUSTOM_OF_ROOM), "403"),
        size("`custom` of a group", characters(fields::MAX_CUSTOM_OF_GROUP), "403"),
        size("`avatar` of a group", characters(fields::MAX_AVATAR), "400"),
        size("Announcement", characters(announcement::MAX_CHARACTERS), "403"),
        size("Rooms or groups in one question", room::MAX_ROOMS, "400"),
        size("Members in the details of rooms and groups", room::MAX_AFFILIATIONS, "left out; they are counted"),
        size(
            "Rooms or groups on a page",
            format!("{}, {} if nothing is said", list::MAX_LIMIT, list::DEFAULT_LIMIT),
            "so many",
        ),
        size(
            "Joined rooms or groups on a page",
            format!("{}, {} without pages", joined::MAX_PAGE, joined::UNPAGED),
            "so many",
        ),
        size("Rooms or groups that pages by number go over", list::MAX_SKIPPED, "empty pages; go by cursor"),
        size("Members on a page", members::MAX_PAGE, "so many"),
        size("Members brought in at once", members::MAX_ADDED, "400"),
        size("Members of a room put out at once", members::MAX_REMOVED_OF_ROOM, "400"),
        size("Members of a group put out at once", members::MAX_REMOVED_OF_GROUP, "400"),
        size("Members muted at once, or no more", mutes::MAX_USERS, "400"),
        size("Users kept out at once, or no more", blocks::MAX_USERS, "400"),
        size("Members allowed at once, or no more", allow_list::MAX_USERS, "400"),
        size("Muted members in the list", mutes::MAX_LISTED, "so many"),
        size("Users kept out on a page of the list", blocks::MAX_LISTED, "so many"),
        size("Allowed members in the list", allow_list::MAX_LISTED, "so many"),
        size("Admins", MAX_ADMINS, "403"),
        size("Super admins in the list", super_admin::MAX_LISTED, "so many"),
        size("Attributes of a room", MAX_ATTRIBUTES, "in `errorKeys`"),
        size("Attributes of a room in one request", metadata::MAX_BATCH, "400"),
        size("Key of a room's attribute", characters(metadata::MAX_KEY), "in `errorKeys`"),
        size("Value of a room's attribute", characters(metadata::MAX_VALUE), "in `errorKeys`"),
        size("A client that is away keeps its places in rooms for", span(limits.sessions.grace_ms), "it leaves them")
            .by(&["room_stay_ms"]),
        size("A connected client is not heard of for", span(limits.sessions.silence_ms), "its session ends"),
        size(
            "Members up to which clients are told of each who comes or goes",
            limits.rooms.member_notices_up_to,
            "not told",
        ),
        size(
            "Room messages replayed to a client that comes back, and remembered by a room",
            format!("{} or {} bytes", limits.rooms.replayed, limits.rooms.replayed_bytes),
            "JSON clients are told how many more there were",
        )
        .by(&["room_replay"]),
        size(
            "Room messages remembered by all rooms",
            format!("{} bytes", limits.rooms.replayed_bytes_of_all),
            "each room remembers 32",
        ),
    ]);
    sizes
}
