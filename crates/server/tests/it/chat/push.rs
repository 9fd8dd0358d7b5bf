//! What users want to be pushed, and templates.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{Http, Reply, TestApp, TestServer};

use super::{refused, server};

const NO_USER: &str = "Entity user requires a property named username";

struct Scene {
    server: TestServer,
    chat: Http,
}

impl Scene {
    async fn new() -> Self {
        Self::on(server().await).await
    }

    async fn on(server: TestServer) -> Self {
        server.register(&["user1", "user2"]).await;
        Self { chat: server.chat().await, server }
    }

    async fn get(&self, path: &str) -> Reply {
        self.chat.get(&self.server.chat_path(path)).await
    }

    async fn put(&self, path: &str, body: Value) -> Reply {
        self.chat.put(&self.server.chat_path(path), &body).await
    }

    async fn set(&self, path: &str, body: Value) -> Value {
        data(&self.put(path, body).await)
    }

    /// Certificates that could send, of these names.
    async fn certificates(&self, names: &[&str]) {
        for name in names {
            let certificate = json!({
                "name": name, "provider": "WEBHOOK", "certificate": "webhook-secret-0123456789",
                "webhookSettings": { "url": "https://push.example.com/" },
            });
            taken(&self.chat.post(&self.server.chat_path("notifiers"), &certificate).await);
        }
    }

    async fn found(&self, path: &str) -> Value {
        data(&self.get(path).await)
    }
}

#[track_caller]
fn taken(reply: &Reply) {
    assert_eq!(reply.code(), 200, "{}", reply.text());
}

#[track_caller]
fn data(reply: &Reply) -> Value {
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()["data"].clone()
}

const APP_LEVEL: &str = "users/user1/notification/user/user1";
const OF_USER2: &str = "users/user1/notification/user/user2";
const OF_GROUP: &str = "users/user1/notification/chatgroup/12312312321";

#[tokio::test]
async fn settings_are_merged_and_times_end() {
    let scene = Scene::new().await;
    assert_eq!(scene.found(APP_LEVEL).await, json!({ "type": "ALL", "ignoreInterval": "" }));
    assert_eq!(scene.found(OF_USER2).await, json!({}));

    assert_eq!(scene.set(APP_LEVEL, json!({ "type": "AT" })).await, json!({ "type": "AT", "ignoreInterval": "" }));
    let with_interval = json!({ "type": "AT", "ignoreInterval": "08:05-10:00" });
    assert_eq!(scene.set(APP_LEVEL, json!({ "ignoreInterval": "8:5-10:0" })).await, with_interval);
    let until = scene.server.now_ms() + 60_000;
    let all = json!({ "type": "AT", "ignoreInterval": "08:05-10:00", "ignoreDuration": until });
    assert_eq!(scene.set(APP_LEVEL, json!({ "ignoreDuration": "60000" })).await, all);
    assert_eq!(scene.set(APP_LEVEL, json!({ "type": "AT", "ignoreDuration": 0 })).await, all, "as the Java SDK has it");
    assert_eq!(scene.set(APP_LEVEL, json!({})).await, all);
    assert_eq!(scene.found("users/USER1/notification/user/User1").await, all);
    scene.server.advance(Duration::from_millis(59_999));
    assert_eq!(scene.found(APP_LEVEL).await, all);
    scene.server.advance(Duration::from_millis(1));
    assert_eq!(scene.found(APP_LEVEL).await, with_interval);
    scene.set(APP_LEVEL, json!({ "ignoreDuration": 604_800_000 })).await;
    assert_eq!(scene.set(APP_LEVEL, json!({ "ignoreDuration": 0 })).await, with_interval, "alone, it ends the time");
    let reset = scene.set(APP_LEVEL, json!({ "type": "DEFAULT", "ignoreInterval": "" })).await;
    assert_eq!(reset, json!({ "type": "ALL", "ignoreInterval": "" }));
}

