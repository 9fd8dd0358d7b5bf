//! Members of groups.

use serde_json::{Value, json};

use super::super::refused;
use super::{data, group, no_room, server_with, stranger};

#[tokio::test]
async fn users_are_added_to_a_group_and_put_out() {
    let (server, chat) = server_with(&["user1", "user2", "user3"]).await;
    let id = group(&server, &chat, json!({})).await;
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}/users{rest}"));
    let outcome = |action: &str, user: &str| json!({ "result": true, "action": action, "user": user, "groupid": id });
    assert_eq!(data(&chat.post(&of("/user2"), &json!({})).await), outcome("add_member", "user2"));
    let twice = format!("can not join this group, reason:user: user2 already in group: {id}\n");
    refused(&chat.post(&of("/user2"), &json!({})).await, 403, "forbidden_op", &twice);
    let many = data(&chat.post(&of(""), &json!({ "usernames": ["user2", "user3"] })).await);
    assert_eq!(many, json!({ "newmembers": ["user3"], "action": "add_member", "groupid": id }));
    let list = data(&chat.get(&of("?pagenum=1&pagesize=10&joined_time=true")).await);
    assert_eq!(list[0], json!({ "owner": "user1", "joined_time": server.now_ms() }));
    assert_eq!(
        data(&chat.get(&of("")).await),
        json!([{ "owner": "user1" }, { "member": "user2" }, { "member": "user3" }])
    );
    let unknown = chat.get(&server.chat_path("chatgroups/12345/users")).await;
    refused(&unknown, 404, "service_resource_not_found", "do not find this group:12345");

    assert_eq!(data(&chat.delete(&of("/user2")).await), outcome("remove_member", "user2"));
    stranger(&chat.delete(&of("/user2")).await, "user2");
    refused(&chat.delete(&of("/user1")).await, 403, "forbidden_op", "forbidden operation on group owner!");
    assert_eq!(data(&chat.delete(&of("/user3,user2")).await)[0], outcome("remove_member", "user3"));
    let sixty_one = vec!["user2"; 61].join(",");
    let many = "kickMember: kickMembers number more than maxSize : 60";
    refused(&chat.delete(&of(&format!("/{sixty_one}"))).await, 400, "invalid_parameter", many);
    no_room(&chat.post(&server.chat_path("chatgroups/12345/users/user2"), &json!({})).await, "12345");
}

#[tokio::test]
async fn users_come_in_as_the_rules_of_the_group_say() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2", "user3"]).await;
    let (owner, two, three) =
        (server.chat_as("user1").await, server.chat_as("user2").await, server.chat_as("user3").await);
    let denied = |user: &str| format!("user {user} is not allowed to do this!");
    let of = |id: &str, rest: &str| server.chat_path(&format!("chatgroups/{id}{rest}"));
    let open = group(&server, &owner, json!({ "owner": Value::Null })).await;
    data(&two.post(&of(&open, "/users/user2"), &json!({})).await);
    refused(&two.post(&of(&open, "/users/user3"), &json!({})).await, 403, "forbidden_op", &denied("user2"));
    data(&owner.put(&of(&open, ""), &json!({ "allowinvites": true })).await);
    data(&two.post(&of(&open, "/users/user3"), &json!({})).await);
    data(&three.delete(&of(&open, "/users/user3")).await);

    for rules in [json!({ "membersonly": true }), json!({ "public": false })] {
        let closed = group(&server, &chat, rules).await;
        refused(&two.post(&of(&closed, "/users/user2"), &json!({})).await, 403, "forbidden_op", &denied("user2"));
        refused(&two.get(&of(&closed, "/users")).await, 403, "forbidden_op", &denied("user2"));
        data(&owner.post(&of(&closed, "/users/user2"), &json!({})).await);
        data(&two.get(&of(&closed, "/users")).await);
    }
    let private = group(&server, &chat, json!({ "public": false })).await;
    let seen = data(&two.get(&of(&private, "")).await);
    assert_eq!((&seen[0]["affiliations"], &seen[0]["affiliations_count"]), (&json!([]), &json!(1)));
    assert_eq!(two.get(&server.chat_path("chatgroups")).await.code(), 401, "the list has private groups");
}
