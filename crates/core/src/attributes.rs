//! Attributes of users and rooms: small key-value pairs that live as long as their owner is there.

use crate::id::UserId;

/// One attribute of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomAttribute {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Who wrote it last.
    pub updated_by: UserId,
    /// When it was written last: Unix time in milliseconds.
    pub updated_at_ms: u64,
}

/// A change of the attributes of a user or a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeChange {
    /// These and no others.
    Replace(Vec<(String, String)>),
    /// Add these, or overwrite those of the same key.
    Update(Vec<(String, String)>),
    /// Delete the ones with these keys.
    Delete(Vec<String>),
    /// Delete all.
    Clear,
}

/// The limits of attributes (RTM attribute documents).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeLimits {
    /// Bytes of one key.
    pub key_bytes: usize,
    /// Bytes of one value.
    pub value_bytes: usize,
    /// Entries of one owner.
    pub entries: usize,
    /// Keys and values of one owner together, in bytes.
    pub total_bytes: usize,
}
