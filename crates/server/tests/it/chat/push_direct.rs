//! Direct pushes and labels.

use http::Method;
use serde_json::{Value, json};
use stentor_gateway_ws::client::Json;
use stentor_push::Secret;
use stentor_push::counterparts::{Answer, Behaviour, Counterpart, webhook};
use stentor_testkit::{CHAT, ChatEvent, ChatMessage, Http, OTHER_CHAT, Reply, TestApp, TestServer, eventually};

use super::refused;

const SECRET: &str = "webhook-secret-0123456789";

pub(super) struct Scene {
    pub(super) server: TestServer,
    chat: Http,
    pub(super) hook: Counterpart,
}

impl Scene {
    /// Three users; user2's phone is bound with a webhook.
    pub(super) async fn new(app: TestApp) -> Self {
        let config = "[push]\nallow_private = true";
        let server =
            TestServer::builder().app(app).app(TestApp::other_chat()).config(config).manual_clock().start().await;
        server.register(&["user1", "user2", "user3"]).await;
        let hook = webhook::start(Secret::new(SECRET), server.node().clock().clone()).await.expect("a webhook");
        let scene = Self { chat: server.chat().await, server, hook };
        let url = format!("{}/push", scene.hook.url());
        let body =
            json!({ "name": "hook", "provider": "WEBHOOK", "certificate": SECRET, "webhookSettings": { "url": url } });
        scene.done(Method::POST, "notifiers", body).await;
        let body = json!({ "device_id": "phone", "notifier_name": "hook", "device_token": "t" });
        scene.done(Method::PUT, "users/user2/push/binding", body).await;
        scene
    }

    pub(super) async fn free() -> Self {
        Self::free_of(TestApp::new().chat()).await
    }

    async fn free_of(app: TestApp) -> Self {
        let app = ["sync", "async", "single", "labels", "label_users", "to_labels", "tasks"]
            .into_iter()
            .fold(app, |app, name| app.chat_limit(&format!("chat_push_{name}_per_second"), 0));
        Self::new(app).await
    }

    pub(super) async fn call(&self, method: Method, path: &str, body: Value) -> Reply {
        self.chat.send(method, &self.server.chat_path(path), body.to_string().into()).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, body).await
    }

    pub(super) async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let reply = self.call(method, path, body).await;
        assert_eq!(reply.code(), 200, "{path}: {}", reply.text());
        reply.json()
    }

    async fn get(&self, path: &str) -> Value {
        self.done(Method::GET, path, Value::Null).await
    }

    async fn sync(&self, user: &str, strategy: u8) -> Value {
        let body = json!({ "strategy": strategy, "pushMessage": message() });
        self.done(Method::POST, &format!("push/sync/{user}"), body).await["data"].clone()
    }

    async fn later(&self, user: &str, strategy: u8) {
        let body = json!({ "strategy": strategy, "pushMessage": message() });
        let data = self.done(Method::POST, &format!("push/async/{user}"), body).await["data"].clone();
        assert_eq!(data, json!([{ "pushStatus": "ASYNC_SUCCESS", "data": "", "desc": "success" }]));
    }

    pub(super) async fn came(&self, count: usize) -> Vec<Value> {
        eventually("the pushes arrive", async || {
            let received = self.hook.received();
            if received.len() >= count {
                Ok(received.into_iter().map(|one| one.said).collect())
            } else {
                Err(received.len())
            }
        })
        .await
    }

    pub(super) async fn kept(&self, user: &str) -> u64 {
        self.get(&format!("users/{user}/offline_msg_count")).await["data"][user].as_u64().expect("a number")
    }
}

pub(super) fn message() -> Value {
    json!({ "title": "Hello", "content": "Welcome", "sub_title": "Hi", "ext": { "k": 1 }, "vivo": {} })
}

