//! Users who apply to come into a group, or are invited, and what they and others are told of it.

use serde_json::{Value, json};
use stentor_testkit::{ChatClient, ChatEvent, DEADLINE, Reply, TestServer};

use super::super::refused;
use super::super::rooms::{data, no_room, server_with};
use super::group;

/// The next event of a kind that the client is told of.
async fn told(client: &mut ChatClient, event: &str) -> Value {
    loop {
        match tokio::time::timeout(DEADLINE, client.next()).await.expect("in time").expect("an event") {
            ChatEvent::Other(value) if value["event"] == event => return value,
            ChatEvent::Closed { code } => panic!("closed: {code:?}"),
            _ => {}
        }
    }
}

fn about(notice: &Value) -> [&str; 5] {
    ["from", "to", "group_id", "group_name", "reason"].map(|field| notice[field].as_str().unwrap_or("-"))
}

#[track_caller]
fn not_allowed(reply: &Reply, user: &str) {
    refused(reply, 403, "forbidden_op", &format!("user {user} is not allowed to do this!"));
}

async fn members(server: &TestServer, id: &str) -> usize {
    let listed = server.chat().await.get(&server.chat_path(&format!("chatgroups/{id}/users"))).await;
    data(&listed).as_array().expect("a list").len()
}

#[tokio::test]
async fn owner_and_admins_are_asked_by_who_applies_and_answer() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2", "user3", "user4"]).await;
    let closed = json!({ "groupname": "g", "members": ["user2"], "membersonly": true });
    let id = group(&server, &chat, closed).await;
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}/{rest}"));
    data(&chat.post(&of("admin"), &json!({ "newadmin": "user2" })).await);
    let [owner, admin, user, other] = [
        server.chat_as("user1").await,
        server.chat_as("user2").await,
        server.chat_as("user3").await,
        server.chat_as("user4").await,
    ];
    let (mut one, mut two) = (server.chat_client("user1").await, server.chat_client("user2").await);
    // Twice is once.
    for _ in 0..2 {
        let applied = data(&user.post(&of("apply"), &json!({ "message": "let me in" })).await);
        assert_eq!(applied, json!({ "result": true, "action": "apply", "user": "user3", "groupid": id }));
    }
    assert_eq!(members(&server, &id).await, 2);
    for client in [&mut one, &mut two] {
        let asked = told(client, "group_application").await;
        let to = asked["to"].as_str().unwrap().to_owned();
        assert_eq!(about(&asked), ["user3", &to, &id, "g", "let me in"]);
    }
    let verdict = |applicant: &str, verdict: bool| json!({ "applicant": applicant, "verifyResult": verdict, "reason": "no clue" });
    not_allowed(&other.post(&of("apply_verify"), &verdict("user3", true)).await, "user4");
    not_allowed(&user.post(&of("apply_verify"), &verdict("user3", true)).await, "user3");
    let declined = data(&admin.post(&of("apply_verify"), &verdict("user3", false)).await);
    assert_eq!(declined, json!({ "result": true, "action": "apply_verify", "user": "user3", "groupid": id }));
    // Whoever was away hears of it later.
    let mut three = server.chat_client("user3").await;
    assert_eq!(about(&told(&mut three, "group_application_declined").await), ["user2", "user3", &id, "g", "no clue"]);
    let nobody = admin.post(&of("apply_verify"), &verdict("user3", true)).await;
    refused(&nobody, 400, "invalid_parameter", "there is no application of user user3!");

    data(&user.post(&of("apply"), &json!({})).await);
    data(&owner.post(&of("apply_verify"), &verdict("user3", true)).await);
    assert_eq!(about(&told(&mut three, "group_application_accepted").await), ["user1", "user3", &id, "g", "-"]);
    assert_eq!(members(&server, &id).await, 3);
    let text = format!("can not join this group, reason:user: user3 already in group: {id}\n");
    refused(&user.post(&of("apply"), &json!({})).await, 403, "forbidden_op", &text);
    let nobody = owner.post(&of("apply_verify"), &verdict("user3", false)).await;
    refused(&nobody, 400, "invalid_parameter", "there is no application of user user3!");
    // The backend answers in the owner's name.
    data(&other.post(&of("apply"), &json!({})).await);
    data(&chat.post(&of("apply_verify"), &verdict("user4", true)).await);
    let mut four = server.chat_client("user4").await;
    assert_eq!(told(&mut four, "group_application_accepted").await["from"], "user1");
}

