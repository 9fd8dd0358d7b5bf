//! Every rate of the Chat API: exactly its number of calls, and not one more, until its window has passed.

mod messages;

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use stentor_api_chat::ChatRule;
use stentor_testkit::{CHAT, Http, Reply, START_MS, TestApp, TestServer};

use super::refused;
use super::rooms::enlist;

const SECOND: Duration = Duration::from_secs(1);

/// What the documents allow, in how many seconds, and good calls of every endpoint that counts: method, path and body,
/// with `<n>` for a number that is another one in each call.
type Row = ((u32, u64), &'static [&'static str]);

/// A rule without a row does not compile.
#[expect(clippy::too_many_lines, reason = "a table")]
fn row(rule: ChatRule) -> Row {
    match rule {
        ChatRule::Tokens => ((300, 1), &["POST token <client>"]),
        ChatRule::Registrations => (
            (100, 1),
            &[r#"POST users {"username":"new<n>","password":"pw"}"#, r#"PUT users/user1 {"nickname":"<n>"}"#],
        ),
        ChatRule::UserReads => ((100, 1), &["GET users/user1"]),
        ChatRule::UserLists => ((100, 1), &["GET users"]),
        ChatRule::UserDeletions => ((100, 1), &["DELETE users/u<n>"]),
        ChatRule::UserBatchDeletions => ((30, 1), &["DELETE users?limit=1"]),
        ChatRule::Passwords => (
            (100, 1),
            &[r#"PUT users/user1/password {"newpassword":"a"}"#, r#"POST users/user1/password {"newpassword":"a"}"#],
        ),
        ChatRule::Deactivations => ((100, 1), &["POST users/user3/deactivate"]),
        ChatRule::Activations => ((100, 1), &["POST users/user3/activate"]),
        ChatRule::Disconnects => ((100, 1), &["GET users/user1/disconnect", "POST users/user1/disconnect"]),
        ChatRule::DeviceDisconnects => ((100, 1), &["DELETE users/user1/disconnect/phone"]),
        ChatRule::UserStatus => ((100, 1), &["GET users/user1/status"]),
        ChatRule::OfflineCounts => ((100, 1), &["GET users/user1/offline_msg_count"]),
        ChatRule::OfflineStatus => ((100, 1), &["GET users/user1/offline_msg_status/<message>"]),
        ChatRule::Resources => ((100, 1), &["GET users/user1/resources"]),
        ChatRule::UserBatchStatus => ((50, 1), &[r#"POST users/batch/status {"usernames":["user1"]}"#]),
        ChatRule::Mutes => {
            ((100, 1), &[r#"POST mutes {"username":"user1","chat":<n>}"#, "GET mutes", "GET mutes/user1"])
        }
        ChatRule::Contacts => (
            (100, 1),
            &[
                "POST users/user1/contacts/users/user2",
                "GET users/user1/contacts/users",
                "GET user/user1/contacts",
                r#"PUT user/user1/contacts/users/user2 {"remark":"r"}"#,
                r#"POST users/user1/contacts/import {"usernames":["user2"]}"#,
                "GET users/user1/contacts",
                r#"PUT users/user1/contacts/users/user2 {"remark":"r"}"#,
                "DELETE users/user1/contacts/users/user2",
                r#"POST users/user1/contacts/apply {"usernames":["user2"]}"#,
                "POST users/user2/contacts/accept/users/user1",
                r#"POST users/user1/contacts/apply {"usernames":["user3"]}"#,
                "POST users/user3/contacts/decline/users/user1",
            ],
        ),
        ChatRule::UserBlocks => (
            (50, 1),
            &[
                r#"POST users/user1/blocks/users {"usernames":["user2"]}"#,
                "GET users/user1/blocks/users",
                "DELETE users/user1/blocks/users/user2",
                r#"POST sdk/user/user1/blocks {"usernames":["user2"]}"#,
                r#"DELETE sdk/user/user1/blocks {"usernames":["user2"]}"#,
            ],
        ),
        ChatRule::Metadata => (
            (100, 1),
            &[
                r#"PUT metadata/user/user1 {"nickname":"n"}"#,
                "GET metadata/user/user1",
                "GET metadata/user/capacity",
                r#"POST metadata/user/get {"targets":["user1"],"properties":["nickname"]}"#,
                "DELETE metadata/user/user1",
            ],
        ),
        ChatRule::Presence => (
            (50, 1),
            &[
                r#"POST users/user1/presence/web/0 {"ext":"x"}"#,
                r#"POST users/user1/presence/60 {"usernames":["user2"]}"#,
                "GET users/user1/presence/sublist?pageNum=1&pageSize=10",
                r#"POST users/user1/presence {"usernames":["user2"]}"#,
                r#"DELETE users/user1/presence ["user2"]"#,
            ],
        ),
        ChatRule::UserMessages => (
            (100, 1),
            &[
                r#"POST messages/users {"to":["user2"],"type":"txt","body":{"msg":"<n>"}}"#,
                r#"POST messages {"target_type":"users","target":["user2"],"msg":{"type":"txt","msg":"<n>"}}"#,
            ],
        ),
        ChatRule::GroupMessages => (
            (20, 1),
            &[
                r#"POST messages/chatgroups {"to":["<group>"],"type":"txt","body":{"msg":"<n>"}}"#,
                r#"POST messages {"target_type":"chatgroups","target":["<group>"],"msg":{"type":"txt","msg":"<n>"}}"#,
            ],
        ),
        ChatRule::GroupTargeted => (
            (100, 1),
            &[
                r#"POST messages/chatgroups/users {"to":["<group>"],"users":["user2"],"type":"txt","body":{"msg":"<n>"}}"#,
            ],
        ),
        ChatRule::RoomMessages => (
            (20, 1),
            &[
                r#"POST messages/chatrooms {"to":["<room>"],"type":"txt","body":{"msg":"<n>"}}"#,
                r#"POST messages {"target_type":"chatrooms","target":["<room>"],"msg":{"type":"txt","msg":"<n>"}}"#,
            ],
        ),
        ChatRule::Recalls => (
            (100, 1),
            &[
                r#"POST messages/msg_recall {"msg_id":"<n>","to":"user2","chat_type":"chat","from":"user1","force":true}"#,
                r#"POST messages/batch_recall {"msgs":[{"msg_id":"<n>","to":"user2","chat_type":"chat","from":"user1"}]}"#,
                r#"POST messages/recall {"msgs":[{"msg_id":"<n>","to":"user2","chat_type":"chat"}]}"#,
            ],
        ),
        ChatRule::Rewrites => {
            ((100, 1), &[r#"PUT messages/rewrite/<message> {"user":"user1","new_msg":{"type":"txt","msg":"<n>"}}"#])
        }
        ChatRule::RoamingDeletions => (
            (100, 1),
            &[
                "DELETE rest/message/roaming/chat/user/user1?userId=user2&msgIdList=<message>",
                "DELETE rest/message/roaming/group/user/user1?groupId=<group>&msgIdList=<message>",
                "POST rest/message/roaming/user/user1/delete/all",
                r#"DELETE users/user1/user_channel {"channel":"user2","type":"chat","delete_roam":false}"#,
            ],
        ),
        ChatRule::Conversations => {
            ((5, 60), &[r#"DELETE users/user1/user_channel {"channel":"user2","type":"chat","delete_roam":false}"#])
        }
        ChatRule::RoamingReads => {
            ((100, 1), &[r#"POST users/user1/messageroaming {"queue":"user2@easemob.com","start":-1,"end":-1}"#])
        }
        ChatRule::HistoryDownloads => ((10, 60), &["GET chatmessages/2023111422"]),
        ChatRule::Imports => (
            (100, 1),
            &[
                r#"POST messages/users/import {"from":"user1","target":"user2","type":"txt","body":{"msg":"<n>"}}"#,
                r#"POST messages/chatgroups/import {"from":"user1","target":"<group>","type":"txt","body":{"msg":"<n>"}}"#,
            ],
        ),
        ChatRule::FileUploads => ((100, 1), &["POST chatfiles <form>"]),
        ChatRule::FileDownloads => ((100, 1), &["GET chatfiles/<file>"]),
        ChatRule::RoomLists => ((50, 1), &["GET chatrooms"]),
        ChatRule::RoomCreations => ((50, 1), &[r#"POST chatrooms {"name":"r<n>","description":"d","owner":"user1"}"#]),
        ChatRule::JoinedRooms => ((50, 1), &["GET users/user1/joined_chatrooms"]),
        ChatRule::Rooms => (
            (100, 1),
            &[
                "GET chatrooms/<room>",
                r#"PUT chatrooms/<room> {"name":"r"}"#,
                "GET chatrooms/<room>/users",
                r#"POST chatrooms/<room>/announcement {"announcement":"a"}"#,
                "GET chatrooms/<room>/delivery",
                "GET sdk/chatrooms/<room>/mute/user2",
                "GET chatrooms/<room>/white/users/user2",
                r#"POST metadata/chatroom/<room> {"keys":["k"]}"#,
            ],
        ),
        ChatRule::GroupLists => (
            (50, 1),
            &[
                "GET users/user1/joined_chatgroups",
                "GET chatgroups/user/user1",
                "GET chatgroups/user/user1/joined_count",
            ],
        ),
        ChatRule::Groups => (
            (100, 1),
            &[
                "GET chatgroups",
                r#"POST chatgroups {"groupname":"g<n>","public":true,"owner":"user1"}"#,
                "GET chatgroups/<group>",
                "GET chatgroups/<group>/mute",
                "GET publicchatgroups",
                r#"POST chatgroups/<group>/invite {"usernames":["user2"]}"#,
                "GET sdk/chatgroups/<group>/mute/user2",
                "GET chatgroups/<group>/white/users/user2",
            ],
        ),
        ChatRule::PushSettingChanges => (
            (100, 1),
            &[
                r#"PUT users/user1/notification/user/user1 {"type":"AT"}"#,
                r#"PUT users/user1/notification/chatgroup/7 {"type":"AT"}"#,
            ],
        ),
        ChatRule::PushSettingReads => (
            (100, 1),
            &[
                "GET users/user1/notification/user/user1",
                "GET users/user1/notification?user=user2",
                "GET users/user1/notification/mute/type",
            ],
        ),
        ChatRule::PushLanguageChanges => {
            ((100, 1), &[r#"PUT users/user1/notification/language {"translationLanguage":"de"}"#])
        }
        ChatRule::PushLanguageReads => ((100, 1), &["GET users/user1/notification/language"]),
        ChatRule::PushTemplateCreations => (
            (100, 1),
            &[
                r#"POST notification/template {"name":"t","title_pattern":"<n>","content_pattern":"c"}"#,
                r#"PUT notification/template/t {"title_pattern":"<n>"}"#,
            ],
        ),
        ChatRule::PushTemplateReads => ((100, 1), &["GET notification/template"]),
        ChatRule::PushTemplateDeletions => ((100, 1), &["DELETE notification/template/kept<n>"]),
        ChatRule::PushTemplateChoices => (
            (100, 1),
            &[r#"PUT users/user1/notification/template {"templateName":"t"}"#, "GET users/user1/notification/template"],
        ),
        ChatRule::PushBindings => (
            (100, 1),
            &[
                r#"PUT users/user1/push/binding {"device_id":"d","notifier_name":"n","device_token":"<n>"}"#,
                "GET users/user1/push/binding",
            ],
        ),
        ChatRule::PushNicknames => ((100, 1), &[r#"PUT push/nickname [{"username":"user1","push_nickname":"<n>"}]"#]),
        ChatRule::PushPreviews => {
            ((100, 1), &[r#"POST push/preview {"from":"user1","to":"user2","type":"txt","body":{"msg":"a"}}"#])
        }
        ChatRule::PushLogReads => ((100, 1), &["GET push/log?user=user1", "GET push/task"]),
        ChatRule::PushSync => ((1, 1), &[r#"POST push/sync/user2 {"pushMessage":{"title":"a"}}"#]),
        ChatRule::PushAsync => ((200, 1), &[r#"POST push/async/user2 {"pushMessage":{"title":"a"}}"#]),
        ChatRule::PushSingle => ((10, 1), &[r#"POST push/single {"targets":["user2"],"pushMessage":{"title":"a"}}"#]),
        // On a day to come, for there are never many under way.
        ChatRule::PushToLabels => (
            (10, 1),
            &[
                r#"POST push/list/label {"targets":["l"],"startDate":"2023-11-20 00:00:00","pushMessage":{"title":"a"}}"#,
            ],
        ),
        ChatRule::PushTasks => {
            ((1, 1), &[r#"POST push/task {"startDate":"2023-11-20 00:00:00","pushMessage":{"title":"a"}}"#])
        }
        ChatRule::PushLabels => (
            (10, 1),
            &[r#"POST push/label {"name":"l<n>"}"#, "GET push/label", "GET push/label/l", "DELETE push/label/l1"],
        ),
        ChatRule::PushLabelUsers => (
            (30, 1),
            &[
                r#"POST push/label/l/user {"usernames":["user1"]}"#,
                "GET push/label/l/user",
                "GET push/label/l/user/user1",
                r#"DELETE push/label/l/user {"usernames":["user1"]}"#,
            ],
        ),
        ChatRule::Notifiers => (
            (100, 1),
            &[
                r#"POST notifiers {"name":"n<n>","provider":"OPPOPUSH","certificate":"s"}"#,
                "GET notifiers",
                "GET notifiers/<notifier>",
                r#"PUT notifiers/<notifier> {"disabled":true}"#,
                "DELETE notifiers/<notifier>",
            ],
        ),
        ChatRule::Callbacks => ((100, 1), &["GET callbacks/storage/info"]),
    }
}

/// A label that is there.
async fn server_label(server: &TestServer) {
    server.node().create_push_label(&super::app(server), "l", "").await.expect("made");
}

/// A server where nothing is limited but what this rule counts.
struct Limited {
    server: TestServer,
    chat: Http,
    names: Vec<(&'static str, String)>,
    calls: u32,
}

impl Limited {
    async fn new(rule: ChatRule, count: u64) -> Self {
        let app = ChatRule::ALL.into_iter().fold(TestApp::new().chat(), |app, other| {
            app.chat_limit(other.name(), if other == rule { count } else { 0 })
        });
        let server = TestServer::builder().app(app).manual_clock().start().await;
        let users: Vec<_> = (1..10).map(|number| format!("u{number}")).collect();
        let users: Vec<_> = ["user1", "user2", "user3"].into_iter().chain(users.iter().map(String::as_str)).collect();
        enlist(&server, &users).await;
        for number in 1..10 {
            let (app, name) = (super::app(&server), format!("kept{number}"));
            server.node().put_push_template(&app, &name, (Some("t"), Some("c")), false).await.expect("kept");
        }
        let chat = server.chat().await;
        let mut limited = Self { server, chat, names: Vec::new(), calls: 0 };
        let told = limited.ok(r#"POST messages/users {"from":"user1","to":["user2"],"type":"txt","body":{"msg":"a"}}"#);
        let told = told.await["data"]["user2"].clone();
        let room = limited.ok(r#"POST chatrooms {"name":"r","description":"d","owner":"user1"}"#).await;
        let group = limited.ok(r#"POST chatgroups {"groupname":"g","public":true,"owner":"user1"}"#).await;
        let file = limited.ok("POST chatfiles <form>").await["entities"][0]["uuid"].clone();
        server_label(&limited.server).await;
        let notifier = limited.ok(r#"POST notifiers {"name":"n","provider":"OPPOPUSH","certificate":"s"}"#).await;
        let names = [
            ("<message>", told),
            ("<notifier>", notifier["entities"][0]["uuid"].clone()),
            ("<room>", room["data"]["id"].clone()),
            ("<group>", group["data"]["groupid"].clone()),
        ];
        let names = names.into_iter().chain([("<file>", file)]);
        limited.names = names.map(|(name, value)| (name, value.as_str().expect("an ID").to_owned())).collect();
        limited.calls = 0;
        // What was called until now counts no more.
        limited.server.advance(Duration::from_secs(60));
        limited
    }

    async fn call(&mut self, call: &str) -> Reply {
        self.calls += 1;
        let mut call = call.replace("<n>", &self.calls.to_string());
        for (name, value) in &self.names {
            call = call.replace(name, value);
        }
        let mut parts = call.splitn(3, ' ');
        let method: Method = parts.next().expect("a method").parse().expect("a method");
        let path = self.server.chat_path(parts.next().expect("a path"));
        let (http, body) = match parts.next().unwrap_or_default() {
            "<client>" => {
                let [_, _, id, secret] = CHAT;
                let body = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
                (self.server.anonymous(), Bytes::from(body.to_string()))
            }
            "<form>" => {
                let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
                (self.chat.clone().header("content-type", "multipart/form-data; boundary=b"), Bytes::from(form))
            }
            text => (self.chat.clone(), Bytes::copy_from_slice(text.as_bytes())),
        };
        http.send(method, &path, body).await
    }

    async fn ok(&mut self, call: &str) -> Value {
        let reply = self.call(call).await;
        assert_eq!(reply.code(), 200, "{call}: {}", reply.text());
        if reply.headers["content-type"].to_str().is_ok_and(|kind| kind.starts_with("application/json")) {
            reply.json()
        } else {
            Value::Null
        }
    }

    async fn too_often(&mut self, call: &str) {
        let reply = self.call(call).await;
        assert_eq!(reply.code(), 429, "{call}: {}", reply.text());
        refused(&reply, 429, "reach_limit", "This request has reached api limit");
    }
}

#[test]
fn every_rule_has_the_number_of_the_documents() {
    for rule in ChatRule::ALL {
        let ((count, seconds), _) = row(rule);
        let rate = rule.default_rate();
        assert_eq!((rate.count, u64::from(rate.window_ms)), (count, seconds * 1000), "{}", rule.name());
    }
}

#[tokio::test]
async fn every_rule_lets_its_number_of_calls_pass_and_not_one_more() {
    let mut failed = Vec::new();
    for rule in ChatRule::ALL {
        if tokio::spawn(at_below_and_above(rule)).await.is_err() {
            failed.push(rule);
        }
    }
    assert_eq!(failed, []);
}

async fn at_below_and_above(rule: ChatRule) {
    let ((_, seconds), calls) = row(rule);
    // Each endpoint at least once, and at least three calls.
    let count = calls.len().max(3);
    let mut limited = Limited::new(rule, count as u64).await;
    for call in calls.iter().cycle().take(count) {
        limited.ok(call).await;
    }
    for call in calls {
        limited.too_often(call).await;
    }
    limited.server.advance(Duration::from_secs(seconds) - Duration::from_millis(1));
    limited.too_often(calls[0]).await;
    limited.server.advance(Duration::from_millis(1));
    limited.ok(calls[0]).await;
}

#[tokio::test]
async fn rules_of_their_own_are_no_one_else_s() {
    // Each of these was one rule for several endpoints once.
    let mut limited = Limited::new(ChatRule::UserStatus, 1).await;
    limited.ok("GET users/user1/status").await;
    limited.too_often("GET users/user1/status").await;
    for call in ["GET users/user1/offline_msg_count", "GET users/user1/resources", "GET users/user1"] {
        limited.ok(call).await;
    }
    // A call that is refused for another reason has been counted, one that nobody may make has not.
    limited.server.advance(SECOND);
    assert_eq!(limited.server.anonymous().get(&limited.server.chat_path("users/user1/status")).await.code(), 401);
    assert_eq!(limited.call("GET users/nobody/status").await.code(), 404);
    limited.too_often("GET users/user1/status").await;
    assert_eq!(limited.server.now_ms(), START_MS + 61_000);
}
