//! Times of the history API: UTC, ISO 8601, `yyyy-mm-ddThh:mm:ssZ`, with an optional fraction, which real clients send.

use crate::error::BadRequest;

/// Reads the time in `field`: Unix time in milliseconds, rounded down. Times before 1970 count as 1970.
///
/// # Errors
/// When it is not such a time.
pub fn parse(field: &'static str, text: &str) -> Result<u64, BadRequest> {
    let wrong = || BadRequest(format!("{field} must be a UTC time like 2019-08-01T01:22:10Z").into());
    if !has_documented_form(text) {
        return Err(wrong());
    }
    let time: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    Ok(u64::try_from(time.as_millisecond()).unwrap_or(0))
}

/// jiff reads much more (offsets, spaces, a lower-case `t`), and what is read once has to be read for ever.
fn has_documented_form(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let Some((whole, rest)) = text.as_bytes().split_at_checked(FORM.len()) else {
        return false;
    };
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    let fraction = match rest {
        b"Z" => return whole.iter().zip(FORM).all(fits),
        [b'.', fraction @ .., b'Z'] => fraction,
        _ => return false,
    };
    whole.iter().zip(FORM).all(fits) && (1..=9).contains(&fraction.len()) && fraction.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_times_are_read() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2019-08-01T01:22:10Z", 1_564_622_530_000),
            ("2022-02-12T09:22:46.039Z", 1_644_657_766_039),
            ("2022-02-12T09:22:46.0Z", 1_644_657_766_000),
            ("2022-02-12T09:22:46.0399999Z", 1_644_657_766_039),
            ("2022-02-12T09:22:46.999999999Z", 1_644_657_766_999),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000),
            ("1969-12-31T23:59:59Z", 0),
            ("9999-01-01T00:00:00Z", 253_370_764_800_000),
        ] {
            assert_eq!(parse("t", text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn other_times_are_refused() {
        for text in [
            "",
            "2019-08-01",
            "2019-08-01T01:22:10",
            "2019-08-01T01:22:10z",
            "2019-08-01t01:22:10Z",
            "2019-08-01 01:22:10Z",
            "2019-08-01T01:22Z",
            "2019-08-01T01:22:10+08:00",
            "2019-08-01T01:22:10.Z",
            "2019-08-01T01:22:10,5Z",
            "2019-08-01T01:22:10.0123456789Z",
            "2019-08-01T01:22:10.5",
            "2019-13-01T01:22:10Z",
            "2019-02-29T01:22:10Z",
            "2019-08-01T24:00:00Z",
            "2019-08-01T01:60:00Z",
            "+019-08-01T01:22:10Z",
            "1564622530000",
            "2019-08-01T01:22:10Zé",
            "２019-08-01T01:22:10Z",
        ] {
            assert!(parse("t", text).is_err(), "{text:?}");
        }
    }
}
