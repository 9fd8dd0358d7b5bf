//! A time of every day at which a user wants no pushes.

use std::fmt;

use minicbor::{Decode, Encode};

/// Minutes of a day.
const DAY_MIN: u16 = 24 * 60;

/// From a minute of the day to another one, the second not included. If it is not behind the first, the interval ends
/// on the next day; if both are one, it is the whole day (push settings documents).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct DailyInterval {
    #[n(0)]
    from_min: u16,
    #[n(1)]
    to_min: u16,
}

impl DailyInterval {
    /// Reads `HH:MM-HH:MM`; hours and minutes may have one digit (the Web SDK writes `8:5-10:0`). `None` for anything
    /// else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        Some(Self { from_min: minute(from)?, to_min: minute(to)? })
    }

    /// Between two minutes of the day. `None` if one of them is none.
    #[must_use]
    pub fn new(from_min: u16, to_min: u16) -> Option<Self> {
        (from_min < DAY_MIN && to_min < DAY_MIN).then_some(Self { from_min, to_min })
    }

    /// Whether a minute of the day is in it.
    #[must_use]
    pub fn contains(self, minute: u16) -> bool {
        if self.from_min < self.to_min {
            (self.from_min..self.to_min).contains(&minute)
        } else {
            minute >= self.from_min || minute < self.to_min
        }
    }
}

/// `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str, max: u16| {
        let well_formed = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|number| well_formed && *number < max)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

impl fmt::Display for DailyInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from_min, to_min } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from_min / 60, from_min % 60, to_min / 60, to_min % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_interval_and_how_it_is_written() {
        for (text, written) in [
            ("08:30-10:00", "08:30-10:00"),
            ("8:5-10:0", "08:05-10:00"),
            ("21:30-08:00", "21:30-08:00"),
            ("0:0-0:0", "00:00-00:00"),
            ("00:00-23:59", "00:00-23:59"),
        ] {
            assert_eq!(DailyInterval::parse(text).map(|interval| interval.to_string()).as_deref(), Some(written));
        }
        for text in [
            "",
            "-",
            "8-10",
            "8:30",
            "8:30-",
            "24:00-08:00",
            "08:60-10:00",
            "08:00-24:00",
            "008:00-10:00",
            "+8:00-10:00",
            "8:30-10:00-11:00",
            " 8:30-10:00",
            "8:30 - 10:00",
            "８:30-10:00",
            "8:30–10:00",
            "8::30-10:00",
            "8:-10:00",
        ] {
            assert_eq!(DailyInterval::parse(text), None, "{text}");
        }
    }

    #[test]
    fn minutes_in_it() {
        let within = |text: &str| {
            let interval = DailyInterval::parse(text).expect("an interval");
            (0..DAY_MIN).filter(|minute| interval.contains(*minute)).collect::<Vec<_>>()
        };
        assert_eq!(within("08:00-08:03"), [480, 481, 482]);
        assert_eq!(within("23:59-00:02"), [0, 1, 1439]);
        assert_eq!(within("12:00-12:00").len(), usize::from(DAY_MIN));
        assert_eq!(within("00:00-00:00").len(), usize::from(DAY_MIN));
        assert_eq!(within("23:59-00:00"), [1439]);
        assert_eq!(within("00:00-23:59").len(), usize::from(DAY_MIN) - 1);
    }
}
