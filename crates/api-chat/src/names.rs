//! The shapes of names (chat-api documents: users 1 to 64 of `[a-zA-Z0-9_.-]`, without regard to case).

use stentor_core::id::{NameError, NameRule, UserId};

/// Characters of a user ID, and of the ID of a room or group.
pub(crate) const MAX_NAME: usize = 64;

/// User IDs as they are kept: in lower case.
pub const USER_NAMES: NameRule = NameRule::ascii(MAX_NAME, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

/// IDs of rooms and groups. Ours are digits; others are taken where a document says that nobody checks them.
pub const ROOM_NAMES: NameRule =
    NameRule::ascii(MAX_NAME, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

/// Parses a user ID: `Aa` and `aa` are the same user.
///
/// # Errors
/// When it is empty, longer than 64 characters, or holds a character that is not allowed.
pub fn user_id(name: &str) -> Result<UserId, NameError> {
    UserId::parse(&name.to_ascii_lowercase(), &USER_NAMES)
}

/// A user who need not be registered, nor have a possible name: a sender or receiver of messages.
#[must_use]
pub fn any_user(name: &str) -> UserId {
    user_id(name).unwrap_or_else(|_| UserId::from_trusted(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter() {
        assert_eq!(user_id("Aa").unwrap(), user_id("aA").unwrap());
        assert_eq!(user_id(&"x".repeat(64)).unwrap().as_str().len(), 64);
        assert_eq!(user_id(&"x".repeat(65)), Err(NameError::TooLong { max: 64 }));
        assert_eq!(user_id(""), Err(NameError::Empty));
        for name in ["a b", "a/b", "é", "a#b", "a\u{0}"] {
            assert_eq!(user_id(name), Err(NameError::Character), "{name:?}");
        }
    }
}
