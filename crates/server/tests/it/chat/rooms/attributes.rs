//! Custom attributes of rooms.

use http::Method;
use serde_json::{Map, Value, json};

use super::super::refused;
use super::{data, no_room, room, server_with};

#[tokio::test]
async fn attributes_are_set_read_and_removed() {
    let (server, chat) = server_with(&["user1", "user2", "user3"]).await;
    let id = room(&server, &chat, "user1", &["user2"]).await;
    let of = |user: &str| server.chat_path(&format!("metadata/chatroom/{id}/user/{user}"));
    let all = server.chat_path(&format!("metadata/chatroom/{id}"));
    let set = async |path: &str, body: Value| chat.put(path, &body).await;
    let pairs = json!({ "key1": "value1", "key2": "value2" });
    for _ in 0..2 {
        let reply = set(&of("user1"), json!({ "metaData": pairs, "autoDelete": "NO_DELETE" })).await;
        assert_eq!(data(&reply), json!({ "successKeys": ["key1", "key2"], "errorKeys": {} }));
        assert_eq!((&reply.json()["status"], &reply.json()["action"]), (&json!("ok"), &json!("put")));
        assert!(reply.json()["uri"].as_str().unwrap().ends_with("/metadata/chatroom"));
    }
    assert_eq!(data(&chat.post(&all, &json!({})).await), pairs);
    assert_eq!(data(&chat.post(&all, &json!({ "keys": ["key2", "none"] })).await), json!({ "key2": "value2" }));

    let others = "others are not allowed to be set";
    refused(&set(&of("user2"), json!({ "metaData": { "key1": "x" } })).await, 400, "MetadataException", others);
    let mixed = data(&set(&of("user2"), json!({ "metaData": { "key1": "x", "key3": "y" } })).await);
    assert_eq!(mixed, json!({ "successKeys": ["key3"], "errorKeys": { "key1": others } }));
    let forced = format!("{}/forced", of("user2"));
    assert_eq!(data(&set(&forced, json!({ "metaData": { "key1": "z" } })).await)["successKeys"], json!(["key1"]));
    let outside = set(&of("user3"), json!({ "metaData": { "key9": "x" } })).await;
    refused(&outside, 401, "MetadataException", "user is not in chatroom");

    let remove = async |path: &str, keys: Value| {
        chat.send(Method::DELETE, path, json!({ "keys": keys }).to_string().into()).await
    };
    refused(&remove(&of("user2"), json!(["key2"])).await, 400, "MetadataException", others);
    let removed = data(&remove(&of("user2"), json!(["key1", "key2", "none"])).await);
    assert_eq!(removed, json!({ "successKeys": ["key1", "none"], "errorKeys": { "key2": others } }));
    assert_eq!(data(&remove(&forced, json!(["key2"])).await)["successKeys"], json!(["key2"]));
    assert_eq!(data(&chat.post(&all, &json!({})).await), json!({ "key3": "y" }));
    no_room(&chat.post(&server.chat_path("metadata/chatroom/12345"), &json!({})).await, "12345");
    let unknown = server.chat_path("metadata/chatroom/12345/user/user1");
    no_room(&set(&unknown, json!({ "metaData": { "a": "b" } })).await, "12345");
}

#[tokio::test]
async fn what_goes_with_its_owner_goes() {
    let (server, chat) = server_with(&["user1", "user2"]).await;
    let id = room(&server, &chat, "user1", &["user2"]).await;
    let of = server.chat_path(&format!("metadata/chatroom/{id}/user/user2"));
    data(&chat.put(&of, &json!({ "metaData": { "goes": "1" } })).await);
    data(&chat.put(&of, &json!({ "metaData": { "stays": "1" }, "autoDelete": "NO_DELETE" })).await);
    data(&chat.delete(&server.chat_path(&format!("chatrooms/{id}/users/user2"))).await);
    let all = server.chat_path(&format!("metadata/chatroom/{id}"));
    assert_eq!(data(&chat.post(&all, &json!({})).await), json!({ "stays": "1" }));
}

#[tokio::test]
async fn attributes_have_limits() {
    let (server, chat) = server_with(&["user1"]).await;
    let id = room(&server, &chat, "user1", &[]).await;
    let path = server.chat_path(&format!("metadata/chatroom/{id}/user/user1"));
    let set = async |pairs: Value| chat.put(&path, &json!({ "metaData": pairs })).await;
    let (key, value) = ("k".repeat(128), "é".repeat(4096));
    assert_eq!(data(&set(json!({ &key: value })).await)["successKeys"], json!([key]));
    let long = format!("{key}k");
    let reply = data(&set(json!({ &long: "v", "a b": "v", "v": format!("{value}x"), "n": 1 })).await);
    let errors = json!({
        &long: format!("properties key '{long}' is exceeding maximum limit 128"),
        "a b": "properties key 'a b' is illegal",
        "v": "properties value of key 'v' is exceeding maximum limit 4096",
        "n": "properties value of key 'n' is not a string",
    });
    assert_eq!(reply, json!({ "successKeys": [], "errorKeys": errors }));
    let batch = |from: usize, count: usize| {
        Value::Object((from..from + count).map(|number| (format!("k{number:03}"), json!("v"))).collect::<Map<_, _>>())
    };
    refused(&set(batch(0, 11)).await, 400, "MetadataException", "exceed allowed batch size 10");
    for tens in 0..9 {
        assert_eq!(data(&set(batch(tens * 10, 10)).await)["successKeys"].as_array().unwrap().len(), 10);
    }
    let last = data(&set(batch(90, 10)).await);
    assert_eq!(last["errorKeys"], json!({ "k099": "exceed max attribute count 100" }), "100 and not one more");
    refused(&set(Value::Null).await, 400, "MetadataException", "metaData must be provided");
    let auto = chat.put(&path, &json!({ "metaData": {}, "autoDelete": "X" })).await;
    refused(&auto, 400, "MetadataException", "autoDelete must be DELETE or NO_DELETE");
    let keys: Vec<_> = (0..11).map(|number| format!("k{number:03}")).collect();
    let eleven = chat.send(Method::DELETE, &path, json!({ "keys": keys }).to_string().into()).await;
    refused(&eleven, 400, "MetadataException", "exceed allowed batch size 10");
}
