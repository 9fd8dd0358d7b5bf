//! What the fuzz targets run, shared with `tests/fuzz_corpus.rs`, which runs it on stable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stentor_gateway_ws::codec::{ClientFrame, MAX_REQUEST_ID};
use stentor_gateway_ws::frame::FrameError;
use stentor_gateway_ws::frame::parser::{Event, Input, Messages, Parser};
use stentor_gateway_ws::{chat, rtm, sockjs};

/// Small, so that the fuzzer reaches the limit.
const MAX: usize = 600;

/// `data` as what a client sends: the same comes out however it is cut into reads, within the limits.
pub(crate) fn frames(data: &[u8]) {
    for messages in [Messages::Text, Messages::Binary, Messages::Prefixed] {
        let whole = parse(messages, data, data.len().max(1));
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(parse(messages, data, piece), whole, "{messages:?} in pieces of {piece}");
        }
    }
}

fn parse(messages: Messages, data: &[u8], piece: usize) -> (Vec<String>, Option<FrameError>) {
    let mut parser = Parser::new(messages, MAX);
    let mut events = Vec::new();
    for piece in data.chunks(piece) {
        let mut bytes = piece.to_vec();
        let mut input = Input::new(&mut bytes);
        loop {
            match parser.next(&mut input) {
                Ok(Some(event)) => {
                    assert!(match event {
                        Event::Text(text) => messages == Messages::Text && text.len() <= MAX,
                        Event::Binary(bytes) => messages != Messages::Text && bytes.len() <= MAX,
                        Event::Ping(payload) => payload.len() <= 125,
                        Event::Pong(_) | Event::Close(_) => true,
                    });
                    events.push(format!("{event:?}"));
                }
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    (events, None)
}

/// `data` as a text of a SockJS client: what comes out is bounded, and comes out again when it is written anew.
pub(crate) fn sockjs_texts(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(messages) = sockjs::messages(text) else { return };
    assert!(messages.len() <= sockjs::MAX_MESSAGES);
    assert!(messages.iter().map(Vec::len).sum::<usize>() <= text.len());
    let texts: Vec<_> = messages.iter().map(|message| format!("\"{}\"", STANDARD.encode(message))).collect();
    assert_eq!(sockjs::messages(&format!("[{}]", texts.join(","))), Ok(messages));
}

/// `data` as a client's frame: nothing panics, what is taken keeps its limits, what is refused is not quoted.
pub(crate) fn requests(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        check(rtm::request::parse(text));
    }
}

/// The same of a Chat client.
pub(crate) fn chat_requests(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        check(chat::request::parse(text));
    }
}

fn check<L, R>(frame: Result<ClientFrame<L, R>, stentor_gateway_ws::codec::Malformed>) {
    match frame {
        Ok(ClientFrame::Request { id, .. }) => assert!(id <= MAX_REQUEST_ID),
        Ok(_) => {}
        Err(error) => assert!(error.to_string().len() < 100, "{error}"),
    }
}
