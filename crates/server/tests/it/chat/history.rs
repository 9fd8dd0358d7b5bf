//! The history, an hour at a time.

use std::io::Read as _;
use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{Reply, TestApp, TestServer};

use super::{refused, server};

/// The hour in which the clock of tests starts.
const NOW: &str = "2023111422";
const HOUR: Duration = Duration::from_secs(3600);
const APP_KEY: &str = "easemob-demo#wang";

async fn ask(server: &TestServer, time: &str) -> Reply {
    server.chat().await.get(&server.chat_path(&format!("chatmessages/{time}"))).await
}

/// The path of the URL that is answered.
#[track_caller]
fn path_of(server: &TestServer, reply: &Reply) -> String {
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let url = reply.json()["data"][0]["url"].as_str().expect("a URL").to_owned();
    url.strip_prefix(&format!("http://{}", server.address())).expect("ours").to_owned()
}

fn lines_of(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let mut text = String::new();
    flate2::read::GzDecoder::new(&reply.body[..]).read_to_string(&mut text).expect("whole");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The messages of an hour.
async fn lines(server: &TestServer, time: &str) -> Vec<Value> {
    let path = path_of(server, &ask(server, time).await);
    lines_of(&server.anonymous().get(&path).await)
}

async fn send(server: &TestServer, endpoint: &str, to: &str, kind: &str, body: Value) -> String {
    let body = json!({ "from": "user1", "to": [to], "type": kind, "body": body, "ext": { "key1": "value1" } });
    let reply = server.chat().await.post(&server.chat_path(endpoint), &body).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()["data"][to].as_str().expect("an ID").to_owned()
}

#[tokio::test]
async fn an_hour_has_the_messages_of_every_kind_of_conversation() {
    let server = server().await;
    let text = json!({ "msg": "hi" });
    let first = send(&server, "messages/users", "user2", "txt", text.clone()).await;
    let place = json!({ "lat": "39.9053", "lng": 116.36302, "addr": "here" });
    let second = send(&server, "messages/chatgroups", "184524748161025", "loc", place).await;
    server.clock().advance(Duration::from_secs(1));
    let custom = json!({ "customEvent": "gift_1", "customExts": { "name": "flower" } });
    let third = send(&server, "messages/chatrooms", "185145305923585", "custom", custom).await;
    let record = |id: &str, ms: u64, to: &str, chat_type: &str, body: Value| {
        json!({
            "msg_id": id, "timestamp": stentor_testkit::START_MS + ms, "direction": "outgoing", "to": to, "from": "user1",
            "chat_type": chat_type,
            "payload": { "bodies": [body], "ext": { "key1": "value1" }, "from": "user1", "to": to },
        })
    };
    let expected = [
        record(&first, 0, "user2", "chat", json!({ "msg": "hi", "type": "txt" })),
        record(
            &second,
            0,
            "184524748161025",
            "groupchat",
            json!({ "addr": "here", "lat": 39.9053, "lng": 116.36302, "type": "loc" }),
        ),
        record(
            &third,
            1000,
            "185145305923585",
            "chatroom",
            json!({
                "customEvent": "gift_1", "customExts": [{ "name": "flower" }], "v2:customExts": { "name": "flower" },
                "type": "custom",
            }),
        ),
    ];
    for _ in 0..2 {
        assert_eq!(lines(&server, NOW).await, expected);
    }
}

#[tokio::test]
async fn an_hour_has_its_own_messages_and_all_of_them() {
    for embedded in [false, true] {
        let builder = TestServer::builder().app(TestApp::new().chat()).manual_clock();
        let server = if embedded { builder.embedded() } else { builder }.start().await;
        let mut sent = Vec::new();
        for number in 0..3 {
            server.clock().advance(Duration::from_secs(10));
            let to: Vec<_> = (0..110).map(|user| format!("u{user}")).collect();
            let body = json!({ "from": "user1", "to": to, "type": "txt", "body": { "msg": number.to_string() } });
            let reply = server.chat().await.post(&server.chat_path("messages/users"), &body).await.json();
            sent.extend(to.iter().map(|user| reply["data"][user].as_str().expect("an ID").to_owned()));
        }
        server.clock().advance(HOUR);
        let next = send(&server, "messages/users", "user2", "txt", json!({ "msg": "next" })).await;
        let ids = |lines: Vec<Value>| -> Vec<String> {
            lines.iter().map(|line| line["msg_id"].as_str().expect("an ID").to_owned()).collect()
        };
        assert_eq!(ids(lines(&server, NOW).await), sent);
        assert_eq!(ids(lines(&server, "2023111423").await), [next]);
    }
}

#[tokio::test]
async fn hours_that_are_refused() {
    let server = server().await;
    for time in ["2023", "2023111424", "2023-11-14", "x"] {
        let text = format!("illegal arguments: appkey: {APP_KEY}, time: {time}");
        refused(&ask(&server, time).await, 400, "illegal_argument", &text);
    }
    // In the future, and more than three days ago.
    for time in ["2023111423", "2023111121"] {
        let text = format!(
            "illegal arguments: appkey: {APP_KEY}, time: {time}, maybe chat message history is expired or unstored"
        );
        refused(&ask(&server, time).await, 400, "illegal_argument", &text);
    }
    for time in ["2023111122", NOW] {
        let text = format!("Failed to find chat message history download url for appkey: {APP_KEY}, time: {time}");
        refused(&ask(&server, time).await, 404, "storage_object_not_found", &text);
    }
}

#[tokio::test]
async fn an_app_without_roaming_has_no_history() {
    let app = TestApp::new().chat().feature("roaming", false);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    send(&server, "messages/users", "user2", "txt", json!({ "msg": "hi" })).await;
    let text =
        format!("illegal arguments: appkey: {APP_KEY}, time: {NOW}, maybe chat message history is expired or unstored");
    refused(&ask(&server, NOW).await, 400, "illegal_argument", &text);
}

#[tokio::test]
async fn a_url_is_for_one_hour_of_one_app_and_for_half_an_hour() {
    let server = server().await;
    send(&server, "messages/users", "user2", "txt", json!({ "msg": "hi" })).await;
    let path = path_of(&server, &ask(&server, NOW).await);
    let (start, signature) = path.split_once("&Signature=").unwrap();
    let wrong = [
        path.replace(NOW, "2023111421"),
        path.replace("Expires=1", "Expires=2"),
        format!("{start}&Signature=x{signature}"),
        format!("{start}&Signature="),
        start.to_owned(),
        path.split_once('?').unwrap().0.to_owned(),
    ];
    for path in wrong {
        let reply = server.anonymous().get(&path).await;
        refused(&reply, 403, "access_denied", "the signature of this URL does not match");
    }
    server.clock().advance(Duration::from_secs(1799));
    assert_eq!(lines_of(&server.anonymous().get(&path).await).len(), 1);
    server.clock().advance(Duration::from_secs(1));
    refused(&server.anonymous().get(&path).await, 403, "access_denied", "this URL has expired");
}

#[tokio::test]
async fn only_the_app_asks_and_not_too_often() {
    let server = server().await;
    server.register(&["user1"]).await;
    let path = server.chat_path(&format!("chatmessages/{NOW}"));
    assert_eq!(server.chat_as("user1").await.get(&path).await.code(), 401);
    assert_eq!(server.anonymous().get(&path).await.code(), 401);
    for _ in 0..10 {
        assert_eq!(ask(&server, NOW).await.code(), 404);
    }
    refused(&ask(&server, NOW).await, 429, "reach_limit", "This request has reached api limit");
    server.clock().advance(Duration::from_secs(61));
    assert_eq!(ask(&server, NOW).await.code(), 404);
}

#[tokio::test]
async fn what_was_taken_back_is_not_there_any_more() {
    let server = server().await;
    let id = send(&server, "messages/users", "user2", "txt", json!({ "msg": "oops" })).await;
    send(&server, "messages/users", "user2", "txt", json!({ "msg": "stays" })).await;
    let recall = json!({ "msg_id": id, "to": "user2", "from": "user1", "chat_type": "chat", "force": true });
    let reply = server.chat().await.post(&server.chat_path("messages/msg_recall"), &recall).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let left = lines(&server, NOW).await;
    let texts: Vec<_> = left.iter().map(|line| line["payload"]["bodies"][0]["msg"].as_str()).collect();
    assert_eq!(texts, [Some("stays")]);
}

#[tokio::test]
async fn urls_survive_a_restart_and_are_not_logged_by_their_signature() {
    let builder = || TestServer::builder().app(TestApp::new().chat()).manual_clock();
    let server = builder().embedded().start().await;
    send(&server, "messages/users", "user2", "txt", json!({ "msg": "hi" })).await;
    let path = path_of(&server, &ask(&server, NOW).await);
    let directory = server.shutdown().await;
    let server = builder().directory(directory).start().await;
    assert_eq!(lines_of(&server.anonymous().get(&path).await).len(), 1);
}
