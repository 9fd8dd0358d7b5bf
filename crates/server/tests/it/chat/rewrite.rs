//! Messages that are changed after they were sent.

use http::Method;
use serde_json::{Value, json};
use stentor_core::message::MessageKind;
use stentor_testkit::{Reply, TestApp};

use super::recall::{Backend, messages, payload};
use super::{Connection, refused};

const UNAVAILABLE: &str = "The message is unavailable or has expired.";
const UNSUPPORTED: &str = "The message is of a type that is currently not supported for modification.";

impl Backend {
    async fn rewrite(&self, id: &str, body: &Value) -> Reply {
        // A hundred changes a second are more than a test needs, but some make many.
        self.server.advance(std::time::Duration::from_millis(20));
        self.chat.put(&self.server.chat_path(&format!("messages/rewrite/{id}")), body).await
    }

    async fn send(&self, message: Value) -> String {
        let reply = self.post("messages/users", &message).await.json();
        reply["data"]["user2"].as_str().expect("a message ID").to_owned()
    }
}

fn text(msg: &str) -> Value {
    json!({ "user": "user1", "new_msg": { "type": "txt", "msg": msg } })
}

#[tokio::test]
async fn receivers_are_told_and_who_comes_later_finds_the_new_one() {
    let backend = Backend::new().await;
    let bob = Connection::open(&backend.server, "user2", "b").await;
    let message = json!({
        "from": "user1", "to": ["user2"], "type": "txt", "body": { "msg": "old" }, "ext": { "a": 1, "b": 2 }
    });
    let id = backend.send(message).await;
    let mut change = text("new");
    change["new_ext"] = json!({ "b": 3 });
    let reply = backend.rewrite(&id, &change).await;
    assert_eq!((reply.code(), &reply.json()["data"], &reply.json()["action"]), (200, &json!("success"), &json!("put")));
    assert_eq!(reply.json()["path"], format!("/messages/rewrite/{id}"));
    let told = messages(&bob);
    let news = json!({
        "msg_id": id, "by": "user1", "edits": 1, "body_type": "txt", "body": { "msg": "new" }, "ext": { "a": 1, "b": 3 },
        "sender": "user1"
    });
    assert_eq!((told[1].marks.kind, payload(&told[1])), (MessageKind::Edit, news));
    change["is_combine_ext"] = json!(false);
    assert_eq!(backend.rewrite(&id, &change).await.code(), 200);
    let tablet = messages(&Connection::open(&backend.server, "user2", "tablet").await);
    assert_eq!(payload(&tablet[0]), json!({ "type": "txt", "body": { "msg": "new" }, "ext": { "b": 3 } }));
}

#[tokio::test]
async fn other_types_keep_their_body_and_commands_stay_as_they_are() {
    let backend = Backend::new().await;
    let bob = Connection::open(&backend.server, "user2", "b").await;
    let image = json!({
        "from": "user1", "to": ["user2"], "type": "img", "body": { "filename": "f.jpg", "url": "https://u/1" }
    });
    let id = backend.send(image).await;
    // The documents' own example says "image".
    let change = json!({ "new_msg": { "type": "image", "url": "https://u/2" }, "new_ext": { "a": "b" } });
    assert_eq!(backend.rewrite(&id, &change).await.code(), 200);
    let news = payload(messages(&bob).last().expect("an edit"));
    assert_eq!(
        (&news["body"]["url"], &news["ext"], &news["by"]),
        (&json!("https://u/1"), &json!({ "a": "b" }), &json!("admin"))
    );

    let custom = json!({
        "from": "user1", "to": ["user2"], "type": "custom", "body": { "customEvent": "gift", "customExts": { "a": "1" } }
    });
    let id = backend.send(custom).await;
    let change = json!({ "new_msg": { "type": "custom", "customExts": { "b": "2" } } });
    assert_eq!(backend.rewrite(&id, &change).await.code(), 200);
    let news = payload(messages(&bob).last().expect("an edit"));
    assert_eq!(news["body"], json!({ "customEvent": "gift", "customExts": { "b": "2" } }));

    let command = json!({ "from": "user1", "to": ["user2"], "type": "cmd", "body": { "action": "go" } });
    let id = backend.send(command).await;
    for kind in ["cmd", "txt"] {
        let change = json!({ "new_msg": { "type": kind, "msg": "x" }, "new_ext": {} });
        refused(&backend.rewrite(&id, &change).await, 400, "message_rewrite_error", UNSUPPORTED);
    }
}

#[tokio::test]
async fn ten_changes_and_no_more() {
    let backend = Backend::new().await;
    let id = backend.say("messages/chatgroups", "77", "a").await;
    for number in 0..10 {
        assert_eq!(backend.rewrite(&id, &text(&number.to_string())).await.code(), 200);
    }
    let limit = "The message has reached its edit limit and cannot be modified further.";
    refused(&backend.rewrite(&id, &text("b")).await, 403, "message_rewrite_error", limit);
}

#[tokio::test]
async fn every_refusal_has_its_words() {
    let backend = Backend::new().await;
    let id = backend.say("messages/users", "user2", "a").await;
    refused(&backend.rewrite("7", &text("b")).await, 404, "message_rewrite_error", UNAVAILABLE);
    let number = "The provided message ID is not a valid number.";
    refused(&backend.rewrite("abc", &text("b")).await, 400, "InvalidMessageIdException", number);
    for body in [json!({}), json!({ "new_msg": null, "new_ext": {} })] {
        refused(&backend.rewrite(&id, &body).await, 400, "illegal_argument", "new_msg is required");
    }
    for kind in [json!("img"), json!("text"), json!(null)] {
        let body = json!({ "new_msg": { "type": kind, "msg": "b" } });
        refused(&backend.rewrite(&id, &body).await, 400, "message_rewrite_error", UNSUPPORTED);
    }
    let invalid = "Request body is invalid. Please check body is correct.";
    for body in [
        json!({ "new_msg": "b" }),
        json!({ "new_msg": ["txt"] }),
        json!({ "new_msg": { "type": 1 } }),
        json!({ "new_msg": { "type": "txt", "msg": 1 } }),
        json!({ "new_msg": { "type": "txt" }, "is_combine_ext": "yes" }),
        json!({ "new_msg": { "type": "txt" }, "user": 1 }),
    ] {
        refused(&backend.rewrite(&id, &body).await, 400, "invalid_request_body", invalid);
    }
    let ext = json!({ "new_msg": { "type": "txt", "msg": "b" }, "new_ext": null });
    refused(&backend.rewrite(&id, &ext).await, 400, "message_send_error", "param ext must be JSONObject");
    let large = text(&"x".repeat(5120));
    refused(&backend.rewrite(&id, &large).await, 400, "message_send_error", "message is too large");
    let broken =
        backend.chat.send(Method::PUT, &backend.server.chat_path(&format!("messages/rewrite/{id}")), "{".into()).await;
    refused(&broken, 400, "invalid_request_body", invalid);
    // What was taken back is not there to be changed.
    let recall = json!({ "msg_id": id, "to": "user2", "chat_type": "chat" });
    assert_eq!(backend.post("messages/msg_recall", &recall).await.code(), 200);
    refused(&backend.rewrite(&id, &text("b")).await, 404, "message_rewrite_error", UNAVAILABLE);
}

#[tokio::test]
async fn a_rewrite_that_is_switched_off_says_so() {
    let backend = Backend::with(TestApp::new().chat().feature("rewrite", false)).await;
    let reply = backend.rewrite("7", &json!({})).await;
    refused(&reply, 403, "message_rewrite_error", "The rewrite message feature is not open.");
}
