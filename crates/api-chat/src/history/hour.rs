//! The hour that a request names, and which hours there are.

use axum::http::StatusCode;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use stentor_core::id::MessageId;
use stentor_core::store::HistoryFilter;

use crate::call::Visit;
use crate::error::ChatError;

const HOUR_MS: u64 = 3_600_000;

/// An hour of UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hour {
    /// As the request has it, `yyyyMMddHH`.
    pub(super) text: String,
    start_ms: u64,
}

impl Hour {
    /// Reads `yyyyMMddHH`. `None` if it is no hour.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let part = |from: usize| text[from..from + 2].parse::<i8>().ok();
        let time = DateTime::new(text[..4].parse().ok()?, part(4)?, part(6)?, part(8)?, 0, 0, 0).ok()?;
        let start = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        Some(Self { text: text.to_owned(), start_ms: u64::try_from(start).ok()? })
    }

    /// The hour in a request's path, if the app has it.
    ///
    /// # Errors
    /// 400: it is no hour, it is too long ago or has not begun, or the app keeps no history.
    pub(super) fn of(visit: &Visit) -> Result<Self, ChatError> {
        let text = visit.param("time");
        let hour = Self::parse(text).ok_or_else(|| ChatError::illegal_argument(illegal(visit, text)))?;
        let kept = visit.chat.features.roaming && visit.app.policy().history.is_some();
        if kept && hour.is_offered(visit.now_ms(), visit.chat.history_download_ms) {
            return Ok(hour);
        }
        let text = format!("{}, maybe chat message history is expired or unstored", illegal(visit, text));
        Err(ChatError::illegal_argument(text))
    }

    /// It has begun, and its end is no longer ago than the app offers.
    fn is_offered(&self, now_ms: u64, offered_ms: u64) -> bool {
        self.start_ms <= now_ms && now_ms < self.start_ms + HOUR_MS + offered_ms
    }

    /// Its messages, behind one of them. Their IDs lie in the hour, or behind it by as much as a clock had gone back:
    /// an hour at most is looked for, so that nobody searches all that came later.
    pub(super) fn filter(&self, after: Option<MessageId>) -> HistoryFilter {
        let end_ms = self.start_ms + HOUR_MS;
        HistoryFilter {
            start_ms: self.start_ms,
            end_ms: end_ms - 1,
            after: after.or_else(|| MessageId::first_of(self.start_ms).0.checked_sub(1).map(MessageId)),
            before: Some(MessageId::first_of(end_ms + HOUR_MS)),
            ..HistoryFilter::ALL
        }
    }

    /// 404: nobody said anything.
    pub(super) fn nothing(&self, visit: &Visit) -> ChatError {
        let (key, time) = (visit.chat.key(), &self.text);
        let text = format!("Failed to find chat message history download url for appkey: {key}, time: {time}");
        ChatError::new(StatusCode::NOT_FOUND, "storage_object_not_found", text)
    }
}

fn illegal(visit: &Visit, time: &str) -> String {
    format!("illegal arguments: appkey: {}, time: {time}", visit.chat.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_that_there_are() {
        assert_eq!(Hour::parse("2018112717").map(|hour| hour.start_ms), Some(1_543_338_000_000));
        assert_eq!(Hour::parse("2024022923").map(|hour| hour.start_ms), Some(1_709_247_600_000));
        for text in
            ["", "201811271", "20181127170", "2018132717", "2018113017x", "2018112724", "2023022900", "+018112717"]
        {
            assert_eq!(Hour::parse(text), None, "{text}");
        }
        assert_eq!(Hour::parse("1969123123"), None, "before 1970");
    }

    #[test]
    fn hours_that_are_offered() {
        let hour = Hour::parse("2018112717").unwrap();
        let offered = |now_ms| hour.is_offered(now_ms, 1000);
        let (start, end) = (hour.start_ms, hour.start_ms + HOUR_MS);
        assert_eq!([start - 1, start, end + 999, end + 1000].map(offered), [false, true, true, false]);
    }
}
