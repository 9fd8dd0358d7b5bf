//! Every REST call that the vendor's newest web SDK makes with a user's own token: served, or refused as a service that is
//! not open. In our words: what was read in its code is the method, the path and the keys. `compat/easemob/calls.mjs`
//! makes the same calls from within the SDK.

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use stentor_testkit::{CHAT, Http, Reply, TestServer, in_workspace};

use super::refused;
use super::rooms::data;

/// What is served: who asks, method, path, body. In this order each succeeds. `<group>` and `<room>` are user1's with user2 in
/// them, `<other>` another group of it, `<file>` what the answer before had as `file_id`, `<new>` the group created last, `<r>` what the SDK adds to changes.
const SERVED: &str = r#"
user1 POST token {"grant_type":"password","username":"user1","password":"pw","timestamp":1}
user1 GET sdk/users/user1/token/expires
user1 POST chatgroups?<r> {"owner":"user1","groupname":"g","avatar":"","desc":"d","members":[],"public":true,"approval":false,"allowinvites":false,"invite_need_confirm":false,"maxusers":100,"custom":"c"}
user1 GET chatgroups/user/user1/joined_count
user1 GET chatgroups/user/user1?pagenum=0&pagesize=20&needAffiliations=true&needRole=true&version=v3
user1 GET users/user1/joined_chatgroups
user2 GET publicchatgroups?version=v3&limit=20
user2 GET publicchatgroups?limit=20&cursor=undefined&_v=1
user2 GET chatgroups/<group>?joined_time=true
user1 PUT chatgroups/<group>?<r> {"groupname":"h","avatar":"a","description":"d","custom":"c"}
user2 GET chatgroups/<group>/users?cursor=undefined&limit=10&joined_time=true&_v=1
user2 GET chatgroups/<group>/users?version=v3&pagenum=1&pagesize=20
user1 POST chatgroups/<group>/admin?<r>&version=v3 {"newadmin":"user2"}
user1 GET chatgroups/<group>/admin?version=v3
user1 DELETE chatgroups/<group>/admin/user2?<r>&version=v3
user1 POST chatgroups/<group>/mute?<r>&version=v3 {"usernames":["user2"],"mute_duration":1000}
user1 GET chatgroups/<group>/mute?version=v3
user2 GET sdk/chatgroups/<group>/mute/user2?version=v3
user1 DELETE chatgroups/<group>/mute/user2?<r>&version=v3
user1 POST chatgroups/<group>/ban?<r>&version=v3
user1 DELETE chatgroups/<group>/ban?<r>&version=v3
user1 POST chatgroups/<group>/white/users?<r>&version=v3 {"usernames":["user2"]}
user1 GET chatgroups/<group>/white/users?version=v3
user2 GET chatgroups/<group>/white/users/user2?version=v3
user1 DELETE chatgroups/<group>/white/users/user2?<r>&version=v3
user1 POST chatgroups/<group>/announcement?<r>&version=v3 {"announcement":"a"}
user2 GET chatgroups/<group>/announcement?version=v3
user2 POST chatgroups/<group>/share_files?<r> <form>
user2 GET chatgroups/<group>/share_files?pagenum=1&pagesize=10&version=v3
user1 DELETE chatgroups/<group>/share_files/<file>?<r>
user1 POST chatgroups/<group>/invite?<r> {"usernames":["user3","user4"]}
user1 DELETE chatgroups/<group>/users/user3?<r>
user1 DELETE chatgroups/<group>/users/user4,user3?<r>
user1 POST chatgroups/<group>/invite?<r> {"usernames":["user3","user4"]}
user1 POST chatgroups/<group>/blocks/users/user3?<r>&version=v3
user1 POST chatgroups/<group>/blocks/users?<r>&version=v3 {"usernames":["user4"]}
user1 GET chatgroups/<group>/blocks/users?version=v3
user1 DELETE chatgroups/<group>/blocks/users/user3,user4?<r>&version=v3
user2 DELETE chatgroups/<group>/quit?<r>
user2 POST chatgroups/<group>/apply?<r> {"message":"please"}
user1 POST chatgroups?<r> {"owner":"user1","groupname":"c","avatar":"","desc":"d","members":["user3"],"public":true,"approval":true,"allowinvites":false,"invite_need_confirm":true,"maxusers":100,"custom":"c"}
user3 POST chatgroups/<new>/invite_verify?<r> {"invitee":"user3","verifyResult":true}
user1 POST chatgroups/<new>/invite?<r> {"usernames":["user4"]}
user4 POST chatgroups/<new>/invite_verify?<r> {"invitee":"user4","verifyResult":false}
user4 POST chatgroups/<new>/apply?<r> {"message":"please"}
user1 POST chatgroups/<new>/apply_verify?<r> {"applicant":"user4","verifyResult":false,"reason":"no"}
user4 POST chatgroups/<new>/apply?<r> {"message":"please"}
user1 POST chatgroups/<new>/apply_verify?<r> {"applicant":"user4","verifyResult":true,"reason":"no clue"}
user1 PUT users/user1?<r> {"entities":[{"notification_ignore_<group>":true}]}
user1 PUT chatgroups/<other>?<r> {"newowner":"user2"}
user2 DELETE chatgroups/<other>?version=v3&<r>
user1 POST chatrooms?<r> {"name":"r","description":"d","maxusers":50,"owner":"user1","members":[]}
user2 GET chatrooms?pagenum=1&pagesize=20
user2 GET chatrooms/<room>
user2 GET users/user2/joined_chatrooms?pagenum=1&pagesize=20&detail=true
user1 PUT chatrooms/<room>?<r> {"groupname":"s","description":"e","maxusers":60}
user2 GET chatrooms/<room>/users?version=v3&pagenum=1&pagesize=20
user2 GET chatrooms/<room>/users?cursor=undefined&limit=10&joined_time=true
user1 POST chatrooms/<room>/admin?<r>&version=v3 {"newadmin":"user2"}
user1 GET chatrooms/<room>/admin?version=v3
user1 DELETE chatrooms/<room>/admin/user2?<r>
user1 POST chatrooms/<room>/mute?<r> {"usernames":["user2"],"mute_duration":1000}
user1 GET chatrooms/<room>/mute?version=v3
user2 GET sdk/chatrooms/<room>/mute/user2?version=v3
user1 DELETE chatrooms/<room>/mute/user2?<r>
user1 POST chatrooms/<room>/ban?<r>&version=v3
user1 DELETE chatrooms/<room>/ban?<r>&version=v3
user1 POST chatrooms/<room>/white/users?<r>&version=v3 {"usernames":["user2"]}
user1 GET chatrooms/<room>/white/users
user2 GET chatrooms/<room>/white/users/user2
user1 DELETE chatrooms/<room>/white/users/user2?<r>&version=v3
user1 POST chatrooms/<room>/announcement?<r>&version=v3 {"announcement":"a"}
user2 GET chatrooms/<room>/announcement?version=v3
user1 POST chatrooms/<room>/users?<r> {"usernames":["user3","user4"]}
user1 DELETE chatrooms/<room>/users/user3?<r>
user1 DELETE chatrooms/<room>/users/user4,user3?<r>
user1 POST chatrooms/<room>/users?<r> {"usernames":["user3","user4"]}
user1 POST chatrooms/<room>/blocks/users/user3?<r>&version=v3
user1 POST chatrooms/<room>/blocks/users?<r>&version=v3 {"usernames":["user4"]}
user1 GET chatrooms/<room>/blocks/users
user1 DELETE chatrooms/<room>/blocks/users/user3?<r>&version=v3
user1 DELETE chatrooms/<room>/blocks/users/user4,user3?<r>&version=v3
user2 PUT metadata/chatroom/<room>/user/user2 {"metaData":{"k":"v"},"autoDelete":"DELETE"}
user1 PUT metadata/chatroom/<room>/user/user1/forced {"metaData":{"k":"w"},"autoDelete":"NO_DELETE"}
user2 POST metadata/chatroom/<room> {"keys":["k"]}
user2 DELETE metadata/chatroom/<room>/user/user2 {"keys":["l"]}
user1 DELETE metadata/chatroom/<room>/user/user1/forced {"keys":["k"]}
user2 DELETE chatrooms/<room>/quit?<r>
user2 POST chatrooms/<room>/apply?<r> {"message":""}
user1 DELETE chatrooms/<room>?<r>&version=v3
user1 PUT metadata/user/user1 nickname=n&ext=%7B%7D
user2 POST metadata/user/get {"targets":["user1"],"properties":["nickname"]}
user1 POST users/user1/contacts/apply?<r> {"usernames":["user2"],"reason":"hello"}
user2 POST users/user2/contacts/accept/users/user1?<r>
user1 POST users/user1/contacts/apply?<r> {"usernames":["user3"]}
user3 POST users/user3/contacts/decline/users/user1?<r>
user1 GET users/user1/contacts/users
user1 PUT users/user1/contacts/users/user2?<r> {"remark":"Bob"}
user1 GET users/user1/contacts/users?needReturnRemark=true
user1 GET users/user1/contacts?needReturnRemark=true&limit=20&cursor=
user1 DELETE users/user1/contacts/users/user2?<r>
user1 POST sdk/user/user1/blocks?<r> {"usernames":["user3"]}
user1 GET users/user1/blocks/users
user1 DELETE sdk/user/user1/blocks?<r> {"usernames":["user3"]}
user1 POST users/user1/presence/web/1 {"ext":"busy"}
user2 POST users/user2/presence/600 {"usernames":["user1"]}
user2 POST users/user2/presence {"usernames":["user1"]}
user2 GET users/user2/presence/sublist?pageNum=1&pageSize=10
user2 DELETE users/user2/presence ["user1"]
user1 GET users/user1/resources
user1 PUT users/user1 {"nickname":"n"}
user1 PUT users/user1 {"device_id":"d","device_token":"t","notifier_name":"n"}
user1 PUT users/user1/notification/user/user1?<r> {"type":"AT"}
user1 PUT users/user1/notification/user/user1?<r> {"ignoreInterval":"8:30-10:5"}
user1 GET users/user1/notification/user/user1
user1 PUT users/user1/notification/user/user2?<r> {"ignoreDuration":1000}
user1 PUT users/user1/notification/chatgroup/<group>?<r> {"type":"DEFAULT"}
user1 GET users/user1/notification/chatgroup/<group>
user1 GET users/user1/notification?user=user2&group=<group>
user1 GET users/user1/notification/mute/type?limit=10&_v=1
user1 PUT users/user1/notification/language {"translationLanguage":"EU"}
user1 GET users/user1/notification/language
user1 POST users/user1/messageroaming {"queue":"user2@easemob.com","start":-1,"end":-1}
user1 POST users/user1/messageroaming {"queue":"user2@easemob.com","start":-1,"pull_number":20,"is_positive":false,"msgType":"","end":-1,"startTime":null,"endTime":null,"userId":null}
user1 DELETE sdk/message/roaming/chat/user/user1?userId=user2&msgIdList=1&<r>
user1 DELETE sdk/message/roaming/group/user/user1?groupId=<group>&msgIdList=1&<r>
user1 DELETE sdk/message/roaming/chat/user/user1/time?userId=user2&delTime=1&<r>
user1 DELETE sdk/message/roaming/group/user/user1/time?groupId=<group>&delTime=1&<r>
user1 POST sdk/message/roaming/user/user1/delete/all?<r>
user1 DELETE user/user1/user_channel?<r> {"channel":"user2","type":"chat","delete_roam":true}
user1 POST chatfiles?chat-type=CHAT&chat-target=user2 <form>
"#;