#[tokio::test]
async fn a_conversation_has_its_own() {
    let scene = Scene::new().await;
    let until = scene.server.now_ms() + 1000;
    let body = json!({ "type": "NONE", "ignoreInterval": "08:00-10:00", "ignoreDuration": 1000 });
    for conversation in [OF_USER2, OF_GROUP] {
        let expected = json!({ "type": "NONE", "ignoreDuration": until });
        assert_eq!(scene.set(conversation, body.clone()).await, expected, "without the interval");
        assert_eq!(scene.found(conversation).await, expected);
    }
    assert_eq!(scene.found(APP_LEVEL).await, json!({ "type": "ALL", "ignoreInterval": "" }));
    // A user and a group of one name are two.
    assert_eq!(scene.found("users/user1/notification/chatgroup/user2").await, json!({}));
    assert_eq!(scene.found("users/user2/notification/user/user1").await, json!({}), "nobody else's");
    assert_eq!(scene.set(OF_USER2, json!({ "type": "DEFAULT" })).await, json!({}), "the time ends, too");
    let only_time = scene.set(OF_GROUP, json!({ "type": "DEFAULT", "ignoreDuration": 2000 })).await;
    assert_eq!(only_time, json!({ "ignoreDuration": until + 1000 }));
    scene.server.advance(Duration::from_secs(2));
    assert_eq!(scene.found(OF_GROUP).await, json!({}));
}

#[tokio::test]
async fn many_conversations_at_once() {
    let scene = Scene::new().await;
    scene.set(OF_GROUP, json!({ "type": "AT" })).await;
    scene.set(OF_USER2, json!({ "ignoreDuration": 1000 })).await;
    let mute = "users/user1/notification?user=user2,User3,user2&group=12312312321,7";
    let expected = json!({
        "user": { "user2": { "ignoreDuration": scene.server.now_ms() + 1000 } }, "group": { "12312312321": { "type": "AT" } }
    });
    assert_eq!(scene.found(mute).await, expected);
    assert_eq!(scene.found("users/user1/notification").await, json!({ "user": {}, "group": {} }));
    let many = |count: usize| format!("users/user1/notification?user={}&group=g", vec!["u"; count].join(","));
    assert_eq!(scene.get(&many(19)).await.code(), 200);
    refused(&scene.get(&many(20)).await, 400, "illegal_argument", "parameters is invalid : user");

    for number in 0..12 {
        scene.set(&format!("users/user1/notification/user/u{number:02}"), json!({ "type": "NONE" })).await;
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scene.get(&format!("users/user1/notification/mute/type?limit=5&cursor={cursor}")).await;
        let items = data(&page).as_array().unwrap().clone();
        listed.extend(items.iter().cloned());
        match page.json()["cursor"].as_str() {
            Some(next) => {
                assert_eq!(items.len(), 5);
                next.clone_into(&mut cursor);
            }
            None => break,
        }
    }
    let mut expected = vec![json!({ "group": "12312312321", "value": "AT" })];
    expected.extend((0..12).map(|number| json!({ "user": format!("u{number:02}"), "value": "NONE" })));
    assert_eq!(listed, expected, "that of user2 is a time only");
    refused(
        &scene.get("users/user1/notification/mute/type?cursor=x").await,
        400,
        "illegal_argument",
        "parameters is invalid : cursor",
    );
}

#[tokio::test]
async fn a_setting_that_is_none_changes_nothing() {
    let scene = Scene::new().await;
    for (field, value) in [
        ("type", json!("all")),
        ("ignoreInterval", json!("8-10")),
        ("ignoreDuration", json!(604_800_001)),
        ("ignoreDuration", json!(-1)),
    ] {
        for path in [APP_LEVEL, OF_USER2] {
            let reply = scene.put(path, json!({ "type": "NONE", field: value })).await;
            refused(&reply, 400, "illegal_argument", &format!("parameters is invalid : {field}"));
        }
    }
    assert_eq!(scene.found(APP_LEVEL).await, json!({ "type": "ALL", "ignoreInterval": "" }));
    assert_eq!(scene.found(OF_USER2).await, json!({}));
    for path in ["users/user1/notification/room/7", "users/user1/notification/user"] {
        refused(&scene.put(path, json!({ "type": "NONE" })).await, 404, "web_application", "url is invalid");
    }
}