#[tokio::test]
async fn who_is_invited_is_asked_where_the_group_wants_it() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2", "user3", "user4"]).await;
    let owner = server.chat_as("user1").await;
    let new = json!({
        "groupname": "g", "desc": "d", "public": false, "members": ["user2"], "allowinvites": true,
        "invite_need_confirm": true, "owner": "user1",
    });
    let id = data(&owner.post(&server.chat_path("chatgroups"), &new).await)["groupid"].as_str().unwrap().to_owned();
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}/{rest}"));
    assert_eq!(members(&server, &id).await, 1, "nobody is put in unasked");
    let [two, three, four] =
        [server.chat_as("user2").await, server.chat_as("user3").await, server.chat_as("user4").await];
    let mut client_two = server.chat_client("user2").await;
    assert_eq!(about(&told(&mut client_two, "group_invitation").await), ["user1", "user2", &id, "g", "-"]);
    let mut client_one = server.chat_client("user1").await;
    let verdict = |invitee: &str, verdict: bool| json!({ "invitee": invitee, "verifyResult": verdict });
    assert_eq!(three.post(&of("invite_verify"), &verdict("user2", true)).await.code(), 401, "for itself only");
    let accepted = data(&two.post(&of("invite_verify"), &verdict("user2", true)).await);
    assert_eq!(accepted, json!({ "result": true, "action": "invite_verify", "user": "user2", "groupid": id }));
    assert_eq!(about(&told(&mut client_one, "group_invitation_accepted").await), ["user2", "user1", &id, "g", "-"]);
    assert_eq!(members(&server, &id).await, 2);

    // A member may invite here. Each has its own answer.
    let invited = data(&two.post(&of("invite"), &json!({ "usernames": ["user3", "user1", "nobody"] })).await);
    assert_eq!(invited[0], json!({ "result": true, "action": "invite", "user": "user3", "groupid": id }));
    let text = format!("can not join this group, reason:user: user1 already in group: {id}\n");
    assert_eq!((&invited[1]["result"], &invited[1]["reason"]), (&json!(false), &json!(text)));
    assert_eq!(invited[2]["reason"], "username nobody doesn't exist!");
    not_allowed(&four.post(&of("invite"), &json!({ "usernames": ["user3"] })).await, "user4");
    data(&three.post(&of("invite_verify"), &verdict("user3", false)).await);
    assert_eq!(about(&told(&mut client_two, "group_invitation_declined").await), ["user3", "user2", &id, "g", "-"]);
    let nobody = three.post(&of("invite_verify"), &verdict("user3", true)).await;
    refused(&nobody, 400, "invalid_parameter", "there is no invitation of user user3!");
    assert_eq!(members(&server, &id).await, 2);
    // Who joins has accepted.
    data(&two.post(&of("invite"), &json!({ "usernames": ["user3"] })).await);
    data(&three.post(&of("apply"), &json!({})).await);
    assert_eq!(told(&mut client_two, "group_invitation_accepted").await["from"], "user3");
    assert_eq!(members(&server, &id).await, 3);
    // The backend puts in whom it wants.
    let put = data(&chat.post(&of("invite"), &json!({ "usernames": ["user4"] })).await);
    assert_eq!((&put[0]["result"], members(&server, &id).await), (&json!(true), 4));
}

#[tokio::test]
async fn what_cannot_be_applied_for_is_refused() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2", "user3"]).await;
    let id = group(&server, &chat, json!({ "membersonly": true })).await;
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}/{rest}"));
    let [owner, user] = [server.chat_as("user1").await, server.chat_as("user2").await];
    for (length, code) in [(512, 200), (513, 400)] {
        let said = json!({ "message": "é".repeat(length) });
        assert_eq!(user.post(&of("apply"), &said).await.code(), code);
    }
    for (fields, field) in [
        (json!({ "verifyResult": true }), "applicant"),
        (json!({ "applicant": "", "verifyResult": true }), "applicant"),
        (json!({ "applicant": "user2" }), "verifyResult"),
    ] {
        let reply = owner.post(&of("apply_verify"), &fields).await;
        refused(&reply, 400, "invalid_parameter", &format!("{field} must be provided"));
    }
    let reply = user.post(&of("invite_verify"), &json!({ "verifyResult": true })).await;
    refused(&reply, 400, "invalid_parameter", "invitee must be provided");
    for rest in ["apply", "apply_verify", "invite", "invite_verify"] {
        let fields = json!({ "applicant": "user3", "invitee": "user2", "usernames": ["user3"], "verifyResult": true });
        no_room(&user.post(&server.chat_path(&format!("chatgroups/12345/{rest}")), &fields).await, "12345");
        assert_eq!(server.http().post(&of(rest), &fields).await.code(), 401, "no token: {rest}");
    }
    let too_long = json!({ "applicant": "user2", "verifyResult": false, "reason": "r".repeat(513) });
    assert_eq!(owner.post(&of("apply_verify"), &too_long).await.code(), 400);
    // As many as there may be members, and one more.
    let new = |members: &[&str]| json!({ "groupname": "g", "public": true, "maxusers": 2, "members": members, "invite_need_confirm": true });
    let groups = server.chat_path("chatgroups");
    data(&owner.post(&groups, &new(&["user2"])).await);
    let reply = owner.post(&groups, &new(&["user2", "user3"])).await;
    refused(&reply, 403, "exceed_limit", "members size is greater than max user size !");
    let reply = owner.post(&groups, &new(&["nobody"])).await;
    refused(&reply, 404, "resource_not_found", "username nobody doesn't exist!");
}

#[tokio::test]
async fn nobody_comes_into_a_group_that_is_switched_off() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2", "user3"]).await;
    let id = group(&server, &chat, json!({ "membersonly": true })).await;
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}/{rest}"));
    let [owner, user] = [server.chat_as("user1").await, server.chat_as("user2").await];
    data(&owner.post(&of("invite"), &json!({ "usernames": ["user3"] })).await);
    data(&chat.post(&of("disable"), &json!({})).await);
    let verdict = json!({ "invitee": "user3", "verifyResult": true });
    for reply in [
        user.post(&of("apply"), &json!({})).await,
        owner.post(&of("invite"), &json!({ "usernames": ["user2"] })).await,
        server.chat_as("user3").await.post(&of("invite_verify"), &verdict).await,
    ] {
        refused(&reply, 403, "forbidden_op", &format!("group {id} is disabled!"));
    }
}
