//! A backend's day: everything in the order in which a real one does it, seen by three connected clients.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{ChatClient, ChatEvent, ChatMessage, Http, TestApp, TestServer};

/// Nothing takes so long, unless it is not coming.
const DEADLINE: Duration = Duration::from_secs(20);

struct Day {
    server: TestServer,
    chat: Http,
    room: String,
    clients: Vec<ChatClient>,
}

impl Day {
    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let method = method.parse().unwrap();
        let body = if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() };
        let reply = self.chat.send(method, &self.server.chat_path(path), body).await;
        assert_eq!(reply.code(), 200, "{path}: {}", reply.text());
        reply.json()
    }

    /// The next message of a client; what else it is told is passed over.
    async fn message(&mut self, client: usize) -> ChatMessage {
        loop {
            if let ChatEvent::Message(message) = self.event(client).await {
                return message;
            }
        }
    }

    async fn event(&mut self, client: usize) -> ChatEvent {
        let next = tokio::time::timeout(DEADLINE, self.clients[client].next()).await;
        next.expect("in time").expect("the connection stands")
    }

    async fn everybody_gets(&mut self, id: &str, level: &str) -> Vec<ChatMessage> {
        let mut messages = Vec::new();
        for client in 0..self.clients.len() {
            let message = self.message(client).await;
            assert_eq!((message.id.to_string().as_str(), message.level.as_str()), (id, level));
            messages.push(message);
        }
        messages
    }

    fn to_room(&self, more: &Value) -> Value {
        let mut message = json!({ "from": "alice", "to": [self.room], "type": "txt", "body": { "msg": "hi" } });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    }
}

