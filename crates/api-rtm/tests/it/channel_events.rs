//! `GET …/rtm/vendor/channel_events`.

use std::time::Duration;

use stentor_api_rtm::{EventFields, RtmLimits, RtmOptions};

use crate::harness::{NOW_MS, settle, world, world_with};

const URL: &str = "/rtm/vendor/channel_events";
const NONE: &str = r#"{"result":"success","request_id":"<id>","events":[]}"#;

#[tokio::test]
async fn a_pull_takes_what_it_returns() {
    for (event_fields, join, leave) in [
        (
            EventFields::Both,
            format!(
                r#"{{"channel_id":"c","group_id":"c","user_id":"userB","type":"Join","ts":{NOW_MS},"ms":{NOW_MS}}}"#
            ),
            format!(
                r#"{{"channel_id":"c","group_id":"c","user_id":"userB","type":"Leave","ts":{NOW_MS},"ms":{NOW_MS}}}"#
            ),
        ),
        (
            EventFields::Seed,
            format!(r#"{{"channel_id":"c","user_id":"userB","type":"Join","ts":{NOW_MS}}}"#),
            format!(r#"{{"channel_id":"c","user_id":"userB","type":"Leave","ts":{NOW_MS}}}"#),
        ),
        (
            EventFields::Current,
            format!(r#"{{"group_id":"c","user_id":"userB","type":"Join","ms":{NOW_MS}}}"#),
            format!(r#"{{"group_id":"c","user_id":"userB","type":"Leave","ms":{NOW_MS}}}"#),
        ),
    ] {
        let world = world_with(RtmOptions { event_fields, ..RtmOptions::default() }, RtmLimits::default()).await;
        let bob = world.login("userB").await;
        assert_eq!(world.get(URL).await.text, NONE);
        bob.join("c").await;
        bob.leave("c").await;
        settle().await;
        let reply = world.get(URL).await;
        let expected = format!(r#"{{"result":"success","request_id":"<id>","events":[{join},{leave}]}}"#);
        assert_eq!((reply.status, reply.text), (200, expected));
        assert_eq!(world.get(URL).await.text, NONE);
    }
}

#[tokio::test]
async fn the_11th_pull_of_a_second_is_refused() {
    let world = world().await;
    for _ in 0..10 {
        assert_eq!(world.get(URL).await.status, 200);
    }
    assert_eq!(world.get(URL).await.message(), (429, "API rate limit exceeded"));
    assert_eq!(world.get("/rtm/vendor/user_events").await.status, 200, "counted by itself");
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.get(URL).await.status, 200);
}
