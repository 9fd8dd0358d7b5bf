//! When the log says that a receiver fails, and that it answers again: at the first failure, then now and then, so that
//! neither a day of failures nor a receiver that comes and goes fills it.

/// Between two lines about one receiver that goes on failing, in milliseconds.
const REMINDED_MS: u64 = 600_000;

/// Between two lines at least, in milliseconds.
const APART_MS: u64 = 60_000;

/// How a receiver fares.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Failures since the last success.
    failed: u64,
    /// When the log said so last: Unix time in milliseconds.
    said_ms: Option<u64>,
    /// The log says that it fails.
    said: bool,
}

impl Trouble {
    /// It has failed. How often since the last success, if the log is to say so.
    pub(crate) fn failed(&mut self, now_ms: u64) -> Option<u64> {
        self.failed += 1;
        let wait_ms = if self.said { REMINDED_MS } else { APART_MS };
        if self.said_ms.is_some_and(|said_ms| now_ms.abs_diff(said_ms) < wait_ms) {
            return None;
        }
        (self.said_ms, self.said) = (Some(now_ms), true);
        Some(self.failed)
    }

    /// It has answered. How often it had failed before, if the log is to say that this is over.
    pub(crate) fn answered(&mut self) -> Option<u64> {
        let failed = std::mem::take(&mut self.failed);
        std::mem::take(&mut self.said).then_some(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_at_first_then_now_and_then_and_one_at_the_end() {
        let mut trouble = Trouble::default();
        assert_eq!(trouble.answered(), None);
        assert_eq!(trouble.failed(0), Some(1));
        assert_eq!(trouble.failed(1), None);
        assert_eq!(trouble.failed(REMINDED_MS - 1), None);
        assert_eq!(trouble.failed(REMINDED_MS), Some(4));
        assert_eq!(trouble.answered(), Some(4));
        assert_eq!(trouble.answered(), None);
    }

    #[test]
    fn who_comes_and_goes_does_not_fill_the_log() {
        let mut trouble = Trouble::default();
        assert_eq!((trouble.failed(0), trouble.answered()), (Some(1), Some(1)));
        assert_eq!((trouble.failed(10), trouble.answered()), (None, None));
        assert_eq!((trouble.failed(APART_MS), trouble.answered()), (Some(1), Some(1)));
    }
}
