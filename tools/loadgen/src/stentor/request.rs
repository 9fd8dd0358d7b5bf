//! REST requests as bytes, complete with authentication.

use super::notice::{DIGITS, MARK};
use super::{APP_ID, authorization};

/// A request that is sent again and again with another sequence number in its payload.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Vec<u8>,
    digits_at: usize,
}

impl Template {
    /// Makes a template of a request whose payload is a [`super::notice::blank_payload`].
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let digits_at = bytes.iter().position(|byte| *byte == MARK).map_or(bytes.len(), |mark| mark + 1);
        Self { bytes, digits_at }
    }

    /// The request with this number.
    pub fn with(&mut self, sequence: u64) -> &[u8] {
        if let Some(digits) = self.bytes.get_mut(self.digits_at..self.digits_at + DIGITS) {
            digits.copy_from_slice(format!("{sequence:0DIGITS$}").as_bytes());
        }
        &self.bytes
    }
}

/// How a peer message is to be treated.
#[derive(Debug, Clone, Copy, Default)]
pub struct PeerFlags {
    /// `enable_offline_messaging`.
    pub keep: bool,
    /// `enable_historical_messaging`.
    pub history: bool,
    /// `wait_for_ack`.
    pub wait_for_ack: bool,
}

/// `POST …/peer_messages`. Names and payload must not need escaping.
#[must_use]
pub fn peer_message(from: &str, to: &str, payload: &str, flags: PeerFlags) -> Vec<u8> {
    let query = if flags.wait_for_ack { "?wait_for_ack=true" } else { "" };
    let mut body = format!(r#"{{"destination":"{to}","#);
    push_flags(&mut body, flags);
    body.push_str(&format!(r#""payload":"{payload}"}}"#));
    post(&format!("/rtm/users/{from}/peer_messages{query}"), &body)
}

/// `POST …/channel_messages`. Names and payload must not need escaping.
#[must_use]
pub fn channel_message(from: &str, channel: &str, payload: &str, history: bool) -> Vec<u8> {
    let mut body = format!(r#"{{"channel_name":"{channel}","#);
    push_flags(&mut body, PeerFlags { history, ..PeerFlags::default() });
    body.push_str(&format!(r#""payload":"{payload}"}}"#));
    post(&format!("/rtm/users/{from}/channel_messages"), &body)
}

fn push_flags(body: &mut String, flags: PeerFlags) {
    if flags.keep {
        body.push_str(r#""enable_offline_messaging":true,"#);
    }
    if flags.history {
        body.push_str(r#""enable_historical_messaging":true,"#);
    }
}

/// A queue of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Events {
    /// Logins and logouts.
    User,
    /// Joins and leaves.
    Channel,
}

/// `GET …/user_events` or `GET …/channel_events`.
#[must_use]
pub fn events(kind: Events) -> Vec<u8> {
    let name = match kind {
        Events::User => "user_events",
        Events::Channel => "channel_events",
    };
    get(&format!("/rtm/vendor/{name}"))
}

/// `GET …/history/count` of everything that `source` sent to `destination`.
#[must_use]
pub fn history_count(source: &str, destination: &str) -> Vec<u8> {
    let span = "start_time=2000-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z";
    get(&format!("/rtm/message/history/count?source={source}&destination={destination}&{span}"))
}

fn get(path: &str) -> Vec<u8> {
    head("GET", path, "\r\n").into_bytes()
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let more = format!("Content-Type: application/json;charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}");
    head("POST", path, &more).into_bytes()
}

fn head(method: &str, path: &str, rest: &str) -> String {
    let authorization = authorization();
    format!(
        "{method} /dev/v2/project/{APP_ID}{path} HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: {authorization}\r\n{rest}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stentor::notice::{blank_payload, sequence};

    #[test]
    fn a_template_takes_every_number() {
        let mut template = Template::new(channel_message("a", "c", &blank_payload(40), false));
        for number in [0, 7, 123_456_789_012] {
            assert_eq!(sequence(template.with(number)), Some(number));
        }
    }

    #[test]
    fn a_peer_message_reads_as_documented() {
        let flags = PeerFlags { keep: true, history: false, wait_for_ack: true };
        let request = String::from_utf8(peer_message("a", "b", "hi", flags)).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(
            "POST /dev/v2/project/970CA35de60c44645bbae8a215061b33/rtm/users/a/peer_messages?wait_for_ack=true HTTP/1.1"
        ));
        assert!(head.contains("Authorization: Basic Y2lkOmNzZWM="));
        assert_eq!(body, r#"{"destination":"b","enable_offline_messaging":true,"payload":"hi"}"#);
    }
}