#[tokio::test]
async fn settings_are_the_users_own_and_of_users_who_are_there() {
    let scene = Scene::new().await;
    let own = scene.server.chat_as("user1").await;
    let at = |path: &str| scene.server.chat_path(path);
    let settings: [(&str, Value); 4] = [
        ("notification/user/user1", json!({ "type": "NONE" })),
        ("notification/chatgroup/1", json!({ "type": "NONE" })),
        ("notification/language", json!({ "translationLanguage": "de" })),
        ("notification/template", json!({ "templateName": "hello" })),
    ];
    for (path, body) in settings {
        assert_eq!(own.put(&at(&format!("users/user1/{path}")), &body).await.code(), 200, "{path}");
        assert_eq!(own.get(&at(&format!("users/user1/{path}"))).await.code(), 200, "{path}");
        assert_eq!(own.put(&at(&format!("users/user2/{path}")), &body).await.code(), 401, "{path}");
        assert_eq!(own.get(&at(&format!("users/user2/{path}"))).await.code(), 401, "{path}");
        assert_eq!(scene.server.anonymous().get(&at(&format!("users/user1/{path}"))).await.code(), 401, "{path}");
        for nobody in ["nobody", "a%20b"] {
            let path = format!("users/{nobody}/{path}");
            refused(&scene.put(&path, body.clone()).await, 400, "required_property_not_found", NO_USER);
            refused(&scene.get(&path).await, 400, "required_property_not_found", NO_USER);
        }
    }
    for path in ["users/nobody/notification", "users/nobody/notification/mute/type"] {
        refused(&scene.get(path).await, 400, "required_property_not_found", NO_USER);
    }
    // Nothing is left for the next one of that name.
    scene.chat.delete(&at("users/user1")).await;
    scene.server.register(&["user1"]).await;
    assert_eq!(scene.found("users/user1/notification/chatgroup/1").await, json!({}));
    assert_eq!(scene.found("users/user1/notification/language").await, json!({ "language": "" }));
    assert_eq!(scene.found("users/user1/notification/template").await, json!({ "templateName": "" }));
    assert_eq!(scene.found(APP_LEVEL).await, json!({ "type": "ALL", "ignoreInterval": "" }));
}

#[tokio::test]
async fn settings_survive_a_restart() {
    let server = TestServer::builder().app(TestApp::new().chat()).embedded().start().await;
    let scene = Scene::on(server).await;
    scene.set(APP_LEVEL, json!({ "type": "AT", "ignoreInterval": "22:00-07:00" })).await;
    scene.set(OF_GROUP, json!({ "type": "NONE" })).await;
    scene.put("users/user1", json!({ "notification_display_style": 1 })).await;
    let directory = scene.server.shutdown().await;
    let server = TestServer::builder().app(TestApp::new().chat()).directory(directory).start().await;
    let scene = Scene { chat: server.chat().await, server };
    assert_eq!(scene.found(APP_LEVEL).await, json!({ "type": "AT", "ignoreInterval": "22:00-07:00" }));
    assert_eq!(scene.found(OF_GROUP).await, json!({ "type": "NONE" }));
    assert_eq!(scene.get("users/user1").await.json()["entities"][0]["notification_display_style"], 1);
}

#[tokio::test]
async fn midnight_to_midnight_is_the_whole_day_or_none_of_it() {
    for (clears, expected) in [(false, "00:00-00:00"), (true, "")] {
        let app = TestApp::new().chat().chat_option(&format!("push_midnight_clears = {clears}"));
        let scene = Scene::on(TestServer::builder().app(app).start().await).await;
        let set = scene.set(APP_LEVEL, json!({ "ignoreInterval": "0:0-0:0" })).await;
        assert_eq!(set["ignoreInterval"], expected);
    }
}

