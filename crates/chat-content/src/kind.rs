//! The types of content.

use std::fmt;

/// What kind of thing a message holds: the `type` of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// `txt`.
    Text,
    /// `img`.
    Image,
    /// `audio`.
    Audio,
    /// `video`.
    Video,
    /// `file`.
    File,
    /// `loc`.
    Location,
    /// `cmd`: something for the client program, not shown.
    Command,
    /// `custom`.
    Custom,
}

impl ContentType {
    /// All types, in the order of the documents.
    pub const ALL: [Self; 8] =
        [Self::Text, Self::Image, Self::Audio, Self::Video, Self::File, Self::Location, Self::Command, Self::Custom];

    /// The word of the documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Image => "img",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::File => "file",
            Self::Location => "loc",
            Self::Command => "cmd",
            Self::Custom => "custom",
        }
    }

    /// The type of this word, letter for letter; `None` if there is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_parsed_to_its_type_and_nothing_else_is() {
        for kind in ContentType::ALL {
            assert_eq!(ContentType::parse(kind.as_str()), Some(kind));
            assert_eq!(kind.to_string(), kind.as_str());
        }
        for word in ["", "TXT", "text", "txt ", "combine"] {
            assert_eq!(ContentType::parse(word), None, "{word}");
        }
    }
}
