//! The time zone in which users set the times at which they want no pushes.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use stentor_core::push::PushMoment;

/// A time zone, by its IANA name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushZone(TimeZone);

impl Default for PushZone {
    /// UTC.
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl PushZone {
    /// The zone of a name such as `Asia/Shanghai`; `None` if there is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// When it is so late in it (`yyyy-MM-dd HH:mm:ss`): Unix time in milliseconds; `None` if it is no such text. Of a time
    /// that is there twice it is the first; one that is not there is as much later as the clocks are put forward.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<u64> {
        let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
        u64::try_from(self.0.to_timestamp(time).ok()?.as_millisecond()).ok()
    }

    /// What a moment (Unix time in milliseconds) is in it.
    #[must_use]
    pub fn moment(&self, now_ms: u64) -> PushMoment {
        let at = i64::try_from(now_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
        let minute = |zone: &TimeZone| {
            let time = zone.to_datetime(at).time();
            u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
        };
        PushMoment { now_ms, local_minute: minute(&self.0), utc_minute: minute(&TimeZone::UTC) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(zone: &str, at: &str) -> (u16, u16) {
        let at: Timestamp = at.parse().expect("a time");
        let now_ms = u64::try_from(at.as_millisecond()).expect("after 1970");
        let moment = PushZone::parse(zone).expect("a zone").moment(now_ms);
        assert_eq!(moment.now_ms, now_ms);
        (moment.local_minute, moment.utc_minute)
    }

    #[test]
    fn the_minute_of_the_day_where_the_users_are() {
        assert_eq!(minutes("UTC", "2026-11-26T23:59:59Z"), (1439, 1439));
        assert_eq!(minutes("Asia/Shanghai", "2026-11-26T23:30:00Z"), (450, 1410));
        assert_eq!(minutes("Asia/Kolkata", "2026-11-26T00:00:00Z"), (330, 0));
        assert_eq!(minutes("America/New_York", "2026-11-26T01:00:00Z"), (1200, 60));
    }

    #[test]
    fn daylight_saving_moves_the_minutes() {
        // In the night to 2026-03-29 the clocks go from 2 to 3; in that to 2026-10-25 from 3 back to 2.
        assert_eq!(minutes("Europe/Berlin", "2026-03-29T00:59:00Z"), (119, 59));
        assert_eq!(minutes("Europe/Berlin", "2026-03-29T01:00:00Z"), (180, 60));
        assert_eq!(minutes("Europe/Berlin", "2026-10-25T00:30:00Z"), (150, 30));
        assert_eq!(minutes("Europe/Berlin", "2026-10-25T01:30:00Z"), (150, 90));
        assert_eq!(minutes("Europe/Berlin", "2026-10-25T02:30:00Z"), (210, 150));
    }

    #[test]
    fn what_the_clock_on_the_wall_says_is_a_time() {
        let read = |zone: &str, text: &str| PushZone::parse(zone).expect("a zone").read(text);
        let at = |text: &str| text.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
        assert_eq!(read("UTC", "2026-11-26 23:59:59"), at("2026-11-26T23:59:59Z"));
        assert_eq!(read("Asia/Shanghai", "2026-11-27 07:30:00"), at("2026-11-26T23:30:00Z"));
        assert_eq!(read("Europe/Berlin", "2026-03-29 02:30:00"), at("2026-03-29T01:30:00Z"), "not there");
        assert_eq!(read("Europe/Berlin", "2026-10-25 02:30:00"), at("2026-10-25T00:30:00Z"), "there twice");
        for odd in [
            "",
            "2026-11-26",
            "2026-11-26T10:00:00",
            "2026-13-01 00:00:00",
            "2026-11-26 10:00:00 x",
            "1969-01-01 00:00:00",
        ] {
            assert_eq!(read("UTC", odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_no_zone() {
        for name in ["", "Mars/Olympus", "+08:00", "Asia/"] {
            assert_eq!(PushZone::parse(name), None, "{name}");
        }
        assert_eq!(PushZone::default().moment(u64::MAX).local_minute, 0);
    }
}
