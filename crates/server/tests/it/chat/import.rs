//! Messages of another system.

use serde_json::{Value, json};
use stentor_testkit::TestApp;

use super::recall::{Backend, messages};
use super::{Connection, refused};

const USERS: &str = "messages/users/import";
const GROUPS: &str = "messages/chatgroups/import";

fn message(changes: &Value) -> Value {
    let mut message = json!({
        "target": "user2", "type": "txt", "body": { "msg": "import message." }, "ext": { "key1": "value1" },
        "from": "user1", "is_ack_read": true, "msg_timestamp": 1_656_906_628_428_u64, "need_download": true
    });
    for (name, value) in changes.as_object().expect("an object") {
        message[name] = value.clone();
    }
    message
}

#[tokio::test]
async fn what_is_imported_is_found_and_nobody_is_told() {
    let backend = Backend::new().await;
    backend.server.register(&["user2"]).await;
    let bob = Connection::open(&backend.server, "user2", "b").await;
    backend.say("messages/users", "user2", "now").await;
    let reply = backend.post(USERS, &message(&json!({}))).await.json();
    assert_eq!((&reply["path"], &reply["entities"]), (&json!("/messages/users/import"), &json!([])));
    let id = reply["data"]["msg_id"].as_str().expect("a message ID").to_owned();
    assert_eq!(messages(&bob).len(), 1);
    let own = backend.server.chat_as("user2").await;
    let asked = json!({ "queue": "user1@easemob.com", "start": -1, "end": -1 });
    let past = own.post(&backend.server.chat_path("users/user2/messageroaming"), &asked).await.json();
    let found = past["data"]["msgs"].as_array().expect("messages");
    // It stands behind what was sent later: the newest come first.
    assert_eq!((found.len(), &found[1]["id"], &found[1]["ts"]), (2, &json!(id), &json!(1_656_906_628_428_u64)));
    assert_eq!(found[1]["body"], json!({ "msg": "import message." }));
}

#[tokio::test]
async fn groups_have_their_own() {
    let backend = Backend::new().await;
    let reply = backend.post(GROUPS, &message(&json!({ "target": "1123376564212" }))).await;
    assert_eq!((reply.code(), &reply.json()["path"]), (200, &json!("/messages/chatgroups/import")));
    assert!(reply.json()["data"]["msg_id"].is_string());
}

#[tokio::test]
async fn every_refusal_has_its_words() {
    let backend = Backend::new().await;
    for path in [USERS, GROUPS] {
        let rows = [
            (json!({ "type": "" }), "type not allow empty"),
            (json!({ "type": null }), "type not allow empty"),
            (json!({ "body": null }), "message body not allow empty"),
            (json!({ "body": {} }), "message body not allow empty"),
            (json!({ "from": "" }), "from can't be empty"),
            (json!({ "target": null }), "target can't be empty"),
            (json!({ "ext": null }), "ext must be JSONObject"),
        ];
        for (changes, text) in rows {
            refused(&backend.post(path, &message(&changes)).await, 400, "illegal_argument", text);
        }
        let invalid = "Request body is invalid. Please check body is correct.";
        for changes in [
            json!({ "type": "text" }),
            json!({ "body": "hi" }),
            json!({ "msg_timestamp": -1 }),
            json!({ "msg_timestamp": "soon" }),
            json!({ "is_ack_read": 1 }),
            json!({ "target": ["user2"] }),
            json!({ "target": "a/b" }),
        ] {
            refused(&backend.post(path, &message(&changes)).await, 400, "invalid_request_body", invalid);
        }
        let large = message(&json!({ "body": { "msg": "x".repeat(5120) } }));
        refused(&backend.post(path, &large).await, 400, "message_send_error", "message is too large");
    }
}

#[tokio::test]
async fn without_roaming_there_is_nowhere_to_import_to() {
    let backend = Backend::with(TestApp::new().chat().feature("roaming", false)).await;
    let reply = backend.post(USERS, &message(&json!({}))).await;
    refused(&reply, 400, "service open exception", "this appKey not open message roaming");
}