#[tokio::test]
async fn the_language_is_a_code_or_none() {
    let scene = Scene::new().await;
    let path = "users/user1/notification/language";
    assert_eq!(scene.found(path).await, json!({ "language": "" }));
    for code in ["EU", "zh-Hans", "", "x".repeat(35).as_str()] {
        let body = json!({ "translationLanguage": code });
        assert_eq!(scene.set(path, body).await, json!({ "language": code }));
        assert_eq!(scene.found(path).await, json!({ "language": code }));
    }
    assert_eq!(scene.set(path, json!({ "language": "de" })).await, json!({ "language": "de" }));
    for body in [
        json!({}),
        json!({ "translationLanguage": 1 }),
        json!({ "translationLanguage": "a b" }),
        json!({ "translationLanguage": "x".repeat(36) }),
    ] {
        refused(&scene.put(path, body).await, 400, "illegal_argument", "parameters is invalid : translationLanguage");
    }
}

#[tokio::test]
async fn templates_are_made_changed_listed_and_deleted() {
    let scene = Scene::new().await;
    let post = async |body: Value| scene.chat.post(&scene.server.chat_path("notification/template"), &body).await;
    let hello = json!({ "name": "hello", "title_pattern": "Hello,{0}", "content_pattern": "Test,{0}" });
    let first = data(&post(hello.clone()).await);
    assert_eq!(
        (&first["name"], &first["createAt"], &first["updateAt"]),
        (&json!("hello"), &json!(scene.server.now_ms()), &first["createAt"])
    );
    scene.server.advance(Duration::from_secs(1));
    let changed = scene.set("notification/template/hello", json!({ "title_pattern": "Hi" })).await;
    assert_eq!((&changed["title_pattern"], &changed["content_pattern"]), (&json!("Hi"), &json!("Test,{0}")));
    assert_eq!((&changed["createAt"], &changed["updateAt"]), (&first["createAt"], &json!(scene.server.now_ms())));
    let again = data(&post(hello).await);
    assert_eq!((&again["createAt"], &again["title_pattern"]), (&first["createAt"], &json!("Hello,{0}")));
    data(&post(json!({ "name": "default", "title_pattern": "t", "content_pattern": "c" })).await);
    let page = scene.get("notification/template?limit=1").await.json();
    assert_eq!(page["data"][0]["name"], "default");
    let next = page["cursor"].as_str().unwrap();
    let page = scene.get(&format!("notification/template?limit=1&cursor={next}")).await.json();
    assert_eq!((&page["data"][0]["name"], page["data"].as_array().unwrap().len()), (&json!("hello"), 1));
    let gone = scene.chat.delete(&scene.server.chat_path("notification/template/hello")).await;
    assert_eq!(data(&gone), again);
    for reply in [
        scene.chat.delete(&scene.server.chat_path("notification/template/hello")).await,
        scene.get("notification/template/hello").await,
        scene.put("notification/template/hello", json!({ "title_pattern": "Hi" })).await,
    ] {
        let body = refused(&reply, 400, "entity_not_found", "hello template is not exist");
        assert_eq!(body["exception"], "EntityNotFoundException");
    }
    let all = scene.chat.delete(&scene.server.chat_path("notification/template")).await;
    assert_eq!((all.code(), all.json()["error_description"].as_str()), (404, Some("url is invalid")));
    assert_eq!(scene.get("notification/template/default").await.code(), 200, "never all at once");
}

#[tokio::test]
async fn a_template_that_is_none_is_refused() {
    let scene = Scene::new().await;
    let long = "x".repeat(64);
    let good = json!({ "name": long, "title_pattern": "t", "content_pattern": "c" });
    let path = scene.server.chat_path("notification/template");
    assert_eq!(scene.chat.post(&path, &good).await.code(), 200);
    for (field, value) in [
        ("name", json!("x".repeat(65))),
        ("name", json!("")),
        ("name", json!("a-b")),
        ("name", Value::Null),
        ("title_pattern", json!("")),
        ("content_pattern", json!(1)),
        ("content_pattern", json!("x".repeat(4097))),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let reply = scene.chat.post(&path, &body).await;
        refused(&reply, 400, "illegal_argument", &format!("parameters is invalid : {field}"));
    }
    let user = scene.server.chat_as("user1").await;
    assert_eq!(user.post(&path, &good).await.code(), 401);
    assert_eq!(user.get(&path).await.code(), 401);
}

