//! The past: found page by page, and hidden from one side.

use http::Method;
use serde_json::{Value, json};
use stentor_core::message::MessageKind;
use stentor_testkit::{Http, Reply, TestApp};

use super::recall::{Backend, messages, payload};
use super::{Connection, refused};

struct Talk {
    backend: Backend,
    user1: Http,
    user2: Http,
    ids: Vec<String>,
}

impl Talk {
    /// user1 has said 0 to 4 to user2, and to group 77; 10 milliseconds apart.
    async fn new() -> Self {
        let backend = Backend::new().await;
        backend.server.register(&["user1", "user2"]).await;
        let (user1, user2) = (backend.server.chat_as("user1").await, backend.server.chat_as("user2").await);
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(backend.say("messages/users", "user2", &number.to_string()).await);
            backend.say("messages/chatgroups", "77", &number.to_string()).await;
            backend.server.advance(std::time::Duration::from_millis(10));
        }
        Self { backend, user1, user2, ids }
    }

    async fn read(&self, client: &Http, user: &str, changes: &Value) -> Reply {
        let mut body = json!({ "queue": "user2@easemob.com", "start": -1, "end": -1, "pull_number": 20 });
        for (name, value) in changes.as_object().expect("an object") {
            body[name] = value.clone();
        }
        client.post(&self.backend.server.chat_path(&format!("users/{user}/messageroaming")), &body).await
    }

    /// What user1 finds of its conversation with user2.
    async fn texts(&self, changes: &Value) -> Vec<String> {
        texts(&self.read(&self.user1, "user1", changes).await)
    }

    async fn texts_of_user2(&self) -> Vec<String> {
        texts(&self.read(&self.user2, "user2", &json!({ "queue": "user1@easemob.com" })).await)
    }

    async fn call(&self, method: Method, path: &str) -> Reply {
        self.backend.chat.send(method, &self.backend.server.chat_path(path), "".into()).await
    }
}

fn texts(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let found = body["data"]["msgs"].as_array().unwrap_or_else(|| panic!("no messages: {body}"));
    found.iter().map(|message| message["body"]["msg"].as_str().expect("a text").to_owned()).collect()
}

#[track_caller]
fn done(reply: &Reply) {
    let body = reply.json();
    assert_eq!((reply.code(), &body["requestStatusCode"]), (200, &json!("ok")), "{body}");
    assert!(body["timestamp"].is_u64() && body.get("path").is_none(), "{body}");
}

#[tokio::test]
async fn pages_from_the_newest_on_and_from_the_oldest() {
    let talk = Talk::new().await;
    let mut seen = Vec::new();
    let mut start = json!(-1);
    loop {
        let page = talk.read(&talk.user1, "user1", &json!({ "start": start, "pull_number": 2 })).await;
        seen.push(texts(&page));
        let data = &page.json()["data"];
        if data["is_last"] == true {
            break;
        }
        start = data["next_key"].clone();
    }
    assert_eq!(seen, [vec!["4", "3"], vec!["2", "1"], vec!["0"]]);
    assert_eq!(talk.texts(&json!({ "is_positive": true, "pull_number": 2 })).await, ["0", "1"]);
    let behind = json!({ "is_positive": true, "start": talk.ids[1] });
    assert_eq!(talk.texts(&behind).await, ["2", "3", "4"]);
    assert_eq!(talk.texts_of_user2().await.len(), 5, "the other side has the same");
    assert!(talk.texts(&json!({ "msgType": "img,loc" })).await.is_empty());
    assert_eq!(talk.texts(&json!({ "msgType": "img,txt" })).await.len(), 5);
    // As the client's own protocol writes it.
    let [org, app, ..] = stentor_testkit::CHAT;
    assert_eq!(talk.texts(&json!({ "queue": format!("{org}#{app}_user2@easemob.com") })).await.len(), 5);
}

#[tokio::test]
async fn only_the_user_s_own_and_only_of_groups_that_it_is_in() {
    let talk = Talk::new().await;
    let other = talk.read(&talk.user2, "user1", &json!({})).await;
    assert_eq!((other.code(), other.json()["error"].as_str()), (401, Some("unauthorized")));
    let queue = json!({ "queue": "77@conference.easemob.com" });
    let stranger = talk.read(&talk.user1, "user1", &queue).await;
    assert_eq!((stranger.code(), stranger.json()["error"].as_str()), (401, Some("unauthorized")));
    assert_eq!(texts(&talk.read(&talk.backend.chat, "user1", &queue).await).len(), 5, "the backend may");
    for queue in ["", "@easemob.com", "a/b@easemob.com"] {
        let reply = talk.read(&talk.user1, "user1", &json!({ "queue": queue })).await;
        refused(&reply, 400, "illegal_argument", "queue is invalid");
    }
    for start in [json!("x"), json!(-2), json!([])] {
        let reply = talk.read(&talk.user1, "user1", &json!({ "start": start })).await;
        refused(&reply, 400, "illegal_argument", "start is invalid");
    }
}

