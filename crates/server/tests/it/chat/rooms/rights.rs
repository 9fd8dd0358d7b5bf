//! What a user may do with its own token.

use serde_json::json;

use super::super::refused;
use super::{data, room, server_with};

#[tokio::test]
async fn users_create_join_and_manage_what_is_theirs() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["owner", "admin", "member", "other"]).await;
    let (owner, admin) = (server.chat_as("owner").await, server.chat_as("admin").await);
    let (member, other) = (server.chat_as("member").await, server.chat_as("other").await);
    let body = json!({ "name": "n", "description": "d", "owner": "owner" });
    let path = server.chat_path("chatrooms");
    assert_eq!(member.post(&path, &body).await.code(), 401, "for another owner");
    let id = data(&owner.post(&path, &body).await)["id"].as_str().unwrap().to_owned();
    let of = |rest: &str| server.chat_path(&format!("chatrooms/{id}{rest}"));

    data(&member.post(&of("/users/member"), &json!({})).await);
    let denied = |user: &str| format!("user {user} is not allowed to do this!");
    let forbidden = |reply, user: &str| refused(&reply, 403, "forbidden_op", &denied(user));
    forbidden(member.post(&of("/users/admin"), &json!({})).await, "member");
    data(&owner.post(&of("/users"), &json!({ "usernames": ["admin"] })).await);
    forbidden(admin.post(&of("/admin"), &json!({ "newadmin": "admin" })).await, "admin");
    data(&owner.post(&of("/admin"), &json!({ "newadmin": "admin" })).await);

    data(&admin.put(&of(""), &json!({ "groupname": "by admin" })).await);
    data(&admin.post(&of("/mute"), &json!({ "usernames": ["member"] })).await);
    forbidden(member.delete(&of("/mute/member")).await, "member");
    forbidden(member.put(&of(""), &json!({ "name": "x" })).await, "member");
    forbidden(member.post(&of("/ban"), &json!({})).await, "member");
    forbidden(other.get(&of("/blocks/users")).await, "other");
    forbidden(admin.put(&of(""), &json!({ "newowner": "admin" })).await, "admin");
    forbidden(admin.delete(&of("")).await, "admin");
    assert_eq!(other.get(&of("")).await.code(), 200, "anybody sees a room");
    assert_eq!(other.get(&of("/users")).await.code(), 200);
    data(&member.delete(&of("/users/member")).await);
    forbidden(member.delete(&of("/users/admin")).await, "member");
    let metadata = |user: &str| server.chat_path(&format!("metadata/chatroom/{id}/user/{user}"));
    data(&admin.put(&metadata("admin"), &json!({ "metaData": { "k": "v" } })).await);
    assert_eq!(admin.put(&metadata("owner"), &json!({ "metaData": { "k": "v" } })).await.code(), 401);

    data(&chat.post(&server.chat_path("chatrooms/super_admin"), &json!({ "superadmin": "other" })).await);
    data(&other.put(&of(""), &json!({ "newowner": "admin" })).await);
    data(&admin.delete(&of("")).await);
    let another = room(&server, &chat, "owner", &[]).await;
    data(&other.delete(&server.chat_path(&format!("chatrooms/{another}"))).await);
}
