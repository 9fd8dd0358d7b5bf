//! `POST …/rtm/users/{user_id}/peer_messages`.

use std::time::Duration;

use stentor_api_rtm::{OfflineResult, RtmLimits, RtmOptions};
use stentor_core::limits::{Rate, Rule};

use crate::harness::{World, settle, world, world_with};

const URL: &str = "/rtm/users/userA/peer_messages";
const WAIT: &str = "/rtm/users/userA/peer_messages?wait_for_ack=true";
const HELLO: &str =
    r#"{"destination":"userB","enable_offline_messaging":false,"enable_historical_messaging":false,"payload":"Hello"}"#;
const KEPT: &str = r#"{"destination":"userB","enable_offline_messaging":true,"payload":"Hello"}"#;
const SENT: &str = r#"{"code":"message_sent","result":"success","request_id":"<id>"}"#;
const DELIVERED: &str = r#"{"code":"message_delivered","result":"success","request_id":"<id>"}"#;
const OFFLINE: &str = r#"{"code":"message_offline","request_id":"<id>"}"#;

fn to(destination: &str) -> String {
    serde_json::json!({ "destination": destination, "payload": "p" }).to_string()
}

fn payload(payload: &str) -> String {
    serde_json::json!({ "destination": "userB", "payload": payload }).to_string()
}

async fn expect(world: &World, url: &str, body: &str, reply: &str) {
    let got = world.post(url, body.to_owned()).await;
    assert_eq!((got.status, got.text.as_str()), (200, reply), "{url} {body}");
}

#[tokio::test]
async fn a_message_is_sent_whether_or_not_anybody_is_there() {
    let world = world().await;
    expect(&world, URL, HELLO, SENT).await;
    expect(&world, URL, KEPT, SENT).await;
    let bob = world.login("userB").await;
    bob.ack_all();
    expect(&world, URL, HELLO, SENT).await;
    expect(&world, &format!("{URL}?wait_for_ack=false"), HELLO, SENT).await;
    assert_eq!(bob.texts(), [("userA".into(), "Hello".into()), ("userA".into(), "Hello".into())]);
}

#[tokio::test]
async fn a_message_is_delivered_when_the_client_acked() {
    let world = world().await;
    let bob = world.login("userB").await;
    for body in [HELLO, KEPT] {
        let client = async {
            settle().await;
            assert_eq!(bob.ack_all(), 1);
        };
        tokio::join!(expect(&world, WAIT, body, DELIVERED), client);
    }
}

#[tokio::test]
async fn nobody_there_is_offline() {
    let world = world().await;
    expect(&world, WAIT, HELLO, OFFLINE).await;
    expect(&world, WAIT, KEPT, OFFLINE).await;
    let bob = world.login("userB").await;
    settle().await;
    assert_eq!(bob.texts().len(), 1, "only the kept one");
}

