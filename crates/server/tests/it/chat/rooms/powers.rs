//! Admins, mutes, the ban of all, blocks, the allow list, announcements, super admins.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::refused;
use super::{data, detail, no_room, no_user, room, server_with, stranger};

#[tokio::test]
async fn admins_are_made_and_unmade() {
    let (server, chat) = server_with(&["user1", "user2", "user3"]).await;
    let id = room(&server, &chat, "user1", &["user2"]).await;
    let path = |rest: &str| server.chat_path(&format!("chatrooms/{id}/admin{rest}"));
    assert_eq!(data(&chat.get(&path("")).await), json!([]));
    for _ in 0..2 {
        let added = data(&chat.post(&path(""), &json!({ "newadmin": "user2" })).await);
        assert_eq!(added, json!({ "result": "success", "newadmin": "user2" }));
    }
    let list = chat.get(&path("")).await.json();
    assert_eq!((&list["data"], &list["count"]), (&json!(["user2"]), &json!(1)));
    stranger(&chat.post(&path(""), &json!({ "newadmin": "user3" })).await, "user3");
    refused(&chat.post(&path(""), &json!({})).await, 400, "invalid_parameter", "newadmin must be provided");
    let owner = chat.post(&path(""), &json!({ "newadmin": "user1" })).await;
    refused(&owner, 403, "forbidden_op", "forbidden operation on group owner!");
    for _ in 0..2 {
        let removed = data(&chat.delete(&path("/user2")).await);
        assert_eq!(removed, json!({ "result": "success", "oldadmin": "user2" }));
    }
    stranger(&chat.delete(&path("/user3")).await, "user3");
    no_room(&chat.get(&server.chat_path("chatrooms/12345/admin")).await, "12345");
}

#[tokio::test]
async fn a_room_has_99_admins_at_most() {
    let names: Vec<String> = (0..101).map(|number| format!("u{number:03}")).collect();
    let users: Vec<&str> = names.iter().map(String::as_str).collect();
    let (server, chat) = server_with(&users).await;
    let id = room(&server, &chat, "u000", &users[1..]).await;
    let path = server.chat_path(&format!("chatrooms/{id}/admin"));
    for user in &users[1..100] {
        data(&chat.post(&path, &json!({ "newadmin": user })).await);
    }
    let one_more = chat.post(&path, &json!({ "newadmin": "u100" })).await;
    refused(&one_more, 403, "exceed_limit", "at most 99 are allowed");
}

#[tokio::test]
async fn members_are_muted_for_a_while_or_for_ever() {
    let (server, chat) = server_with(&["user1", "user2", "user3", "user4"]).await;
    let id = room(&server, &chat, "user1", &["user2", "user3"]).await;
    let path = |rest: &str| server.chat_path(&format!("chatrooms/{id}/mute{rest}"));
    let mute = async |body: Value| chat.post(&path(""), &body).await;
    let expire = server.now_ms() + 1000;
    for _ in 0..2 {
        let muted = data(&mute(json!({ "usernames": ["user2"], "mute_duration": 1000 })).await);
        assert_eq!(muted, json!([{ "result": true, "expire": expire, "user": "user2" }]));
    }
    let ever = 4_638_873_600_000_u64;
    let muted = data(&mute(json!({ "usernames": ["user3"], "mute_duration": "-1" })).await);
    assert_eq!(muted, json!([{ "result": true, "expire": ever, "user": "user3" }]));
    let list = chat.get(&path("")).await.json();
    let both = json!([{ "expire": expire, "user": "user2" }, { "expire": ever, "user": "user3" }]);
    assert_eq!((&list["data"], &list["count"]), (&both, &json!(2)));
    server.advance(Duration::from_secs(1));
    assert_eq!(data(&chat.get(&path("")).await), json!([{ "expire": ever, "user": "user3" }]), "that time is over");

    stranger(&mute(json!({ "usernames": ["user2", "user4"] })).await, "user4");
    refused(&mute(json!({ "usernames": [] })).await, 400, "invalid_parameter", "usernames must be provided");
    refused(
        &mute(json!({ "usernames": ["user2"], "mute_duration": -2 })).await,
        400,
        "invalid_parameter",
        "mute_duration is invalid",
    );
    let sixty_one = vec!["user2"; 61];
    refused(
        &mute(json!({ "usernames": sixty_one })).await,
        400,
        "invalid_parameter",
        "userNames size is more than max limit : 60",
    );
    data(&mute(json!({ "usernames": sixty_one[..60] })).await);

    let unmuted = data(&chat.delete(&path("/user2,user3")).await);
    assert_eq!(unmuted, json!([{ "result": true, "user": "user2" }, { "result": true, "user": "user3" }]));
    assert_eq!(data(&chat.get(&path("")).await), json!([]));
    data(&chat.delete(&path("/user2")).await);
    stranger(&chat.delete(&path("/user4")).await, "user4");
    let many = "removeMute member size more than max limit :  60";
    refused(&chat.delete(&path(&format!("/{}", sixty_one.join(",")))).await, 400, "invalid_parameter", many);
    no_room(&chat.get(&server.chat_path("chatrooms/12345/mute")).await, "12345");
}

