//! Offline push, end to end: from a message to the service that gets the push, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stentor_core::clock::ManualClock;
use stentor_core::id::{MessageId, UserId};
use stentor_gateway_ws::client::ClientOptions;
use stentor_push::Secret;
use stentor_push::counterparts::fcm::FcmCounterpart;
use stentor_push::counterparts::{Answer, Behaviour, Counterpart, libretranslate, webhook};
use stentor_testkit::{
    CALLBACK_SECRET, DEADLINE, Http, Receiver, START_MS, TestApp, TestServer, TestServerBuilder, eventually,
};

use super::refused;

const SECRET: &str = "webhook-secret-0123456789";

/// A server that may speak to this machine.
fn builder() -> TestServerBuilder {
    TestServer::builder().app(TestApp::new().chat()).config("[push]\nallow_private = true").manual_clock()
}

struct Scene {
    server: TestServer,
    chat: Http,
    hook: Counterpart,
}

impl Scene {
    /// Two users, a certificate for a webhook, and user2's phone bound with it.
    async fn new(builder: TestServerBuilder) -> Self {
        let server = builder.start().await;
        server.register(&["user1", "user2"]).await;
        let clock = server.node().clock().clone();
        let hook = webhook::start(Secret::new(SECRET), clock).await.expect("a webhook");
        let scene = Self { chat: server.chat().await, server, hook };
        scene.certificate("hook", &scene.hook.url()).await;
        scene.bind("user2", "phone", "hook").await;
        scene
    }

