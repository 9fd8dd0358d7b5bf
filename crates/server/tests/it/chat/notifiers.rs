//! Push certificates, over REST and on disk.

use std::path::Path;

use http::Method;
use rcgen::KeyPair;
use serde_json::{Value, json};
use stentor_core::push::notifiers::NOTIFIERS;
use stentor_testkit::{CHAT, Http, OTHER_CHAT, Reply, START_MS, TestApp, TestProcess, TestServer};

use super::{refused, server};

const SECRET: &str = "hush-hush-nobody-may-see-this";
const URL_SECRET: &str = "a-token-in-a-path";

fn webhook(name: &str) -> Value {
    json!({
        "name": name, "provider": "WEBHOOK", "certificate": SECRET,
        "webhookSettings": { "url": format!("https://push.example.com/{URL_SECRET}") },
    })
}

fn apns(key: &str) -> Value {
    json!({
        "name": "apns", "provider": "APNS", "environment": "DEVELOPMENT", "packageName": "com.example.chat",
        "certificate": key, "apnsPushSettings": { "keyId": "ABC123DEFG", "teamId": "DEF123GHIJ" },
    })
}

struct Side {
    http: Http,
    prefix: String,
}

impl Side {
    async fn of(server: &TestServer, names: [&'static str; 4]) -> Self {
        let tenant = server.tenant(names);
        Self { http: tenant.http().await, prefix: tenant.path("") }
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.http.send(method, &format!("{}{path}", self.prefix), body.into()).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, &Value::Null).await
    }

    async fn post(&self, body: &Value) -> Reply {
        self.call(Method::POST, "notifiers", body).await
    }

    async fn put(&self, uuid: &str, body: &Value) -> Reply {
        self.call(Method::PUT, &format!("notifiers/{uuid}"), body).await
    }

    async fn made(&self, body: &Value) -> Value {
        entity(&self.post(body).await)
    }

    async fn listed(&self) -> Vec<Value> {
        let reply = self.get("notifiers").await.json();
        let entities = reply["entities"].as_array().expect("an array").clone();
        assert_eq!(reply["count"], entities.len());
        entities
    }
}

#[track_caller]
fn entity(reply: &Reply) -> Value {
    assert_eq!(reply.code(), 200, "{}", reply.text());
    for secret in [SECRET, URL_SECRET, "PRIVATE KEY"] {
        assert!(!reply.text().contains(secret), "{}", reply.text());
    }
    reply.json()["entities"][0].clone()
}

fn uuid(entity: &Value) -> &str {
    entity["uuid"].as_str().expect("a UUID")
}

fn key() -> String {
    KeyPair::generate().expect("a key").serialize_pem()
}

#[tokio::test]
async fn they_are_made_seen_changed_and_deleted() {
    let server = server().await;
    let side = Side::of(&server, CHAT).await;
    assert_eq!(side.listed().await, Vec::<Value>::new());
    let made = side.made(&apns(&key())).await;
    let uuid = uuid(&made).to_owned();
    assert_eq!(
        made,
        json!({
            "uuid": uuid, "type": "notifier", "name": "apns", "created": START_MS, "modified": START_MS,
            "disabled": false, "provider": "APNS", "environment": "DEVELOPMENT", "packageName": "com.example.chat",
            "apnsPushSettings": { "keyId": "ABC123DEFG", "teamId": "DEF123GHIJ" }, "usable": true, "holdsTokens": false,
        })
    );
    let reply = side.get(&format!("notifiers/{uuid}")).await;
    assert_eq!((entity(&reply), &reply.json()["path"]), (made.clone(), &json!("/notifiers")));
    side.made(&webhook("hook")).await;
    assert_eq!(side.listed().await.len(), 2);

    server.advance(std::time::Duration::from_secs(1));
    let disabled = entity(&side.put(&uuid, &json!({ "disabled": true })).await);
    assert_eq!((&disabled["disabled"], &disabled["modified"]), (&json!(true), &json!(START_MS + 1000)));
    let changed = json!({ "certificate": key(), "packageName": "com.example.other", "disabled": false,
        "apnsPushSettings": { "keyId": "K", "teamId": "T" } });
    let changed = entity(&side.put(&uuid, &changed).await);
    assert_eq!((&changed["disabled"], &changed["packageName"]), (&json!(false), &json!("com.example.other")));
    assert_eq!((&changed["environment"], &changed["apnsPushSettings"]["keyId"]), (&json!("PRODUCTION"), &json!("K")));

    let path = format!("notifiers/{uuid}");
    assert_eq!(entity(&side.call(Method::DELETE, &path, &Value::Null).await), changed);
    for reply in [
        side.call(Method::DELETE, &path, &Value::Null).await,
        side.get(&path).await,
        side.put(&uuid, &json!({ "disabled": true })).await,
        side.put(&uuid, &json!({ "certificate": SECRET })).await,
    ] {
        refused(&reply, 404, "service_resource_not_found", "Service resource not found");
    }
    assert_eq!(side.listed().await.len(), 1);
}

