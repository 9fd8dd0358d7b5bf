//! `…/rtm/message/history/…`.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_api_rtm::{ChannelMessageType, RtmLimits, RtmOptions};

use crate::harness::{NOW_MS, OTHER_APP, OTHER_BASIC, Reply, World, settle, world, world_with};

const QUERY: &str = "/rtm/message/history/query";
const START: &str = "2023-11-14T22:13:00Z";
const END: &str = "2023-11-15T00:00:00.000Z";

fn body(source: &str, destination: &str) -> Value {
    let filter = json!({ "source": source, "destination": destination, "start_time": START, "end_time": END });
    json!({ "filter": filter })
}

async fn peer(world: &World, from: &str, to: &str, payload: &str, history: bool) {
    let body = json!({ "destination": to, "payload": payload, "enable_historical_messaging": history });
    let reply = world.post(&format!("/rtm/users/{from}/peer_messages"), body.to_string()).await;
    assert_eq!(reply.status, 200);
}

async fn channel(world: &World, from: &str, to: &str, payload: &str) {
    let body = json!({ "channel_name": to, "payload": payload, "enable_historical_messaging": true });
    let reply = world.post(&format!("/rtm/users/{from}/channel_messages"), body.to_string()).await;
    assert_eq!(reply.status, 200);
}

async fn filled() -> World {
    let world = world().await;
    peer(&world, "userA", "userB", "1", true).await;
    peer(&world, "userB", "userA", "2", true).await;
    channel(&world, "userA", "channelA", "3").await;
    peer(&world, "userA", "userB", "not kept", false).await;
    settle().await;
    world
}

/// Posts a query and gets what it found.
async fn find(world: &World, body: Value) -> Reply {
    let asked = world.post(QUERY, body.to_string()).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    world.get(&location(&asked)).await
}

fn location(asked: &Reply) -> String {
    let location = asked.json["location"].as_str().expect("a location");
    location.strip_prefix('~').expect("a tilde").to_owned()
}