#[tokio::test]
async fn who_waits_hears_what_the_provider_says() {
    let scene = Scene::free().await;
    let reply = scene.post("push/sync/user2", json!({ "pushMessage": message() })).await;
    let body = reply.json();
    let keys: Vec<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["data", "duration", "timestamp"], "{body}");
    let id = body["data"][0]["data"]["id"].as_str().expect("an ID");
    assert_eq!(body["data"], json!([{ "pushStatus": "SUCCESS", "data": { "id": id } }]));
    let push = scene.came(1).await.remove(0);
    assert_eq!(
        (&push["title"], &push["content"], &push["custom"]["e"]),
        (&json!("Hello"), &json!("Welcome"), &json!({ "k": 1 }))
    );

    scene.hook.answer_next(Answer::status(422));
    assert_eq!(scene.sync("user2", 2).await[0]["pushStatus"], "FAIL");
    let fail = |desc: &str| json!([{ "pushStatus": "FAIL", "desc": desc }]);
    assert_eq!(scene.sync("user3", 2).await, fail("no push binding"));
    for nobody in ["nobody", "no%20name"] {
        for strategy in 0..5 {
            assert_eq!(scene.sync(nobody, strategy).await, fail("appUser not exists"), "{nobody} {strategy}");
        }
    }
    assert_eq!(scene.sync("user2", 4).await, fail("appUser is not online"));
    assert_eq!((scene.kept("user2").await, scene.hook.problems()), (0, Vec::<String>::new()));
}

#[tokio::test]
async fn the_own_channel_is_a_command_to_the_clients() {
    let scene = Scene::free().await;
    // Kept for who is away.
    assert_eq!(scene.sync("user3", 1).await[0]["pushStatus"], "SUCCESS");
    assert_eq!(scene.kept("user3").await, 1);
    let mut client = scene.server.chat_client("user3").await;
    let ChatEvent::Message(ChatMessage { body_type, body, ext, from, .. }) = client.next().await.expect("it comes")
    else {
        panic!("a message")
    };
    let read = |json: &Json| serde_json::from_str::<Value>(json.as_str()).expect("JSON");
    let (body, ext) = (read(&body), read(&ext));
    assert_eq!((body_type.as_str(), &body["action"], from.as_str()), ("cmd", &json!("em_push"), "admin"));
    assert_eq!((&ext["em_push"]["title"], &ext["em_push"]["subTitle"]), (&json!("Hello"), &json!("Hi")));
    // For who is there.
    for strategy in [1, 3, 4] {
        assert_eq!(scene.sync("user3", strategy).await[0]["pushStatus"], "SUCCESS", "{strategy}");
        assert!(matches!(client.next().await, Some(ChatEvent::Message(_))), "{strategy}");
        scene.later("user3", strategy).await;
        assert!(matches!(client.next().await, Some(ChatEvent::Message(_))), "later {strategy}");
    }
    // Online only: nothing is kept for who is away. And a provider that takes it leaves nothing for the clients.
    scene.later("user2", 4).await;
    for strategy in [0, 2, 3] {
        assert_eq!(scene.sync("user2", strategy).await[0]["pushStatus"], "SUCCESS", "{strategy}");
    }
    assert_eq!((scene.kept("user2").await, scene.came(3).await.len()), (0, 3));
}