    async fn certificate(&self, name: &str, url: &str) {
        let body = json!({
            "name": name, "provider": "WEBHOOK", "certificate": SECRET,
            "webhookSettings": { "url": format!("{url}/push") },
        });
        let reply = self.chat.post(&self.server.chat_path("notifiers"), &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
    }

    async fn bind(&self, user: &str, device: &str, notifier: &str) {
        let body = json!({ "device_id": device, "notifier_name": notifier, "device_token": format!("token-{device}") });
        let path = self.server.chat_path(&format!("users/{user}/push/binding"));
        let reply = self.chat.put(&path, &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
    }

    /// A message to user2; answers its ID.
    async fn send(&self, kind: &str, body: Value, ext: Value) -> String {
        let body = json!({ "from": "user1", "to": ["user2"], "type": kind, "body": body, "ext": ext });
        let reply = self.chat.post(&self.server.chat_path("messages/users"), &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
        reply.json()["data"]["user2"].as_str().expect("an ID").to_owned()
    }

    async fn say(&self, text: &str) -> String {
        self.send("txt", json!({ "msg": text }), json!({})).await
    }

    async fn log(&self, query: &str) -> Value {
        let reply = self.chat.get(&self.server.chat_path(&format!("push/log?{query}"))).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
        reply.json()["data"].clone()
    }

    /// What the log says of a message to user2, once it is not waiting any more.
    async fn settled(&self, message: &str) -> Value {
        eventually("the push ends", async || {
            let log = self.log(&format!("user=user2&msg_id={message}")).await;
            let Some(entry) = log.get(0).cloned() else { return Err(log) };
            let devices = entry["devices"].as_array().cloned().unwrap_or_default();
            let waits = devices.iter().any(|device| device["status"] == "waiting");
            if waits { Err(entry) } else { Ok(entry) }
        })
        .await
    }

    /// What the webhook got, once it got so many.
    async fn came(&self, count: usize) -> Vec<Value> {
        let Some(came) = self.hook.wait_for(count, DEADLINE).await else {
            panic!("only {:#?} came", self.hook.received());
        };
        assert_eq!(self.hook.problems(), [""; 0]);
        came.into_iter().map(|one| one.said).collect()
    }
}

#[tokio::test]
async fn a_message_to_somebody_away_is_pushed_with_all_that_belongs_to_it() {
    let scene = Scene::new(builder()).await;
    let style = json!({ "notification_display_style": 1 });
    scene.chat.put(&scene.server.chat_path("users/user2"), &style).await;
    let ext = json!({
        "em_push_ext": { "custom": { "key1": "value1" } },
        "em_apns_ext": { "em_push_badge": 3 },
        "em_android_push_ext": { "fcm_channel_id": "news" },
    });
    let message = scene.send("txt", json!({ "msg": "Hello" }), ext).await;
    let push = scene.came(1).await.remove(0);
    assert_eq!(push["id"], format!("{message}:user2:phone"));
    assert_eq!(
        (&push["token"], &push["title"], &push["content"]),
        (&json!("token-phone"), &json!("You have a new message"), &json!("user1: Hello"))
    );
    assert_eq!(push["custom"], json!({ "t": "user2", "f": "user1", "m": message, "e": { "key1": "value1" } }));
    assert_eq!(push["em_apns_ext"], json!({ "em_push_badge": 3 }));
    assert_eq!(push["em_android_push_ext"], json!({ "fcm_channel_id": "news" }));

    let now = scene.server.now_ms();
    assert_eq!(
        scene.settled(&message).await,
        json!({
            "msg_id": message, "user": "user2", "from": "user1", "decided": now, "pushed": true,
            "title": "You have a new message", "content": "user1: Hello",
            "devices": [{
                "device_id": "phone", "notifier_name": "hook", "provider": "webhook", "status": "sent", "attempts": 1,
                "timestamp": now, "id": format!("taken-{message}:user2:phone"),
            }],
        })
    );
    let page = scene.server.anonymous().get("/metrics").await.text();
    for (name, labels) in [
        ("push_decisions_total", "reason=\"pushed\"} 1"),
        ("push_sends_total", "provider=\"webhook\",outcome=\"sent\"} 1"),
        ("push_waiting", "queue=\"deliveries\"} "),
    ] {
        let name = format!("stentor_{name}{{");
        assert!(page.lines().any(|line| line.starts_with(&name) && line.contains(labels)), "{name}{labels}: {page}");
    }
}

#[tokio::test]
async fn whoever_is_there_and_acks_is_not_told_and_whoever_does_not_ack_is() {
    let scene = Scene::new(builder()).await;
    let mut there = scene.server.chat_client("user2").await;
    let read = scene.say("read").await;
    there.next().await.expect("it comes");
    let (node, user) = (scene.server.node(), UserId::from_trusted("user2"));
    let (app, id) = (node.app("easemob-demo#wang").expect("the app"), MessageId(read.parse().expect("a number")));
    eventually("the ack arrives", async || match node.is_undelivered(&app, &user, id).await {
        Ok(false) => Ok(()),
        other => Err(other.is_ok()),
    })
    .await;
    scene.server.advance(Duration::from_secs(11));
    drop(there);

    let options = ClientOptions { auto_ack: false, ..ClientOptions::default() };
    let mut deaf = scene.server.chat_connect(scene.server.chat_login("user2"), options).await.expect("connects");
    let unread = scene.say("unread").await;
    deaf.next().await.expect("it comes");
    assert_eq!(scene.log(&format!("user=user2&msg_id={unread}")).await, json!([]), "it may still be acked");
    scene.server.advance(Duration::from_secs(10));
    assert_eq!(scene.came(1).await[0]["custom"]["m"], unread);
    assert_eq!(scene.log(&format!("user=user2&msg_id={read}")).await, json!([]));
}

#[tokio::test]
async fn what_is_held_back_can_be_looked_up() {
    let scene = Scene::new(builder()).await;
    let silent = scene.send("txt", json!({ "msg": "a" }), json!({ "em_ignore_notification": true })).await;
    let command = scene.send("cmd", json!({ "action": "a" }), json!({})).await;
    for message in [&silent, &command] {
        let entry = scene.settled(message).await;
        assert_eq!((&entry["pushed"], &entry["reason"]), (&json!(false), &json!("message ignore push")));
    }
    let only = json!({ "em_push_filter": { "accept_device_id": ["tablet"] } });
    scene.bind("user2", "tablet", "elsewhere").await;
    let filtered = scene.send("txt", json!({ "msg": "a" }), only).await;
    let entry = scene.settled(&filtered).await;
    let reasons: Vec<_> =
        entry["devices"].as_array().expect("devices").iter().map(|device| &device["reason"]).collect();
    assert_eq!(reasons, ["ignore push device id", "no notifier exist"]);
    scene.server.register(&["user3"]).await;
    let path = scene.server.chat_path("messages/users");
    let body = json!({ "from": "user1", "to": ["user3"], "type": "txt", "body": { "msg": "a" } });
    scene.chat.post(&path, &body).await;
    let entry =
        eventually("it is decided", async || scene.log("user=user3").await.get(0).cloned().ok_or("nothing")).await;
    assert_eq!(entry["reason"], "no push binding");
    assert_eq!(scene.hook.received().len(), 0);
    let newest = scene.log("user=user2&limit=2").await;
    let ids: Vec<_> = newest.as_array().expect("entries").iter().map(|entry| entry["msg_id"].clone()).collect();
    assert_eq!(ids, [filtered, command]);
}

#[tokio::test]
async fn the_log_is_the_backend_s_and_asks_for_a_user() {
    let scene = Scene::new(builder()).await;
    let path = |query: &str| scene.server.chat_path(&format!("push/log{query}"));
    for (query, parameter) in [
        ("", "user"),
        ("?user=user1&msg_id=x", "msg_id"),
        ("?user=user1&limit=0", "limit"),
        ("?user=user1&limit=101", "limit"),
    ] {
        let reply = scene.chat.get(&path(query)).await;
        refused(&reply, 400, "illegal_argument", &format!("parameters is invalid : {parameter}"));
    }
    assert_eq!(scene.chat.get(&path("?user=user1&limit=100")).await.json()["data"], json!([]));
    assert_eq!(scene.chat.get(&path("?user=user1&msg_id=12")).await.json()["data"], json!([]));
    let own = scene.server.chat_as("user1").await.get(&path("?user=user1")).await;
    assert_eq!(own.code(), 401, "{}", own.text());
}

#[tokio::test]
async fn an_outage_and_a_restart_lose_nothing() {
    let scene = Scene::new(builder().embedded()).await;
    scene.hook.behave(Some(Behaviour::Answer(Answer::status(503))));
    let first = scene.say("one").await;
    scene.came(1).await;
    let Scene { server, hook, .. } = scene;
    let (now_ms, directory) = (server.now_ms(), server.shutdown().await);
    hook.behave(None);
    let server = builder().directory(directory).start().await;
    let scene = Scene { chat: server.chat().await, server, hook };
    assert_eq!(scene.server.now_ms(), now_ms);
    let second = scene.say("two").await;
    scene.server.advance(Duration::from_secs(5));
    for message in [&first, &second] {
        let entry = scene.settled(message).await;
        assert_eq!(entry["devices"][0]["status"], "sent", "{entry}");
    }
    let ids: Vec<_> =
        scene.hook.received().into_iter().map(|one| (one.said["custom"]["m"].clone(), one.status)).collect();
    assert_eq!(ids.iter().filter(|(id, status)| *id == json!(first) && *status == Some(200)).count(), 1, "{ids:?}");
}

#[tokio::test]
async fn a_dead_token_is_unbound() {
    let scene = Scene::new(builder()).await;
    // Only a certificate that has delivered something is believed.
    scene.settled(&scene.say("one").await).await;
    scene.hook.answer_next(Answer::status(410));
    let entry = scene.settled(&scene.say("two").await).await;
    assert_eq!(entry["devices"][0]["status"], "failed", "{entry}");
    eventually("the token is forgotten", async || {
        let reply = scene.chat.get(&scene.server.chat_path("users/user2/push/binding")).await;
        if reply.json()["entities"] == json!([]) { Ok(()) } else { Err(reply.text()) }
    })
    .await;
    assert_eq!(scene.settled(&scene.say("three").await).await["reason"], "no push binding");
}

#[tokio::test]
async fn google_gets_what_its_contract_says() {
    let fcm = FcmCounterpart::start(Arc::new(ManualClock::new(START_MS))).await.expect("a counterpart");
    let config = format!("[push]\nallow_private = true\nfcm_url = \"{}\"", fcm.url());
    let builder = TestServer::builder().app(TestApp::new().chat()).config(&config).manual_clock();
    let scene = Scene::new(builder).await;
    let account: Value = serde_json::from_str(fcm.account().expose()).expect("JSON");
    let body = json!({ "name": "google", "provider": "FCM", "certificate": account });
    let reply = scene.chat.post(&scene.server.chat_path("notifiers"), &body).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    scene.bind("user2", "phone", "google").await;
    let entry = scene.settled(&scene.say("Hello").await).await;
    let (of_hook, of_google) = (&entry["devices"][0], &entry["devices"][1]);
    assert_eq!((&of_google["status"], &of_google["provider"]), (&json!("sent"), &json!("fcm")), "{entry}");
    assert_eq!(of_hook["reason"], "told over another certificate", "a device is told once");
    assert_eq!(scene.hook.received().len(), 0);
    assert_eq!(fcm.problems(), [""; 0]);
}

#[tokio::test]
async fn the_backend_is_told_how_pushes_ended() {
    let receiver = Receiver::start(CALLBACK_SECRET).await.expect("a receiver");
    let app = TestApp::new().chat().callback("audit", &receiver.url(), "events = [\"push\"]");
    let builder = TestServer::builder().app(app).config("[push]\nallow_private = true").manual_clock();
    let scene = Scene::new(builder).await;
    scene.bind("user2", "tablet", "none").await;
    let message = scene.say("Hello").await;
    let mut bodies: Vec<_> =
        receiver.wait_for(2, DEADLINE).await.expect("they come").into_iter().map(|one| one.body).collect();
    bodies.sort_by_key(|body| body["device_id"].to_string());
    for body in &mut bodies {
        let body = body.as_object_mut().expect("an object");
        assert!(body.remove("security").is_some() && body.remove("callId").is_some());
    }
    let now = scene.server.now_ms();
    let common = json!({
        "appkey": "easemob-demo#wang", "chat_type": "chat", "from": "user1", "msg_id": message, "step": "push",
        "target": "user2", "timestamp": now,
    });
    let with = |more: Value| {
        let mut all = common.as_object().expect("an object").clone();
        all.extend(more.as_object().expect("an object").clone());
        Value::from(all)
    };
    assert_eq!(
        bodies,
        [
            with(json!({
                "channel": "WEBHOOK", "data": { "id": format!("taken-{message}:user2:phone") }, "device_id": "phone",
                "device_token": "token-phone", "notifier_name": "hook", "status": "success",
            })),
            with(json!({
                "detail": "no notifier exist", "device_id": "tablet", "device_token": "token-tablet",
                "notifier_name": "none", "status": "fail",
            })),
        ]
    );
    assert_eq!(receiver.problems(), [""; 0]);
}

#[tokio::test]
async fn without_the_feature_nothing_is_told() {
    let app = TestApp::new().chat().feature("push", false);
    let builder = TestServer::builder().app(app).config("[push]\nallow_private = true").manual_clock();
    let scene = Scene::new(builder).await;
    let message = scene.say("Hello").await;
    let mut user = scene.server.chat_client("user2").await;
    user.next().await.expect("it was kept");
    assert_eq!(scene.log(&format!("user=user2&msg_id={message}")).await, json!([]));
    assert_eq!(scene.hook.received().len(), 0);
}

#[tokio::test]
async fn what_the_sender_has_not_translated_is_translated() {
    let clock = Arc::new(ManualClock::new(START_MS));
    let libre = libretranslate::start(clock).await.expect("a translator");
    let (url, key) = (libre.url(), libretranslate::API_KEY);
    let config = format!("translator_url = \"{url}\"\ntranslator_key = \"{key}\"");
    let scene = Scene::new(builder().config(&config)).await;
    let set = async |path: &str, body: Value| {
        assert_eq!(scene.chat.put(&scene.server.chat_path(path), &body).await.code(), 200);
    };
    set("users/user2/notification/language", json!({ "translationLanguage": "DE" })).await;
    // What is not shown is not translated.
    scene.say("secret").await;
    assert_eq!(scene.came(1).await[0]["content"], "Click to check");
    assert_eq!(libre.received().len(), 0);

    set("users/user2", json!({ "notification_display_style": 1 })).await;
    scene.say("hello").await;
    assert_eq!(scene.came(2).await[1]["content"], "user1: [de] hello");
    let translations = json!([{ "code": "de", "text": "hallo" }]);
    scene.send("txt", json!({ "msg": "hello", "translations": translations }), json!({})).await;
    assert_eq!(scene.came(3).await[2]["content"], "user1: hallo");
    assert_eq!((libre.received().len(), libre.problems()), (1, Vec::new()), "the sender's own comes first");
    // A translator that is down holds nothing back.
    libre.behave(Some(Behaviour::Cut));
    scene.say("again").await;
    assert_eq!(scene.came(4).await[3]["content"], "user1: again");
    // Who is not told is not translated for.
    libre.behave(None);
    scene.send("txt", json!({ "msg": "quiet" }), json!({ "em_ignore_notification": true })).await;
    scene.say("last").await;
    assert_eq!(scene.came(5).await[4]["content"], "user1: [de] last");
    assert_eq!(libre.received().iter().filter(|asked| asked.said["q"] == "quiet").count(), 0);
}
