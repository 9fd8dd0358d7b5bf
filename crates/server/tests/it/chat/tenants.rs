//! Two Chat apps on one server: what one has does not exist for the other.

mod credentials;

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use stentor_testkit::{
    Behaviour, CALLBACK_SECRET, CHAT, ChatClient, ChatEvent, ChatMessage, DEADLINE, Http, OTHER_CHAT, Receiver,
    TestApp, TestServer, eventually,
};

use super::refused;

const USERS: [&str; 2] = ["user1", "user2"];

/// One of the two apps, called as its backend calls it.
struct Side<'a> {
    server: &'a TestServer,
    names: [&'static str; 4],
    http: Http,
}

impl<'a> Side<'a> {
    async fn new(server: &'a TestServer, names: [&'static str; 4]) -> Self {
        let tenant = server.tenant(names);
        Self { server, names, http: tenant.http().await }
    }

    async fn call(&self, method: Method, endpoint: &str, body: impl Into<Bytes>) -> stentor_testkit::Reply {
        self.http.send(method, &self.server.tenant(self.names).path(endpoint), body.into()).await
    }

    async fn get(&self, endpoint: &str) -> stentor_testkit::Reply {
        self.call(Method::GET, endpoint, "").await
    }

    async fn post(&self, endpoint: &str, body: Value) -> stentor_testkit::Reply {
        self.call(Method::POST, endpoint, body.to_string()).await
    }

    /// The reply to a POST that succeeds.
    async fn done(&self, endpoint: &str, body: Value) -> Value {
        let reply = self.post(endpoint, body).await;
        assert_eq!(reply.code(), 200, "{endpoint}: {}", reply.text());
        reply.json()
    }

    async fn say(&self, endpoint: &str, to: &str, text: &str) -> String {
        let body = json!({ "from": "user1", "to": [to], "type": "txt", "body": { "msg": text } });
        self.done(endpoint, body).await["data"][to].as_str().expect("a message ID").to_owned()
    }

    async fn room(&self) -> String {
        let room = json!({ "name": "lobby", "description": "d", "owner": "user1", "members": ["user2"] });
        self.done("chatrooms", room).await["data"]["id"].as_str().expect("an ID").to_owned()
    }

    async fn group(&self) -> String {
        let group = json!({ "groupname": "team", "public": true, "owner": "user1", "members": ["user2"] });
        self.done("chatgroups", group).await["data"]["groupid"].as_str().expect("an ID").to_owned()
    }

    async fn client(&self, user: &str) -> ChatClient {
        self.server.tenant(self.names).client(user).await
    }
}

/// Two apps with users of the same names and passwords.
async fn started() -> TestServer {
    let server =
        TestServer::builder().app(TestApp::new().chat()).app(TestApp::other_chat()).manual_clock().start().await;
    for names in [CHAT, OTHER_CHAT] {
        server.tenant(names).register(&USERS).await;
    }
    server
}

async fn sides(server: &TestServer) -> (Side<'_>, Side<'_>) {
    (Side::new(server, CHAT).await, Side::new(server, OTHER_CHAT).await)
}