#[tokio::test]
async fn nicknames_of_many() {
    let scene = Scene::new().await;
    let put = async |body: Value| scene.put("push/nickname", body).await;
    let long = "昵".repeat(100);
    let reply = put(json!([
        { "username": "User1", "push_nickname": "One" }, { "username": "user2", "push_nickname": long },
        { "username": "nobody", "push_nickname": "N" },
    ]))
    .await
    .json();
    let expected = json!([
        { "push_nickname": "One", "username": "user1" }, { "push_nickname": long, "username": "user2" },
    ]);
    assert_eq!((&reply["entities"], &reply["path"]), (&expected, &json!("/push")));
    assert!(reply["uri"].as_str().unwrap().ends_with("/push"));
    assert_eq!(scene.get("users/user1").await.json()["entities"][0]["nickname"], "One");
    let one = |count: usize| json!([{ "username": "user1", "push_nickname": "x".repeat(count) }]);
    refused(&put(one(101)).await, 400, "illegal_argument", "user1 push nickname length exceeds the limit");
    for empty in [json!([]), json!({})] {
        refused(&put(empty).await, 400, "illegal_argument", "put user push nicknames illegal empty request body");
    }
    let many = |count: usize| vec![json!({ "username": "user1", "push_nickname": "x" }); count];
    assert_eq!(put(many(50).into()).await.code(), 200);
    refused(&put(many(51).into()).await, 400, "illegal_argument", "put user push nicknames exceeds the limit");
}

#[tokio::test]
async fn a_user_has_a_style_and_the_settings_of_old() {
    let scene = Scene::new().await;
    let entity = async |body: Value| scene.put("users/user1", body).await.json()["entities"][0].clone();
    for (given, style) in [(json!(1), 1), (json!("0"), 0), (json!("1"), 1)] {
        assert_eq!(entity(json!({ "notification_display_style": given })).await["notification_display_style"], style);
    }
    for bad in [json!(2), json!("x"), json!(-1)] {
        let reply = scene.put("users/user1", json!({ "notification_display_style": bad })).await;
        let text = "parameters is invalid : notification_display_style";
        refused(&reply, 400, "illegal_argument", text);
    }
    let hours = json!({
        "notification_no_disturbing": true, "notification_no_disturbing_start": "1", "notification_no_disturbing_end": "3",
    });
    let user = entity(hours).await;
    assert_eq!(user["notification_no_disturbing"], true);
    assert_eq!(
        (&user["notification_no_disturbing_start"], &user["notification_no_disturbing_end"]),
        (&json!(1), &json!(3))
    );
    let user = entity(json!({ "notification_no_disturbing": false })).await;
    assert_eq!(
        (&user["notification_no_disturbing"], user.get("notification_no_disturbing_start")),
        (&json!(false), None)
    );
    let late = json!({ "notification_no_disturbing": true, "notification_no_disturbing_start": 24, "notification_no_disturbing_end": 3 });
    let text = "parameters is invalid : notification_no_disturbing_start";
    refused(&scene.put("users/user1", late).await, 400, "illegal_argument", text);
    let user =
        entity(json!({ "entities": [{ "notification_ignore_77": true }], "notification_ignore_78": "true" })).await;
    assert_eq!((&user["notification_ignore_77"], &user["notification_ignore_78"]), (&json!(true), &json!(true)));
    let user = entity(json!({ "notification_ignore_77": false })).await;
    assert_eq!((user.get("notification_ignore_77"), &user["notification_ignore_78"]), (None, &json!(true)));
    assert_eq!(user["notification_display_style"], 1, "the rest stays as it was");
}

const BINDING: &str = "users/user1/push/binding";

fn bound(device: &str, notifier: &str, token: &str) -> Value {
    json!({ "device_id": device, "device_token": token, "notifier_name": notifier })
}