#[tokio::test]
async fn every_service_has_its_words() {
    let server = server().await;
    let side = Side::of(&server, CHAT).await;
    let account = json!({ "project_id": "p", "private_key_id": "k", "private_key": rsa_key(), "client_email": "e@x",
        "token_uri": "https://oauth2.googleapis.com/token" });
    for (name, provider, certificate, rest) in [
        ("sender", "FCM", account, json!({})),
        (
            "10492024",
            "HUAWEIPUSH",
            json!(SECRET),
            json!({ "huaweiPushSettings": { "apiVersion": 4, "activityClass": "a.B" } }),
        ),
        ("2882303761517426801", "XIAOMIPUSH", json!(SECRET), json!({ "packageName": "com.example" })),
        ("oppo-key", "OPPOPUSH", json!(SECRET), json!({})),
        ("1#key", "VIVOPUSH", json!(SECRET), json!({})),
        ("vivo", "VIVOPUSH", json!(SECRET), json!({ "vivoPushSettings": { "appId": "1", "appKey": "k" } })),
        ("meizu", "MEIZUPUSH", json!(SECRET), json!({})),
        ("web", "WEBPUSH", json!(key()), json!({ "webPushSettings": { "contact": "mailto:ops@example.com" } })),
    ] {
        let mut body = json!({ "name": name, "provider": provider, "certificate": certificate });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let made = side.made(&body).await;
        assert_eq!((&made["provider"], &made["usable"]), (&json!(provider), &json!(true)), "{made}");
    }
    assert_eq!(side.listed().await.len(), 8);
}

/// A key as Google's accounts have it.
fn rsa_key() -> String {
    KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key").serialize_pem()
}

#[tokio::test]
async fn what_is_no_certificate_is_refused() {
    let server = server().await;
    let side = Side::of(&server, CHAT).await;
    let changed = |field: &str, value: Value| {
        let mut body = apns(&key());
        body[field] = value;
        body
    };
    let long = "x".repeat(1025);
    for (body, fault) in [
        (changed("name", Value::Null), "name"),
        (changed("name", json!("")), "name"),
        (changed("name", json!("a\nb")), "name"),
        (changed("name", json!("x".repeat(257))), "name"),
        (changed("name", json!(7)), "name"),
        (changed("provider", json!("HONOR")), "provider"),
        (changed("provider", json!("apns")), "provider"),
        (changed("provider", Value::Null), "provider"),
        (changed("environment", json!("TEST")), "environment"),
        (changed("certificate", Value::Null), "certificate"),
        (changed("certificate", json!("")), "certificate"),
        (changed("certificate", json!(7)), "certificate"),
        (changed("certificate", json!("x".repeat(32 * 1024 + 1))), "certificate"),
        (changed("certificate", json!(SECRET)), "certificate, the APNs key cannot be read"),
        (changed("packageName", json!(long)), "packageName"),
        (changed("packageName", Value::Null), "packageName, is missing"),
        (changed("apnsPushSettings", json!([])), "apnsPushSettings"),
        (changed("apnsPushSettings", json!({ "keyId": "K" })), "teamId, is missing"),
        (changed("apnsPushSettings", json!({ "keyId": long, "teamId": "T" })), "keyId"),
    ] {
        let text = format!("parameters is invalid : {fault}");
        refused(&side.post(&body).await, 400, "illegal_argument", &text);
    }
    assert_eq!(side.post(&json!([])).await.code(), 400);
    assert_eq!(side.listed().await, Vec::<Value>::new());

    let made = side.made(&apns(&key())).await;
    let text = "Application null Entity notifier requires that property named name be unique, value of apns exists";
    refused(&side.post(&apns(&key())).await, 400, "duplicate_unique_property_exists", text);
    let change = async |body: Value| side.put(uuid(&made), &body).await;
    refused(&change(json!({})).await, 400, "illegal_argument", "parameters is invalid : disabled");
    refused(&change(json!({ "disabled": 7 })).await, 400, "illegal_argument", "parameters is invalid : disabled");
    let text = "parameters is invalid : certificate";
    refused(&change(json!({ "packageName": "com.example" })).await, 400, "illegal_argument", text);
    assert_eq!(side.listed().await, [made]);
}

#[tokio::test]
async fn an_app_has_so_many_and_no_one_else_sees_them() {
    let server = TestServer::builder()
        .app(TestApp::new().chat().chat_limit("chat_notifiers_per_second", 0))
        .app(TestApp::other_chat())
        .manual_clock()
        .start()
        .await;
    let (side, other) = (Side::of(&server, CHAT).await, Side::of(&server, OTHER_CHAT).await);
    for number in 0..NOTIFIERS {
        side.made(&webhook(&number.to_string())).await;
    }
    let text = "the number of notifiers exceeds the limit";
    refused(&side.post(&webhook("more")).await, 403, "exceed_limit", text);
    let found = side.listed().await;
    assert_eq!(found.len(), NOTIFIERS);

    // The other app has none of them, may have the same names, and cannot reach what it knows the UUID of.
    assert_eq!(other.listed().await, Vec::<Value>::new());
    other.made(&webhook("0")).await;
    let path = format!("notifiers/{}", uuid(&found[0]));
    assert_eq!(other.get(&path).await.code(), 404);
    assert_eq!(other.put(uuid(&found[0]), &json!({ "disabled": true })).await.code(), 404);
    assert_eq!(other.call(Method::DELETE, &path, &Value::Null).await.code(), 404);
    assert_eq!(side.listed().await, found);
}

