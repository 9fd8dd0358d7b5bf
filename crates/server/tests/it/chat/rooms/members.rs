//! Members of rooms: pages, coming in and being put out.

use serde_json::{Value, json};

use super::super::refused;
use super::{data, detail, no_room, no_user, room, server_with, stranger};

#[tokio::test]
async fn members_are_listed_by_page_and_by_cursor() {
    let (server, chat) = server_with(&["user1", "user2", "user3", "user4"]).await;
    let id = room(&server, &chat, "user2", &["user1", "user3", "user4"]).await;
    let path = |query: &str| server.chat_path(&format!("chatrooms/{id}/users{query}"));
    let admin = server.chat_path(&format!("chatrooms/{id}/admin"));
    data(&chat.post(&admin, &json!({ "newadmin": "user3" })).await);
    let all = chat.get(&path("")).await.json();
    let members = json!([{ "member": "user1" }, { "owner": "user2" }, { "member": "user3" }, { "member": "user4" }]);
    assert_eq!((&all["data"], &all["count"]), (&members, &json!(4)));
    let page = chat.get(&path("?pagenum=2&pagesize=3")).await.json();
    assert_eq!((&page["data"], &page["count"]), (&json!([{ "member": "user4" }]), &json!(1)));
    assert_eq!(page["params"], json!({ "pagenum": ["2"], "pagesize": ["3"] }));
    assert_eq!(data(&chat.get(&path("?pagenum=3&pagesize=3")).await), json!([]));

    let now_ms = server.now_ms();
    let first = chat.get(&path("?cursor=&limit=3&joined_time=true")).await.json();
    let joined = |role: &str, user: &str| json!({ role: user, "joined_time": now_ms });
    assert_eq!(first["data"], json!([joined("member", "user1"), joined("owner", "user2"), joined("admin", "user3")]));
    let cursor = first["cursor"].as_str().unwrap();
    let second = chat.get(&path(&format!("?cursor={cursor}&limit=3"))).await.json();
    assert_eq!((&second["data"], &second["cursor"]), (&json!([{ "member": "user4" }]), &Value::Null));
    let unknown = chat.get(&server.chat_path("chatrooms/12345/users")).await;
    refused(&unknown, 404, "service_resource_not_found", "do not find this group:12345");
}

#[tokio::test]
async fn one_user_is_added_and_put_out() {
    let (server, chat) = server_with(&["user1", "user2", "user3"]).await;
    let id = room(&server, &chat, "user1", &[]).await;
    let path = |user: &str| server.chat_path(&format!("chatrooms/{id}/users/{user}"));
    for _ in 0..2 {
        let added = data(&chat.post(&path("user2"), &json!({})).await);
        assert_eq!(added, json!({ "result": true, "action": "add_member", "id": id, "user": "user2" }));
    }
    assert_eq!(detail(&server, &chat, &id).await["affiliations_count"], 2, "twice is once");
    no_user(&chat.post(&path("nobody"), &json!({})).await, "nobody");
    no_room(&chat.post(&server.chat_path("chatrooms/12345/users/user2"), &json!({})).await, "12345");
    let limit = server.chat_path(&format!("chatrooms/{id}"));
    data(&chat.put(&limit, &json!({ "maxusers": 2 })).await);
    refused(&chat.post(&path("user3"), &json!({})).await, 403, "forbidden_op", "group member list is full!");

    let removed = data(&chat.delete(&path("user2")).await);
    assert_eq!(removed, json!({ "result": true, "action": "remove_member", "id": id, "user": "user2" }));
    stranger(&chat.delete(&path("user2")).await, "user2");
    stranger(&chat.delete(&path("nobody")).await, "nobody");
    refused(&chat.delete(&path("user1")).await, 403, "forbidden_op", "forbidden operation on group owner!");
    no_room(&chat.delete(&server.chat_path("chatrooms/12345/users/user2")).await, "12345");
}

#[tokio::test]
async fn many_users_are_added_and_put_out() {
    let names: Vec<String> = (0..101).map(|number| format!("u{number:03}")).collect();
    let users: Vec<&str> = names.iter().map(String::as_str).collect();
    let (server, chat) = server_with(&users).await;
    let id = room(&server, &chat, "u000", &[]).await;
    let path = server.chat_path(&format!("chatrooms/{id}/users"));
    let add = async |names: &[&str]| chat.post(&path, &json!({ "usernames": names })).await;
    let added = data(&add(&users[1..61]).await);
    assert_eq!(added, json!({ "newmembers": users[1..61], "action": "add_member", "id": id }));
    assert_eq!(data(&add(&users[59..62]).await)["newmembers"], json!([users[61]]), "the others are in already");
    let many = "addMembers: addMembers number more than maxSize : 60";
    refused(&add(&users[1..62]).await, 400, "invalid_parameter", many);
    refused(&add(&[]).await, 400, "invalid_parameter", "usernames must be provided");
    no_user(&add(&["u062", "nobody"]).await, "nobody");
    let count = detail(&server, &chat, &id).await["affiliations_count"].clone();
    assert_eq!(count, 62, "all of them or nobody");
    data(&add(&users[62..101]).await);

    let remove = async |names: &[&str]| chat.delete(&format!("{path}/{}", names.join(","))).await;
    let outcome =
        |result: bool, user: &str| json!({ "result": result, "action": "remove_member", "user": user, "id": id });
    let removed = data(&remove(&["u001", "nobody", "u000"]).await);
    let mut expected = json!([outcome(true, "u001"), outcome(false, "nobody"), outcome(false, "u000")]);
    expected[1]["reason"] = json!(format!("user: nobody doesn't exist in group: {id}"));
    expected[2]["reason"] = json!("forbidden operation on group owner!");
    assert_eq!(removed, expected);
    let hundred = data(&remove(&users[1..101]).await);
    assert_eq!(hundred.as_array().unwrap().iter().filter(|item| item["result"] == true).count(), 99);
    let many = "kickMember: kickMembers number more than maxSize : 100";
    refused(&remove(&users[..101]).await, 400, "invalid_parameter", many);
    assert_eq!(detail(&server, &chat, &id).await["affiliations"], json!([{ "owner": "u000" }]));
}