#[tokio::test]
async fn devices_are_bound_and_unbound() {
    let scene = Scene::new().await;
    let put = async |device: &str, notifier: &str, token: &str| {
        let reply = scene.put(BINDING, bound(device, notifier, token)).await;
        assert_eq!((reply.code(), &reply.json()["path"]), (200, &json!("/users")), "{}", reply.text());
        reply.json()["entities"].clone()
    };
    let all = async || scene.get(BINDING).await.json()["entities"].clone();
    assert_eq!(all().await, json!([]));
    assert_eq!(put("d1", "apns", "t1").await, json!([bound("d1", "apns", "t1")]));
    assert_eq!(put("d1", "fcm", "t2").await, json!([bound("d1", "apns", "t1"), bound("d1", "fcm", "t2")]));
    assert_eq!(put("d2", "apns", "t3").await, json!([bound("d2", "apns", "t3")]), "of this device only");
    assert_eq!(put("d1", "apns", "t4").await, json!([bound("d1", "fcm", "t2"), bound("d1", "apns", "t4")]));
    let user = scene.get("users/user1").await.json()["entities"][0].clone();
    assert_eq!((&user["notifier_name"], &user["device_token"]), (&json!("apns"), &json!("t4")));
    assert_eq!(user["pushInfo"][0], json!({ "device_Id": "d1", "device_token": "t2", "notifier_name": "fcm" }));
    let listed = scene.get("users?limit=100").await.json()["entities"].clone();
    assert_eq!(listed[0]["pushInfo"], user["pushInfo"]);
    assert_eq!(listed[1].get("pushInfo"), None);
    assert_eq!(put("d1", "fcm", "").await, json!([bound("d1", "apns", "t4")]));
    assert_eq!(put("d1", "fcm", "").await, json!([bound("d1", "apns", "t4")]), "twice");
    assert_eq!(put("d1", "", "").await, json!([]));
    assert_eq!(all().await, json!([bound("d2", "apns", "t3")]));
    // As the older clients do it.
    let own = scene.server.chat_as("user1").await;
    let reply = own.put(&scene.server.chat_path("users/user1"), &bound("d3", "mi", "t5")).await.json();
    assert_eq!(
        (&reply["entities"][0]["device_token"], &reply["entities"][0]["username"]),
        (&json!("t5"), &json!("user1"))
    );
    assert_eq!(all().await, json!([bound("d2", "apns", "t3"), bound("d3", "mi", "t5")]));
}

#[tokio::test]
async fn a_binding_that_is_none_is_refused() {
    let scene = Scene::new().await;
    for (field, value) in [
        ("device_id", Value::Null),
        ("device_id", json!("")),
        ("device_id", json!("d".repeat(257))),
        ("notifier_name", Value::Null),
        ("notifier_name", json!("n".repeat(257))),
        ("device_token", Value::Null),
        ("device_token", json!("t".repeat(4097))),
        ("device_token", json!(7)),
    ] {
        let mut body = bound("d", "n", "t");
        body[field] = value;
        refused(&scene.put(BINDING, body).await, 400, "illegal_argument", &format!("parameters is invalid : {field}"));
    }
    let longest = bound(&"d".repeat(256), &"n".repeat(256), &"t".repeat(4096));
    assert_eq!(scene.put(BINDING, longest).await.code(), 200);
    let nobody = "users/nobody/push/binding";
    refused(&scene.put(nobody, bound("d", "n", "t")).await, 400, "required_property_not_found", NO_USER);
    refused(&scene.get(nobody).await, 400, "required_property_not_found", NO_USER);
    let other = scene.server.chat_as("user2").await;
    assert_eq!(other.put(&scene.server.chat_path(BINDING), &bound("d", "n", "t")).await.code(), 401);
    assert_eq!(other.get(&scene.server.chat_path(BINDING)).await.code(), 401);
}

