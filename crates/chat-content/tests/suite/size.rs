//! The size rule at its limit and one past it.

use crate::harness::{parse_within, raw};
use stentor_chat_content::{Content, ContentError, MAX_BYTES};

fn too_large(bytes: usize) -> ContentError {
    ContentError::TooLarge { bytes, limit: MAX_BYTES }
}

/// A text message of so many bytes, all in all.
fn sent(bytes: usize, ext: Option<&str>) -> Result<Content, ContentError> {
    let rest = "{\"msg\":\"\"}".len() + ext.map_or(0, str::len);
    parse_within(MAX_BYTES, "txt", &format!("{{\"msg\":\"{}\"}}", "a".repeat(bytes - rest)), ext)
}

#[test]
fn the_documents_say_5_kb() {
    assert_eq!(MAX_BYTES, 5_120);
}

#[test]
fn body_and_extension_together() {
    for ext in [None, Some("{}"), Some("{\"k\":\"v\"}"), Some(&*format!("{{\"k\":\"{}\"}}", "x".repeat(4_000)))] {
        let content = sent(5_120, ext).unwrap();
        let view = content.view();
        assert_eq!(view.body().len() + view.ext().map_or(0, str::len), 5_120);
        assert_eq!(sent(5_121, ext), Err(too_large(5_121)));
    }
    let all_in_ext = |bytes: usize| {
        let ext = format!("{{\"k\":\"{}\"}}", "x".repeat(bytes - "{\"msg\":\"\"}{\"k\":\"\"}".len()));
        parse_within(MAX_BYTES, "txt", "{\"msg\":\"\"}", Some(&ext)).map(|_| ())
    };
    assert_eq!(all_in_ext(5_120), Ok(()));
    assert_eq!(all_in_ext(5_121), Err(too_large(5_121)));
}

#[test]
fn the_type_does_not_count() {
    for kind in ["cmd", "custom"] {
        let body = |bytes: usize| format!("{{\"action\":\"{}\"}}", "a".repeat(bytes - 13));
        assert!(parse_within(MAX_BYTES, kind, &body(5_120), None).is_ok());
        assert_eq!(parse_within(MAX_BYTES, kind, &body(5_121), None), Err(too_large(5_121)));
        let flat = |bytes: usize| {
            let msg = body(bytes).replacen('{', &format!("{{\"type\":\"{kind}\","), 1);
            Content::parse_flat(Some(&raw(&msg)), None, MAX_BYTES).map(|_| ())
        };
        assert_eq!(flat(5_120), Ok(()));
        assert_eq!(flat(5_121), Err(too_large(5_121)));
    }
}

#[test]
fn bytes_count_not_characters_and_not_how_they_were_written() {
    // 1 700 characters of three bytes, and ten for the braces and the key.
    let body = |text: &str| format!("{{\"msg\":\"{text}\"}}");
    for character in ["你", "\\u4f60", "\\u4F60"] {
        let full = character.repeat(1_700);
        assert!(parse_within(MAX_BYTES, "txt", &body(&format!("{full}aaaaaaaaaa")), None).is_ok());
        let above = parse_within(MAX_BYTES, "txt", &body(&format!("{full}aaaaaaaaaaa")), None);
        assert_eq!(above, Err(too_large(5_121)));
    }
    let spaced = format!("{{ {}\"msg\" : \"{}\" }}", " ".repeat(100_000), "a".repeat(5_110));
    assert!(parse_within(MAX_BYTES, "txt", &spaced, None).is_ok());
    // An escape that is needed counts as it is delivered.
    let quotes = |count: usize| parse_within(MAX_BYTES, "txt", &body(&"\\u0022".repeat(count)), None).map(|_| ());
    assert_eq!(quotes(2_555), Ok(()));
    assert_eq!(quotes(2_556), Err(too_large(5_122)));
}

#[test]
fn what_is_dropped_does_not_count() {
    let body = |bytes: usize| {
        let fixed = "{\"url\":\"\",\"length\":1}".len();
        format!("{{\"url\":\"{}\",\"Length\":1234567,\"length\":1}}", "a".repeat(bytes - fixed))
    };
    assert!(parse_within(MAX_BYTES, "audio", &body(5_120), None).is_ok());
    assert_eq!(parse_within(MAX_BYTES, "audio", &body(5_121), None), Err(too_large(5_121)));
}

#[test]
fn the_limit_is_the_apps() {
    let body = "{\"msg\":\"hello\"}";
    assert!(parse_within(15, "txt", body, None).is_ok());
    assert_eq!(parse_within(14, "txt", body, None), Err(ContentError::TooLarge { bytes: 15, limit: 14 }));
    assert_eq!(parse_within(0, "txt", body, None), Err(ContentError::TooLarge { bytes: 15, limit: 0 }));
    let large = format!("{{\"msg\":\"{}\"}}", "a".repeat(1_000_000));
    assert!(parse_within(usize::MAX, "txt", &large, None).is_ok());
}
