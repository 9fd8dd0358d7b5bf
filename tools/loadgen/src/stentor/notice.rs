//! Reading notices without a JSON parser, where a receiver sees thousands in a second.

/// What marks the sequence number in a payload of the benchmark.
pub const MARK: u8 = b'#';
/// Digits of a sequence number.
pub const DIGITS: usize = 12;

/// The sequence number in the payload, if the frame carries one.
#[must_use]
pub fn sequence(frame: &[u8]) -> Option<u64> {
    // The name of a Chat app has the mark in it, too, but no number behind it.
    let mut marks = frame.iter().enumerate().filter(|(_, byte)| **byte == MARK);
    marks.find_map(|(at, _)| number(frame.get(at + 1..at + 1 + DIGITS)?))
}

/// A payload of `len` bytes with sequence number 0, to be filled in by a [`super::request::Template`].
#[must_use]
pub fn blank_payload(len: usize) -> String {
    format!("{}{:0DIGITS$}{}", char::from(MARK), 0, "x".repeat(len.saturating_sub(1 + DIGITS)))
}

/// The `message_id` of an RTM notice, or the `id` of a Chat message.
#[must_use]
pub fn message_id(frame: &[u8]) -> Option<u64> {
    leading_number(after(frame, br#""message_id":""#).or_else(|| after(frame, br#""id":""#))?)
}

/// The IDs in a client's ack.
pub fn acked_ids(frame: &[u8]) -> impl Iterator<Item = u64> {
    let list = after(frame, br#""ids":["#).unwrap_or_default();
    list.split(|byte| *byte == b',').map_while(|item| leading_number(item.strip_prefix(b"\"")?))
}

/// An ack of these messages.
#[must_use]
pub fn ack(ids: &[u64]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!(r#"{{"type":"ack","ids":[{}]}}"#, ids.join(","))
}

fn after<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(key.len()).position(|window| window == key)?;
    bytes.get(at + key.len()..)
}

fn leading_number(bytes: &[u8]) -> Option<u64> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    number(&bytes[..digits])
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_reads_back() {
        let frame = format!(r#"{{"type":"peer_message","payload":"{}","ts":1}}"#, blank_payload(128));
        assert_eq!(sequence(frame.as_bytes()), Some(0));
        assert_eq!(blank_payload(128).len(), 128);
        assert_eq!(sequence(br#"{"type":"pong","server_time":1}"#), None);
        assert_eq!(sequence(b"acme#demo in binary #000000000007"), Some(7));
    }

    #[test]
    fn ids_read_back() {
        assert_eq!(
            message_id(br#"{"type":"peer_message","message_id":"1029545553039460728"}"#),
            Some(1_029_545_553_039_460_728)
        );
        assert_eq!(message_id(br#"{"type":"chat_message","chat_type":"chat","id":"77","from":"bob"}"#), Some(77));
        assert_eq!(acked_ids(ack(&[7, 8, 9]).as_bytes()).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(acked_ids(br#"{"type":"ping"}"#).count(), 0);
    }
}