#[tokio::test]
async fn a_preview_says_whether_why_to_whom_and_what() {
    let app = TestApp::new().chat().chat_option("push_time_zone = \"Asia/Shanghai\"");
    let scene = Scene::on(TestServer::builder().app(app).manual_clock().start().await).await;
    let preview = async |changes: Value| {
        let mut body = json!({ "from": "user2", "to": "user1", "type": "txt", "body": { "msg": "hi" } });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let reply = scene.chat.post(&scene.server.chat_path("push/preview"), &body).await;
        assert_eq!(reply.json()["path"], "/push", "{}", reply.text());
        data(&reply)
    };
    let why = async |changes: Value| {
        let data = preview(changes).await;
        assert_eq!(data["pushed"], false, "{data}");
        (data["reason"].as_str().unwrap().to_owned(), data["detail"].as_str().unwrap().to_owned())
    };
    let reason = |reason: &str, detail: &str| (reason.to_owned(), detail.to_owned());
    assert_eq!(why(json!({})).await, reason("no push binding", "NoBinding"));
    scene.put(BINDING, bound("phone", "apns", "t1")).await;
    scene.put(BINDING, bound("web", "vapid", "t2")).await;
    assert_eq!(why(json!({})).await, reason("no notifier exist", "NoDeviceReached"));
    scene.certificates(&["apns", "vapid"]).await;
    let expected = json!({
        "pushed": true, "title": "You have a new message", "content": "Click to check",
        "devices": [
            { "device_id": "phone", "notifier_name": "apns", "pushed": true },
            { "device_id": "web", "notifier_name": "vapid", "pushed": true },
        ],
    });
    assert_eq!(preview(json!({})).await, expected);
    let filter = json!({ "ext": { "em_push_filter": { "accept_device_id": ["web"] } } });
    let devices = preview(filter).await["devices"].clone();
    assert_eq!((&devices[0]["pushed"], &devices[0]["reason"]), (&json!(false), &json!("ignore push device id")));
    assert_eq!(devices[1]["pushed"], true);

    let nobody_s = json!({ "ext": { "em_push_filter": { "accept_device_id": ["other"] } } });
    assert_eq!(why(nobody_s).await, reason("message ignore push", "NoDeviceMeant"));

    // What is said.
    scene.put("users/user1", json!({ "notification_display_style": 1 })).await;
    assert_eq!(preview(json!({})).await["content"], "user2: hi");
    scene.put("users/user2", json!({ "nickname": "Two" })).await;
    assert_eq!(preview(json!({})).await["content"], "Two：hi");
    assert_eq!(preview(json!({ "group": "77" })).await["content"], "77: hi");
    scene.put("users/user1/notification/language", json!({ "translationLanguage": "zh-Hans" })).await;
    let picture = json!({ "type": "img", "body": { "url": "https://x/y" } });
    let shown = preview(picture).await;
    assert_eq!((&shown["title"], &shown["content"]), (&json!("您有一条新消息"), &json!("Two：[图片]")));
    let template = json!({ "name": "offer", "title_pattern": "For {0}", "content_pattern": "{$fromNickname}: {$msg}" });
    scene.chat.post(&scene.server.chat_path("notification/template"), &template).await;
    let asks = json!({ "ext": { "em_push_template": { "name": "offer", "title_args": ["you"] } } });
    let shown = preview(asks).await;
    assert_eq!((&shown["title"], &shown["content"]), (&json!("For you"), &json!("Two: hi")));

    // Why not.
    assert_eq!(why(json!({ "type": "cmd", "body": { "action": "a" } })).await.1, "NeverPushed(Command)");
    let ignored = json!({ "ext": { "em_ignore_notification": true } });
    assert_eq!(why(ignored).await, reason("message ignore push", "SenderIgnores"));
    let day_ago = scene.server.now_ms() - 86_400_001;
    assert_eq!(why(json!({ "timestamp": day_ago })).await, reason("expire message", "Expired"));
    scene.set(OF_USER2, json!({ "type": "AT" })).await;
    assert_eq!(why(json!({})).await, reason("user ignore push", "NotMentioned"));
    assert_eq!(preview(json!({ "ext": { "em_at_list": ["USER1"] } })).await["pushed"], true);
    assert_eq!(preview(json!({ "group": "77" })).await["pushed"], true, "that was of user2 only");
    scene.set(OF_USER2, json!({ "type": "DEFAULT" })).await;
    // 2023-11-14 22:13 UTC: a quarter past six in the morning where the users are.
    scene.set(APP_LEVEL, json!({ "ignoreInterval": "06:00-06:14" })).await;
    assert_eq!(why(json!({})).await, reason("user ignore push", "QuietTime"));
    assert_eq!(preview(json!({ "ext": { "em_force_notification": true } })).await["pushed"], true);
    scene.set(APP_LEVEL, json!({ "ignoreInterval": "22:00-22:30" })).await;
    assert_eq!(preview(json!({})).await["pushed"], true, "not there");
    scene.chat.post(&scene.server.chat_path("users/user1/blocks/users"), &json!({ "usernames": ["user2"] })).await;
    assert_eq!(why(json!({})).await.1, "SenderBlocked");

    let path = scene.server.chat_path("push/preview");
    let nobody = json!({ "to": "nobody", "type": "txt", "body": { "msg": "hi" } });
    refused(&scene.chat.post(&path, &nobody).await, 400, "required_property_not_found", NO_USER);
    refused(&scene.chat.post(&path, &json!({})).await, 400, "illegal_argument", "parameters is invalid : to");
    let empty = json!({ "to": "user1", "type": "txt", "body": {} });
    refused(&scene.chat.post(&path, &empty).await, 400, "message_send_error", "param body can't be empty");
    let user = scene.server.chat_as("user1").await;
    assert_eq!(user.post(&path, &nobody).await.code(), 401);
}