#[tokio::test]
async fn all_are_muted_and_may_send_again() {
    let (server, chat) = server_with(&["user1"]).await;
    let id = room(&server, &chat, "user1", &[]).await;
    let path = server.chat_path(&format!("chatrooms/{id}/ban"));
    for _ in 0..2 {
        let reply = chat.post(&path, &json!({})).await.json();
        assert_eq!((&reply["action"], &reply["data"]), (&json!("put"), &json!({ "mute": true })));
    }
    assert_eq!(detail(&server, &chat, &id).await["mute"], true);
    let reply = chat.delete(&path).await.json();
    assert_eq!((&reply["action"], &reply["data"]), (&json!("delete"), &json!({ "mute": false })));
    no_room(&chat.post(&server.chat_path("chatrooms/12345/ban"), &json!({})).await, "12345");
}

#[tokio::test]
async fn members_are_kept_out_and_let_in() {
    let (server, chat) = server_with(&["user1", "user2", "user3", "user4"]).await;
    let id = room(&server, &chat, "user1", &["user2", "user3"]).await;
    let path = |rest: &str| server.chat_path(&format!("chatrooms/{id}/blocks/users{rest}"));
    let outcome = |action: &str, user: &str| json!({ "result": true, "action": action, "user": user, "id": id, "chatroomid": id });
    assert_eq!(data(&chat.post(&path("/user2"), &json!({})).await), outcome("add_blocks", "user2"));
    stranger(&chat.post(&path("/user2"), &json!({})).await, "user2");
    let owner = chat.post(&path("/user1"), &json!({})).await;
    refused(&owner, 403, "forbidden_op", "forbidden operation on group owner!");
    let several = data(&chat.post(&path(""), &json!({ "usernames": ["user3", "user4"] })).await);
    let mut missing = outcome("add_blocks", "user4");
    missing["result"] = json!(false);
    missing["reason"] = json!(format!("user: user4 doesn't exist in group: {id}"));
    assert_eq!(several, json!([outcome("add_blocks", "user3"), missing]));
    let list = chat.get(&path("")).await.json();
    assert_eq!((&list["data"], &list["count"]), (&json!(["user2", "user3"]), &json!(2)));
    assert_eq!(data(&chat.get(&path("?pagenum=2&pagesize=1")).await), json!(["user3"]));
    let back = chat.post(&server.chat_path(&format!("chatrooms/{id}/users/user2")), &json!({})).await;
    refused(&back, 403, "forbidden_op", "can not join this group, reason:user user2 is in the block list!");
    let sixty_one = vec!["user2"; 61];
    let many = chat.post(&path(""), &json!({ "usernames": sixty_one })).await;
    refused(&many, 400, "invalid_parameter", "userNames is more than max limit : 60");

    for _ in 0..2 {
        assert_eq!(data(&chat.delete(&path("/user2")).await), outcome("remove_blocks", "user2"));
    }
    assert_eq!(data(&chat.delete(&path("/user3,user4")).await).as_array().unwrap().len(), 2);
    let many = chat.delete(&path(&format!("/{}", sixty_one.join(",")))).await;
    refused(&many, 400, "invalid_parameter", "removeBlacklist: list size more than max limit : 60");
    data(&chat.post(&server.chat_path(&format!("chatrooms/{id}/users/user2")), &json!({})).await);
    no_room(&chat.get(&server.chat_path("chatrooms/12345/blocks/users")).await, "12345");
}