#[tokio::test]
async fn only_the_backend_may() {
    let server = server().await;
    server.register(&["user1"]).await;
    let side = Side::of(&server, CHAT).await;
    let made = side.made(&webhook("hook")).await;
    let path = format!("notifiers/{}", uuid(&made));
    for http in [server.chat_as("user1").await, server.anonymous()] {
        for (method, path, body) in [
            (Method::GET, "notifiers", Value::Null),
            (Method::POST, "notifiers", webhook("other")),
            (Method::GET, &path, Value::Null),
            (Method::PUT, &path, json!({ "disabled": true })),
            (Method::DELETE, &path, Value::Null),
        ] {
            let reply = http.send(method.clone(), &server.chat_path(path), body.to_string().into()).await;
            assert_eq!(reply.code(), 401, "{method} {path}");
        }
    }
    assert_eq!(side.listed().await, [made]);
}

#[tokio::test]
async fn of_those_made_at_once_under_one_name_there_is_one() {
    let server = TestServer::builder().app(TestApp::new().chat()).embedded().start().await;
    let side = Side::of(&server, CHAT).await;
    let body = webhook("hook");
    let made = futures_util::future::join_all((0..16).map(|_| side.post(&body))).await;
    assert_eq!(made.iter().filter(|reply| reply.code() == 200).count(), 1);
    assert_eq!(side.listed().await.len(), 1);
}

/// Every byte of every file in a directory.
fn kept(directory: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(directory).unwrap();
    files.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap_or_default()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn secrets_are_sealed_on_disk_with_the_key_of_the_configuration_or_of_the_directory() {
    let server = TestServer::builder().app(TestApp::new().chat()).embedded().start().await;
    Side::of(&server, CHAT).await.made(&webhook("hook")).await;
    let directory = server.shutdown().await;
    let bytes = kept(directory.path());
    assert!(holds(&bytes, "hook") && !holds(&bytes, SECRET) && !holds(&bytes, URL_SECRET));
    let key = std::fs::read_to_string(directory.path().join("push-seal.key")).unwrap();
    let usable = async |config: &str| {
        let server =
            TestServer::builder().app(TestApp::new().chat()).config(config).directory(directory.clone()).start();
        let server = server.await;
        let found = Side::of(&server, CHAT).await.listed().await.remove(0);
        server.shutdown().await;
        (found["usable"].as_bool().unwrap(), found["reason"].as_str().map(str::to_owned))
    };
    assert_eq!(usable("").await, (true, None));
    let config = |key: &str| format!("[push]\nsealing_key = \"{key}\"\n");
    assert_eq!(usable(&config(key.trim())).await, (true, None));
    // The start goes on with another key, and says what is wrong.
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let reason = "it was sealed with another key, or is damaged".to_owned();
    assert_eq!(usable(&config(other)).await, (false, Some(reason)));
    assert_eq!(usable("").await, (true, None));
}

#[tokio::test]
async fn nothing_secret_is_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let config = "[push]\nsealing_key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n";
    std::fs::write(directory.path().join("c.toml"), format!("{config}{}", TestApp::new().chat().to_toml())).unwrap();
    let arguments = ["--config", "c.toml", "--data", "data"];
    let binary = env!("CARGO_BIN_EXE_stentor");
    let process = TestProcess::serve(binary, directory.path(), &arguments, &[("STENTOR_LOG", "trace")]).await;
    let [org, name, client_id, client_secret] = CHAT;
    let http = process.http();
    let grant = json!({ "grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret });
    let token = http.post(&format!("/{org}/{name}/token"), &grant).await.json();
    let prefix = format!("/{org}/{name}/");
    let side = Side { http: http.bearer(token["access_token"].as_str().unwrap()), prefix };
    let key = key();
    side.made(&apns(&key)).await;
    let made = side.made(&webhook("hook")).await;
    assert_eq!(side.put(uuid(&made), &webhook("hook")).await.code(), 200);
    let mut bad = webhook("bad");
    bad["provider"] = "FCM".into();
    assert_eq!(side.post(&bad).await.code(), 400);
    bad["provider"] = "APNS".into();
    assert_eq!(side.post(&bad).await.code(), 400);
    let broken = format!("{{\"certificate\":\"{SECRET}\"").into();
    assert_eq!(side.http.send(Method::POST, &format!("{}notifiers", side.prefix), broken).await.code(), 400);
    process.signal("TERM").await;
    let ended = process.end().await;
    assert!(ended.errors.contains("DEBUG"), "it is the whole log: {}", ended.errors);
    for secret in [SECRET, URL_SECRET, "PRIVATE KEY", key.lines().nth(1).unwrap(), "AAAAAAAAAAAAAAAA"] {
        assert!(!ended.errors.contains(secret) && !ended.output.concat().contains(secret), "{secret} is in the log");
    }
}
