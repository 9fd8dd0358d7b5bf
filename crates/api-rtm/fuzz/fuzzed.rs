//! What the fuzz targets run, shared with `tests/fuzz_corpus.rs`, which runs it on stable.

use axum::http::{HeaderMap, HeaderValue};
use stentor_api_rtm::auth::{Principal, authenticate};
use stentor_api_rtm::history::{handle, query, time};
use stentor_api_rtm::{Customer, HandleKey, RtmApp, RtmOptions, channel_messages, flag, peer_messages, sender_name};
use stentor_http_kit::Secret;
use stentor_http_kit::percent::{decode_query, decode_segment, query_value};

/// `data` as the body of every POST: nothing panics, and no refusal is longer than a line.
pub(crate) fn bodies(data: &[u8]) {
    let peer = peer_messages::parse(data).map(|message| message.payload.len());
    let channel = channel_messages::parse(data).map(|message| message.payload.len());
    let query = query::parse(data);
    if let Ok(query) = &query {
        assert!((1..=100).contains(&query.page.limit));
        let _ = time::parse("start_time", &query.filter.start_time);
    }
    for length in [&peer, &channel].into_iter().flatten() {
        assert!(*length <= data.len(), "no escape is shorter than what it stands for");
    }
    for refusal in [peer.err(), channel.err(), query.err()].into_iter().flatten() {
        assert!(refusal.to_string().len() < 120, "{refusal}");
    }
}

/// `data` as a path segment, a query string, a flag and a time.
pub(crate) fn urls(data: &[u8]) {
    let Ok(raw) = str::from_utf8(data) else {
        return;
    };
    if let Ok(decoded) = decode_segment(raw) {
        assert!(decoded.len() <= raw.len());
        let encoded: String = decoded.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(decode_segment(&encoded).as_deref(), Ok(&*decoded));
        assert_eq!(decode_query(&encoded).as_deref(), Ok(&*decoded));
    }
    if let Ok(sender) = sender_name(raw) {
        assert_eq!(sender.trim_matches(' '), sender);
    }
    if let Ok(Some(value)) = query_value(raw, "wait_for_ack") {
        let _ = flag("wait_for_ack", Some(&value));
    }
    let _ = time::parse("end_time", raw);
}

/// `data` as a handle and as the signed part of one: no handle is accepted that was not sealed here.
pub(crate) fn handles(data: &[u8]) {
    const APP: &str = "970CA35de60c44645bbae8a215061b33";
    let key = HandleKey::new([7; 32]);
    if let Ok(text) = str::from_utf8(data) {
        assert_eq!(handle::open(&key, APP, text, 0), Err(handle::HandleError::Invalid));
    }
    if let Some((_, query)) = handle::decode(data) {
        let sealed = handle::seal(&key, APP, &query, 5);
        assert_eq!(handle::open(&key, APP, &sealed, 5), Ok(query));
    }
}

/// `data` as the three headers that carry credentials, a line each: nobody gets in without the right ones.
pub(crate) fn credentials(data: &[u8]) {
    let app = RtmApp {
        app_id: "970CA35de60c44645bbae8a215061b33".to_owned(),
        certificate: Some(Secret::new("5CFd2fd1755d40ecb72977518be15d3b")),
        customers: vec![Customer { id: "cid".to_owned(), secret: Secret::new("csec") }],
        options: RtmOptions::default(),
    };
    let mut headers = HeaderMap::new();
    for (name, line) in ["authorization", "x-agora-token", "x-agora-uid"].into_iter().zip(data.split(|b| *b == b'\n')) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.insert(name, value);
        }
    }
    match authenticate(&headers, &app, 1_700_000_000) {
        // The right pair without its padding, which may be there or not.
        Ok(Principal::Backend) => assert!(data.windows(11).any(|window| window == b"Y2lkOmNzZWM")),
        Ok(Principal::User(user)) => assert!(!user.is_empty()),
        Err(_) => {}
    }
}
