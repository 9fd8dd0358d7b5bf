//! Groups: what differs from rooms, and that everything is there under `chatgroups`, too.

mod admissions;
mod lists;
mod members;
mod own;
mod shared_files;

use serde_json::{Value, json};
use stentor_testkit::{Http, Reply, TestServer};

use super::refused;
use super::rooms::{data, no_room, server_of, server_with};

/// Creates a group. Returns its ID.
async fn group(server: &TestServer, chat: &Http, body: Value) -> String {
    let mut group = json!({ "groupname": "team", "public": true, "owner": "user1" });
    group.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let created = data(&chat.post(&server.chat_path("chatgroups"), &group).await);
    created["groupid"].as_str().unwrap().to_owned()
}

/// In groups this is a 403.
#[track_caller]
fn stranger(reply: &Reply, user: &str) {
    refused(reply, 403, "forbidden_op", &format!("users [{user}] are not members of this group!"));
}

#[tokio::test]
async fn a_group_is_created_seen_and_deleted() {
    let (server, chat) = server_with(&["user1", "user2"]).await;
    let path = server.chat_path("chatgroups");
    let body = json!({
        "groupname": "team", "avatar": "https://example.com/a.png", "description": "d", "public": false,
        "maxusers": 300, "owner": "user1", "members": ["user2"], "allowinvites": true, "custom": "c",
    });
    let reply = chat.post(&path, &body).await.json();
    let id = reply["data"]["groupid"].as_str().unwrap();
    assert_eq!((reply["data"].as_object().unwrap().len(), &reply["properties"]), (1, &json!({})));
    let of = server.chat_path(&format!("chatgroups/{id}"));
    let found = chat.get(&of).await.json();
    let expected = json!({
        "id": id, "name": "team", "avatar": "https://example.com/a.png", "description": "d", "membersonly": true,
        "allowinvites": true, "invite_need_confirm": true, "maxusers": 300, "owner": "user1",
        "created": server.now_ms(), "custom": "c", "mute": false, "affiliations_count": 2, "disabled": false,
        "affiliations": [{ "owner": "user1" }, { "member": "user2" }], "public": false,
    });
    assert_eq!((&found["data"], &found["count"]), (&json!([expected]), &json!(1)));
    let several = chat.get(&server.chat_path(&format!("chatgroups/{id},12345"))).await.json();
    assert_eq!(several["data"][1], json!({ "id": "12345", "error": "group id doesn't exist" }));
    let unknown = chat.get(&server.chat_path("chatgroups/12345")).await;
    refused(&unknown, 404, "service_resource_not_found", "do not find this group:12345");
    let as_room = chat.get(&server.chat_path(&format!("chatrooms/{id}"))).await;
    assert_eq!(as_room.code(), 404, "a group is no room");
    assert_eq!(data(&chat.delete(&of).await), json!({ "success": true, "groupid": id }));
    no_room(&chat.delete(&of).await, id);
}

#[tokio::test]
async fn the_rules_of_a_group_depend_on_whether_it_is_public() {
    let (server, chat) = server_with(&["user1"]).await;
    let rules = async |body: Value| {
        let id = group(&server, &chat, body).await;
        let found = data(&chat.get(&server.chat_path(&format!("chatgroups/{id}"))).await)[0].clone();
        (found["membersonly"].clone(), found["allowinvites"].clone(), found["maxusers"].clone())
    };
    assert_eq!(rules(json!({ "allowinvites": true })).await, (json!(false), json!(false), json!(200)));
    assert_eq!(rules(json!({ "membersonly": true })).await, (json!(true), json!(false), json!(200)));
    assert_eq!(rules(json!({ "public": false })).await, (json!(true), json!(false), json!(200)));
}

#[tokio::test]
async fn a_creation_is_refused_in_the_words_of_the_documents() {
    let app = stentor_testkit::TestApp::new().chat().chat_option("groups = 2\ngroups_per_user = 1");
    let (server, chat) = server_of(app, &["user1", "user2", "user3"]).await;
    let path = server.chat_path("chatgroups");
    let post = async |body: Value| chat.post(&path, &body).await;
    let parameter = [
        (json!({ "owner": "user1" }), "group must contain public field!"),
        (json!({ "public": true }), "owner must be provided"),
        (json!({ "public": true, "owner": "user1", "avatar": "a".repeat(1025) }), "avatar length is too big"),
    ];
    for (body, text) in parameter {
        refused(&post(body).await, 400, "invalid_parameter", text);
    }
    let limits = [
        (json!({ "public": true, "owner": "user1", "groupname": "n".repeat(129) }), "title cannot exceed to 128"),
        (json!({ "public": true, "owner": "user1", "description": "n".repeat(513) }), "desc cannot exceed to 512"),
        (json!({ "public": true, "owner": "user1", "custom": "n".repeat(8193) }), "custom cannot exceed to 8192"),
        (json!({ "public": true, "owner": "user1", "maxusers": 3001 }), "maxUsers cannot exceed 3000"),
    ];
    for (body, text) in limits {
        refused(&post(body).await, 403, "exceed_limit", text);
    }
    let nobody = post(json!({ "public": true, "owner": "nobody" })).await;
    refused(&nobody, 404, "resource_not_found", "username nobody doesn't exist!");
    let good = |owner: &str| json!({ "public": "true", "owner": owner, "maxusers": 3000, "custom": "n".repeat(8192) });
    data(&post(good("user1")).await);
    refused(&post(good("user1")).await, 403, "exceed_limit", "user user1 has joined too many groups!");
    data(&post(good("user2")).await);
    let many = "appKey:easemob-demo#wang has create too many groups!";
    refused(&post(good("user3")).await, 403, "exceed_limit", many);
}