const USERS: [&str; 4] = ["user1", "user2", "user3", "user4"];

/// A server, its users with their tokens, and what the placeholders stand for.
struct World {
    server: TestServer,
    users: Vec<Http>,
    names: Vec<(&'static str, String)>,
}

async fn world() -> World {
    let server = super::server().await;
    server.register(&USERS).await;
    let chat = server.chat().await;
    let made = async |path: &str, body: Value, key: &str| {
        data(&chat.post(&server.chat_path(path), &body).await)[key].as_str().expect("an ID").to_owned()
    };
    let group = serde_json::json!({
        "groupname": "g", "public": true, "owner": "user1", "members": ["user2"], "invite_need_confirm": false,
    });
    let room = serde_json::json!({ "name": "r", "description": "d", "owner": "user1", "members": ["user2"] });
    let names = vec![
        ("<group>", made("chatgroups", group.clone(), "groupid").await),
        ("<other>", made("chatgroups", group, "groupid").await),
        ("<room>", made("chatrooms", room, "id").await),
        ("<r>", "resource=web_1".to_owned()),
    ];
    let mut users = Vec::new();
    for user in USERS {
        users.push(server.chat_as(user).await);
    }
    World { server, users, names }
}

async fn ask(world: &World, who: &str, call: &str) -> Reply {
    let mut parts = call.splitn(3, ' ');
    let method: Method = parts.next().expect("a method").parse().expect("a method");
    // What begins with a slash is said from the root.
    let path = parts.next().expect("a path");
    let path = if path.starts_with('/') { path.to_owned() } else { world.server.chat_path(path) };
    let user = world.users[USERS.iter().position(|user| *user == who).expect("a user")].clone();
    let (http, body) = match parts.next().unwrap_or_default() {
        "<form>" => {
            let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
            (user.header("content-type", "multipart/form-data; boundary=b"), Bytes::from(form))
        }
        text => (user, Bytes::copy_from_slice(text.as_bytes())),
    };
    http.send(method, &path, body).await
}

#[tokio::test]
async fn every_call_of_what_is_there_is_served() {
    let mut world = world().await;
    for line in SERVED.lines().filter(|line| !line.is_empty()) {
        let filled = world.names.iter().fold(line.to_owned(), |line, (name, value)| line.replace(name, value));
        let (who, call) = filled.split_once(' ').expect("who asks");
        let reply = ask(&world, who, call).await;
        assert_eq!(reply.code(), 200, "{line}: {}", reply.text());
        if let Some(file) = reply.json()["data"]["file_id"].as_str() {
            world.names.push(("<file>", file.to_owned()));
        }
        if let Some(group) = reply.json()["data"]["groupid"].as_str().filter(|_| call.starts_with("POST chatgroups?")) {
            world.names.retain(|(name, _)| *name != "<new>");
            world.names.push(("<new>", group.to_owned()));
        }
        world.server.advance(std::time::Duration::from_secs(1));
    }
}

/// The rows of the table in `docs/compatibility.md`: service, calls, and the words of the refusal.
fn not_open() -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(in_workspace("docs/compatibility.md")).expect("the document");
    let (_, section) = text.split_once("### Services that are not open\n").expect("the section");
    let section = section.split("\n### ").next().unwrap_or_default();
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1).map(cells);
    let unquoted = |text: &str| text.trim_matches('`').to_owned();
    rows.flat_map(|row| {
        let calls = row[2].split(", ").map(unquoted).collect::<Vec<_>>();
        calls.into_iter().map(move |call| (row[1].clone(), call, unquoted(&row[3])))
    })
    .collect()
}

#[tokio::test]
async fn every_other_call_is_of_a_service_that_is_not_open() {
    let world = world().await;
    let rows = not_open();
    assert!(rows.len() > 45, "{rows:?}");
    let [org, app, ..] = CHAT;
    for (service, call, text) in rows {
        let names = [("{u}", "user1"), ("{g}", "12345"), ("{id}", "7"), ("{org}", org), ("{app}", app)];
        let concrete = names.iter().fold(call.clone(), |call, (name, value)| call.replace(name, value));
        let from_root = concrete.contains(" /api/");
        let asked = if from_root { concrete } else { concrete.replacen(" /", " ", 1) };
        let reply = ask(&world, "user1", &format!("{asked}?resource=web_1&version=v3")).await;
        let (status, error) =
            if service == "reactions" { (400, "illegal_argument") } else { (403, "service_not_open") };
        assert_eq!(reply.code(), status, "{call}: {}", reply.text());
        refused(&reply, status, error, &text);
    }
    let nobody = world.server.anonymous().post(&world.server.chat_path("thread"), &Value::Null).await;
    refused(&nobody, 401, "unauthorized", "Unable to authenticate (OAuth)");
}