async fn text(client: &mut ChatClient) -> String {
    loop {
        match tokio::time::timeout(DEADLINE, client.next()).await.expect("in time").expect("an event") {
            ChatEvent::Message(ChatMessage { body, .. }) => {
                return body.value()["msg"].as_str().expect("a text").to_owned();
            }
            ChatEvent::Closed { code } => panic!("closed: {code:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn users_of_the_same_name_are_others() {
    let server = started().await;
    let (ours, theirs) = sides(&server).await;
    ours.done("users", json!([{ "username": "only", "password": "pw" }])).await;
    refused(&theirs.get("users/only").await, 404, "service_resource_not_found", "Service resource not found");
    let names = |reply: Value| {
        let users = reply["entities"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<_> = users.iter().map(|user| user["username"].as_str().unwrap_or_default()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(names(ours.get("users").await.json()), "only user1 user2");
    assert_eq!(names(theirs.get("users").await.json()), "user1 user2");
    let uuid = async |side: &Side<'_>| side.get("users/user1").await.json()["entities"][0]["uuid"].clone();
    assert_ne!(uuid(&ours).await, uuid(&theirs).await);

    // Everything that is kept of a user: written here, not found there.
    for endpoint in ["users/user1", "metadata/user/user1"] {
        assert_eq!(ours.call(Method::PUT, endpoint, r#"{"nickname":"ours"}"#).await.code(), 200, "{endpoint}");
    }
    ours.done("users/user1/contacts/users/user2", json!({})).await;
    ours.done("users/user1/blocks/users", json!({ "usernames": ["user2"] })).await;
    ours.done("mutes", json!({ "username": "user1", "chat": 60 })).await;
    ours.done("users/user1/presence/web/7", json!({ "ext": "ours" })).await;
    ours.done("users/user2/presence/60", json!({ "usernames": ["user1"] })).await;
    let user = theirs.get("users/user1").await.json();
    assert_eq!(user["entities"][0].get("nickname"), None, "{user}");
    assert_eq!(theirs.get("metadata/user/user1").await.json()["data"], json!({}));
    assert_ne!(
        theirs.get("metadata/user/capacity").await.json()["data"],
        ours.get("metadata/user/capacity").await.json()["data"]
    );
    for (endpoint, empty) in [
        ("users/user1/contacts/users", json!([])),
        ("users/user1/blocks/users", json!([])),
        ("mutes", json!([])),
        ("users/user2/presence/sublist", json!([])),
    ] {
        let found = async |side: &Side<'_>| {
            let reply = side.get(endpoint).await.json();
            let found = [&reply["data"]["data"], &reply["result"]["sublist"], &reply["data"]];
            found.into_iter().find(|value| value.is_array()).unwrap_or_else(|| panic!("{endpoint}: {reply}")).clone()
        };
        assert_eq!(found(&theirs).await, empty, "{endpoint}");
        assert_ne!(found(&ours).await, empty, "{endpoint}: and here it is");
    }
    let presence = theirs.done("users/user2/presence", json!({ "usernames": ["user1"] })).await;
    assert!(!presence.to_string().contains("ours"), "{presence}");

    // A user that is banned, whose password is another, or that goes: the other stays and gets in.
    ours.done("users/user1/deactivate", json!({})).await;
    let changed = ours.call(Method::PUT, "users/user2/password", r#"{"newpassword":"other"}"#).await;
    assert_eq!((changed.code(), ours.call(Method::DELETE, "users/user1", "").await.code()), (200, 200));
    for user in USERS {
        let client = theirs.client(user).await;
        assert_eq!(theirs.get(&format!("users/{user}/status")).await.json()["data"][user], "online");
        client.close().await;
    }
    assert_eq!(ours.get("users/user1").await.code(), 404);
}

#[tokio::test]
async fn rooms_and_groups_of_one_are_not_there_for_the_other() {
    let server = started().await;
    let (ours, theirs) = sides(&server).await;
    let (room, group) = (ours.room().await, ours.group().await);
    assert_eq!(ours.get(&format!("chatrooms/{room}")).await.code(), 200);
    for (kind, id, joined) in [("chatrooms", &room, "joined_chatrooms"), ("chatgroups", &group, "joined_chatgroups")] {
        let unknown = format!("do not find this group:{id}");
        for endpoint in [format!("{kind}/{id}"), format!("{kind}/{id}/users")] {
            refused(&theirs.get(&endpoint).await, 404, "service_resource_not_found", &unknown);
        }
        let missing = format!("grpID {id} does not exist!");
        let body = r#"{"usernames":["user2"],"description":"theirs","announcement":"theirs","newadmin":"user2"}"#;
        for (method, endpoint) in [
            (Method::PUT, format!("{kind}/{id}")),
            (Method::DELETE, format!("{kind}/{id}")),
            (Method::POST, format!("{kind}/{id}/users")),
            (Method::POST, format!("{kind}/{id}/users/user2")),
            (Method::DELETE, format!("{kind}/{id}/users/user2")),
            (Method::POST, format!("{kind}/{id}/mute")),
            (Method::POST, format!("{kind}/{id}/ban")),
            (Method::POST, format!("{kind}/{id}/blocks/users")),
            (Method::POST, format!("{kind}/{id}/white/users")),
            (Method::POST, format!("{kind}/{id}/admin")),
            (Method::GET, format!("{kind}/{id}/announcement")),
            (Method::POST, format!("{kind}/{id}/announcement")),
        ] {
            let body = if method == Method::PUT { r#"{"description":"theirs"}"# } else { body };
            let reply = theirs.call(method.clone(), &endpoint, body).await;
            assert_eq!(reply.code(), 404, "{method} {endpoint}: {}", reply.text());
            refused(&reply, 404, "resource_not_found", &missing);
        }
        assert_eq!(theirs.get(kind).await.json()["data"], json!([]), "{kind}");
        assert_eq!(theirs.get(&format!("users/user1/{joined}")).await.json()["data"], json!([]), "{joined}");
        let found = ours.get(&format!("{kind}/{id}")).await.json();
        assert_eq!(found["data"][0]["affiliations_count"], 2, "untouched: {found}");
        assert_ne!(found["data"][0]["description"], "theirs");
    }
    let attribute = json!({ "metaData": { "k": "v" } }).to_string();
    let endpoint = format!("metadata/chatroom/{room}/user/user1");
    assert_eq!(ours.call(Method::PUT, &endpoint, attribute.clone()).await.code(), 200);
    assert_eq!(theirs.call(Method::PUT, &endpoint, attribute).await.code(), 404);
    // A client of the one does not come into a room of the other.
    let client = theirs.client("user2").await;
    assert!(client.join(&room).await.is_err());
    assert_eq!(client.rooms().await.expect("answered"), [""; 0]);
}

#[tokio::test]
async fn messages_of_one_reach_nobody_of_the_other_and_are_not_found_there() {
    let server = started().await;
    let (ours, theirs) = sides(&server).await;
    let (room, group) = (ours.room().await, ours.group().await);
    let (mut bob, mut other) = (ours.client("user2").await, theirs.client("user2").await);
    bob.join(&room).await.expect("joins");
    let their_room = theirs.room().await;
    other.join(&their_room).await.expect("joins");
    // By the names of users, rooms and groups that are ours: taken, as for any name, and delivered to nobody here.
    theirs.say("messages/users", "user2", "theirs to a user").await;
    theirs.say("messages/chatrooms", &room, "theirs to our room").await;
    theirs.say("messages/chatgroups", &group, "theirs to our group").await;
    theirs.say("messages/chatrooms", &their_room, "theirs to their room").await;
    theirs.done("messages/chatrooms/broadcast", json!({ "msg": { "type": "txt", "msg": "theirs to all" } })).await;
    let id = ours.say("messages/users", "user2", "ours to a user").await;
    let in_room = ours.say("messages/chatrooms", &room, "ours to our room").await;
    assert_eq!(text(&mut bob).await, "ours to a user");
    assert_eq!(text(&mut bob).await, "ours to our room");
    assert_eq!(text(&mut other).await, "theirs to a user");
    assert_eq!(text(&mut other).await, "theirs to their room");
    assert_eq!(text(&mut other).await, "theirs to all");

    // By the numbers of messages that are ours.
    for (to, kind, id) in [("user2", "chat", &id), (room.as_str(), "chatroom", &in_room)] {
        let recall = json!({ "msg_id": id, "to": to, "chat_type": kind, "from": "user1" });
        refused(&theirs.post("messages/msg_recall", recall).await, 403, "message_recall_error", "not_found msg");
    }
    let edit = json!({ "user": "user1", "new_msg": { "type": "txt", "msg": "theirs" } }).to_string();
    let reply = theirs.call(Method::PUT, &format!("messages/rewrite/{id}"), edit).await;
    refused(&reply, 404, "message_rewrite_error", "The message is unavailable or has expired.");
    let to_user1 = json!({ "from": "user2", "to": ["user1"], "type": "txt", "body": { "msg": "ours waits" } });
    let waiting = ours.done("messages/users", to_user1).await["data"]["user1"].as_str().expect("an ID").to_owned();
    let waits = async |side: &Side<'_>| {
        let reply = side.get(&format!("users/user1/offline_msg_status/{waiting}")).await.json();
        reply["data"][&waiting].as_str().expect("a word").to_owned()
    };
    assert_eq!((waits(&ours).await.as_str(), waits(&theirs).await.as_str()), ("undelivered", "delivered"));
    let roaming = json!({ "queue": "user2@easemob.com", "start": -1, "end": -1 });
    let past = theirs.done("users/user1/messageroaming", roaming).await;
    let found = past["data"]["msgs"].as_array().expect("messages");
    assert_eq!((found.len(), &found[0]["body"]["msg"]), (1, &json!("theirs to a user")));
}

#[tokio::test]
async fn the_history_and_the_inbox_of_one_are_empty_for_the_other() {
    let server = started().await;
    let (ours, theirs) = sides(&server).await;
    ours.say("messages/users", "user2", "ours").await;
    let count = async |side: &Side<'_>| side.get("users/user2/offline_msg_count").await.json()["data"]["user2"].clone();
    assert_eq!((count(&ours).await, count(&theirs).await), (json!(1), json!(0)));
    let (hour, text) = ("chatmessages/2023111422", "Failed to find chat message history download url for appkey: ");
    let nothing = format!("{text}acme#other, time: 2023111422");
    refused(&theirs.get(hour).await, 404, "storage_object_not_found", &nothing);
    // A signed URL is for the app that it was made for.
    let url = ours.get(hour).await.json()["data"][0]["url"].as_str().expect("a URL").to_owned();
    let path = url.strip_prefix(&format!("http://{}", server.address())).expect("ours").to_owned();
    assert_eq!(server.anonymous().get(&path).await.code(), 200);
    let elsewhere = path.replace("/easemob-demo/wang/", "/acme/other/");
    assert_ne!(elsewhere, path);
    assert_eq!(server.anonymous().get(&elsewhere).await.code(), 403);
    let mut late = theirs.client("user2").await;
    theirs.say("messages/users", "user2", "theirs").await;
    assert_eq!(self::text(&mut late).await, "theirs");
}

#[tokio::test]
async fn files_of_one_are_not_there_for_the_other_and_each_has_its_own_place() {
    let small = |app: TestApp| app.chat_option("files_bytes = 4");
    let apps = [small(TestApp::new().chat()), small(TestApp::other_chat())];
    let [app, other] = apps;
    let server = TestServer::builder().app(app).app(other).manual_clock().start().await;
    let (ours, theirs) = sides(&server).await;
    let upload = async |side: &Side<'_>, text: &str| {
        let form =
            format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{text}\r\n--b--\r\n");
        let http = side.http.clone().header("content-type", "multipart/form-data; boundary=b");
        http.send(Method::POST, &server.tenant(side.names).path("chatfiles"), form.into()).await
    };
    let file = upload(&ours, "ours").await.json()["entities"][0]["uuid"].as_str().expect("a UUID").to_owned();
    assert_eq!(upload(&ours, "x").await.code(), 403, "the place is used up");
    assert_eq!(ours.get(&format!("chatfiles/{file}")).await.text(), "ours");
    refused(&theirs.get(&format!("chatfiles/{file}")).await, 404, "entity_not_found", "file may not exists");
    assert_eq!(upload(&theirs, "them").await.code(), 200, "theirs is not");
}

#[tokio::test]
async fn rates_of_one_are_not_those_of_the_other() {
    let limited = |app: TestApp| {
        app.chat_limit("chat_user_lists_per_second", 1).chat_limit("chat_messages_to_rooms_per_second", 1)
    };
    let (app, other) = (limited(TestApp::new().chat()), limited(TestApp::other_chat()));
    let server = TestServer::builder().app(app).app(other).manual_clock().start().await;
    let (ours, theirs) = sides(&server).await;
    let broadcast = json!({ "msg": { "type": "txt", "msg": "a" } });
    for side in [&ours, &theirs] {
        assert_eq!(side.get("users").await.code(), 200);
        refused(&side.get("users").await, 429, "reach_limit", "This request has reached api limit");
        side.say("messages/chatrooms", "1", "a").await;
        let body = json!({ "to": ["1"], "type": "txt", "body": { "msg": "a" } });
        let reply = side.post("messages/chatrooms", body).await;
        refused(&reply, 403, "message_send_error", "message send reach limit");
        side.done("messages/chatrooms/broadcast", broadcast.clone()).await;
        let reply = side.post("messages/chatrooms/broadcast", broadcast.clone()).await;
        refused(&reply, 429, "reach_limit", "This request has reached api limit");
    }
}

#[tokio::test]
async fn callbacks_of_one_say_nothing_of_the_other() {
    let receiver = Receiver::start(CALLBACK_SECRET).await.expect("a receiver");
    receiver.behave(Behaviour::status(500));
    let quick = "retry_first_ms = 0\nretry_longest_ms = 0\nretry_for_s = 0";
    let app = TestApp::new().chat().callback("audit", &receiver.url(), quick);
    let server = TestServer::builder().app(app).app(TestApp::other_chat()).manual_clock().start().await;
    let (ours, theirs) = sides(&server).await;
    theirs.say("messages/users", "user2", "theirs").await;
    ours.say("messages/users", "user2", "ours").await;
    // Those of ours fail: the list of theirs stays empty.
    let failed = async |side: &Side<'_>| side.get("callbacks/storage/info").await.json()["data"].clone();
    eventually("it is among the failed ones", || async {
        let sets = failed(&ours).await;
        if sets == json!([{ "date": "202311142210", "size": 1, "retry": 0 }]) { Ok(()) } else { Err(sets) }
    })
    .await;
    assert_eq!(failed(&theirs).await, json!([]));
    receiver.behave(Behaviour::OK);
    let again = json!({ "date": "202311142210", "retry": 0 });
    assert_eq!(theirs.done("callbacks/storage/retry", again.clone()).await["data"], "failure");
    assert_eq!(ours.done("callbacks/storage/retry", again).await["data"], "success");
    let received = receiver.wait_for(3, DEADLINE).await.expect("two tries, and one more");
    for one in received {
        assert_eq!(one.body["payload"]["bodies"][0]["msg"], "ours", "{}", one.body);
    }
    assert_eq!(receiver.problems(), [""; 0]);
    server.advance(Duration::from_secs(1));
}
