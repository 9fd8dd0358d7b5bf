//! Files that the members of a group share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use stentor_core::directory::shared_files::{MAX_SHARED_FILES, SharedFile};
use stentor_core::records::{RecordKind, encode};
use stentor_core::store::memory::MemoryStore;
use stentor_core::store::{Change, RecordStore};
use stentor_testkit::{APP, ChatEvent, Http, Reply, TestApp, TestServer, eventually};

use super::{group, no_room};
use crate::chat::files::{blobs, form, one_file, post_to};
use crate::chat::rooms::data;
use crate::chat::{app, refused};

const TEAM: [&str; 4] = ["user1", "user2", "user3", "user4"];

/// A group of user1, who owns it, user2 and user3; user4 is not in it.
struct Team {
    server: TestServer,
    chat: Http,
    id: String,
}

impl Team {
    async fn new() -> Self {
        Self::with(TestServer::builder().app(TestApp::new().chat()).manual_clock()).await
    }

    async fn with(builder: stentor_testkit::TestServerBuilder) -> Self {
        let server = builder.start().await;
        server.register(&TEAM).await;
        let chat = server.chat().await;
        let id = group(&server, &chat, json!({ "members": ["user2", "user3"] })).await;
        Self { server, chat, id }
    }

    fn path(&self, rest: &str) -> String {
        self.server.chat_path(&format!("chatgroups/{}/share_files{rest}", self.id))
    }

    async fn share(&self, http: &Http, form: Bytes) -> Reply {
        // Every file has a time of its own.
        self.server.advance(Duration::from_millis(1));
        post_to(&self.path(""), http, form).await
    }

    /// Shares a file. Returns its ID.
    async fn file(&self, http: &Http, bytes: &'static [u8]) -> String {
        data(&self.share(http, one_file(bytes)).await)["file_id"].as_str().expect("an ID").to_owned()
    }

    async fn listed(&self, query: &str) -> Vec<Value> {
        data(&self.chat.get(&self.path(query)).await).as_array().expect("a list").clone()
    }

    async fn get(&self, http: &Http, file: &str) -> Reply {
        http.get(&self.path(&format!("/{file}"))).await
    }

    async fn delete(&self, http: &Http, file: &str) -> Reply {
        http.delete(&self.path(&format!("/{file}"))).await
    }
}

#[track_caller]
fn no_file(reply: &Reply) {
    let body = refused(reply, 404, "entity_not_found", "file may not exists");
    assert_eq!(body["exception"], "EntityNotFoundException");
}

#[track_caller]
fn not_allowed(reply: &Reply, user: &str) {
    refused(reply, 403, "forbidden_op", &format!("user {user} is not allowed to do this!"));
}

#[tokio::test]
async fn a_file_goes_up_is_listed_comes_down_and_is_deleted() {
    let team = Team::new().await;
    let user2 = team.server.chat_as("user2").await;
    let reply = team.share(&user2, one_file(b"Hello world")).await;
    let shared = data(&reply);
    let id = shared["file_id"].as_str().expect("an ID").to_owned();
    let url = format!("http://{}{}", team.server.address(), team.path(&format!("/{id}")));
    let expected = json!({
        "file_url": url, "group_id": team.id, "file_name": "IMG_2953.JPG", "created": team.server.now_ms(),
        "file_id": id, "file_size": 11,
    });
    assert_eq!((&shared, &reply.json()["path"]), (&expected, &Value::Null));
    let second = team.file(&team.chat, b"").await;
    assert_ne!(second, id, "the same again is another file");
    let first = json!({
        "file_id": id, "file_name": "IMG_2953.JPG", "file_owner": "user2", "file_size": 11,
        "created": shared["created"],
    });
    let list = team.listed("?pagenum=1&pagesize=10").await;
    assert_eq!((list.len(), &list[1]), (2, &first));
    assert_eq!((&list[0]["file_owner"], &list[0]["file_size"]), (&json!("@ppAdmin"), &json!(0)));
    for user in ["user1", "user3"] {
        assert_eq!(team.get(&team.server.chat_as(user).await, &id).await.body, "Hello world", "{user}");
    }
    let upper = team.get(&team.chat, &id.to_uppercase()).await;
    assert_eq!((upper.code(), upper.body.as_ref()), (200, &b"Hello world"[..]));
    let part = team.chat.clone().header("range", "bytes=6-").get(&team.path(&format!("/{id}"))).await;
    assert_eq!((part.code(), part.body.as_ref()), (206, &b"world"[..]));
    let deleted = data(&team.delete(&user2, &id).await);
    assert_eq!(deleted, json!({ "group_id": team.id, "file_id": id, "result": true }));
    no_file(&team.delete(&user2, &id).await);
    no_file(&team.get(&team.chat, &id).await);
    assert_eq!((team.listed("").await.len(), blobs(&team.server).len()), (1, 1));
}

