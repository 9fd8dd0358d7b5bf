//! What users publish of themselves, and who is told.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use stentor_core::notice::Notice;
use stentor_testkit::{Http, Reply, TestApp, TestServer};

use super::{Connection, refused, server};

async fn publish(server: &TestServer, http: &Http, user: &str, what: &str, ext: &str) -> Reply {
    http.post(&server.chat_path(&format!("users/{user}/presence/{what}")), &json!({ "ext": ext })).await
}

async fn statuses(server: &TestServer, http: &Http, user: &str, of: &[&str]) -> Value {
    let reply =
        http.post(&server.chat_path(&format!("users/{user}/presence")), &json!({ "usernames": of })).await.json();
    reply["result"].clone()
}

async fn subscribe(server: &TestServer, http: &Http, user: &str, seconds: &str, to: &[&str]) -> Reply {
    let path = server.chat_path(&format!("users/{user}/presence/{seconds}"));
    http.post(&path, &json!({ "usernames": to })).await
}

async fn unsubscribe(server: &TestServer, http: &Http, user: &str, body: &Value) -> Reply {
    http.send(Method::DELETE, &server.chat_path(&format!("users/{user}/presence")), body.to_string().into()).await
}

async fn sublist(server: &TestServer, http: &Http, user: &str, query: &str) -> Value {
    let reply = http.get(&server.chat_path(&format!("users/{user}/presence/sublist{query}"))).await.json();
    reply["result"].clone()
}

/// A refusal, whose text the clients of this service look for in `result`.
#[track_caller]
fn illegal(reply: &Reply, text: &str) {
    assert_eq!(refused(reply, 400, "illegal_argument", text)["result"], text);
}