#[tokio::test]
async fn what_no_provider_takes_goes_to_the_clients() {
    let scene = Scene::free().await;
    scene.hook.behave(Some(Behaviour::Answer(Answer::status(422))));
    for (number, strategy) in [(1, 0), (2, 3)] {
        assert_eq!(scene.sync("user2", strategy).await[0]["pushStatus"], "SUCCESS", "{strategy}");
        assert_eq!(scene.kept("user2").await, number);
    }
    assert_eq!(scene.sync("user2", 2).await[0]["pushStatus"], "FAIL");
    scene.later("user2", 2).await;
    scene.later("user2", 0).await;
    eventually("it is told over the own channel", async || match scene.kept("user2").await {
        3 => Ok(()),
        other => Err(other),
    })
    .await;
    // user3 has no device.
    scene.later("user3", 0).await;
    eventually("it is told over the own channel", async || match scene.kept("user3").await {
        1 => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(scene.kept("user2").await, 3);
}

#[tokio::test]
async fn several_users_at_once() {
    let scene = Scene::free().await;
    let single =
        async |targets: Value| scene.post("push/single", json!({ "targets": targets, "pushMessage": message() })).await;
    let data = single(json!(["user2", "nobody", "USER2"])).await.json()["data"].clone();
    let told = |id: &str| json!({ "id": id, "pushStatus": "ASYNC_SUCCESS", "desc": "async success." });
    assert_eq!(data, json!([told("user2"), told("nobody"), told("USER2")]));
    assert_eq!(scene.came(1).await.len(), 1, "once");
    let names = |count: usize| json!((0..count).map(|number| format!("u{number}")).collect::<Vec<_>>());
    assert_eq!(single(names(100)).await.code(), 200);
    refused(&single(names(101)).await, 403, "LimitException", "limit request");
    for odd in [json!([]), json!("user2"), json!([7]), Value::Null] {
        refused(&single(odd).await, 400, "illegal_argument", "parameters is invalid : targets");
    }
    assert_eq!(scene.hook.received().len(), 1);
}

#[tokio::test]
async fn what_has_no_room_is_refused_whole() {
    let scene = Scene::free_of(TestApp::new().chat().chat_option("push_unsent = 2")).await;
    scene.hook.behave(Some(Behaviour::Answer(Answer::status(500))));
    let single =
        async |targets: Value| scene.post("push/single", json!({ "targets": targets, "pushMessage": message() })).await;
    let body = json!({ "device_id": "phone", "notifier_name": "hook", "device_token": "t3" });
    scene.done(Method::PUT, "users/user3/push/binding", body).await;
    assert_eq!(single(json!(["user2"])).await.code(), 200);
    // One more has room, two have not.
    refused(&single(json!(["user2", "user3"])).await, 403, "LimitException", "limit request");
    assert_eq!(single(json!(["user3"])).await.code(), 200);
    for path in ["push/sync/user2", "push/async/user2"] {
        let reply = scene.post(path, json!({ "strategy": 2, "pushMessage": message() })).await;
        refused(&reply, 403, "LimitException", "limit request");
    }
    // Who has no device needs no room.
    assert_eq!(single(json!(["user1"])).await.code(), 200);
}

#[tokio::test]
async fn what_is_no_push_is_refused() {
    let scene = Scene::free().await;
    for path in ["push/sync/user2", "push/async/user2"] {
        for message in [Value::Null, json!("text"), json!({ "apns": [] })] {
            refused(&scene.post(path, json!({ "pushMessage": message })).await, 400, "MessageException", "bad_request");
        }
        let body = json!({ "pushMessage": { "title": "x".repeat(33) } });
        refused(&scene.post(path, body).await, 400, "illegal_argument", "parameters is invalid : title");
        for strategy in [json!(5), json!(-1), json!("x")] {
            let body = json!({ "strategy": strategy, "pushMessage": message() });
            refused(&scene.post(path, body).await, 400, "illegal_argument", "parameters is invalid : strategy");
        }
        let own = scene.server.chat_as("user2").await;
        let body = json!({ "pushMessage": message() });
        assert_eq!(own.post(&scene.server.chat_path(path), &body).await.code(), 401);
    }
    let reply = scene.chat.get(&scene.server.chat_path("push/sync")).await;
    refused(&reply, 404, "web_application", "url is invalid");

    let closed = Scene::new_without_push().await;
    for path in ["push/sync/user2", "push/async/user2", "push/single"] {
        let reply = closed.chat_post(path).await;
        refused(&reply, 403, "ServiceNotOpenException", "push service not open");
    }
}

/// An app without push.
pub(super) struct Closed {
    server: TestServer,
}

impl Scene {
    pub(super) async fn new_without_push() -> Closed {
        let app = TestApp::new().chat().feature("push", false);
        Closed { server: TestServer::builder().app(app).manual_clock().start().await }
    }
}

impl Closed {
    pub(super) async fn chat_post(&self, path: &str) -> Reply {
        let body = json!({ "targets": ["user2"], "pushMessage": message() });
        self.server.chat().await.post(&self.server.chat_path(path), &body).await
    }
}

#[tokio::test]
async fn labels_are_made_and_given() {
    let scene = Scene::free().await;
    let made = scene.done(Method::POST, "push/label", json!({ "name": "post-90s", "description": "hah" })).await;
    let now_ms = scene.server.node().clock().wall_ms();
    assert_eq!(made["data"], json!({ "name": "post-90s", "description": "hah", "createdAt": now_ms }));
    let users = json!({ "usernames": ["user2", "USER1", "user2", "nobody", "no name"] });
    let added = scene.done(Method::POST, "push/label/post-90s/user", users.clone()).await["data"].clone();
    let fail = json!({ "nobody": "appUser not exists", "no name": "appUser not exists" });
    assert_eq!(added, json!({ "success": ["user2", "USER1"], "fail": fail }));
    assert_eq!(scene.get("push/label/post-90s").await["data"]["count"], 2);
    assert_eq!(scene.get("push/label").await["data"][0]["count"], 2);
    let one = scene.get("push/label/post-90s/user?limit=1").await;
    assert_eq!(one["data"], json!([{ "username": "user1", "created": now_ms }]));
    let next = format!("push/label/post-90s/user?limit=1&cursor={}", one["cursor"].as_str().expect("a cursor"));
    let two = scene.get(&next).await;
    assert_eq!((&two["data"][0]["username"], &two["cursor"]), (&json!("user2"), &Value::Null));
    let user = |name: &str| format!("push/label/post-90s/user/{name}");
    assert_eq!(scene.get(&user("user2")).await["data"], json!({ "username": "user2", "created": now_ms }));
    assert_eq!(scene.get(&user("user3")).await["data"], json!({}));
    let gone = json!({ "usernames": ["user2", "user3"] });
    let removed = scene.done(Method::DELETE, "push/label/post-90s/user", gone).await["data"].clone();
    assert_eq!(removed, json!({ "success": ["user2"], "fail": { "user3": "user has no such label" } }));

    // The other app has none.
    let other = scene.server.tenant(OTHER_CHAT);
    let reply = other.http().await.get(&other.path("push/label")).await.json();
    assert_eq!(reply["data"], json!([]));
    assert_ne!(CHAT, OTHER_CHAT);

    assert_eq!(scene.done(Method::DELETE, "push/label/post-90s", Value::Null).await["data"], "success");
    for (method, path) in [
        (Method::GET, "push/label/post-90s"),
        (Method::DELETE, "push/label/post-90s"),
        (Method::GET, "push/label/post-90s/user"),
        (Method::POST, "push/label/post-90s/user"),
        (Method::DELETE, "push/label/post-90s/user"),
    ] {
        let reply = scene.call(method, path, users.clone()).await;
        refused(&reply, 400, "entity_not_found", "post-90s label is not exist");
    }
}

#[tokio::test]
async fn what_is_no_label_is_refused() {
    let scene = Scene::free().await;
    let create = async |name: Value, description: Value| {
        scene.post("push/label", json!({ "name": name, "description": description })).await
    };
    assert_eq!(create(json!("x".repeat(64)), json!("中".repeat(255))).await.code(), 200);
    for odd in [json!("x".repeat(65)), json!(""), json!("a/b"), json!("中"), json!(7), Value::Null] {
        refused(&create(odd, Value::Null).await, 400, "illegal_argument", "parameters is invalid : name");
    }
    let long = json!("x".repeat(256));
    refused(&create(json!("l"), long).await, 400, "illegal_argument", "parameters is invalid : description");
    let twice = create(json!("x".repeat(64)), Value::Null).await;
    refused(&twice, 400, "illegal_argument", &format!("{} label already exists", "x".repeat(64)));
    assert_eq!(create(json!("X".repeat(64)), Value::Null).await.code(), 200, "case matters");
    let add = async |names: Value| scene.post("push/label/l/user", json!({ "usernames": names })).await;
    let names = |count: usize| json!((0..count).map(|number| format!("u{number}")).collect::<Vec<_>>());
    for odd in [json!([]), names(101), json!("user1"), json!([7]), Value::Null] {
        refused(&add(odd).await, 400, "illegal_argument", "parameters is invalid : usernames");
    }
    create(json!("l"), Value::Null).await;
    assert_eq!(add(names(100)).await.code(), 200);
    for number in 3..100 {
        assert_eq!(create(json!(number.to_string()), Value::Null).await.code(), 200);
    }
    refused(&create(json!("more"), Value::Null).await, 403, "LimitException", "limit request");
    let own = scene.server.chat_as("user1").await;
    for path in ["push/label", "push/label/l", "push/label/l/user", "push/label/l/user/user1"] {
        assert_eq!(own.get(&scene.server.chat_path(path)).await.code(), 401, "{path}");
    }
}
