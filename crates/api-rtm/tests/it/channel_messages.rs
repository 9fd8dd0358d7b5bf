//! `POST …/rtm/users/{user_id}/channel_messages`.

use std::time::Duration;

use crate::harness::{settle, world};

const URL: &str = "/rtm/users/userA/channel_messages";
const HELLO: &str = r#"{"channel_name":"channelA","enable_historical_messaging":false,"payload":"Hello"}"#;
const SENT: &str = r#"{"code":"message_sent","request_id":"<id>","result":"success"}"#;

#[tokio::test]
async fn members_get_it_and_the_sender_does_not() {
    let world = world().await;
    let (alice, bob, carol) = (world.login("userA").await, world.login("userB").await, world.login("userC").await);
    for member in [&alice, &bob] {
        member.join("channelA").await;
    }
    for _ in 0..2 {
        let reply = world.post(URL, HELLO).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, SENT));
    }
    settle().await;
    assert_eq!(bob.texts(), vec![("userA".to_owned(), "Hello".to_owned()); 2]);
    assert!(alice.texts().is_empty(), "no echo");
    assert!(carol.texts().is_empty(), "not a member");
}

#[tokio::test]
async fn a_channel_without_members_takes_messages() {
    let world = world().await;
    assert_eq!(world.post(URL, HELLO).await.text, SENT);
}

#[tokio::test]
async fn a_parameter_that_breaks_its_rule_is_refused() {
    let world = world().await;
    let channel = |name: &str| serde_json::json!({ "channel_name": name, "payload": "p" }).to_string();
    for good in ["x".repeat(64), "!#$%&()+-:;<=.>?@[]^_{}|~,'".into(), " c ".into()] {
        assert_eq!(world.post(URL, channel(&good)).await.status, 200, "{good:?}");
    }
    for (body, reason) in [
        (channel(""), "channel_name must not be empty"),
        (channel(&"x".repeat(65)), "channel_name must not be longer than 64 characters"),
        (channel("a*b"), "channel_name contains a character that is not allowed"),
        (r#"{"payload":"p"}"#.into(), "channel_name is required"),
        (r#"{"channel_name":"c"}"#.into(), "payload is required"),
        (r#"{"channel_name":"c","payload":""}"#.into(), "payload must not be empty"),
        (
            r#"{"channel_name":"c","payload":"p","enable_historical_messaging":"no"}"#.into(),
            "enable_historical_messaging must be a boolean",
        ),
    ] {
        assert_eq!(world.post(URL, body.clone()).await.refusal(), (400, reason), "{body}");
    }
    let reply = world.post("/rtm/users/%20/channel_messages", HELLO).await;
    assert_eq!(reply.refusal(), (400, "user_id must not start or end with a space"));
}

#[tokio::test]
async fn the_501st_message_of_a_second_is_refused() {
    let world = world().await;
    for _ in 0..500 {
        assert_eq!(world.post(URL, HELLO).await.status, 200);
    }
    assert_eq!(world.post(URL, HELLO).await.message(), (429, "API rate limit exceeded"));
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.post(URL, HELLO).await.status, 200);
}
