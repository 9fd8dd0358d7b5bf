//! Lists of groups: of the app, and of a user.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::refused;
use super::{data, group, server_with};

#[tokio::test]
async fn groups_are_listed() {
    let (server, chat) = server_with(&["user1", "user2"]).await;
    let one = group(&server, &chat, json!({ "members": ["user2"] })).await;
    let created_ms = server.now_ms();
    server.advance(Duration::from_secs(1));
    let two = group(&server, &chat, json!({ "public": false })).await;
    let first = chat.get(&server.chat_path("chatgroups?limit=1")).await.json();
    assert_eq!((&first["data"][0]["groupid"], &first["count"]), (&json!(two), &json!(1)));
    let cursor = first["cursor"].as_str().unwrap();
    let second = chat.get(&server.chat_path(&format!("chatgroups?limit=1&cursor={cursor}"))).await.json();
    let expected = json!({
        "owner": "easemob-demo#wang_user1", "groupid": one, "affiliations": 2, "type": "group",
        "lastModified": created_ms.to_string(), "groupname": "team",
    });
    assert_eq!((&second["data"], &second["cursor"]), (&json!([expected]), &Value::Null));
}

#[tokio::test]
async fn a_users_groups_are_listed_shortly_and_in_detail() {
    let (server, chat) = server_with(&["user1", "user2"]).await;
    let one = group(&server, &chat, json!({ "members": ["user2"] })).await;
    let two = group(&server, &chat, json!({ "members": ["user2"], "avatar": "a" })).await;
    let short = chat.get(&server.chat_path("users/user2/joined_chatgroups?pagesize=1&pagenum=2")).await.json();
    let view = json!({ "groupid": one, "groupname": "team", "disabled": false });
    assert_eq!((&short["data"], &short["count"]), (&json!([view]), &json!(1)));

    let path = |query: &str| server.chat_path(&format!("chatgroups/user/user2{query}"));
    let all = chat.get(&path("?needAffiliations=true&needRole=true")).await.json();
    let newest = json!({
        "id": two, "groupId": two, "name": "team", "avatar": "a", "owner": "user1", "description": "",
        "disabled": false, "public": true, "allowinvites": false, "membersonly": false, "maxusers": 200,
        "created": server.now_ms(), "affiliationsCount": 2, "permission": "member",
    });
    assert_eq!((&all["entities"][0], &all["total"], &all["count"]), (&newest, &json!(2), &json!(2)));
    let page = chat.get(&path("?pagenum=1&pagesize=1")).await.json();
    assert_eq!((&page["entities"][0]["id"], &page["total"]), (&json!(one), &json!(2)), "pages begin with 0");
    for path in ["chatgroups/user/nobody", "users/nobody/joined_chatgroups"] {
        let nobody = chat.get(&server.chat_path(path)).await;
        refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
    }
}

#[tokio::test]
async fn whether_a_user_is_in_a_group() {
    let (server, chat) = server_with(&["user1", "user2"]).await;
    let id = group(&server, &chat, json!({})).await;
    let joined = async |group: &str, user: &str| {
        let path = server.chat_path(&format!("chatgroups/{group}/user/{user}/is_joined"));
        let by_get = data(&chat.get(&path).await);
        assert_eq!(data(&chat.post(&path, &json!({})).await), by_get);
        by_get
    };
    assert_eq!((joined(&id, "user1").await, joined(&id, "user2").await), (json!(true), json!(false)));
    assert_eq!((joined("12345", "user1").await, joined(&id, "nobody").await), (json!(false), json!(false)));
}
