//! Rooms: each endpoint works, works twice, knows what is not there, refuses, and has its limits.

mod attributes;
mod large;
mod lists;
mod members;
mod powers;
mod rights;
mod sockets;

use http::Method;
use serde_json::{Value, json};
use stentor_core::directory::users::NewUser;
use stentor_core::id::UserId;
use stentor_testkit::{CHAT, Http, Reply, TestApp, TestServer};

use super::refused;

/// A server whose rates do not matter here, with these users. They have no passwords, which take long to hash.
pub(super) async fn server_with(users: &[&str]) -> (TestServer, Http) {
    server_of(TestApp::new().chat(), users).await
}

pub(super) async fn server_of(app: TestApp, users: &[&str]) -> (TestServer, Http) {
    let limits = [
        "chat_rooms_per_second",
        "chat_room_lists_per_second",
        "chat_room_creations_per_second",
        "chat_joined_rooms_per_second",
        "chat_groups_per_second",
        "chat_group_lists_per_second",
        "chat_registrations_per_second",
    ];
    let app = limits.into_iter().fold(app, |app, name| app.chat_limit(name, 0));
    let server = TestServer::builder().app(app).manual_clock().start().await;
    enlist(&server, users).await;
    let chat = server.chat().await;
    (server, chat)
}

/// Registers users without passwords.
pub(super) async fn enlist(server: &TestServer, users: &[&str]) {
    let app = server.node().app(&format!("{}#{}", CHAT[0], CHAT[1])).unwrap();
    for user in users {
        let new = NewUser { name: UserId::from_trusted(user), password_hash: None, nickname: None };
        server.node().register(&app, new).await.unwrap();
    }
}

/// Creates a room. Returns its ID.
pub(super) async fn room(server: &TestServer, chat: &Http, owner: &str, members: &[&str]) -> String {
    let mut body = json!({ "name": "lobby", "description": "d", "owner": owner });
    if !members.is_empty() {
        body["members"] = json!(members);
    }
    let reply = chat.post(&server.chat_path("chatrooms"), &body).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()["data"]["id"].as_str().unwrap().to_owned()
}

/// What the service says about a room.
async fn detail(server: &TestServer, chat: &Http, id: &str) -> Value {
    let reply = chat.get(&server.chat_path(&format!("chatrooms/{id}"))).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()["data"][0].clone()
}

/// The `data` of a good reply.
#[track_caller]
pub(super) fn data(reply: &Reply) -> Value {
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()["data"].clone()
}

#[track_caller]
pub(super) fn no_room(reply: &Reply, id: &str) {
    refused(reply, 404, "resource_not_found", &format!("grpID {id} does not exist!"));
}

#[track_caller]
fn no_user(reply: &Reply, user: &str) {
    refused(reply, 404, "resource_not_found", &format!("username {user} doesn't exist!"));
}

#[track_caller]
fn stranger(reply: &Reply, user: &str) {
    let body = refused(reply, 400, "invalid_parameter", &format!("users [{user}] are not members of this group!"));
    assert_eq!(body["exception"], "com.easemob.group.exception.InvalidParameterException");
}

