//! Contacts and blocks.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{Http, TestApp, TestServer};

use super::{refused, server};

const NOT_FOUND: (u16, &str, &str) = (404, "service_resource_not_found", "Service resource not found");

async fn add(server: &TestServer, chat: &Http, user: &str, contact: &str) -> stentor_testkit::Reply {
    server.advance(Duration::from_millis(1));
    chat.post(&server.chat_path(&format!("users/{user}/contacts/users/{contact}")), &json!({})).await
}

async fn contacts(server: &TestServer, chat: &Http, user: &str) -> Value {
    let reply = chat.get(&server.chat_path(&format!("users/{user}/contacts/users"))).await.json();
    assert_eq!(
        (reply["count"].as_u64(), &reply["entities"]),
        (Some(reply["data"].as_array().unwrap().len() as u64), &json!([]))
    );
    reply["data"].clone()
}

#[tokio::test]
async fn contacts_are_added_listed_and_removed() {
    let server = server().await;
    server.register(&["user1", "user2", "user3"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    let uuid = chat.get(&server.chat_path("users/user1")).await.json()["entities"][0]["uuid"].clone();
    let path = format!("/users/{}/contacts", uuid.as_str().unwrap());
    for _ in 0..2 {
        let reply = add(&server, &chat, "user1", "User2").await.json();
        assert_eq!((&reply["path"], &reply["entities"][0]["username"]), (&json!(path), &json!("user2")));
        assert!(reply["uri"].as_str().unwrap().ends_with(&path), "{reply}");
    }
    assert_eq!(add(&server, &user, "user1", "user3").await.code(), 401, "user3 is not asked");
    add(&server, &chat, "user1", "user3").await;
    assert_eq!(contacts(&server, &user, "user1").await, json!(["user3", "user2"]));
    assert_eq!(contacts(&server, &chat, "user2").await, json!(["user1"]));
    for _ in 0..2 {
        let reply = user.delete(&server.chat_path("users/user1/contacts/users/user2")).await.json();
        assert_eq!((&reply["path"], &reply["entities"][0]["username"]), (&json!(path), &json!("user2")));
    }
    assert_eq!(contacts(&server, &chat, "user1").await, json!(["user3"]));
    assert_eq!(contacts(&server, &chat, "user2").await, json!([]));
    assert_eq!(add(&server, &user, "user2", "user3").await.code(), 401);
}

#[tokio::test]
async fn contacts_are_users_and_not_too_many() {
    let app = TestApp::new().chat().chat_option("contacts = 1");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    server.register(&["user1", "user2", "user3"]).await;
    let chat = server.chat().await;
    for (user, contact) in [("nobody", "user1"), ("user1", "nobody"), ("user1", "a%20b")] {
        let path = server.chat_path(&format!("users/{user}/contacts/users/{contact}"));
        for reply in [chat.post(&path, &json!({})).await, chat.delete(&path).await] {
            refused(&reply, NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        }
    }
    let nobody = chat.get(&server.chat_path("users/nobody/contacts/users")).await;
    refused(&nobody, NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    assert_eq!(add(&server, &chat, "user1", "user2").await.code(), 200);
    let full = add(&server, &chat, "user1", "user3").await;
    refused(&full, 403, "exceed_limit", "user contact number exceed limit");
    let body = json!({ "usernames": ["user3", "nobody", "user2", "a b"] });
    let reply = chat.post(&server.chat_path("users/user1/contacts/import"), &body).await.json();
    let data = json!({
        "success": ["user2"], "NotExistFailed": ["nobody", "a b"], "maxLimitFailed": ["user3"], "UnKnowFailed": [],
    });
    assert_eq!((&reply["data"], &reply["status"]), (&data, &json!("ok")));
    let eleven = json!({ "usernames": vec!["u"; 11] });
    let reply = chat.post(&server.chat_path("users/user1/contacts/import"), &eleven).await;
    refused(&reply, 400, "illegal_argument", "request user over flow limit:10.");
}

#[tokio::test]
async fn contacts_have_remarks_and_pages() {
    let server = server().await;
    server.register(&["user1", "user2", "user3", "user4"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    for contact in ["user2", "user3"] {
        add(&server, &chat, "user1", contact).await;
    }
    let remark = async |contact: &str, remark: Value| {
        user.put(&server.chat_path(&format!("user/user1/contacts/users/{contact}")), &json!({ "remark": remark })).await
    };
    assert_eq!(remark("user2", json!("中".repeat(100))).await.json()["status"], "ok");
    assert_eq!(remark("user2", json!("friend")).await.json()["status"], "ok");
    for bad in [json!("中".repeat(101)), json!(null), json!(1)] {
        refused(&remark("user2", bad).await, 400, "illegal_argument", "parameters is invalid : remark");
    }
    let text = "updateRemark | they are not friends, please add as a friend first.";
    refused(&remark("user4", json!("friend")).await, 400, "illegal_argument", text);
    refused(&remark("nobody", json!("friend")).await, NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    let path = server.chat_path("user/user1/contacts");
    let all = user.get(&path).await.json();
    assert_eq!(all["data"], json!({ "contacts": [{ "username": "user3" }, { "username": "user2" }] }));
    let first = user.get(&format!("{path}?limit=1&needReturnRemark=true")).await.json();
    assert_eq!(
        (&first["data"], &first["count"]),
        (&json!({ "contacts": [{ "remark": null, "username": "user3" }], "cursor": first["cursor"] }), &json!(1))
    );
    let cursor = first["cursor"].as_str().unwrap();
    let rest = user.get(&format!("{path}?limit=1&needReturnRemark=true&cursor={cursor}")).await.json();
    assert_eq!((&rest["data"]["contacts"][0]["remark"], rest.get("cursor")), (&json!("friend"), None));
    assert_eq!(user.get(&format!("{path}?limit=50")).await.code(), 200);
    let text = "getContacts | page size more than max limit : 50";
    refused(&user.get(&format!("{path}?limit=51")).await, 400, "illegal_argument", text);
}

async fn block(server: &TestServer, chat: &Http, user: &str, blocked: &[&str]) -> stentor_testkit::Reply {
    server.advance(Duration::from_millis(1));
    chat.post(&server.chat_path(&format!("users/{user}/blocks/users")), &json!({ "usernames": blocked })).await
}

#[tokio::test]
async fn users_are_blocked_listed_and_unblocked() {
    let server = server().await;
    server.register(&["user1", "user2", "user3", "user4"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    for _ in 0..2 {
        let reply = block(&server, &chat, "user1", &["user2"]).await.json();
        assert_eq!((&reply["data"], &reply["entities"], reply.get("path")), (&json!(["user2"]), &json!([]), None));
    }
    assert_eq!(block(&server, &user, "user1", &["user3"]).await.code(), 200);
    assert_eq!(block(&server, &user, "user1", &["user4"]).await.code(), 200);
    let path = server.chat_path("users/user1/blocks/users");
    let all = user.get(&path).await.json();
    assert_eq!(
        (&all["data"], &all["count"], all.get("cursor")),
        (&json!(["user4", "user3", "user2"]), &json!(3), None)
    );
    let first = user.get(&format!("{path}?pageSize=2")).await.json();
    assert_eq!(first["data"], json!(["user4", "user3"]));
    let rest = user.get(&format!("{path}?pageSize=2&cursor={}", first["cursor"].as_str().unwrap())).await.json();
    assert_eq!((&rest["data"], rest.get("cursor")), (&json!(["user2"]), None));
    for _ in 0..2 {
        let reply = user.delete(&format!("{path}/user2")).await.json();
        assert_eq!(reply["entities"][0]["username"], "user2");
        assert!(reply["path"].as_str().unwrap().ends_with("/blocks"), "{reply}");
    }
    assert_eq!(user.get(&path).await.json()["data"], json!(["user4", "user3"]));
    assert_eq!(block(&server, &user, "user2", &["user3"]).await.code(), 401);
    let cursor = user.get(&format!("{path}?cursor=x")).await;
    refused(&cursor, 400, "illegal_argument", "parameters is invalid : cursor");
}

#[tokio::test]
async fn blocked_are_users_and_not_too_many() {
    let app = TestApp::new().chat().chat_option("user_blocks = 2");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    server.register(&["user1", "user2", "user3", "user4"]).await;
    let chat = server.chat().await;
    for nobody in ["nobody", "a b"] {
        let text = format!("attempt to adding new block[{nobody}] for user[user1],but user[{nobody}] not found.");
        let reply = block(&server, &chat, "user1", &["user2", nobody]).await;
        let body = refused(&reply, 400, "illegal_argument", &text);
        assert_eq!(body["exception"], "java.lang.IllegalArgumentException");
    }
    for bad in [json!({}), json!({ "usernames": [] }), json!({ "usernames": "user2" })] {
        let reply = chat.post(&server.chat_path("users/user1/blocks/users"), &bad).await;
        refused(&reply, 400, "illegal_argument", "parameters is invalid : usernames");
    }
    assert_eq!(block(&server, &chat, "user1", &["user2", "user3"]).await.code(), 200);
    let full = block(&server, &chat, "user1", &["user4"]).await;
    refused(&full, 403, "exceed_limit", "user block number exceed limit 2");
    let path = "users/nobody/blocks/users";
    let replies = [
        block(&server, &chat, "nobody", &["user2"]).await,
        chat.get(&server.chat_path(path)).await,
        chat.delete(&server.chat_path("users/nobody/blocks/users/user2")).await,
        chat.delete(&server.chat_path("users/user1/blocks/users/nobody")).await,
    ];
    for reply in replies {
        refused(&reply, NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    }
}

#[tokio::test]
async fn users_ask_each_other_to_become_contacts() {
    let server = server().await;
    server.register(&["user1", "user2", "user3"]).await;
    let (chat, one) = (server.chat().await, server.chat_as("user1").await);
    let (two, three) = (server.chat_as("user2").await, server.chat_as("user3").await);
    let path = |rest: &str| server.chat_path(&format!("users/{rest}"));
    let ask = async |http: &Http, body: Value| http.post(&path("user1/contacts/apply"), &body).await;
    let asked = ask(&one, json!({ "usernames": ["user2"], "reason": "r".repeat(512) })).await;
    assert_eq!((asked.code(), &asked.json()["data"]), (200, &json!(["user2"])));
    assert_eq!(ask(&chat, json!({ "usernames": ["user2", "user3"] })).await.code(), 200, "twice, for the user");
    assert_eq!(ask(&two, json!({ "usernames": ["user3"] })).await.code(), 401);
    let accept = path("user2/contacts/accept/users/user1");
    assert_eq!(one.post(&accept, &json!({})).await.code(), 401, "who asks does not answer");
    assert_eq!(contacts(&server, &one, "user1").await, json!([]));
    for _ in 0..2 {
        assert_eq!(two.post(&accept, &json!({})).await.code(), 200);
    }
    assert_eq!(contacts(&server, &one, "user1").await, json!(["user2"]));
    let none = "there is no contact request of this user.";
    let declines = path("user3/contacts/decline/users/user1");
    assert_eq!(three.post(&declines, &json!({})).await.code(), 200);
    refused(&three.post(&declines, &json!({})).await, 400, "illegal_argument", none);
    let late = three.post(&path("user3/contacts/accept/users/user1"), &json!({})).await;
    refused(&late, 400, "illegal_argument", none);
    for (body, field) in [
        (json!({}), "usernames"),
        (json!({ "usernames": [] }), "usernames"),
        (json!({ "usernames": ["user1"] }), "usernames"),
        (json!({ "usernames": ["user3"], "reason": "r".repeat(513) }), "reason"),
    ] {
        refused(&ask(&one, body).await, 400, "illegal_argument", &format!("parameters is invalid : {field}"));
    }
    let many = json!({ "usernames": vec!["user3"; 11] });
    refused(&ask(&one, many).await, 400, "illegal_argument", "request user over flow limit:10.");
    for nobody in ["nobody", "a b"] {
        let reply = ask(&one, json!({ "usernames": [nobody] })).await;
        refused(&reply, NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    }
}

#[tokio::test]
async fn clients_have_ways_of_their_own_to_the_same() {
    let server = server().await;
    server.register(&["user1", "user2", "user3"]).await;
    let (chat, one) = (server.chat().await, server.chat_as("user1").await);
    for contact in ["user2", "user3"] {
        add(&server, &chat, "user1", contact).await;
    }
    let remark = server.chat_path("users/user1/contacts/users/user2?resource=web");
    assert_eq!(one.put(&remark, &json!({ "remark": "Bob" })).await.code(), 200);
    let all = one.get(&server.chat_path("users/user1/contacts/users?needReturnRemark=true")).await.json();
    let entities = json!([{ "username": "user3", "remark": null }, { "username": "user2", "remark": "Bob" }]);
    assert_eq!((&all["entities"], &all["data"]), (&entities, &json!(["user3", "user2"])));
    let page = async |cursor: &str| {
        let path = format!("users/user1/contacts?needReturnRemark=true&limit=1&cursor={cursor}");
        one.get(&server.chat_path(&path)).await.json()["data"].clone()
    };
    let first = page("").await;
    assert_eq!(first["contacts"], json!([{ "username": "user3", "remark": null }]));
    let second = page(first["cursor"].as_str().unwrap()).await;
    assert_eq!(second, json!({ "contacts": [{ "username": "user2", "remark": "Bob" }] }));
    let blocks = server.chat_path("sdk/user/user1/blocks?resource=web");
    let listed = async || one.get(&server.chat_path("users/user1/blocks/users")).await.json()["data"].clone();
    let names = json!({ "usernames": ["user2", "user3"] });
    assert_eq!(one.post(&blocks, &names).await.json()["data"], names["usernames"]);
    assert_eq!(listed().await.as_array().unwrap().len(), 2);
    let send = async |body: &Value| one.send(http::Method::DELETE, &blocks, body.to_string().into()).await;
    for _ in 0..2 {
        assert_eq!(send(&names).await.json()["data"], names["usernames"]);
    }
    assert_eq!(listed().await, json!([]));
    refused(&send(&json!({})).await, 400, "illegal_argument", "parameters is invalid : usernames");
    for (count, code) in [(50, 200), (51, 400)] {
        assert_eq!(send(&json!({ "usernames": vec!["user2"; count] })).await.code(), code);
    }
    assert_eq!(send(&json!({ "usernames": ["nobody"] })).await.code(), 404);
    let two = server.chat_as("user2").await;
    assert_eq!(two.post(&blocks, &names).await.code(), 401);
}
