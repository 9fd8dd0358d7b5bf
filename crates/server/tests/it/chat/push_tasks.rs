//! Direct pushes to the users of labels, and to everybody.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use stentor_testkit::{ChatEvent, TestApp, eventually};

use super::push_direct::{Scene, message};
use super::refused;

const HOUR: Duration = Duration::from_secs(3_600);

impl Scene {
    /// Makes a label and gives it to users.
    async fn label(&self, name: &str, users: &[&str]) {
        self.done(Method::POST, "push/label", json!({ "name": name })).await;
        if !users.is_empty() {
            self.done(Method::POST, &format!("push/label/{name}/user"), json!({ "usernames": users })).await;
        }
    }

    async fn phone(&self, user: &str) {
        let body = json!({ "device_id": user, "notifier_name": "hook", "device_token": user });
        self.done(Method::PUT, &format!("users/{user}/push/binding"), body).await;
    }

    /// The users who were told, once so many were.
    async fn told(&self, count: usize) -> Vec<String> {
        let came = self.came(count).await;
        let mut users: Vec<_> =
            came.iter().map(|push| push["custom"]["t"].as_str().unwrap_or_default().to_owned()).collect();
        users.sort();
        users
    }

    async fn keeps(&self, user: &str, count: u64) {
        eventually("the clients are told", async || match self.kept(user).await {
            kept if kept == count => Ok(()),
            other => Err(other),
        })
        .await;
    }
}

fn to(targets: &[&str], strategy: u8) -> Value {
    json!({ "targets": targets, "strategy": strategy, "pushMessage": message() })
}

