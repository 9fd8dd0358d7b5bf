//! Why content is refused.

/// Why a message's content is refused. Carries nothing of the content, so it is safe to log and to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ContentError {
    /// No `type`, or `null` or `""`.
    #[error("type is missing")]
    TypeMissing,
    /// A `type` that is none of the eight, or no text.
    #[error("type is unknown")]
    TypeUnknown,
    /// No body, or `null` or `{}`.
    #[error("body is missing")]
    BodyMissing,
    /// A body that is no object.
    #[error("body is no object")]
    BodyNotObject,
    /// A field that the type requires is missing or `null`.
    #[error("{0} is missing")]
    FieldMissing(&'static str),
    /// A field of another JSON type than the documents give it.
    #[error("{0} is of the wrong type")]
    FieldWrong(&'static str),
    /// `customEvent` is not 1 to 32 of `a-z A-Z 0-9 - _ / .`.
    #[error("customEvent has other characters, or too many")]
    CustomEvent,
    /// `customExts` has more than [`MAX_CUSTOM_EXTS`](crate::MAX_CUSTOM_EXTS) pairs.
    #[error("customExts has too many pairs")]
    TooManyExts,
    /// An extension that is no object; `null` is none either.
    #[error("ext is no object")]
    ExtNotObject,
    /// The same key twice in the body, the extension or `customExts`. Readers disagree on which one counts, and what a
    /// moderator reads must be what a client shows.
    #[error("a key stands twice")]
    KeyTwice,
    /// More than [`MAX_DEPTH`](crate::MAX_DEPTH) objects and arrays in each other.
    #[error("nested too deeply")]
    TooDeep,
    /// Body and extension have more bytes than allowed.
    #[error("{bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// How many they have.
        bytes: usize,
        /// How many they may have.
        limit: usize,
    },
}

/// A payload that [`Content`](crate::Content) did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the payload of a Chat message")]
pub struct DecodeError;