#[tokio::test]
async fn a_group_is_changed_given_away_and_switched_off() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2"]).await;
    let id = group(&server, &chat, json!({ "members": ["user2"] })).await;
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}{rest}"));
    let all = json!({
        "groupname": "n", "avatar": "a", "description": "d", "maxusers": 1500, "membersonly": true,
        "allowinvites": true, "invite_need_confirm": false, "custom": "abc", "public": true,
    });
    let changed = data(&chat.put(&of(""), &all).await);
    let fields = all.as_object().unwrap().keys();
    assert!(fields.clone().all(|field| changed[field] == true) && fields.len() == changed.as_object().unwrap().len());
    let found = data(&chat.get(&of("")).await)[0].clone();
    assert_eq!((&found["invite_need_confirm"], &found["allowinvites"]), (&json!(false), &json!(true)));
    let field = chat.put(&of(""), &json!({ "groupid": "1" })).await;
    refused(&field, 400, "invalid_parameter", "some of [groupid] are not valid fields");
    assert_eq!(data(&chat.put(&of(""), &json!({ "newowner": "user2" })).await), json!({ "newowner": true }));

    let owner = server.chat_as("user2").await;
    for _ in 0..2 {
        assert_eq!(data(&chat.post(&of("/disable"), &json!({})).await), json!({ "disabled": true }));
    }
    let off = format!("group {id} is disabled!");
    refused(&owner.put(&of(""), &json!({ "groupname": "x" })).await, 403, "forbidden_op", &off);
    assert_eq!(owner.post(&of("/enable"), &json!({})).await.code(), 401, "only for the backend");
    assert_eq!(data(&chat.post(&of("/enable"), &json!({})).await), json!({ "disabled": false }));
    data(&owner.put(&of(""), &json!({ "groupname": "x" })).await);
    no_room(&chat.post(&server.chat_path("chatgroups/12345/disable"), &json!({})).await, "12345");
}

/// Every endpoint that rooms have, too: the replies name the group.
#[tokio::test]
async fn groups_are_managed_as_rooms_are() {
    let (server, chat) = server_with(&["user1", "user2", "user3"]).await;
    let id = group(&server, &chat, json!({ "members": ["user2", "user3"] })).await;
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}/{rest}"));
    let outcome = |action: &str, user: &str| json!({ "result": true, "action": action, "user": user, "groupid": id });

    assert_eq!(data(&chat.post(&of("admin"), &json!({ "newadmin": "user2" })).await)["newadmin"], "user2");
    assert_eq!(data(&chat.get(&of("admin")).await), json!(["user2"]));
    assert_eq!(data(&chat.delete(&of("admin/user2")).await)["oldadmin"], "user2");
    stranger(&chat.delete(&of("admin/nobody")).await, "nobody");

    let expire = server.now_ms() + 5000;
    let muted = data(&chat.post(&of("mute"), &json!({ "usernames": ["user2"], "mute_duration": 5000 })).await);
    assert_eq!(muted, json!([{ "result": true, "expire": expire, "user": "user2" }]));
    assert_eq!(data(&chat.get(&of("mute")).await), json!([{ "expire": expire, "user": "user2" }]));
    assert_eq!(data(&chat.delete(&of("mute/user2")).await), json!([{ "result": true, "user": "user2" }]));
    stranger(&chat.post(&of("mute"), &json!({ "usernames": ["nobody"] })).await, "nobody");

    let banned = chat.post(&of("ban"), &json!({})).await.json();
    assert_eq!((&banned["action"], &banned["data"]), (&json!("post"), &json!({ "mute": true })));
    assert_eq!(data(&chat.delete(&of("ban")).await), json!({ "mute": false }));

    assert_eq!(data(&chat.post(&of("white/users/user2"), &json!({})).await), outcome("add_user_whitelist", "user2"));
    let several = data(&chat.post(&of("white/users"), &json!({ "usernames": ["user3"] })).await);
    assert_eq!(several, json!([outcome("add_user_whitelist", "user3")]));
    assert_eq!(data(&chat.get(&of("white/users")).await), json!(["user2", "user3"]));
    assert_eq!(data(&chat.delete(&of("white/users/user2")).await), outcome("remove_user_whitelist", "user2"));

    assert_eq!(data(&chat.post(&of("blocks/users/user2"), &json!({})).await), outcome("add_blocks", "user2"));
    let several = data(&chat.post(&of("blocks/users"), &json!({ "usernames": ["user3"] })).await);
    assert_eq!(several, json!([outcome("add_blocks", "user3")]));
    assert_eq!(data(&chat.get(&of("blocks/users")).await), json!(["user2", "user3"]));
    assert_eq!(data(&chat.delete(&of("blocks/users/user2")).await), outcome("remove_blocks", "user2"));

    assert_eq!(data(&chat.post(&of("announcement"), &json!({ "announcement": "a" })).await)["result"], true);
    assert_eq!(data(&chat.get(&of("announcement")).await), json!({ "announcement": "a" }));
}
