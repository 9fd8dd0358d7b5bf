//! Quotas of a day, as the Chinese vendors have them.

use std::time::Duration;

/// From this moment (Unix time in milliseconds) until midnight in China.
pub(crate) fn rest_of_day(now_ms: u64) -> Duration {
    const DAY_MS: u64 = 86_400_000;
    const OFFSET_MS: u64 = 8 * 3_600_000;
    Duration::from_millis(DAY_MS - now_ms.saturating_add(OFFSET_MS) % DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_in_china() {
        // 2027-01-15T08:00:00Z is four in the afternoon there.
        assert_eq!(rest_of_day(1_800_000_000_000), Duration::from_secs(8 * 3_600));
        assert_eq!(rest_of_day(1_800_000_000_000 + 8 * 3_600_000), Duration::from_secs(86_400));
    }
}