fn payloads(reply: &Reply) -> Vec<&str> {
    reply.json["messages"].as_array().expect("messages").iter().map(|m| m["payload"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_query_is_answered_with_a_handle_and_the_handle_with_messages() {
    let world = filled().await;
    let asked = world.post(QUERY, body("userA", "").to_string()).await;
    let handle = location(&asked);
    let expected = format!(
        r#"{{"result":"success","request_id":"<id>","offset":0,"limit":20,"order":"asc","location":"~{handle}"}}"#
    );
    assert_eq!(asked.text, expected);
    let messages = format!(
        r#"[{{"dst":"userB","message_type":"peer_message","ms":{NOW_MS},"payload":"1","src":"userA"}},{{"dst":"channelA","message_type":"group_message","ms":{NOW_MS},"payload":"3","src":"userA"}}]"#
    );
    let expected = format!(r#"{{"result":"success","request_id":"<id>","code":"ok","messages":{messages}}}"#);
    for _ in 0..2 {
        assert_eq!(world.get(&handle).await.text, expected);
    }
    assert_eq!(world.get(&handle.replace('=', "%3D")).await.text, expected, "percent-encoded padding");
}

#[tokio::test]
async fn the_filter_follows_the_documents_table() {
    let world = filled().await;
    for (source, destination, found) in [
        ("", "userA", vec!["2"]),
        ("", "channelA", vec!["3"]),
        ("userA", "", vec!["1", "3"]),
        ("userA", "userB", vec!["1"]),
        ("userA", "channelA", vec!["3"]),
        ("channelA", "", vec![]),
        ("", "nobody", vec![]),
    ] {
        assert_eq!(payloads(&find(&world, body(source, destination)).await), found, "{source} {destination}");
        let count = format!(
            "/rtm/message/history/count?source={source}&destination={destination}&start_time={START}&end_time={END}"
        );
        let reply = world.get(&count).await;
        let expected = format!(r#"{{"result":"success","request_id":"<id>","code":"ok","count":{}}}"#, found.len());
        assert_eq!(reply.text, expected);
    }
}

#[tokio::test]
async fn a_page_has_an_offset_a_limit_and_an_order() {
    let world = filled().await;
    for (rest, found) in [
        (json!({ "offset": 1 }), vec!["3"]),
        (json!({ "limit": 1 }), vec!["1"]),
        (json!({ "order": "desc" }), vec!["3", "1"]),
        (json!({ "order": "desc", "offset": 1, "limit": 50 }), vec!["1"]),
        (json!({ "offset": 100 }), vec![]),
    ] {
        let mut body = body("userA", "");
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        assert_eq!(payloads(&find(&world, body).await), found, "{rest}");
    }
}

#[tokio::test]
async fn the_channel_message_type_is_an_option() {
    let channel_message_type = ChannelMessageType::ChannelMessage;
    let world = world_with(RtmOptions { channel_message_type, ..RtmOptions::default() }, RtmLimits::default()).await;
    channel(&world, "userA", "c", "p").await;
    let reply = find(&world, body("", "c")).await;
    assert_eq!(reply.json["messages"][0]["message_type"], "channel_message");
}

#[tokio::test]
async fn a_count_takes_quotes_and_plus_signs() {
    let world = world().await;
    peer(&world, "a%20b", "c+d", "p", true).await;
    for (source, destination) in [("a%20b", "c%2Bd"), ("a+b", "c%2bd"), ("%22a%20b%22", "%22c%2Bd%22")] {
        let times = format!("start_time=%22{START}%22&end_time={END}");
        let count = format!("/rtm/message/history/count?source={source}&destination={destination}&{times}");
        assert_eq!(world.get(&count).await.json["count"], 1, "{source} {destination}");
    }
}

#[tokio::test]
async fn a_parameter_that_breaks_its_rule_is_refused() {
    let world = world().await;
    let filter = |change: Value| {
        let mut filter = body("userA", "userB")["filter"].clone();
        filter.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({ "filter": filter }).to_string()
    };
    for (body, reason) in [
        (filter(json!({ "source": "", "destination": null })), "source and destination must not both be absent"),
        (filter(json!({ "source": "你" })), "source contains a character that is not allowed"),
        (filter(json!({ "destination": "x".repeat(65) })), "destination must not be longer than 64 characters"),
        (filter(json!({ "start_time": "yesterday" })), "start_time must be a UTC time like 2019-08-01T01:22:10Z"),
        (filter(json!({ "end_time": "" })), "end_time must be a UTC time like 2019-08-01T01:22:10Z"),
        (filter(json!({ "start_time": END, "end_time": START })), "start_time must not be after end_time"),
        (filter(json!({ "end_time": null })), "end_time must be a string"),
        ("{}".into(), "filter is required"),
        (r#"{"filter":{}}"#.into(), "start_time is required"),
    ] {
        assert_eq!(world.post(QUERY, body.clone()).await.refusal(), (400, reason), "{body}");
    }
    for (query, reason) in [
        ("source=a&end_time=2019-08-01T01:22:10Z", "start_time is required"),
        ("source=a&start_time=2019-08-01T01:22:10Z", "end_time is required"),
        (
            "start_time=2019-08-01T01:22:10Z&end_time=2019-08-01T01:22:10Z",
            "source and destination must not both be absent",
        ),
        ("source=%zz", "a % in the URL is not followed by two hexadecimal digits"),
    ] {
        let reply = world.get(&format!("/rtm/message/history/count?{query}")).await;
        assert_eq!(reply.refusal(), (400, reason), "{query}");
    }
}

#[tokio::test]
async fn a_handle_expires_and_belongs_to_its_app() {
    let world = filled().await;
    let asked = world.post(QUERY, body("userA", "").to_string()).await;
    let handle = location(&asked);
    let elsewhere = axum::http::Request::get(format!("/dev/v2/project/{OTHER_APP}{handle}"))
        .header("authorization", OTHER_BASIC)
        .body(axum::body::Body::empty())
        .unwrap();
    let forged = (400, "the handle is not valid for this App ID");
    assert_eq!(world.ask(elsewhere).await.refusal(), forged);
    assert_eq!(world.get("/rtm/message/history/query/123456123456").await.refusal(), forged);
    assert_eq!(world.get(&format!("{handle}x")).await.refusal(), forged);
    world.pass(Duration::from_secs(300)).await;
    assert_eq!(world.get(&handle).await.status, 200);
    world.pass(Duration::from_millis(1)).await;
    assert_eq!(world.get(&handle).await.refusal(), (410, "the handle has expired: send the query again"));
}

#[tokio::test]
async fn history_may_be_switched_off() {
    let world = world_with(RtmOptions::default(), RtmLimits { history: None, ..RtmLimits::default() }).await;
    peer(&world, "userA", "userB", "p", true).await;
    let reply = world.post(QUERY, body("userA", "").to_string()).await;
    assert_eq!(reply.refusal(), (403, "history is not enabled for this App ID"));
    let count = format!("/rtm/message/history/count?source=userA&start_time={START}&end_time={END}");
    assert_eq!(world.get(&count).await.status, 403);
}

#[tokio::test]
async fn the_101st_query_of_a_second_is_refused() {
    let world = world().await;
    let count = format!("/rtm/message/history/count?source=userA&start_time={START}&end_time={END}");
    for _ in 0..50 {
        assert_eq!(world.post(QUERY, body("userA", "").to_string()).await.status, 200);
        assert_eq!(world.get(&count).await.status, 200);
    }
    assert_eq!(world.post(QUERY, body("userA", "").to_string()).await.message(), (429, "API rate limit exceeded"));
    assert_eq!(world.get(&count).await.status, 429);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.get(&count).await.status, 200);
}

#[tokio::test]
async fn a_kept_message_is_found_for_seven_days() {
    let world = filled().await;
    let week = Duration::from_secs(7 * 86_400);
    let count = format!("/rtm/message/history/count?source=userA&start_time={START}&end_time={END}");
    world.pass(week - Duration::from_millis(1)).await;
    assert_eq!(world.get(&count).await.json["count"], 2);
    world.pass(Duration::from_millis(1)).await;
    assert_eq!(world.get(&count).await.json["count"], 0);
}
