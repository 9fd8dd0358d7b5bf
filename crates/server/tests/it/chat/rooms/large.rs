//! A room of 5 000 members, on the durable store: storms of joins and leaves, pages, the end. What counts is how many
//! steps they take.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use stentor_core::app::App;
use stentor_core::directory::rooms::{NewRoom, RoomKind};
use stentor_core::directory::users::NewUser;
use stentor_core::id::{DeviceId, RoomId, UserId};
use stentor_core::records::RecordKind;
use stentor_core::session::{Closing, Connected, Login, Outlet};
use stentor_testkit::{CHAT, TestApp, TestServer, eventually};

use super::{data, no_room};

pub(super) const MEMBERS: usize = 5000;

/// A client that reads nothing, because nobody tells it anything.
#[derive(Debug)]
struct Deaf;

impl Outlet for Deaf {
    fn ready(self: Arc<Self>) {}

    fn close(self: Arc<Self>, _: Closing) {}
}

pub(super) struct Crowd {
    pub(super) server: TestServer,
    app: Arc<App>,
    pub(super) names: Vec<UserId>,
}

impl Crowd {
    pub(super) async fn gather() -> Self {
        let app = TestApp::new().chat().chat_limit("chat_rooms_per_second", 0);
        let server = TestServer::builder().app(app).manual_clock().embedded().start().await;
        let app = server.node().app(&format!("{}#{}", CHAT[0], CHAT[1])).unwrap();
        let names: Vec<_> = (0..MEMBERS).map(|number| UserId::from_trusted(&format!("u{number:04}"))).collect();
        let register = |name: &UserId| {
            let new = NewUser { name: name.clone(), password_hash: None, nickname: None };
            server.node().register(&app, new)
        };
        for registered in join_all(names.iter().map(register)).await {
            registered.unwrap();
        }
        Self { app: app.clone(), server, names }
    }

    pub(super) async fn create(&self, members: &[UserId]) -> RoomId {
        let new = NewRoom {
            kind: RoomKind::Room,
            name: "stadium".to_owned(),
            description: String::new(),
            owner: self.names[0].clone(),
            max_users: MEMBERS as u64,
            members: members.to_vec(),
            custom: String::new(),
            public: true,
            members_only: false,
            allow_invites: false,
            invite_need_confirm: false,
            avatar: String::new(),
        };
        self.server.node().create_room(&self.app, new).await.unwrap().room_id()
    }

    pub(super) async fn members(&self, room: &RoomId) -> u64 {
        self.server.node().registered_members(&self.app, room).await.unwrap()
    }

    async fn records(&self, kind: RecordKind) -> u64 {
        self.server.node().store().count_records(self.app.id(), kind, "").await.unwrap()
    }

    fn commits(&self) -> u64 {
        let counters = self.server.node().store().counters();
        counters.iter().find(|(name, ..)| *name == "store_commits").unwrap().2
    }
}

fn is<T: PartialEq>(found: T, wanted: &T) -> Result<(), T> {
    if found == *wanted { Ok(()) } else { Err(found) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_clients_come_and_go() {
    let crowd = Crowd::gather().await;
    let (node, app) = (crowd.server.node(), &crowd.app);
    let room = crowd.create(&[]).await;
    let connect = |user: &UserId| {
        let login = Login {
            user: user.clone(),
            device: DeviceId::from_trusted("d"),
            expires_at_ms: None,
            resume: None,
            silence_ms: None,
            to_replaced: None,
        };
        node.connect(app, login, Arc::new(Deaf))
    };
    let connected = join_all(crowd.names.iter().map(connect)).await;
    let clients: Vec<Connected> = connected.into_iter().map(Result::unwrap).collect();

    let before = crowd.commits();
    let joined = join_all(clients.iter().map(|client| node.join(&client.session, &room))).await;
    assert!(joined.iter().all(Result::is_ok), "{:?}", joined.iter().find(|joined| joined.is_err()));
    let steps = crowd.commits() - before;
    assert!(steps < MEMBERS as u64 / 4, "{steps} commits for {MEMBERS} joins");
    assert_eq!(crowd.members(&room).await, MEMBERS as u64);
    assert_eq!(crowd.records(RecordKind::Member).await, MEMBERS as u64);

    let before = crowd.commits();
    for client in &clients {
        node.detach(&client.session, client.attachment);
    }
    crowd.server.advance(Duration::from_secs(121));
    eventually("only the owner is left", || async { is(crowd.members(&room).await, &1) }).await;
    eventually("every logout is recorded", || async { is(node.store().open_sessions().await.unwrap().len(), &0) })
        .await;
    let steps = crowd.commits() - before;
    assert!(steps < MEMBERS as u64 / 2, "{steps} commits for {MEMBERS} members who leave");
    assert_eq!(crowd.records(RecordKind::Membership).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_members_are_listed_and_gone_at_once() {
    let crowd = Crowd::gather().await;
    let room = crowd.create(&crowd.names).await;
    let chat = crowd.server.chat().await;
    let path = |rest: &str| crowd.server.chat_path(&format!("chatrooms/{room}{rest}"));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for page in 1..=5 {
        let reply = chat.get(&path(&format!("/users?limit=1000&cursor={cursor}"))).await.json();
        let numbered = chat.get(&path(&format!("/users?pagenum={page}"))).await;
        assert_eq!((&reply["count"], &data(&numbered)), (&json!(1000), &reply["data"]), "page {page}");
        seen.extend(reply["data"].as_array().unwrap().clone());
        cursor = reply["cursor"].as_str().unwrap_or_default().to_owned();
    }
    let names = seen.iter().map(|member: &Value| member.as_object().unwrap().values().next().unwrap().clone());
    let expected = crowd.names.iter().map(|name| json!(name.as_str()));
    assert!(names.eq(expected) && cursor.is_empty());
    let detail = data(&chat.get(&path("")).await)[0].clone();
    assert_eq!((&detail["affiliations_count"], detail["affiliations"].as_array().unwrap().len()), (&json!(5000), 5000));

    let before = crowd.commits();
    data(&chat.delete(&path("")).await);
    no_room(&chat.delete(&path("")).await, room.as_str());
    assert_eq!(crowd.members(&room).await, 0);
    let joined = crowd.server.chat_path("users/u4999/joined_chatrooms");
    assert_eq!(data(&chat.get(&joined).await), json!([]), "also before the last entry is taken away");
    eventually("no entry is left", || async { is(crowd.records(RecordKind::Membership).await, &0) }).await;
    assert_eq!(crowd.records(RecordKind::Member).await, 0);
    let steps = crowd.commits() - before;
    assert!(steps <= 12, "{steps} commits for one deletion");
}
