//! The `Range` header of a request (RFC 9110, section 14), for one range. Pure.

use std::ops::Range;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of it, with 200: there is no `Range`, or it is not understood, or it asks for several ranges.
    Whole,
    /// These bytes, with 206 and [`content_range`].
    Part(Range<u64>),
    /// Nothing, with 416 and [`no_range`]: the range lies beyond the file.
    Unsatisfiable,
}

/// What the header's value asks for of a file of `size` bytes.
///
/// A header that is wrong is ignored, as the RFC demands. Several ranges are answered with the whole file, which the
/// RFC allows: clients that want several parts ask several times. Conditions (`If-Range`) are the caller's.
#[must_use]
pub fn select(header: Option<&str>, size: u64) -> Selection {
    let Some((unit, ranges)) = header.and_then(|header| header.split_once('=')) else { return Selection::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Selection::Whole;
    }
    // A list may have empty elements.
    let mut ranges = ranges.split(',').map(|range| range.trim_matches([' ', '\t'])).filter(|range| !range.is_empty());
    match (ranges.next(), ranges.next()) {
        (Some(range), None) => select_one(range, size).unwrap_or(Selection::Whole),
        _ => Selection::Whole,
    }
}

/// `None` if it is not a range.
fn select_one(range: &str, size: u64) -> Option<Selection> {
    let (first, last) = range.split_once('-')?;
    if first.is_empty() {
        let length = number(last)?;
        return Some(match length {
            0 => Selection::Unsatisfiable,
            // The last bytes of an empty file are the whole of it, and no `Content-Range` can say so.
            _ if size == 0 => Selection::Whole,
            _ => Selection::Part(size.saturating_sub(length)..size),
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    if first >= size {
        return Some(Selection::Unsatisfiable);
    }
    Some(Selection::Part(first..last.saturating_add(1).min(size)))
}

/// Numbers have no upper limit: what does not fit is beyond every file.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// The value of `Content-Range` in a 206. The part is not empty.
#[must_use]
pub fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1))
}

/// The value of `Content-Range` in a 416.
#[must_use]
pub fn no_range(size: u64) -> String {
    format!("bytes */{size}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Selection::{Part, Unsatisfiable, Whole};
    use super::*;

    #[test]
    fn the_cases_of_the_rfc() {
        for (header, size, expected) in [
            ("bytes=0-499", 10_000, Part(0..500)),
            ("bytes=500-999", 10_000, Part(500..1000)),
            ("bytes=-500", 10_000, Part(9500..10_000)),
            ("bytes=9500-", 10_000, Part(9500..10_000)),
            ("bytes=0-0", 10_000, Part(0..1)),
            ("bytes=0-0,-1", 10_000, Whole),
            ("bytes= 0-999, 4500-5499, -1000", 10_000, Whole),
            ("BYTES=0-0", 2, Part(0..1)),
            ("bytes=, 1-1 ,", 2, Part(1..2)),
            ("bytes=0-9", 10, Part(0..10)),
            ("bytes=0-10", 10, Part(0..10)),
            ("bytes=9-", 10, Part(9..10)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-20", 10, Unsatisfiable),
            ("bytes=-11", 10, Part(0..10)),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=-5", 0, Whole),
            ("bytes=0-99999999999999999999999999", 10, Part(0..10)),
            ("bytes=99999999999999999999999999-", 10, Unsatisfiable),
            ("bytes=18446744073709551615-18446744073709551615", 10, Unsatisfiable),
            ("bytes=5-4", 10, Whole),
            ("bytes=-", 10, Whole),
            ("bytes=", 10, Whole),
            ("bytes=,", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("bytes=1 - 2", 10, Whole),
            ("bytes=--1", 10, Whole),
            ("bytes=1-2-3", 10, Whole),
            ("bytes 0-4", 10, Whole),
            ("items=0-4", 10, Whole),
            ("", 10, Whole),
        ] {
            assert_eq!(select(Some(header), size), expected, "{header:?} of {size}");
        }
        assert_eq!(select(None, 10), Whole);
    }

    #[test]
    fn the_replies_headers() {
        assert_eq!(content_range(&(0..500), 1000), "bytes 0-499/1000");
        assert_eq!(no_range(1000), "bytes */1000");
    }

    proptest! {
        /// Byte by byte, as the RFC's words say it.
        #[test]
        fn agrees_with_a_slice(size in 0u64..20, first in 0u64..25, last in 0u64..25) {
            let wanted: Vec<u64> = (0..size).filter(|&at| at >= first && at <= last).collect();
            let selected = select(Some(&format!("bytes={first}-{last}")), size);
            match selected {
                Part(part) => prop_assert_eq!(part.collect::<Vec<_>>(), wanted),
                Unsatisfiable => prop_assert!(wanted.is_empty() && first <= last),
                Whole => prop_assert!(last < first),
            }
        }

        #[test]
        fn never_a_part_that_is_empty_or_beyond(header in "bytes=[0-9, -]{0,12}|\\PC{0,20}", size in 0u64..1000) {
            if let Part(part) = select(Some(&header), size) {
                prop_assert!(part.start < part.end && part.end <= size, "{:?}", part);
            }
        }
    }
}