#[tokio::test]
async fn a_push_is_in_the_receiver_s_language_if_its_sender_has_attached_it() {
    let scene = Scene::new().await;
    let preview = async |changes: Value| {
        let mut body = json!({ "from": "user2", "to": "user1", "type": "txt", "body": { "msg": "hi" } });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        data(&scene.chat.post(&scene.server.chat_path("push/preview"), &body).await)
    };
    scene.put("users/user1", json!({ "notification_display_style": 1 })).await;
    scene.put("users/user2", json!({ "nickname": "Two" })).await;
    scene.put("users/user1/notification/language", json!({ "translationLanguage": "zh-Hans" })).await;
    let template = json!({ "name": "offer", "title_pattern": "For {0}", "content_pattern": "{$fromNickname}: {$msg}" });
    scene.chat.post(&scene.server.chat_path("notification/template"), &template).await;
    let translations = json!([{ "code": "en", "text": "hello" }, { "code": "zh-hans", "text": "你好" }, { "code": 7 }]);
    let translated = |translations: &Value| json!({ "body": { "msg": "hi", "translations": translations } });
    let shown = preview(translated(&translations)).await;
    assert_eq!((&shown["content"], &shown["untranslated"]), (&json!("Two：你好"), &Value::Null));
    let shown = preview(translated(&json!([{ "code": "zh-Hant", "text": "你好" }]))).await;
    assert_eq!((&shown["content"], &shown["untranslated"]), (&json!("Two：hi"), &json!("zh-Hans")));
    for odd in [json!({}), json!([7, { "code": "zh" }, { "code": "zh", "text": "" }])] {
        assert_eq!(preview(translated(&odd)).await["content"], "Two：hi", "{odd}");
    }
    let asked = json!({ "body": { "msg": "hi", "translations": translations },
        "ext": { "em_push_template": { "name": "offer", "title_args": ["{$msg}"] } } });
    assert_eq!(preview(asked).await["title"], "For 你好");
}

#[tokio::test]
async fn the_app_has_a_template_for_each_display_style() {
    let scene = Scene::new().await;
    for (template, style, expected) in [
        ("default", 1, "default hi"),
        ("default", 0, "default hi"),
        ("detail", 1, "detail hi"),
        ("detail", 0, "default hi"),
    ] {
        let pattern =
            json!({ "name": template, "title_pattern": "t", "content_pattern": format!("{template} {{$msg}}") });
        data(&scene.chat.post(&scene.server.chat_path("notification/template"), &pattern).await);
        scene.put("users/user1", json!({ "notification_display_style": style })).await;
        let body = json!({ "from": "user2", "to": "user1", "type": "txt", "body": { "msg": "hi" } });
        let shown = data(&scene.chat.post(&scene.server.chat_path("push/preview"), &body).await);
        assert_eq!(shown["content"], expected, "{template} {style}");
    }
}