#[tokio::test]
async fn the_offline_result_is_an_option() {
    for (offline_result, reply) in [
        (OfflineResult::Omit, OFFLINE),
        (OfflineResult::Success, r#"{"code":"message_offline","result":"success","request_id":"<id>"}"#),
        (OfflineResult::Failed, r#"{"code":"message_offline","result":"failed","request_id":"<id>"}"#),
    ] {
        let options = RtmOptions { offline_result, ..RtmOptions::default() };
        let world = world_with(options, RtmLimits::default()).await;
        expect(&world, WAIT, HELLO, reply).await;
    }
}

#[tokio::test]
async fn without_an_ack_it_is_a_timeout_or_kept() {
    let world = world().await;
    let _bob = world.login("userB").await;
    let time = || async {
        settle().await;
        world.pass(Duration::from_millis(7_999)).await;
        world.pass(Duration::from_millis(1)).await;
    };
    let (reply, ()) = tokio::join!(world.post(WAIT, HELLO), time());
    assert_eq!(reply.refusal(), (408, "the receiver did not acknowledge in time"));
    tokio::join!(expect(&world, WAIT, KEPT, OFFLINE), time());
}

#[tokio::test]
async fn a_name_may_have_90_characters_and_64_of_them() {
    let world = world().await;
    let first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .";
    let second = "!#$%&()+-:;<=.>?@[]^_{}|~,'";
    for name in [first, second, &"x".repeat(64), " leading", "trailing ", "null"] {
        expect(&world, URL, &to(name), SENT).await;
    }
    for (name, reason) in [
        (String::new(), "destination must not be empty"),
        ("x".repeat(65), "destination must not be longer than 64 characters"),
        ("a/b".into(), "destination contains a character that is not allowed"),
        ("你".into(), "destination contains a character that is not allowed"),
        ("a\"b".into(), "destination contains a character that is not allowed"),
    ] {
        assert_eq!(world.post(URL, to(&name)).await.refusal(), (400, reason), "{name:?}");
    }
}

#[tokio::test]
async fn the_sender_is_decoded_once() {
    let world = world().await;
    let bob = world.login("userB").await;
    let every = "!#$%&()+-:;<=.>?@[]^_{}|~,' x";
    let encoded: String = every.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for (raw, name) in [
        (encoded.as_str(), every),
        ("a%2520b", "a%20b"),
        ("a+b", "a+b"),
        ("user@example.com;v=1", "user@example.com;v=1"),
        (&"x".repeat(64), &"x".repeat(64)),
    ] {
        expect(&world, &format!("/rtm/users/{raw}/peer_messages"), HELLO, SENT).await;
        assert_eq!(bob.texts(), [(name.to_owned(), "Hello".to_owned())]);
    }
    for (raw, reason) in [
        ("", "user_id must not be empty"),
        ("%20a", "user_id must not start or end with a space"),
        ("a%20", "user_id must not start or end with a space"),
        ("%20", "user_id must not start or end with a space"),
        ("w7%", "a % in the URL is not followed by two hexadecimal digits"),
        ("%zz", "a % in the URL is not followed by two hexadecimal digits"),
        ("%ff", "the URL does not decode to UTF-8"),
        ("%E4%BD%A0", "user_id contains a character that is not allowed"),
        ("a%2Fb", "user_id contains a character that is not allowed"),
        ("a%00", "user_id contains a character that is not allowed"),
        (&"x".repeat(65), "user_id must not be longer than 64 characters"),
    ] {
        let reply = world.post(&format!("/rtm/users/{raw}/peer_messages"), HELLO).await;
        assert_eq!(reply.refusal(), (400, reason), "{raw}");
    }
}

#[tokio::test]
async fn a_payload_has_1_to_32768_bytes_of_utf8() {
    let world = world().await;
    for good in ["p".repeat(32_768), "你".repeat(10_922) + "pp", "\u{0}\"\\\n".into()] {
        expect(&world, URL, &payload(&good), SENT).await;
    }
    assert_eq!(world.post(URL, payload("")).await.refusal(), (400, "payload must not be empty"));
    for bad in ["p".repeat(32_769), "你".repeat(10_923), "p".repeat(200_000)] {
        let reason = "payload must not be larger than 32768 bytes of UTF-8";
        assert_eq!(world.post(URL, payload(&bad)).await.refusal(), (400, reason));
    }
}

#[tokio::test]
async fn a_body_or_query_that_breaks_its_rule_is_refused() {
    let world = world().await;
    for (body, reason) in [
        ("", "the body must be a JSON object"),
        ("[]", "the body must be a JSON object"),
        ("{\"destination\":", "the body is not valid JSON (line 1, column 15)"),
        (r#"{"payload":"p"}"#, "destination is required"),
        (r#"{"destination":"d"}"#, "payload is required"),
        (r#"{"destination":null,"payload":"p"}"#, "destination must be a string"),
        (r#"{"destination":"d","payload":1}"#, "payload must be a string"),
        (
            r#"{"destination":"d","payload":"p","enable_offline_messaging":"true"}"#,
            "enable_offline_messaging must be a boolean",
        ),
        (
            r#"{"destination":"d","payload":"p","enable_historical_messaging":0}"#,
            "enable_historical_messaging must be a boolean",
        ),
    ] {
        assert_eq!(world.post(URL, body).await.refusal(), (400, reason), "{body}");
    }
    for value in ["1", "yes", "tru", "%zz"] {
        let reply = world.post(&format!("{URL}?wait_for_ack={value}"), HELLO).await;
        assert_eq!(reply.status, 400, "{value}");
    }
    for query in ["wait_for_ack=", "wait_for_ack", "wait_for_ack=FALSE", "x=1&wait_for_ack=False", "Wait_For_Ack=true"]
    {
        expect(&world, &format!("{URL}?{query}"), HELLO, SENT).await;
    }
    expect(&world, &format!("{URL}?wait_for_ack=TRUE"), HELLO, OFFLINE).await;
    expect(&world, URL, r#"{"extra":[1],"destination":"d","payload":"p","destinations":7}"#, SENT).await;
}

#[tokio::test]
async fn the_501st_message_of_a_second_is_refused() {
    let world = world().await;
    for _ in 0..500 {
        expect(&world, URL, HELLO, SENT).await;
    }
    assert_eq!(world.post(URL, HELLO).await.message(), (429, "API rate limit exceeded"));
    // What is refused for another reason does not count, and channel messages have a rate of their own.
    assert_eq!(world.post(URL, "").await.status, 400);
    let channel = world.post("/rtm/users/userA/channel_messages", r#"{"channel_name":"c","payload":"p"}"#).await;
    assert_eq!(channel.status, 200);
    world.pass(Duration::from_millis(999)).await;
    assert_eq!(world.post(URL, HELLO).await.status, 429);
    world.pass(Duration::from_millis(1)).await;
    expect(&world, URL, HELLO, SENT).await;
}

#[tokio::test]
async fn the_limit_is_an_option_and_may_be_shared() {
    let rates = vec![(Rule::PeerSends, Some(Rate { count: 3, window_ms: 1000 }))];
    let limits = RtmLimits { combined_sends: true, rates, ..RtmLimits::default() };
    let world = world_with(RtmOptions::default(), limits).await;
    expect(&world, URL, HELLO, SENT).await;
    for status in [200, 200, 429] {
        let reply = world.post("/rtm/users/userA/channel_messages", r#"{"channel_name":"c","payload":"p"}"#).await;
        assert_eq!(reply.status, status);
    }
    assert_eq!(world.post(URL, HELLO).await.status, 429);
}

#[tokio::test]
async fn a_message_to_oneself_arrives() {
    let world = world().await;
    let alice = world.login("userA").await;
    expect(&world, URL, &to("userA"), SENT).await;
    assert_eq!(alice.texts(), [("userA".into(), "p".into())]);
}