#[tokio::test]
async fn the_users_of_labels_are_told() {
    let scene = Scene::free().await;
    scene.phone("user3").await;
    scene.label("a", &["user1", "user2", "user3"]).await;
    scene.label("b", &["user3", "user1"]).await;
    let body = scene.done(Method::POST, "push/list/label", to(&["a", "b", "a"], 2)).await;
    let keys: Vec<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["data", "duration", "timestamp"], "{body}");
    assert!(body["data"]["taskId"].as_u64().is_some_and(|id| id > 0), "{body}");
    assert_eq!(scene.told(1).await, ["user3"], "who has both");
    scene.done(Method::POST, "push/list/label", to(&["a"], 2)).await;
    assert_eq!(scene.told(3).await, ["user2", "user3", "user3"]);
    // The own channel.
    scene.done(Method::POST, "push/list/label", to(&["b"], 1)).await;
    scene.keeps("user1", 1).await;
    scene.keeps("user3", 1).await;
    let mut client = scene.server.chat_client("user2").await;
    scene.done(Method::POST, "push/list/label", to(&["a"], 3)).await;
    assert!(matches!(client.next().await, Some(ChatEvent::Message(_))), "who is there");
    // user1 has no device.
    scene.keeps("user1", 2).await;
    assert_eq!(scene.told(4).await, ["user2", "user3", "user3", "user3"]);
    assert_eq!(scene.hook.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn everybody_is_told() {
    let scene = Scene::free().await;
    scene.phone("user1").await;
    let body = scene.done(Method::POST, "push/task", json!({ "pushMessage": message() })).await;
    assert!(body["data"].as_u64().is_some_and(|id| id > 0), "{body}");
    assert_eq!(scene.told(2).await, ["user1", "user2"]);
    let push = scene.came(2).await.remove(0);
    assert_eq!((&push["title"], &push["content"]), (&json!("Hello"), &json!("Welcome")));
    scene.done(Method::POST, "push/task", json!({ "strategy": 4, "pushMessage": message() })).await;
    scene.done(Method::POST, "push/task", json!({ "strategy": 0, "pushMessage": message() })).await;
    scene.keeps("user3", 1).await;
    assert_eq!((scene.told(4).await.len(), scene.kept("user1").await), (4, 0));
}

#[tokio::test]
async fn a_task_begins_on_its_date() {
    // The clock stands at 2023-11-14 22:13:20 UTC.
    let app = ["labels", "tasks"]
        .into_iter()
        .fold(TestApp::new().chat(), |app, name| app.chat_limit(&format!("chat_push_{name}_per_second"), 0));
    let scene = Scene::new(app.chat_option("push_time_zone = \"Asia/Shanghai\"")).await;
    let at = async |date: Value| scene.post("push/task", json!({ "startDate": date, "pushMessage": message() })).await;
    for odd in [
        json!("2023-11-15 07:13:19"),
        json!("2023-12-15 06:13:21"),
        json!("2023-11-14 23:13:20"),
        json!("2020-01-01 00:00:00"),
        json!("2023-11-20"),
        json!("2023-11-20T00:00:00"),
    ] {
        refused(&at(odd).await, 400, "illegal_argument", "parameters is invalid : startDate");
    }
    assert_eq!(at(json!(7)).await.code(), 400);
    assert_eq!(at(json!("2023-12-15 06:13:20")).await.code(), 200);
    assert_eq!(at(json!("2023-11-15 07:13:20")).await.code(), 200);
    assert_eq!(at(json!("")).await.code(), 200);
    assert_eq!(scene.told(1).await, ["user2"]);
    scene.server.advance(HOUR - Duration::from_millis(1));
    assert_eq!(at(Value::Null).await.code(), 200);
    assert_eq!(scene.told(2).await.len(), 2, "not yet");
    scene.server.advance(Duration::from_millis(1));
    assert_eq!(scene.told(3).await.len(), 3);
}

#[tokio::test]
async fn what_is_no_task_is_refused() {
    let scene = Scene::free().await;
    scene.label("l", &["user2"]).await;
    let list = async |targets: Value| {
        scene.post("push/list/label", json!({ "targets": targets, "pushMessage": message() })).await
    };
    for odd in [json!([]), Value::Null] {
        refused(&list(odd).await, 400, "illegal_argument", "parameters is invalid : targets");
    }
    refused(&list(json!(["l", "none"])).await, 400, "entity_not_found", "none label is not exist");
    refused(&list(json!(["1", "2", "3", "4", "5", "6"])).await, 403, "LimitException", "limit request");
    assert_eq!(list(json!(["l", "l", "l", "l", "l"])).await.code(), 200);
    assert_eq!(scene.told(1).await, ["user2"]);
    for path in ["push/list/label", "push/task"] {
        let body = json!({ "targets": ["l"], "pushMessage": [] });
        refused(&scene.post(path, body).await, 400, "MessageException", "bad_request");
        let body = json!({ "targets": ["l"], "strategy": 5, "pushMessage": message() });
        refused(&scene.post(path, body).await, 400, "illegal_argument", "parameters is invalid : strategy");
        let own = scene.server.chat_as("user2").await;
        assert_eq!(own.post(&scene.server.chat_path(path), &to(&["l"], 2)).await.code(), 401);
    }
    assert_eq!(scene.hook.received().len(), 1);
    let closed = Scene::new_without_push().await;
    for path in ["push/list/label", "push/task", "push/preview"] {
        refused(&closed.chat_post(path).await, 403, "ServiceNotOpenException", "push service not open");
    }
}

#[tokio::test]
async fn there_are_never_too_many_tasks() {
    let scene = Scene::free().await;
    let later = json!({ "startDate": "2023-11-20 00:00:00", "pushMessage": message() });
    for _ in 0..100 {
        assert_eq!(scene.post("push/task", later.clone()).await.code(), 200);
    }
    refused(&scene.post("push/task", later).await, 403, "LimitException", "limit request");
    refused(&scene.post("push/task", to(&[], 2)).await, 403, "LimitException", "limit request");
}

#[tokio::test]
async fn tasks_are_listed_and_taken_away() {
    let scene = Scene::free().await;
    scene.phone("user1").await;
    scene.label("a", &["user1"]).await;
    let later = |date: &str| json!({ "startDate": date, "targets": ["a"], "pushMessage": message() });
    // The clock stands at 2023-11-14 22:13:20 UTC.
    let second = scene.done(Method::POST, "push/task", later("2023-11-16 00:00:00")).await["data"].clone();
    let first =
        scene.done(Method::POST, "push/list/label", later("2023-11-15 00:00:00")).await["data"]["taskId"].clone();
    let listed = scene.done(Method::GET, "push/task", Value::Null).await["data"].clone();
    let start_ms = 1_700_006_400_000_u64;
    assert_eq!(
        listed,
        json!([
            { "taskId": first, "start": start_ms, "begun": false, "labels": ["a"], "pushMessage": message() },
            { "taskId": second, "start": start_ms + 86_400_000, "begun": false, "pushMessage": message() },
        ])
    );
    let gone = scene.done(Method::DELETE, &format!("push/task/{first}"), Value::Null).await;
    assert_eq!(gone["data"], json!({ "taskId": first, "result": "success" }));
    for (number, text) in
        [(first.to_string(), "push task does not exist"), ("x".to_owned(), "parameters is invalid : taskId")]
    {
        let path = scene.server.chat_path(&format!("push/task/{number}"));
        refused(&scene.server.chat().await.delete(&path).await, 400, "illegal_argument", text);
        assert_eq!(scene.server.chat_as("user1").await.delete(&path).await.code(), 401);
    }
    // Only the other one begins.
    scene.server.advance(HOUR * 26);
    assert_eq!(scene.told(2).await, ["user1", "user2"], "each of everybody once");
    assert_eq!(scene.done(Method::GET, "push/task", Value::Null).await["data"], json!([]));
    assert_eq!(scene.hook.received().len(), 2);
}
