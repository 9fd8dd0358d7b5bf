//! Cutting texts at a provider's limit, between characters as people see them (UAX #29).

use std::borrow::Cow;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

/// Stands for what was cut off, where there is room for it.
const ELLIPSIS: &str = "…";

/// Cuts a text so that it measures at most `max`. The measure of a text must be the sum of those of its parts.
///
/// A text that fits is returned as it is. Of one that does not, whole graphemes are kept, and an ellipsis follows them if
/// it fits.
pub fn cut(text: &str, max: usize, measure: impl Fn(&str) -> usize) -> Cow<'_, str> {
    if measure(text) <= max {
        return Cow::Borrowed(text);
    }
    let mark = measure(ELLIPSIS);
    let (room, mark) = if mark <= max { (max - mark, ELLIPSIS) } else { (max, "") };
    let (mut used, mut end) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += measure(grapheme);
        if used > room {
            break;
        }
        end = at + grapheme.len();
    }
    Cow::Owned(format!("{}{mark}", &text[..end]))
}

/// The same for services that refuse a text of nothing but blanks: an ellipsis stands for it.
pub(crate) fn shown(text: &str, max: usize, measure: impl Fn(&str) -> usize) -> String {
    let text = if text.trim().is_empty() { ELLIPSIS } else { text };
    cut(text, max, measure).into_owned()
}

/// The number of Unicode characters: how most services count.
#[must_use]
pub fn chars(text: &str) -> usize {
    text.chars().count()
}

/// The number of bytes in UTF-8.
#[must_use]
pub fn bytes(text: &str) -> usize {
    text.len()
}

/// The number of bytes in a JSON text as serde_json writes it, without the quotes.
#[must_use]
pub fn json_bytes(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

/// Writes a JSON value within so many bytes; texts at these places are cut for it, one after the other. `None`: what is
/// left is too long all the same.
pub(crate) fn fit(mut value: Value, max: usize, places: &[&str]) -> Option<String> {
    let mut written = value.to_string();
    for place in places {
        let Some(over) = written.len().checked_sub(max).filter(|over| *over > 0) else { break };
        if let Some(Value::String(text)) = value.pointer_mut(place) {
            *text = cut(text, json_bytes(text).saturating_sub(over), json_bytes).into_owned();
            written = value.to_string();
        }
    }
    (written.len() <= max).then_some(written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn what_is_cut_fits_and_is_whole_graphemes_of_the_text(text in ".*", max in 0_usize..40, which in 0..3) {
            let measure = [chars, bytes, json_bytes][usize::try_from(which).expect("small")];
            let kept = cut(&text, max, measure);
            prop_assert!(measure(&kept) <= max);
            if measure(&text) <= max {
                prop_assert_eq!(&*kept, text.as_str());
            } else {
                let whole = kept.strip_suffix(ELLIPSIS).unwrap_or(&kept);
                let ends = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]);
                prop_assert!(text.starts_with(whole) && ends.into_iter().any(|end| end == whole.len()));
                // The next grapheme would not have fitted.
                let next = text[whole.len()..].graphemes(true).next().unwrap_or_default();
                prop_assert!(measure(whole) + measure(next) + measure(ELLIPSIS) > max);
            }
        }

        #[test]
        fn what_is_fitted_fits(title in ".{0,200}", body in ".{0,200}", max in 20_usize..400) {
            let fitted = fit(json!({"title": title, "body": body}), max, &["/body", "/title"]);
            let empty = json!({"title": "", "body": ""}).to_string().len();
            prop_assert_eq!(fitted.is_some(), max >= empty);
            prop_assert!(fitted.is_none_or(|fitted| fitted.len() <= max && serde_json::from_str::<Value>(&fitted).is_ok()));
        }
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert!(matches!(cut("abc", 3, chars), Cow::Borrowed("abc")));
        assert_eq!(cut("abcd", 3, chars), "ab…");
        assert_eq!(cut("", 0, chars), "");
        assert_eq!(cut("abc", 0, chars), "");
        assert_eq!(cut("abcd", 1, chars), "…");
        assert_eq!(cut("abcd", 2, bytes), "ab");
    }

    #[test]
    fn no_grapheme_is_torn() {
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(chars(family), 7);
        assert_eq!(cut(&format!("ab{family}"), 8, chars), "ab…");
        assert_eq!(cut(&format!("ab{family}c"), 10, chars), format!("ab{family}c"));
        assert_eq!(cut("e\u{301}e\u{301}", 3, chars), "e\u{301}…");
        assert_eq!(cut("你好世界", 9, bytes), "你好…");
        assert_eq!(cut("🇩🇪🇨🇳🇯🇵", 5, chars), "🇩🇪🇨🇳…");
    }

    #[test]
    fn json_is_measured_as_it_is_written() {
        for text in ["plain", "\"\\\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}/", "你👨‍👩‍👧‍👦"] {
            assert_eq!(json_bytes(text), serde_json::to_string(text).expect("JSON").len() - 2, "{text:?}");
        }
    }
}