async fn morning() -> Day {
    let app = TestApp::new().chat().chat_limit("chat_room_messages_per_second", 0);
    let server = TestServer::builder().app(app).start().await;
    let chat = server.chat().await;
    server.register(&["alice", "bob", "carol", "dave"]).await;
    let mut day = Day { server, chat, room: String::new(), clients: Vec::new() };
    let room = json!({ "name": "stage", "description": "-", "owner": "alice", "members": ["bob"] });
    day.room = day.ok("POST", "chatrooms", room).await["data"]["id"].as_str().unwrap().to_owned();
    day.ok("POST", &format!("chatrooms/{}/users/carol", day.room), Value::Null).await;
    for user in ["alice", "bob", "carol"] {
        day.clients.push(day.server.chat_client(user).await);
    }
    // The owner and those whom the backend has put into the room are in it as soon as they come.
    for (client, user) in day.clients.iter().zip(["alice", "bob", "carol"]) {
        assert_eq!(client.welcome().rooms, [day.room.as_str()], "{user}");
    }
    day
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backends_day() {
    let mut day = morning().await;
    messages_of_every_type(&mut day).await;
    only_the_named(&mut day).await;
    everywhere_once(&mut day).await;
    silenced(&mut day).await;
    taken_back(&mut day).await;
    files(&mut day).await;
    evening(&mut day).await;
}

async fn messages_of_every_type(day: &mut Day) {
    let url = "https://h/o/a/chatfiles/55f12940-0000-0000-8a5b-ff2336f03252";
    let bodies = [
        ("txt", json!({ "msg": "testmessages" })),
        ("img", json!({ "filename": "a.jpg", "secret": "s", "url": url, "size": { "width": 480, "height": 720 } })),
        ("audio", json!({ "url": url, "filename": "a.amr", "Length": 10 })),
        ("video", json!({ "thumb": url, "length": 0, "file_length": 58103, "thumb_secret": "t", "url": url })),
        ("file", json!({ "filename": "test.txt", "url": url })),
        ("loc", json!({ "lat": "39.966", "lng": 116.322, "addr": "北京" })),
        ("cmd", json!({ "action": "action1" })),
        ("custom", json!({ "customEvent": "gift", "customExts": { "count": "3" } })),
    ];
    for (kind, body) in bodies {
        let room = day.room.clone();
        let message = json!({
            "from": "backend", "to": [room], "type": kind, "body": body, "ext": { "k": [1, "v"] },
            "chatroom_msg_level": "high",
        });
        let reply = day.ok("POST", "messages/chatrooms", message).await;
        let id = reply["data"][&day.room].as_str().unwrap().to_owned();
        let mut expected = body.clone();
        if let Some(length) = expected.as_object_mut().unwrap().remove("Length") {
            expected["length"] = length;
        }
        for message in day.everybody_gets(&id, "high").await {
            assert_eq!((message.body_type.as_str(), message.from.as_str()), (kind, "backend"));
            assert_eq!(message.body.value(), expected);
            assert_eq!(message.ext.value(), json!({ "k": [1, "v"] }));
            assert_eq!((message.to.as_str(), message.targeted, message.broadcast), (day.room.as_str(), false, false));
        }
    }
}

/// A targeted message is seen by exactly the named ones: the others see the next one first.
async fn only_the_named(day: &mut Day) {
    let targeted = day.to_room(&json!({ "users": ["bob", "dave", "nobody"], "body": { "msg": "for bob" } }));
    let reply = day.ok("POST", "messages/chatrooms/users", targeted).await;
    let id = reply["data"][&day.room].as_str().unwrap().to_owned();
    let reply = day.ok("POST", "messages/chatrooms", day.to_room(&json!({ "from": "backend" }))).await;
    let next = reply["data"][&day.room].as_str().unwrap().to_owned();
    let bobs = day.message(1).await;
    assert_eq!((bobs.id.to_string(), bobs.targeted), (id, true));
    day.everybody_gets(&next, "normal").await;
}

/// A broadcast is seen once per room: the message behind it comes next.
async fn everywhere_once(day: &mut Day) {
    let broadcast = json!({ "msg": { "type": "txt", "msg": "all" }, "chatroom_msg_level": "low" });
    assert!(day.ok("POST", "messages/chatrooms/broadcast", broadcast).await["data"]["id"].is_u64());
    let mut ids = std::collections::BTreeSet::new();
    for client in 0..3 {
        let message = day.message(client).await;
        assert!(message.broadcast && message.body.value()["msg"] == "all", "{message:?}");
        ids.insert(message.id);
    }
    assert_eq!(ids.len(), 1, "one message for the room");
    let reply = day.ok("POST", "messages/chatrooms", day.to_room(&json!({ "from": "backend" }))).await;
    let next = reply["data"][&day.room].as_str().unwrap().to_owned();
    day.everybody_gets(&next, "normal").await;
}

/// Who is muted or kept out sends nothing.
async fn silenced(day: &mut Day) {
    use stentor_testkit::{ChatOutgoing, ChatType};
    let room = day.room.clone();
    let text = |text: &str| ChatOutgoing::text(ChatType::ChatRoom, &room, text);
    day.clients[1].send(&text("before")).await.expect("may speak");
    assert_eq!(day.message(0).await.body.value()["msg"], "before");
    assert_eq!(day.message(2).await.body.value()["msg"], "before");
    let mute = json!({ "usernames": ["bob"], "mute_duration": 3_600_000 });
    day.ok("POST", &format!("chatrooms/{room}/mute"), mute).await;
    day.clients[1].send(&text("muted")).await.expect_err("is muted");
    day.ok("DELETE", &format!("chatrooms/{room}/mute/bob"), Value::Null).await;
    day.ok("POST", &format!("chatrooms/{room}/ban"), Value::Null).await;
    day.clients[1].send(&text("all are silenced")).await.expect_err("everybody is muted");
    day.ok("DELETE", &format!("chatrooms/{room}/ban"), Value::Null).await;
    day.clients[1].send(&text("again")).await.expect("may speak again");
    assert_eq!(day.message(0).await.body.value()["msg"], "again");
    assert_eq!(day.message(2).await.body.value()["msg"], "again");
}

async fn taken_back(day: &mut Day) {
    let message = json!({ "from": "alice", "to": ["bob"], "type": "txt", "body": { "msg": "oops" } });
    let reply = day.ok("POST", "messages/users", message).await;
    let id = reply["data"]["bob"].as_str().unwrap().to_owned();
    assert_eq!(day.message(1).await.id.to_string(), id);
    let recall = json!({ "msg_id": id, "to": "bob", "from": "alice", "chat_type": "chat" });
    assert_eq!(day.ok("POST", "messages/msg_recall", recall).await["data"]["recalled"], "yes");
    loop {
        if let ChatEvent::Other(other) = day.event(1).await
            && other.to_string().contains(&id)
        {
            return;
        }
    }
}

async fn files(day: &mut Day) {
    let boundary = "stentorboundary";
    let body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello file\r\n--{boundary}--\r\n"
    );
    let upload = day.chat.clone().header("content-type", &format!("multipart/form-data; boundary={boundary}"));
    let upload = upload.header("restrict-access", "true");
    let reply = upload.send(http::Method::POST, &day.server.chat_path("chatfiles"), body.into()).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let entity = &reply.json()["entities"][0];
    let path = day.server.chat_path(&format!("chatfiles/{}", entity["uuid"].as_str().unwrap()));
    assert_eq!(day.server.anonymous().get(&path).await.code(), 401, "restricted");
    let secret = entity["share-secret"].as_str().unwrap();
    let found = day.server.anonymous().header("share-secret", secret).get(&path).await;
    assert_eq!((found.code(), found.text().as_str()), (200, "hello file"));
}

/// The room is closed, and a user leaves for good.
async fn evening(day: &mut Day) {
    let reply = day.ok("DELETE", &format!("chatrooms/{}", day.room), Value::Null).await;
    assert_eq!(reply["data"]["success"], true);
    let gone = day.chat.get(&day.server.chat_path(&format!("chatrooms/{}", day.room))).await;
    assert_eq!(gone.code(), 404, "{}", gone.text());
    day.ok("DELETE", "users/carol", Value::Null).await;
    loop {
        if let ChatEvent::Closed { code } = day.event(2).await {
            assert!(code.is_some(), "told why");
            break;
        }
    }
    let status = day.ok("POST", "users/batch/status", json!({ "usernames": ["alice", "carol"] })).await;
    assert_eq!(status["data"], json!([{ "alice": "online" }, { "carol": "offline" }]));
}
