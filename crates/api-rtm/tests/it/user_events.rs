//! `GET …/rtm/vendor/user_events`.

use std::time::Duration;

use serde_json::json;
use stentor_api_rtm::{EventFields, RtmLimits, RtmOptions};

use crate::harness::{NOW_MS, settle, world, world_with};

const URL: &str = "/rtm/vendor/user_events";
const NONE: &str = r#"{"result":"success","request_id":"<id>","events":[]}"#;

#[tokio::test]
async fn a_pull_takes_what_it_returns() {
    let world = world().await;
    assert_eq!(world.get(URL).await.text, NONE);
    let bob = world.login("userB").await;
    world.pass(Duration::from_millis(5)).await;
    bob.logout().await;
    settle().await;
    let reply = world.get(URL).await;
    let (login_ms, logout_ms) = (NOW_MS, NOW_MS + 5);
    let expected = format!(
        r#"{{"result":"success","request_id":"<id>","events":[{{"user_id":"userB","type":"Login","ts":{login_ms},"ms":{login_ms}}},{{"user_id":"userB","type":"Logout","ts":{logout_ms},"ms":{logout_ms}}}]}}"#
    );
    assert_eq!((reply.status, reply.text.as_str()), (200, expected.as_str()));
    assert_eq!(world.get(URL).await.text, NONE);
}

#[tokio::test]
async fn the_names_are_an_option() {
    for (event_fields, event) in [
        (EventFields::Seed, json!({ "user_id": "userB", "type": "Login", "ts": NOW_MS })),
        (EventFields::Current, json!({ "user_id": "userB", "type": "Login", "ms": NOW_MS })),
    ] {
        let world = world_with(RtmOptions { event_fields, ..RtmOptions::default() }, RtmLimits::default()).await;
        let _bob = world.login("userB").await;
        assert_eq!(world.get(URL).await.json["events"], json!([event]));
    }
}

#[tokio::test]
async fn the_newest_2000_are_kept_and_1000_are_returned() {
    let world = world().await;
    for number in 0..2001 {
        world.login(&format!("user{number}")).await;
    }
    let first = world.get(URL).await.json["events"].clone();
    assert_eq!(first.as_array().map(Vec::len), Some(1000));
    assert_eq!(first[0]["user_id"], "user1", "the oldest was replaced");
    let second = world.get(URL).await.json["events"].clone();
    assert_eq!(second.as_array().map(Vec::len), Some(1000));
    assert_eq!(second[999]["user_id"], "user2000");
    assert_eq!(world.get(URL).await.text, NONE);
}

#[tokio::test]
async fn the_11th_pull_of_a_second_is_refused() {
    let world = world().await;
    for _ in 0..10 {
        assert_eq!(world.get(URL).await.status, 200);
    }
    let _bob = world.login("userB").await;
    assert_eq!(world.get(URL).await.message(), (429, "API rate limit exceeded"));
    assert_eq!(world.get("/rtm/vendor/channel_events").await.status, 200, "counted by itself");
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.get(URL).await.json["events"].as_array().map(Vec::len), Some(1), "a refusal takes nothing");
}