#[tokio::test]
async fn a_room_is_created_with_owner_and_members() {
    let (server, chat) = server_with(&["user1", "user2", "user3"]).await;
    let path = server.chat_path("chatrooms");
    let body = json!({ "name": "lobby", "description": "everybody", "owner": "user1", "maxusers": 300,
        "members": ["user2", "User3"], "custom": "c" });
    let reply = chat.post(&path, &body).await.json();
    assert_eq!((&reply["action"], &reply["entities"], &reply["properties"]), (&json!("post"), &json!([]), &json!({})));
    assert_eq!(reply["path"], Value::Null, "this service sends none");
    let id = reply["data"]["id"].as_str().unwrap();
    assert!(id.len() == 15 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    let room = detail(&server, &chat, id).await;
    let created = room["created"].as_u64().unwrap();
    let expected = json!({
        "id": id, "name": "lobby", "description": "everybody", "membersonly": false, "allowinvites": false,
        "maxusers": 300, "owner": "user1", "created": created, "custom": "c", "mute": false, "affiliations_count": 3,
        "affiliations": [{ "owner": "user1" }, { "member": "user2" }, { "member": "user3" }], "public": true,
    });
    assert_eq!((room, created), (expected, server.now_ms()));
    let again = chat.post(&path, &body).await.json();
    assert_ne!(again["data"]["id"], reply["data"]["id"], "another one of the same name");
    let defaulted = json!({ "name": "n", "description": "d", "owner": "user1" });
    let id = data(&chat.post(&path, &defaulted).await)["id"].as_str().unwrap().to_owned();
    assert_eq!(detail(&server, &chat, &id).await["maxusers"], 1000);
}

#[tokio::test]
async fn a_creation_is_refused_in_the_words_of_the_documents() {
    let app = TestApp::new().chat().chat_option("rooms = 2\nrooms_per_user = 2");
    let (server, chat) = server_of(app, &["user1", "user2"]).await;
    let path = server.chat_path("chatrooms");
    let good = json!({ "name": "n", "description": "d", "owner": "user1" });
    let but = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let without = |field: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let parameter = [
        (without("name"), "chatroom must contain title/name field!"),
        (without("owner"), "owner must be provided"),
        (without("description"), "description must be provided"),
        (but("members", json!([])), "members must be provided"),
        (but("maxusers", json!(0)), "maxusers must be greater than 0"),
    ];
    for (body, text) in parameter {
        refused(&chat.post(&path, &body).await, 400, "invalid_parameter", text);
    }
    let limits = [
        (but("name", json!("é".repeat(129))), "title cannot exceed to 128"),
        (but("description", json!("é".repeat(513))), "desc cannot exceed to 512"),
        (but("custom", json!("c".repeat(1025))), "custom cannot exceed to 1024"),
        (but("maxusers", json!(10_001)), "maxUsers cannot exceed 10000"),
    ];
    for (body, text) in limits {
        refused(&chat.post(&path, &body).await, 403, "exceed_limit", text);
    }
    let mut crowded = but("members", json!(["user2"]));
    crowded["maxusers"] = json!(1);
    refused(&chat.post(&path, &crowded).await, 403, "exceed_limit", "members size is greater than max user size !");
    no_user(&chat.post(&path, &but("owner", json!("nobody"))).await, "nobody");
    no_user(&chat.post(&path, &but("members", json!(["a b"]))).await, "a b");
    refused(
        &chat.post(&path, &but("maxusers", json!({}))).await,
        400,
        "illegal_argument",
        "parameters is invalid : maxusers",
    );
    let full = json!({ "title": "é".repeat(128), "description": "é".repeat(512), "owner": "user1",
        "custom": "c".repeat(1024), "maxusers": "10000" });
    assert_eq!(chat.post(&path, &full).await.code(), 200, "exactly at the limits, and title for name");
    assert_eq!(chat.post(&path, &good).await.code(), 200);
    refused(&chat.post(&path, &good).await, 403, "exceed_limit", "user user1 has joined too many chatrooms!");
    let third = but("owner", json!("user2"));
    refused(
        &chat.post(&path, &third).await,
        403,
        "exceed_limit",
        "appKey:easemob-demo#wang has create too many chatrooms!",
    );
}

#[tokio::test]
async fn details_of_several_and_of_what_is_not_there() {
    let (server, chat) = server_with(&["user1"]).await;
    let (one, two) = (room(&server, &chat, "user1", &[]).await, room(&server, &chat, "user1", &[]).await);
    let get = async |ids: &str| chat.get(&server.chat_path(&format!("chatrooms/{ids}"))).await;
    let reply = get(&format!("{two},12345,{one}")).await.json();
    let ids: Vec<_> = reply["data"].as_array().unwrap().iter().map(|room| room["id"].as_str().unwrap()).collect();
    assert_eq!((ids, &reply["count"]), (vec![two.as_str(), one.as_str()], &json!(2)));
    let unknown = |id: &str| format!("do not find this group:{id}");
    refused(&get("12345").await, 404, "service_resource_not_found", &unknown("12345"));
    refused(&get("a%20b").await, 404, "service_resource_not_found", &unknown("a b"));
    let many = vec![one.as_str(); 100].join("%2C");
    assert_eq!(get(&many).await.code(), 200);
    let text = "group ids more than maxSize : 100";
    refused(&get(&format!("{many},{two}")).await, 400, "invalid_parameter", text);
}

#[tokio::test]
async fn a_room_is_changed_given_away_and_deleted() {
    let (server, chat) = server_with(&["user1", "user2", "user3"]).await;
    let id = room(&server, &chat, "user1", &["user2"]).await;
    let path = server.chat_path(&format!("chatrooms/{id}"));
    let put = async |body: Value| chat.put(&path, &body).await;
    let all = json!({ "name": "new", "description": "other", "maxusers": 2 });
    for _ in 0..2 {
        let changed = data(&put(all.clone()).await);
        assert_eq!(changed, json!({ "groupname": true, "description": true, "maxusers": true }));
    }
    assert_eq!(data(&put(json!({ "groupname": "web" })).await), json!({ "groupname": true }));
    let found = detail(&server, &chat, &id).await;
    assert_eq!(
        (&found["name"], &found["description"], &found["maxusers"]),
        (&json!("web"), &json!("other"), &json!(2))
    );
    let smaller = "current user count is larger than the maxUsers that you want to update !";
    refused(&put(json!({ "maxusers": 1 })).await, 403, "forbidden_op", smaller);
    let field = "some of [chatroom_id] are not valid fields";
    refused(&put(json!({ "chatroom_id": "1", "name": "x" })).await, 400, "invalid_parameter", field);
    refused(&put(json!({})).await, 400, "invalid_parameter", "groupname must be provided");
    refused(&put(json!({ "name": "n".repeat(129) })).await, 403, "exceed_limit", "title cannot exceed to 128");

    assert_eq!(data(&put(json!({ "newowner": "user2" })).await), json!({ "newowner": true }));
    refused(&put(json!({ "newowner": "user2" })).await, 403, "forbidden_op", "new owner and old owner are the same");
    no_user(&put(json!({ "newowner": "nobody" })).await, "nobody");
    refused(&put(json!({ "newowner": "" })).await, 400, "invalid_parameter", "newowner must be provided");
    refused(&put(json!({ "newowner": "user3" })).await, 403, "forbidden_op", "group member list is full!");
    let found = detail(&server, &chat, &id).await;
    assert_eq!(found["affiliations"], json!([{ "member": "user1" }, { "owner": "user2" }]));

    assert_eq!(data(&chat.delete(&path).await), json!({ "success": true, "id": id }));
    no_room(&chat.delete(&path).await, &id);
    no_room(&put(json!({ "name": "x" })).await, &id);
    no_room(&put(json!({ "newowner": "user1" })).await, &id);
}

#[tokio::test]
async fn without_a_token_this_service_has_its_own_words() {
    let (server, chat) = server_with(&["user1"]).await;
    let id = room(&server, &chat, "user1", &[]).await;
    for path in ["chatrooms".to_owned(), format!("chatrooms/{id}"), "chatgroups".to_owned()] {
        let reply = server.anonymous().get(&server.chat_path(&path)).await;
        let body = refused(&reply, 401, "group_authorization", "token is blank!");
        assert_eq!(body["exception"], "com.easemob.group.exception.GroupAuthorizationException");
        let reply = server.anonymous().bearer("nonsense").get(&server.chat_path(&path)).await;
        assert_eq!(reply.json()["error"], "auth_bad_access_token");
    }
    let bad = chat.send(Method::POST, &server.chat_path("chatrooms"), "{\"name\"=1}".into()).await;
    assert_eq!((bad.code(), &bad.json()["error"]), (400, &json!("json_parse")));
}
