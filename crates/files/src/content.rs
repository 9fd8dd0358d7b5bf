//! Under which headers a file is served, so that no browser takes for a page of ours what somebody has uploaded.
//!
//! The rule: a file is served as a picture if its first bytes say so, as audio or video if its sender said so and the
//! type is on the list, and otherwise as bytes to be saved. HTML, SVG, XML, scripts, PDF and what nobody knows are
//! never named. On top of that, [`GUARDS`] forbid the browser to guess and to run anything.

/// What the first bytes of a picture say. These are the ones that thumbnails are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageType {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/gif`
    Gif,
    /// `image/webp`
    WebP,
}

impl ImageType {
    /// As `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }
}

/// The type of what cannot be shown.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// Sounds and films: nothing in them is run.
const MEDIA: [&str; 18] = [
    "audio/3gpp",
    "audio/aac",
    "audio/amr",
    "audio/flac",
    "audio/m4a",
    "audio/mp3",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "audio/x-m4a",
    "audio/x-wav",
    "video/3gpp",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
];

/// Headers that every download carries, whatever it is: do not guess another type; run nothing, and be nobody, if it
/// is shown as a page; other sites may embed it, as web clients do whose pages are not ours.
pub const GUARDS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; sandbox"),
    ("cross-origin-resource-policy", "cross-origin"),
];

/// The picture's type by its first 12 bytes.
#[must_use]
pub fn image_type(head: &[u8]) -> Option<ImageType> {
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        Some(ImageType::Jpeg)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(ImageType::Png)
    } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        Some(ImageType::Gif)
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Some(ImageType::WebP)
    } else {
        None
    }
}

/// The `Content-Type` to serve a file with, from its first bytes and what its sender declared. To be decided at
/// upload ([`Stored::head`](crate::Stored::head)) and kept in the record.
#[must_use]
pub fn served_type(head: &[u8], declared: Option<&str>) -> &'static str {
    if let Some(image) = image_type(head) {
        return image.content_type();
    }
    let essence = declared.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    MEDIA.into_iter().find(|media| media.eq_ignore_ascii_case(essence)).unwrap_or(OCTET_STREAM)
}

/// The value of `Content-Disposition` for a file of this [`served_type`]: pictures, sounds and films are shown where
/// the browser can, everything else is saved. The name is the sender's: any text.
#[must_use]
pub fn disposition(served_type: &str, file_name: Option<&str>) -> String {
    let kind = if served_type == OCTET_STREAM { "attachment" } else { "inline" };
    let Some(name) = file_name.map(last_part).filter(|name| !name.is_empty()) else { return kind.to_owned() };
    // RFC 6266: the plain name for old clients, the whole one for all others.
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if plain == name {
        return format!("{kind}; filename=\"{plain}\"");
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", percent_encoded(name))
}

/// Browsers drop folders from a name themselves, but not all clients are browsers.
fn last_part(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // Longer names fit no file system.
    &name[..name.floor_char_boundary(255)]
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')' | '+' | ',' | '=' | '@')
}

/// The characters that RFC 8187 leaves as they are, all others as UTF-8 in `%41`.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn nothing_that_runs_is_named() {
        for declared in [
            "text/html",
            "text/html; charset=utf-8",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "text/javascript",
            "application/pdf",
            "image/png",
            "audio/mpeg,text/html",
            "audio/mpeg text/html",
            "",
        ] {
            assert_eq!(served_type(b"<html><script>", Some(declared)), OCTET_STREAM, "{declared}");
        }
        assert_eq!(served_type(b"<html>", None), OCTET_STREAM);
    }

    #[test]
    fn pictures_by_their_bytes_media_by_their_senders_word() {
        assert_eq!(served_type(PNG, Some("text/html")), "image/png");
        assert_eq!(served_type(b"\xff\xd8\xff\xe0", None), "image/jpeg");
        assert_eq!(served_type(b"GIF89a", None), "image/gif");
        assert_eq!(served_type(b"RIFF\x10\0\0\0WEBPVP8 ", None), "image/webp");
        assert_eq!(served_type(b"RIFF\x10\0\0\0WAVEfmt ", Some("Audio/WAV; codecs=1")), "audio/wav");
        assert_eq!(served_type(b"#!AMR\n", Some("audio/amr")), "audio/amr");
    }

    #[test]
    fn names_stay_in_their_header() {
        for (served, name, expected) in [
            ("image/png", None, "inline"),
            (OCTET_STREAM, None, "attachment"),
            (OCTET_STREAM, Some("a b.txt"), "attachment; filename=\"a b.txt\""),
            (OCTET_STREAM, Some("../../etc/passwd"), "attachment; filename=\"passwd\""),
            (OCTET_STREAM, Some("C:\\x\\y.doc"), "attachment; filename=\"y.doc\""),
            (OCTET_STREAM, Some("dir/"), "attachment"),
            ("image/png", Some("猫.png"), "inline; filename=\"_.png\"; filename*=UTF-8''%E7%8C%AB.png"),
            (
                OCTET_STREAM,
                Some("a\"; x=\"y\r\nset-cookie: z"),
                "attachment; filename=\"a__ x=_y__set-cookie_ z\"; \
                 filename*=UTF-8''a%22%3B%20x%3D%22y%0D%0Aset-cookie%3A%20z",
            ),
        ] {
            assert_eq!(disposition(served, name), expected, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_header(name in "\\PC{0,300}|[\\x00-\\x7f]{0,300}") {
            let header = disposition(OCTET_STREAM, Some(&name));
            prop_assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{header:?}");
            prop_assert!(header.matches('"').count() <= 2 && header.len() < 1100);
        }
    }
}