#[tokio::test]
async fn pages_have_the_newest_first() {
    let team = Team::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, team.file(&team.chat, b"x").await);
    }
    let page = async |query: &str| {
        let found = team.listed(query).await;
        found.iter().map(|file| file["file_id"].as_str().expect("an ID").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(page("").await, ids);
    assert_eq!(page("?pagenum=1&pagesize=2").await, ids[..2]);
    assert_eq!(page("?pagenum=2&pagesize=2&version=v3").await, ids[2..]);
    assert_eq!(page("?pagenum=3&pagesize=2").await, [""; 0]);
    assert_eq!(page("?pagenum=x&pagesize=5000").await, ids, "what cannot be read is not there");
    let reply = team.chat.get(&team.path("?pagenum=1&pagesize=10")).await.json();
    assert_eq!(reply["params"], json!({ "pagenum": ["1"], "pagesize": ["10"] }));
}

#[tokio::test]
async fn members_share_and_who_manages_deletes() {
    let team = Team::new().await;
    let [user1, user2, user3, user4] = [0, 1, 2, 3].map(|at| team.server.chat_as(TEAM[at]));
    let (user1, user2, user3, user4) = (user1.await, user2.await, user3.await, user4.await);
    let id = team.file(&user2, b"x").await;
    not_allowed(&team.share(&user4, one_file(b"x")).await, "user4");
    not_allowed(&user4.get(&team.path("")).await, "user4");
    not_allowed(&team.get(&user4, &id).await, "user4");
    not_allowed(&team.delete(&user4, &id).await, "user4");
    not_allowed(&team.delete(&user3, &id).await, "user3");
    assert_eq!(team.get(&user3, &id).await.code(), 200);
    assert_eq!(blobs(&team.server).len(), 1, "what is refused is not kept");
    let admins = team.server.chat_path(&format!("chatgroups/{}/admin", team.id));
    data(&user1.post(&admins, &json!({ "newadmin": "user3" })).await);
    data(&team.delete(&user3, &id).await);
    for deletes in [&user1, &team.chat] {
        let id = team.file(&user2, b"x").await;
        data(&team.delete(deletes, &id).await);
    }
    // Who has left has no rights to what it left.
    let own = team.file(&user2, b"x").await;
    data(&team.chat.delete(&team.server.chat_path(&format!("chatgroups/{}/users/user2", team.id))).await);
    not_allowed(&team.delete(&user2, &own).await, "user2");
    not_allowed(&team.share(&user2, one_file(b"x")).await, "user2");
    let nobody = team.server.anonymous();
    refused(&nobody.get(&team.path("")).await, 401, "group_authorization", "token is blank!");
    refused(&team.get(&nobody, &own).await, 401, "group_authorization", "token is blank!");
}

#[tokio::test]
async fn a_group_that_is_switched_off_takes_nothing_from_users() {
    let team = Team::new().await;
    let user1 = team.server.chat_as("user1").await;
    let id = team.file(&user1, b"x").await;
    data(&team.chat.post(&team.server.chat_path(&format!("chatgroups/{}/disable", team.id)), &json!({})).await);
    let text = format!("group {} is disabled!", team.id);
    refused(&team.share(&user1, one_file(b"x")).await, 403, "forbidden_op", &text);
    refused(&team.delete(&user1, &id).await, 403, "forbidden_op", &text);
    assert_eq!(team.get(&user1, &id).await.body, "x");
    data(&team.share(&team.chat, one_file(b"x")).await);
    data(&team.delete(&team.chat, &id).await);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let team = Team::new().await;
    let id = team.file(&team.chat, b"x").await;
    let uploaded = post_to(&team.server.chat_path("chatfiles"), &team.chat, one_file(b"x")).await.json();
    let uploaded = uploaded["entities"][0]["uuid"].as_str().expect("a UUID").to_owned();
    for file in [uploaded.as_str(), "55f12940-64af-41e4-8a5b-ff2336f03251", "x", "..%2fx"] {
        no_file(&team.get(&team.chat, file).await);
        no_file(&team.delete(&team.chat, file).await);
    }
    // The files of a group are in the group only.
    no_file(&team.chat.get(&team.server.chat_path(&format!("chatfiles/{id}"))).await);
    let other = Team { id: group(&team.server, &team.chat, json!({})).await, ..team };
    no_file(&other.get(&other.chat, &id).await);
    no_file(&other.delete(&other.chat, &id).await);
    let none = Team { id: "12345".to_owned(), ..other };
    no_room(&none.share(&none.chat, one_file(b"x")).await, "12345");
    no_room(&none.chat.get(&none.path("")).await, "12345");
    no_room(&none.get(&none.chat, &id).await, "12345");
    no_room(&none.delete(&none.chat, &id).await, "12345");
    let room = none.server.chat_path("chatrooms/12345/share_files");
    let reply = none.chat.get(&room).await;
    refused(&reply, 403, "service_not_open", "chatroom share file service not open!");
}

#[tokio::test]
async fn a_form_without_a_file_or_with_one_that_is_too_large_is_refused() {
    let app = TestApp::new().chat().chat_option("file_bytes = 10\nfiles_bytes = 25");
    let team = Team::with(TestServer::builder().app(app).manual_clock()).await;
    let share = async |form: Bytes| team.share(&team.chat, form).await;
    refused(&share(form(&[])).await, 400, "illegal_argument", "file must be provided.");
    let json = team.chat.post(&team.path(""), &json!({})).await;
    refused(&json, 400, "illegal_argument", "file must be provided.");
    refused(&share("{}".into()).await, 400, "illegal_argument", "this is an invalid request.");
    let text = "the file size exceeds the maximum limit.";
    refused(&share(one_file(b"0123456789a")).await, 413, "file exceeding maximum limit", text);
    assert_eq!(blobs(&team.server).len(), 0);
    data(&share(one_file(b"0123456789")).await);
    // Files of messages and of groups count together.
    let chatfiles = team.server.chat_path("chatfiles");
    assert_eq!(post_to(&chatfiles, &team.chat, one_file(b"0123456789")).await.code(), 200);
    let text = "the files of this app exceed the maximum limit.";
    refused(&share(one_file(b"012345")).await, 403, "exceed_limit", text);
    let id = data(&share(one_file(b"01234")).await)["file_id"].as_str().expect("an ID").to_owned();
    refused(&share(one_file(b"x")).await, 403, "exceed_limit", text);
    data(&team.delete(&team.chat, &id).await);
    data(&share(one_file(b"01234")).await);
}

#[tokio::test]
async fn a_group_has_ten_thousand_files_and_no_more() {
    let store = Arc::new(MemoryStore::default());
    let builder = TestServer::builder().app(TestApp::new().chat()).manual_clock().store(store.clone());
    let team = Team::with(builder).await;
    let file = SharedFile { name: None, owner: None, bytes: 0, created_ms: 7, expires_ms: u64::MAX };
    let key = |number| format!("{}/{:013}/f{number}", team.id, 7);
    let put = |number| Change::Put { kind: RecordKind::SharedFile, key: key(number), value: encode(&file) };
    let app = app(&team.server);
    store.change(app.id(), (1..MAX_SHARED_FILES).map(put).collect()).await.expect("written");
    let last = team.file(&team.chat, b"x").await;
    let text = "at most 10000 are allowed";
    refused(&team.share(&team.chat, one_file(b"x")).await, 403, "exceed_limit", text);
    assert_eq!((team.listed("").await.len(), blobs(&team.server).len()), (1000, 1));
    assert_eq!(team.listed("?pagenum=10&pagesize=1000").await.len(), 1000);
    assert_eq!(team.listed("?pagenum=11&pagesize=1000").await.len(), 0);
    data(&team.delete(&team.chat, &last).await);
    team.file(&team.chat, b"x").await;
}

#[tokio::test]
async fn members_who_are_connected_are_told() {
    let team = Team::new().await;
    let mut user3 = team.server.chat_client("user3").await;
    let mut told = async || loop {
        match user3.next().await.expect("connected") {
            ChatEvent::Other(event) if event["type"] == "group_event" => return event,
            _ => {}
        }
    };
    let user2 = team.server.chat_as("user2").await;
    let id = team.file(&user2, b"x").await;
    let event = |shared: bool| {
        json!({
            "type": "group_event", "group": team.id, "event": "file", "id": id, "name": "IMG_2953.JPG",
            "shared": shared, "by": "user2",
        })
    };
    assert_eq!(told().await, event(true));
    data(&team.delete(&user2, &id).await);
    assert_eq!(told().await, event(false));
}

#[tokio::test]
async fn they_expire_like_other_files_and_go_with_their_group() {
    let app = TestApp::new().chat().chat_option("file_retention_s = 60\nfiles_bytes = 20");
    let team = Team::with(TestServer::builder().app(app).manual_clock()).await;
    let id = team.file(&team.chat, b"0123456789").await;
    team.server.clock().advance(Duration::from_millis(59_999));
    let second = team.file(&team.chat, b"0123456789").await;
    let text = format!("file {id} is expired");
    refused(&team.get(&team.chat, &id).await, 404, "file_expired", &text);
    let list = team.listed("").await;
    assert_eq!((list.len(), &list[0]["file_id"]), (1, &json!(second)));
    eventually("expired files are deleted", || {
        team.server.advance(Duration::from_secs(2));
        let found = blobs(&team.server).len();
        async move { if found == 1 { Ok(()) } else { Err(found) } }
    })
    .await;
    refused(&team.get(&team.chat, &id).await, 404, "file_expired", &text);
    data(&team.chat.delete(&team.server.chat_path(&format!("chatgroups/{}", team.id))).await);
    no_room(&team.get(&team.chat, &second).await, &team.id);
    eventually("the files of the group are gone", || {
        let found = blobs(&team.server).len();
        async move { if found == 0 { Ok(()) } else { Err(found) } }
    })
    .await;
    let again = Team { id: group(&team.server, &team.chat, json!({})).await, ..team };
    for _ in 0..2 {
        again.file(&again.chat, b"0123456789").await;
    }
}

#[tokio::test]
async fn they_survive_a_restart_and_are_under_both_urls() {
    let builder = || TestServer::builder().app(TestApp::new().chat()).manual_clock();
    let team = Team::with(builder().embedded()).await;
    let id = team.file(&team.chat, b"kept").await;
    let group = team.id.clone();
    let directory = team.server.shutdown().await;
    let server = builder().directory(directory).start().await;
    let chat = server.chat().await;
    let path = format!("/app-id/{APP}/chatgroups/{group}/share_files");
    let list = data(&chat.get(&path).await);
    assert_eq!((list.as_array().map(Vec::len), &list[0]["file_id"]), (Some(1), &json!(id)));
    assert_eq!(chat.get(&format!("{path}/{id}")).await.body, "kept");
    let shared = data(&post_to(&path, &chat, one_file(b"x")).await);
    let url = shared["file_url"].as_str().expect("a URL");
    assert!(url.contains(&path), "{url}");
    assert_eq!(data(&chat.delete(&format!("{path}/{id}")).await)["result"], true);
}
