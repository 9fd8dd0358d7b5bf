//! Dead letters are kept in sets of ten minutes (documented: "a date key every ten minutes").

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The beginning of ten minutes in UTC, `yyyyMMddHHmm`. Orders by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetDate(String);

impl SetDate {
    /// The set of a time: Unix time in milliseconds.
    #[must_use]
    pub fn of(at_ms: u64) -> Self {
        let ms = i64::try_from(at_ms).unwrap_or(i64::MAX);
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC);
        let text = format!(
            "{:04}{:02}{:02}{:02}{:02}",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            i16::from(at.minute()) / 10 * 10
        );
        Self(text)
    }

    /// Reads a date. `None` if it is not the beginning of ten minutes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) || !text.ends_with('0') {
            return None;
        }
        let number = |range: std::ops::Range<usize>| text[range].parse::<i8>().ok();
        let year = text[..4].parse().ok()?;
        DateTime::new(year, number(4..6)?, number(6..8)?, number(8..10)?, number(10..12)?, 0, 0).ok()?;
        Some(Self(text.to_owned()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SetDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_beginnings_of_ten_minutes() {
        // 2023-11-14T22:13:20Z
        assert_eq!(SetDate::of(1_700_000_000_000).as_str(), "202311142210");
        assert_eq!(SetDate::of(1_700_000_399_999).as_str(), "202311142210");
        assert_eq!(SetDate::of(1_700_000_400_000).as_str(), "202311142220");
        assert_eq!(SetDate::of(0).as_str(), "197001010000");
        assert_eq!(SetDate::of(u64::MAX).as_str().len(), 12);
        assert!(SetDate::of(1_700_000_000_000) < SetDate::of(1_700_000_600_000));
    }

    #[test]
    fn only_those_are_read() {
        assert_eq!(SetDate::parse("202109091440"), Some(SetDate("202109091440".to_owned())));
        for odd in ["", "202109091445", "2021090914", "202113091440", "202109091460", "202109092440", "20210909144x"] {
            assert_eq!(SetDate::parse(odd), None, "{odd}");
        }
    }
}