#[tokio::test]
async fn messages_are_hidden_by_id() {
    let talk = Talk::new().await;
    let alice = Connection::open(&talk.backend.server, "user1", "a").await;
    let list = format!("{},{}", talk.ids[1], talk.ids[3]);
    for _ in 0..2 {
        done(
            &talk
                .call(Method::DELETE, &format!("rest/message/roaming/chat/user/user1?userId=user2&msgIdList={list}"))
                .await,
        );
    }
    assert_eq!(talk.texts(&json!({})).await, ["4", "2", "0"]);
    assert_eq!(talk.texts_of_user2().await.len(), 5);
    let told = messages(&alice);
    assert_eq!((told.len(), told[0].marks.kind), (2, MessageKind::Notice));
    let news =
        json!({ "event": "roaming_deleted", "with": "user2", "group": false, "ids": [talk.ids[1], talk.ids[3]] });
    assert_eq!(payload(&told[0]), news);
    // Quietly, and as the client does it.
    let path = format!("sdk/message/roaming/chat/user/user1?userId=user2&msgIdList={}&isNotify=false", talk.ids[4]);
    done(&talk.user1.delete(&talk.backend.server.chat_path(&path)).await);
    assert_eq!((messages(&alice).len(), talk.texts(&json!({})).await), (0, vec!["2".to_owned(), "0".to_owned()]));
    let other = talk.user2.delete(&talk.backend.server.chat_path(&path)).await;
    assert_eq!(other.code(), 401);
}

#[tokio::test]
async fn fifty_ids_and_no_more() {
    let talk = Talk::new().await;
    let path = |count: usize| {
        let ids = vec![talk.ids[0].as_str(); count].join(",");
        format!("rest/message/roaming/group/user/user1?groupId=77&msgIdList={ids}")
    };
    done(&talk.call(Method::DELETE, &path(50)).await);
    let text = "delete msg list limit can not greater than 50";
    refused(&talk.call(Method::DELETE, &path(51)).await, 400, "param exception", text);
    refused(&talk.call(Method::DELETE, &path(0)).await, 400, "param exception", "msgIdList can not be empty");
    let nobody = talk.call(Method::DELETE, "rest/message/roaming/chat/user/user1?msgIdList=7").await;
    refused(&nobody, 400, "param exception", "userId is invalid");
    let never = talk.call(Method::DELETE, "rest/message/roaming/chat/user/user1/time?userId=user2").await;
    refused(&never, 400, "param exception", "delTime is invalid");
    assert_eq!(talk.texts(&json!({})).await.len(), 5, "a message of another conversation is not hidden");
}

#[tokio::test]
async fn messages_are_hidden_up_to_a_time() {
    let talk = Talk::new().await;
    let past = talk.read(&talk.user1, "user1", &json!({ "is_positive": true })).await.json();
    let third = past["data"]["msgs"][2]["ts"].as_u64().expect("a time");
    for method in [Method::DELETE, Method::POST] {
        let path = format!("rest/message/roaming/chat/user/user1/time?userId=user2&delTime={third}&isNotify=false");
        done(&talk.call(method, &path).await);
    }
    assert_eq!(talk.texts(&json!({})).await, ["4", "3"]);
    let path = format!("rest/message/roaming/group/user/user1/time?groupId=77&delTime={third}");
    done(&talk.call(Method::DELETE, &path).await);
    let queue = json!({ "queue": "77@conference.easemob.com" });
    assert_eq!(texts(&talk.read(&talk.backend.chat, "user1", &queue).await), ["4", "3"]);
    assert_eq!(texts(&talk.read(&talk.backend.chat, "user2", &queue).await).len(), 5);
}

#[tokio::test]
async fn everything_is_hidden_at_once() {
    let talk = Talk::new().await;
    done(&talk.call(Method::POST, "rest/message/roaming/user/user1/delete/all").await);
    assert!(talk.texts(&json!({})).await.is_empty());
    assert_eq!(talk.texts_of_user2().await.len(), 5);
    talk.backend.say("messages/users", "user2", "new").await;
    assert_eq!(talk.texts(&json!({})).await, ["new"]);
}

