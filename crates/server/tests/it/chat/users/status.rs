//! Who is online, and what waits for whom.

use bytes::Bytes;
use serde_json::{Value, json};
use stentor_core::delivery::{Origin, SendOptions, SendPeer};
use stentor_core::id::UserId;

use crate::chat::{Connection, app, refused, server};

#[tokio::test]
async fn a_user_with_a_connection_is_online() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    let path = server.chat_path("users/USER1/status");
    let reply = chat.get(&path).await.json();
    assert_eq!(
        (&reply["data"], &reply["entities"], &reply["count"]),
        (&json!({ "user1": "offline" }), &json!([]), &json!(0))
    );
    assert_eq!(reply.get("organization"), None);
    let client = Connection::open(&server, "user1", "web").await;
    assert_eq!(user.get(&path).await.json()["data"], json!({ "user1": "online" }));
    server.node().detach(&client.connected.session, client.connected.attachment);
    assert_eq!(user.get(&path).await.json()["data"], json!({ "user1": "offline" }));
    assert_eq!(user.get(&server.chat_path("users/user2/status")).await.code(), 401);
    let nobody = chat.get(&server.chat_path("users/nobody/status")).await;
    refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
}

#[tokio::test]
async fn the_status_of_100_users_is_asked_at_once() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await;
    let _client = Connection::open(&server, "user1", "web").await;
    let path = server.chat_path("users/batch/status");
    let reply = chat.post(&path, &json!({ "usernames": ["nobody", "User1", "a b"] })).await.json();
    assert_eq!(reply["action"], "get batch user status");
    assert_eq!(reply["data"], json!([{ "nobody": "offline" }, { "User1": "online" }, { "a b": "offline" }]));
    assert_eq!(reply.get("uri"), None);
    let many = |count: usize| json!({ "usernames": vec!["u"; count] });
    assert_eq!(chat.post(&path, &many(100)).await.json()["data"].as_array().unwrap().len(), 100);
    let text = "request body exceeds maximum limit, maximum limit is 100";
    refused(&chat.post(&path, &many(101)).await, 400, "illegal_argument", text);
    for bad in [json!({}), json!({ "usernames": "u" }), json!({ "usernames": [1] })] {
        refused(&chat.post(&path, &bad).await, 400, "illegal_argument", "parameters is invalid : usernames");
    }
    assert_eq!(server.chat_as("user1").await.post(&path, &many(1)).await.code(), 401);
}

#[tokio::test]
async fn what_waits_is_counted_and_named() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let chat = server.chat().await;
    let count = async || chat.get(&server.chat_path("users/user1/offline_msg_count")).await.json()["data"].clone();
    assert_eq!(count().await, json!({ "user1": 0 }));
    let send = SendPeer {
        from: UserId::from_trusted("user2"),
        to: UserId::from_trusted("user1"),
        payload: Bytes::from_static(b"hello"),
        wait_for_ack: false,
        options: SendOptions { keep: true, ..SendOptions::default() },
    };
    let sent = server.node().send_peer(&app(&server), Origin::Backend, send).await.unwrap();
    assert_eq!(count().await, json!({ "user1": 1 }));
    let status = async |id: &str| {
        let reply = chat.get(&server.chat_path(&format!("users/user1/offline_msg_status/{id}"))).await.json();
        assert_eq!((&reply["entities"], &reply["count"]), (&json!([]), &json!(0)));
        reply["data"][id].clone()
    };
    let id = sent.id.to_string();
    assert_eq!(status(&id).await, "undelivered");
    for unknown in ["123", "nonsense"] {
        assert_eq!(status(unknown).await, Value::from("delivered"));
    }
    let client = Connection::open(&server, "user1", "web").await;
    assert_eq!(client.take().len(), 1);
    server.node().acked(&client.connected.session, &[sent.id]);
    assert_eq!((status(&id).await, count().await), (json!("delivered"), json!({ "user1": 0 })));
    for nobody in ["users/nobody/offline_msg_count", "users/nobody/offline_msg_status/1"] {
        let reply = chat.get(&server.chat_path(nobody)).await;
        refused(&reply, 404, "service_resource_not_found", "Service resource not found");
    }
    let user = server.chat_as("user2").await;
    assert_eq!(user.get(&server.chat_path("users/user1/offline_msg_count")).await.code(), 401);
}
