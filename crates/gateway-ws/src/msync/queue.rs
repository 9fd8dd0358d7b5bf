//! Queues: what a client has not got yet of one conversation. Each is named by the other side of the conversation, as an
//! address: the user, or the group.

use stentor_core::id::RoomId;
use stentor_core::message::{Message, Target};
use stentor_msync::{CONFERENCES, Jid, USERS};

/// The name of the queue that a message stands in, for the sender's own clients or for all others. Clients tell queues
/// apart by their names alone, and so do we: a user who is called like a group shares its queue.
pub(crate) fn of(message: &Message, own: bool) -> &str {
    match &message.to {
        Target::User(to) if own => to.as_str(),
        Target::User(_) => message.from.as_str(),
        Target::Group(room) | Target::Room(room) => room.as_str(),
    }
}

/// The address of the queue of a message.
pub(super) fn address(app: &str, message: &Message, own: bool) -> Jid {
    let domain = if matches!(message.to, Target::User(_)) { USERS } else { CONFERENCES };
    jid(app, of(message, own), domain)
}

/// The address of a user.
pub(super) fn user(app: &str, name: &str) -> Jid {
    jid(app, name, USERS)
}

/// The address of a room or group.
pub(super) fn room(app: &str, room: &RoomId) -> Jid {
    jid(app, room.as_str(), CONFERENCES)
}

fn jid(app: &str, name: &str, domain: &str) -> Jid {
    Jid {
        app_key: Some(app.to_owned()),
        name: Some(name.to_owned()),
        domain: Some(domain.to_owned()),
        client_resource: None,
    }
}
