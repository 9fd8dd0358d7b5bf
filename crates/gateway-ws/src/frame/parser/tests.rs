//! The parser against tables, against itself with the bytes split elsewhere, and against another implementation.

use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocket};

use super::*;
use crate::frame;

const MAX: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

impl From<Event<'_>> for Owned {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_owned()),
            Event::Binary(bytes) => Self::Binary(bytes.to_vec()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(_) => Self::Pong,
            Event::Close(code) => Self::Close(code),
        }
    }
}

type Parsed = (Vec<Owned>, Option<FrameError>);

/// Parses `pieces` one after the other; with `stop_after`, interrupts itself after so many events of a piece.
fn parse(pieces: &[&[u8]], max: usize, stop_after: Option<usize>) -> Parsed {
    let mut parser = Parser::new(Messages::Text, max);
    let mut events = Vec::new();
    for piece in pieces {
        let mut bytes = piece.to_vec();
        let mut input = Input::new(&mut bytes);
        let mut taken = 0;
        loop {
            match parser.next(&mut input) {
                Ok(Some(event)) => events.push(event.into()),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
            taken += 1;
            if Some(taken) == stop_after {
                parser.keep(input);
                input = Input::new(&mut []);
            }
        }
    }
    (events, None)
}

fn whole(bytes: &[u8]) -> Parsed {
    parse(&[bytes], MAX, None)
}

/// A client's frame, written down anew: first byte, then length and payload as they are.
fn raw(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=65535 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn text(text: &str) -> Owned {
    Owned::Text(text.to_owned())
}

#[test]
fn the_masked_hello_of_the_rfc() {
    let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(whole(&hello), (vec![text("Hello")], None));
}

#[test]
fn fragments_are_put_together_and_control_frames_come_between() {
    let bytes = [raw(0x01, b"Hel"), raw(0x89, b"you?"), raw(0x00, b""), raw(0x8a, b""), raw(0x80, b"lo")].concat();
    let expected = vec![Owned::Ping(b"you?".to_vec()), Owned::Pong, text("Hello")];
    assert_eq!(whole(&bytes), (expected, None));
}

#[test]
fn a_character_may_be_split_over_fragments() {
    let bytes = [raw(0x01, &"ü".as_bytes()[..1]), raw(0x80, &"ü".as_bytes()[1..])].concat();
    assert_eq!(whole(&bytes), (vec![text("ü")], None));
}

#[test]
fn what_is_refused() {
    let unmasked = vec![0x81, 0x02, b'h', b'i'];
    let long_way = |short: u8, length: &[u8]| [&[0x81, 0x80 | short], length, &[0; 4]].concat();
    let table: &[(&str, Vec<u8>, FrameError)] = &[
        ("reserved bit 1", raw(0xc1, b"x"), FrameError::ReservedBit),
        ("reserved bit 2", raw(0xa1, b"x"), FrameError::ReservedBit),
        ("reserved bit 3", raw(0x91, b"x"), FrameError::ReservedBit),
        ("opcode 3", raw(0x83, b"x"), FrameError::UnknownOpcode),
        ("opcode 15", raw(0x8f, b"x"), FrameError::UnknownOpcode),
        ("unmasked", unmasked, FrameError::Unmasked),
        ("125 in two bytes", long_way(126, &[0, 125]), FrameError::Length),
        ("65535 in eight bytes", long_way(127, &[0, 0, 0, 0, 0, 0, 0xff, 0xff]), FrameError::Length),
        ("highest bit of the length", long_way(127, &[0x80, 0, 0, 0, 0, 1, 0, 0]), FrameError::Length),
        ("all of memory", long_way(127, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), FrameError::TooLarge),
        ("a byte too many", raw(0x81, &[b'x'; MAX + 1]), FrameError::TooLarge),
        ("a fragment too many", [raw(0x01, &[b'x'; MAX]), raw(0x80, b"x")].concat(), FrameError::TooLarge),
        ("long ping", raw(0x89, &[0; 126]), FrameError::Control),
        ("fragmented ping", raw(0x09, b""), FrameError::Control),
        ("fragmented close", raw(0x08, b""), FrameError::Control),
        ("continuation of nothing", raw(0x80, b"x"), FrameError::Fragment),
        ("text in a message", [raw(0x01, b"x"), raw(0x81, b"x")].concat(), FrameError::Fragment),
        ("text after a message", [raw(0x01, b""), raw(0x80, b""), raw(0x80, b"x")].concat(), FrameError::Fragment),
        ("binary", raw(0x82, b"x"), FrameError::Binary),
        ("not UTF-8", raw(0x81, &[0xc0, 0x80]), FrameError::NotUtf8),
        ("surrogate", raw(0x81, &[0xed, 0xa0, 0x80]), FrameError::NotUtf8),
        ("cut character", [raw(0x01, b"x"), raw(0x80, &[0xc3])].concat(), FrameError::NotUtf8),
        ("half a close code", raw(0x88, &[3]), FrameError::Close),
        ("close code 999", raw(0x88, &999u16.to_be_bytes()), FrameError::Close),
        ("close code 1005", raw(0x88, &1005u16.to_be_bytes()), FrameError::Close),
        ("close code 1006", raw(0x88, &1006u16.to_be_bytes()), FrameError::Close),
        ("close code 5000", raw(0x88, &5000u16.to_be_bytes()), FrameError::Close),
        ("close reason", raw(0x88, &[0x03, 0xe8, 0xff]), FrameError::NotUtf8),
    ];
    for (name, bytes, error) in table {
        assert_eq!(whole(bytes).1, Some(*error), "{name}");
        assert_eq!(every_byte(bytes).1, Some(*error), "{name}, byte by byte");
    }
}

#[test]
fn the_largest_message_is_taken() {
    for bytes in [raw(0x81, &[b'x'; MAX]), [raw(0x01, &[b'x'; MAX - 1]), raw(0x80, b"x")].concat()] {
        let (events, error) = whole(&bytes);
        assert_eq!((events.len(), error), (1, None));
    }
}

#[test]
fn close_codes() {
    for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] {
        assert_eq!(whole(&raw(0x88, &u16::to_be_bytes(code))).0, [Owned::Close(Some(code))]);
    }
    assert_eq!(whole(&raw(0x88, b"")), (vec![Owned::Close(None)], None));
}

#[test]
fn an_error_does_not_wait_for_the_payload() {
    assert_eq!(whole(&[0x82]).1, Some(FrameError::Binary));
    assert_eq!(whole(&[0x81, 0x05]).1, Some(FrameError::Unmasked));
    assert_eq!(whole(&[0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]).1, Some(FrameError::TooLarge));
}

#[test]
fn nothing_is_kept_of_what_is_complete() {
    let mut parser = Parser::new(Messages::Text, MAX);
    let bytes = [raw(0x81, b"one"), raw(0x81, b"two")].concat();
    for piece in [&bytes[..5], &bytes[5..]] {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        while parser.next(&mut input).expect("well-formed").is_some() {}
    }
    assert!(!parser.has_rest() && !parser.is_mid_message());
    assert_eq!(parser.rest.capacity(), 0);
}

fn every_byte(bytes: &[u8]) -> Parsed {
    let pieces: Vec<_> = bytes.chunks(1).collect();
    parse(&pieces, MAX, None)
}

/// Every way to cut the bytes in two, cutting everywhere, and stopping in between.
fn assert_cuts_do_not_matter(bytes: &[u8]) {
    let expected = whole(bytes);
    for cut in 0..=bytes.len() {
        assert_eq!(parse(&[&bytes[..cut], &bytes[cut..]], MAX, None), expected, "cut at {cut}");
        assert_eq!(parse(&[&bytes[..cut], &bytes[cut..]], MAX, Some(1)), expected, "stopped, cut at {cut}");
    }
    assert_eq!(every_byte(bytes), expected);
}

/// Client frames as tungstenite writes them.
fn by_tungstenite(messages: &[WsMessage]) -> Vec<u8> {
    let mut client = WebSocket::from_raw_socket(Pipe::default(), Role::Client, None);
    for message in messages {
        client.send(message.clone()).expect("writable");
    }
    std::mem::take(&mut client.get_mut().written)
}

/// Reads from one buffer, writes into another.
#[derive(Default)]
struct Pipe {
    readable: Cursor<Vec<u8>>,
    written: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.readable.read(buffer)
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn tungstenite_reads_what_we_write() {
    let texts = ["", "x", &"é".repeat(63), &"x".repeat(65535), &"x".repeat(65536), "你好"];
    let mut bytes: Vec<u8> =
        texts.iter().flat_map(|text| frame::text(0, |out| out.extend_from_slice(text.as_bytes()))).collect();
    bytes.extend_from_slice(&frame::pong(b"here"));
    bytes.extend_from_slice(&frame::close(Some(4002), "elsewhere"));
    let pipe = Pipe { readable: Cursor::new(bytes), written: Vec::new() };
    let mut client = WebSocket::from_raw_socket(pipe, Role::Client, None);
    for text in texts {
        assert_eq!(client.read().expect("readable"), WsMessage::text(text));
    }
    assert_eq!(client.read().expect("readable"), WsMessage::Pong("here".into()));
    let close = CloseFrame { code: CloseCode::from(4002), reason: "elsewhere".into() };
    assert_eq!(client.read().expect("readable"), WsMessage::Close(Some(close)));
}

fn message() -> impl Strategy<Value = WsMessage> {
    prop_oneof![
        5 => "\\PC{0,200}".prop_map(WsMessage::text),
        1 => (0usize..70_000).prop_map(|length| WsMessage::text("x".repeat(length))),
        1 => prop::collection::vec(any::<u8>(), 0..125).prop_map(|payload| WsMessage::Ping(payload.into())),
        1 => Just(WsMessage::Pong(Default::default())),
    ]
}

/// Frames, well-formed or nearly.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x81u8, 0x01, 0x00, 0x80, 0x89, 0x8a]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        6 => "\\PC{0,50}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ];
    let frame = (first, payload).prop_map(|(first, payload)| raw(first, &payload));
    prop::collection::vec(frame, 0..6).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn we_read_what_tungstenite_writes(messages in prop::collection::vec(message(), 0..8)) {
        let expected = messages
            .iter()
            .filter(|message| message.len() <= MAX)
            .map(|message| match message {
                WsMessage::Text(text) => Owned::Text(text.to_string()),
                WsMessage::Ping(payload) => Owned::Ping(payload.to_vec()),
                _ => Owned::Pong,
            })
            .collect::<Vec<_>>();
        let sent: Vec<_> = messages.into_iter().filter(|message| message.len() <= MAX).collect();
        prop_assert_eq!(whole(&by_tungstenite(&sent)), (expected, None));
    }

    #[test]
    fn cuts_do_not_matter(bytes in frames()) {
        assert_cuts_do_not_matter(&bytes);
    }

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_cuts_do_not_matter(&bytes);
    }
}