#[tokio::test]
async fn a_status_is_published_and_read() {
    let server = server().await;
    server.register(&["c1", "wzy"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("c1").await);
    let reply = publish(&server, &chat, "c1", "android/0", "123").await;
    assert_eq!((reply.code(), reply.text()), (200, "{\"result\":\"ok\"}".to_owned()));
    assert_eq!(publish(&server, &user, "c1", "web_1/100", "busy").await.code(), 200);
    let seconds = (server.now_ms() / 1000).to_string();
    let published =
        json!({ "uid": "c1", "last_time": seconds, "ext": "busy", "status": { "android": "0", "web_1": "100" } });
    let nobody = json!({ "uid": "nobody", "last_time": "0", "ext": "", "status": {} });
    assert_eq!(statuses(&server, &chat, "wzy", &["c1", "nobody", "a b"]).await, json!([published, nobody]));
    let other = publish(&server, &user, "wzy", "web/1", "").await;
    assert_eq!((other.code(), &other.json()["error"]), (401, &json!("unauthorized")));
    let nobody = publish(&server, &chat, "nobody", "web/1", "").await;
    refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
}

#[tokio::test]
async fn what_is_not_right_is_refused() {
    let server = server().await;
    server.register(&["c1"]).await;
    let chat = server.chat().await;
    assert_eq!(publish(&server, &chat, "c1", "web/1", &"x".repeat(1024)).await.code(), 200);
    illegal(&publish(&server, &chat, "c1", "web/1", &"x".repeat(1025)).await, "ext is too big ");
    illegal(&publish(&server, &chat, "c1", "web/busy", "").await, "set presence failed");
    illegal(&publish(&server, &chat, "c1", "a%2Fb/1", "").await, "resource not exist");
    illegal(&publish(&server, &chat, "c1", &format!("{}/1", "x".repeat(129)), "").await, "resource not exist");
    for body in [json!({}), json!({ "ext": null }), json!({ "ext": 1 })] {
        illegal(&chat.post(&server.chat_path("users/c1/presence/web/1"), &body).await, "ext cannot be null");
    }
    for path in ["users/c1/presence", "users/c1/presence/60"] {
        for body in [json!({}), json!({ "usernames": [] }), json!({ "usernames": "u" })] {
            illegal(&chat.post(&server.chat_path(path), &body).await, "usernames is empty");
        }
    }
    let many = |count: usize| vec!["u"; count];
    let path = server.chat_path("users/c1/presence");
    assert_eq!(chat.post(&path, &json!({ "usernames": many(100) })).await.code(), 200);
    illegal(&chat.post(&path, &json!({ "usernames": many(101) })).await, "too many get presences");
    assert_eq!(subscribe(&server, &chat, "c1", "60", &many(100)).await.code(), 200);
    illegal(&subscribe(&server, &chat, "c1", "60", &many(101)).await, "too many sub presence");
    illegal(&subscribe(&server, &chat, "c1", "60", &["u", "C1"]).await, "you can't sub yourself");
    assert_eq!(subscribe(&server, &chat, "c1", "2592000", &["u"]).await.code(), 200);
    for seconds in ["2592001", "0", "-1", "x"] {
        illegal(&subscribe(&server, &chat, "c1", seconds, &["u"]).await, "parameters is invalid : expiry");
    }
    let nobody = subscribe(&server, &chat, "nobody", "60", &["u"]).await;
    refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
    assert_eq!(unsubscribe(&server, &chat, "c1", &json!(many(100))).await.code(), 200);
    illegal(&unsubscribe(&server, &chat, "c1", &json!(many(101))).await, "too many unsub presences");
    for body in [json!([]), json!({}), json!({ "users": [1] }), Value::Null] {
        illegal(&unsubscribe(&server, &chat, "c1", &body).await, "usernames cannot be null");
    }
}

#[tokio::test]
async fn subscriptions_are_made_listed_and_ended() {
    let server = server().await;
    server.register(&["wzy", "c2"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("wzy").await);
    let expiry = (server.now_ms() / 1000 + 1000).to_string();
    for _ in 0..2 {
        let reply = subscribe(&server, &user, "wzy", "1000", &["c2", "c3", "c4"]).await.json();
        let view = |uid| json!({ "uid": uid, "last_time": "0", "ext": "", "status": {}, "expiry": expiry });
        assert_eq!(reply["result"], json!([view("c2"), view("c3"), view("c4")]));
    }
    let entry = |uid| json!({ "uid": uid, "expiry": expiry });
    let page = |entries: Value| json!({ "totalnum": "3", "sublist": entries });
    assert_eq!(sublist(&server, &chat, "wzy", "").await, page(json!([entry("c2")])));
    assert_eq!(sublist(&server, &user, "wzy", "?pageNum=2&pageSize=2").await, page(json!([entry("c4")])));
    assert_eq!(sublist(&server, &chat, "wzy", "?pageNum=9&pageSize=500").await, page(json!([])));
    for body in [json!(["c2"]), json!({ "users": ["c3"] }), json!({ "usernames": ["c2", "nobody"] })] {
        assert_eq!(unsubscribe(&server, &user, "wzy", &body).await.text(), "{\"result\":\"ok\"}");
    }
    assert_eq!(
        sublist(&server, &chat, "wzy", "?pageSize=10").await,
        json!({ "totalnum": "1", "sublist": [entry("c4")] })
    );
    server.advance(Duration::from_secs(1000));
    for user in ["wzy", "nobody"] {
        assert_eq!(sublist(&server, &chat, user, "").await, json!({ "totalnum": "0", "sublist": [] }));
    }
}

#[tokio::test]
async fn subscribers_are_told() {
    let server = server().await;
    server.register(&["wzy", "c2", "c3"]).await;
    let chat = server.chat().await;
    let [wzy, c3] = [Connection::open(&server, "wzy", "web").await, Connection::open(&server, "c3", "web").await];
    subscribe(&server, &chat, "wzy", "60", &["c2"]).await;
    publish(&server, &chat, "c2", "web_1/100", "busy").await;
    let told = wzy.take();
    let [Notice::Status(status)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((status.user.as_str(), status.ext.as_str(), status.devices.len()), ("c2", "busy", 1));
    assert!(c3.take().is_empty());
    unsubscribe(&server, &chat, "wzy", &json!(["c2"])).await;
    publish(&server, &chat, "c2", "web_1/101", "").await;
    assert!(wzy.take().is_empty());
}

#[tokio::test]
async fn a_device_that_comes_and_goes_says_so() {
    // It is asked for until it is so, and the clock stands still.
    let app = TestApp::new().chat().chat_limit("chat_presence_per_second", 0);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    server.register(&["wzy", "c2"]).await;
    let chat = server.chat().await;
    let is = async |status: Value| {
        let ask = async || {
            let found = statuses(&server, &chat, "wzy", &["c2"]).await[0]["status"].clone();
            if found == status { Ok(()) } else { Err(found) }
        };
        stentor_testkit::eventually("the status of c2", ask).await;
    };
    let client = Connection::open(&server, "c2", "web_1").await;
    is(json!({ "web_1": "1" })).await;
    server.node().logout(&client.connected.session).await;
    is(json!({ "web_1": "0" })).await;
}

#[tokio::test]
async fn an_app_without_presence_says_so() {
    let app = TestApp::new().chat().feature("presence", false);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    server.register(&["c1"]).await;
    let chat = server.chat().await;
    let replies = [
        publish(&server, &chat, "c1", "web/1", "").await,
        subscribe(&server, &chat, "c1", "60", &["u"]).await,
        chat.post(&server.chat_path("users/c1/presence"), &json!({ "usernames": ["u"] })).await,
        unsubscribe(&server, &chat, "c1", &json!(["u"])).await,
        chat.get(&server.chat_path("users/c1/presence/sublist")).await,
    ];
    for reply in replies {
        let body = refused(&reply, 400, "service open exception", "the app not open presence");
        assert_eq!(body["result"], "the app not open presence");
    }
}