#[tokio::test]
async fn members_come_onto_the_allow_list_and_off_it() {
    let (server, chat) = server_with(&["user1", "user2", "user3", "user4"]).await;
    let id = room(&server, &chat, "user1", &["user2", "user3"]).await;
    let path = |rest: &str| server.chat_path(&format!("chatrooms/{id}/white/users{rest}"));
    let outcome = |action: &str, user: &str| json!({ "result": true, "action": action, "user": user, "id": id, "chatroomid": id });
    for _ in 0..2 {
        let added = data(&chat.post(&path("/user2"), &json!({})).await);
        assert_eq!(added, outcome("add_user_whitelist", "user2"));
    }
    stranger(&chat.post(&path("/user4"), &json!({})).await, "user4");
    let several = data(&chat.post(&path(""), &json!({ "usernames": ["user3", "user4"] })).await);
    assert_eq!((&several[0], &several[1]["result"]), (&outcome("add_user_whitelist", "user3"), &json!(false)));
    let list = chat.get(&path("")).await.json();
    assert_eq!((&list["data"], &list["count"]), (&json!(["user2", "user3"]), &json!(2)));
    let sixty_one = vec!["user2"; 61];
    let many = chat.post(&path(""), &json!({ "usernames": sixty_one })).await;
    refused(&many, 400, "invalid_parameter", "usernames size is more than max limit : 60");
    let removed = data(&chat.delete(&path("/user2,user3")).await);
    assert_eq!(removed[0], outcome("remove_user_whitelist", "user2"));
    assert_eq!(data(&chat.get(&path("")).await), json!([]));
    let many = chat.delete(&path(&format!("/{}", sixty_one.join(",")))).await;
    refused(&many, 400, "invalid_parameter", "removeWhitelist size is more than max limit : 60");
    stranger(&chat.delete(&path("/user4")).await, "user4");
    no_room(&chat.get(&server.chat_path("chatrooms/12345/white/users")).await, "12345");
}

#[tokio::test]
async fn a_room_has_an_announcement() {
    let (server, chat) = server_with(&["user1"]).await;
    let id = room(&server, &chat, "user1", &[]).await;
    let path = server.chat_path(&format!("chatrooms/{id}/announcement"));
    assert_eq!(data(&chat.get(&path).await), json!({ "announcement": "" }));
    let text = "é".repeat(512);
    let changed = data(&chat.post(&path, &json!({ "announcement": text })).await);
    assert_eq!(changed, json!({ "id": id, "result": true }));
    assert_eq!(data(&chat.get(&path).await), json!({ "announcement": text }));
    let long = chat.post(&path, &json!({ "announcement": format!("{text}x") })).await;
    refused(&long, 403, "forbidden_op", "announce info length exceeds limit!");
    refused(&chat.post(&path, &json!({})).await, 400, "illegal_argument", "announcement is null");
    no_room(&chat.get(&server.chat_path("chatrooms/12345/announcement")).await, "12345");
    no_room(&chat.post(&server.chat_path("chatrooms/1/announcement"), &json!({ "announcement": "" })).await, "1");
}

#[tokio::test]
async fn super_admins_are_made_listed_and_unmade() {
    let (server, chat) = server_with(&["user2"]).await;
    server.register(&["user1"]).await;
    let path = |rest: &str| server.chat_path(&format!("chatrooms/super_admin{rest}"));
    for user in ["user2", "user1", "user1"] {
        let added = data(&chat.post(&path(""), &json!({ "superadmin": user })).await);
        assert_eq!(added, json!({ "result": "success", "resource": "" }));
    }
    no_user(&chat.post(&path(""), &json!({ "superadmin": "nobody" })).await, "nobody");
    refused(&chat.post(&path(""), &json!({})).await, 400, "invalid_parameter", "superadmin must be provided");
    let list = chat.get(&path("?pagenum=2&pagesize=1")).await.json();
    assert_eq!((&list["data"], &list["count"]), (&json!(["user2"]), &json!(1)));
    assert_eq!(list["params"], json!({ "pagenum": ["2"], "pagesize": ["1"] }));
    for _ in 0..2 {
        let removed = data(&chat.delete(&path("/user2")).await);
        assert_eq!(removed, json!({ "newSuperAdmin": "user2", "resource": "" }));
    }
    no_user(&chat.delete(&path("/nobody")).await, "nobody");
    assert_eq!(data(&chat.get(&path("")).await), json!(["user1"]));
    let user = server.chat_as("user1").await;
    assert_eq!(user.get(&path("")).await.code(), 401);
}