#[tokio::test]
async fn a_conversation_is_deleted_with_its_messages_or_without() {
    let talk = Talk::new().await;
    let delete = async |client: &Http, path: &str, body: Value| {
        client.send(Method::DELETE, &talk.backend.server.chat_path(path), body.to_string().into()).await
    };
    let path = "users/user1/user_channel";
    let body = |delete_roam: bool| json!({ "channel": "user2", "type": "chat", "delete_roam": delete_roam });
    let kept = delete(&talk.backend.chat, path, body(false)).await;
    let reply = kept.json();
    assert_eq!(
        (kept.code(), &reply["data"], &reply["path"]),
        (200, &json!({ "result": "ok" }), &json!("/users/user_channel"))
    );
    assert_eq!(talk.texts(&json!({})).await.len(), 5);
    // As the client does it. The user's devices are told.
    let device = Connection::open(&talk.backend.server, "user1", "a").await;
    let by_client = "user/user1/user_channel?resource=web_1";
    assert_eq!(delete(&talk.user1, by_client, body(true)).await.code(), 200);
    let told = messages(&device);
    let news = json!({ "event": "conversation_deleted", "with": "user2", "group": false, "device": "web_1" });
    assert_eq!((told.len(), told[0].marks.kind, payload(&told[0])), (1, MessageKind::Notice, news));
    assert_eq!((talk.texts(&json!({})).await.len(), talk.texts_of_user2().await.len()), (0, 5));
    let rows = [
        (json!({ "channel": "", "type": "chat", "delete_roam": true }), "field channel cannot be null or empty"),
        (json!({ "channel": "user2", "delete_roam": true }), "field type cannot be null or empty"),
        (json!({ "channel": "user2", "type": "chat" }), "field delete_roam cannot be null"),
        (json!({ "channel": "user2", "type": "group", "delete_roam": true }), "field type is invalid"),
    ];
    for (body, text) in rows {
        refused(&delete(&talk.backend.chat, path, body).await, 400, "illegal_argument", text);
    }
    let invalid = "Request body is invalid. Please check body is correct.";
    refused(&delete(&talk.backend.chat, path, json!([])).await, 400, "invalid_request_body", invalid);
    assert_eq!(delete(&talk.user2, path, body(true)).await.code(), 401);
}

#[tokio::test]
async fn a_user_lets_go_of_five_conversations_a_minute() {
    let talk = Talk::new().await;
    let body = json!({ "channel": "user2", "type": "chat", "delete_roam": false });
    let delete = async |client: &Http, path: &str| {
        client.send(Method::DELETE, &talk.backend.server.chat_path(path), body.to_string().into()).await
    };
    // Whoever does it for the user, by whichever URL.
    for _ in 0..3 {
        assert_eq!(delete(&talk.backend.chat, "users/user1/user_channel").await.code(), 200);
    }
    for _ in 0..2 {
        assert_eq!(delete(&talk.user1, "user/user1/user_channel").await.code(), 200);
    }
    let text = "This request has reached api limit";
    refused(&delete(&talk.user1, "user/user1/user_channel").await, 429, "reach_limit", text);
    refused(&delete(&talk.backend.chat, "users/USER1/user_channel").await, 429, "reach_limit", text);
    assert_eq!(delete(&talk.user2, "users/user2/user_channel").await.code(), 200, "each user has its own");
    talk.backend.server.advance(std::time::Duration::from_millis(59_999));
    refused(&delete(&talk.user1, "users/user1/user_channel").await, 429, "reach_limit", text);
    talk.backend.server.advance(std::time::Duration::from_millis(1));
    assert_eq!(delete(&talk.user1, "users/user1/user_channel").await.code(), 200);
}

#[tokio::test]
async fn everything_is_hidden_also_in_a_group_that_the_user_has_left() {
    let talk = Talk::new().await;
    let Backend { server, chat } = &talk.backend;
    let group = json!({ "groupname": "team", "public": true, "owner": "user2", "members": ["user1"] });
    let group = chat.post(&server.chat_path("chatgroups"), &group).await.json();
    let group = group["data"]["groupid"].as_str().expect("an ID");
    talk.backend.say("messages/chatgroups", group, "before").await;
    let member = server.chat_path(&format!("chatgroups/{group}/users/user1"));
    assert_eq!(chat.delete(&member).await.code(), 200);
    server.advance(std::time::Duration::from_millis(10));
    done(&talk.call(Method::POST, "rest/message/roaming/user/user1/delete/all").await);
    server.advance(std::time::Duration::from_millis(10));
    talk.backend.say("messages/chatgroups", group, "after").await;
    assert_eq!(chat.post(&member, &json!({})).await.code(), 200);
    let queue = json!({ "queue": format!("{group}@conference.easemob.com") });
    assert_eq!(texts(&talk.read(&talk.user1, "user1", &queue).await), ["after"]);
    assert_eq!(texts(&talk.read(&talk.user2, "user2", &queue).await), ["after", "before"]);
}

#[tokio::test]
async fn roaming_that_is_switched_off_says_so() {
    let backend = Backend::with(TestApp::new().chat().feature("roaming", false)).await;
    let text = "this appKey not open message roaming";
    for (method, path) in [
        (Method::DELETE, "rest/message/roaming/chat/user/user1?userId=user2&msgIdList=7"),
        (Method::DELETE, "rest/message/roaming/group/user/user1/time?groupId=7&delTime=7"),
        (Method::POST, "rest/message/roaming/user/user1/delete/all"),
    ] {
        let reply = backend.chat.send(method, &backend.server.chat_path(path), "{}".into()).await;
        refused(&reply, 400, "service open exception", text);
    }
    // What the Web SDK looks for.
    let reply = backend.chat.post(&backend.server.chat_path("users/user1/messageroaming"), &json!({})).await;
    refused(&reply, 403, "forbidden_op", "messageroaming function not open");
}
