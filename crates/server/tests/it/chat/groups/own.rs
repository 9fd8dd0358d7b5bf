//! Users who join, leave and invite with their own token, in groups and rooms; and what they may ask about themselves.

use serde_json::json;

use super::super::refused;
use super::super::rooms::{data, no_room, server_with};
use super::{group, stranger};

#[tokio::test]
async fn a_user_joins_and_leaves_a_public_group() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2"]).await;
    let user = server.chat_as("user2").await;
    let id = group(&server, &chat, json!({})).await;
    let of = |rest: &str| server.chat_path(&format!("chatgroups/{id}/{rest}"));
    let joined = data(&user.post(&of("apply"), &json!({ "message": "please" })).await);
    assert_eq!(joined, json!({ "result": true, "action": "apply", "user": "user2", "groupid": id }));
    let twice = user.post(&of("apply"), &json!({})).await;
    let text = format!("can not join this group, reason:user: user2 already in group: {id}\n");
    refused(&twice, 403, "forbidden_op", &text);
    let left = data(&user.delete(&of("quit")).await);
    assert_eq!(left, json!({ "result": true, "action": "quit", "user": "user2", "groupid": id }));
    stranger(&user.delete(&of("quit")).await, "user2");
    let owner = server.chat_as("user1").await;
    refused(&owner.delete(&of("quit")).await, 403, "forbidden_op", "forbidden operation on group owner!");
    for reply in [chat.post(&of("apply"), &json!({})).await, chat.delete(&of("quit")).await] {
        assert_eq!(reply.code(), 401, "the backend is nobody who could join");
    }
    no_room(&user.post(&server.chat_path("chatgroups/12345/apply"), &json!({})).await, "12345");
    let private = group(&server, &chat, json!({ "public": false })).await;
    let closed = user.post(&server.chat_path(&format!("chatgroups/{private}/apply")), &json!({})).await;
    refused(&closed, 403, "forbidden_op", "user user2 is not allowed to do this!");
}

#[tokio::test]
async fn who_may_add_members_puts_them_in_where_nobody_is_asked() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2", "user3"]).await;
    let (owner, other) = (server.chat_as("user1").await, server.chat_as("user2").await);
    let id = group(&server, &chat, json!({ "members": ["user2"], "invite_need_confirm": false })).await;
    let path = server.chat_path(&format!("chatgroups/{id}/invite"));
    let body = json!({ "usernames": ["user2", "user3"] });
    refused(&other.post(&path, &body).await, 403, "forbidden_op", "user user2 is not allowed to do this!");
    let invited = data(&owner.post(&path, &body).await);
    assert_eq!(invited[1], json!({ "result": true, "action": "invite", "user": "user3", "groupid": id }));
    assert_eq!((&invited[0]["result"], invited[0]["reason"].is_string()), (&json!(false), true));
    let nobody = owner.post(&path, &json!({ "usernames": ["nobody"] })).await;
    refused(&nobody, 404, "resource_not_found", "username nobody doesn't exist!");
    refused(&owner.post(&path, &json!({})).await, 400, "invalid_parameter", "usernames must be provided");
    for (count, code) in [(60, 404), (61, 400)] {
        let many: Vec<_> = (0..count).map(|number| format!("n{number}")).collect();
        assert_eq!(owner.post(&path, &json!({ "usernames": many })).await.code(), code);
    }
}

#[tokio::test]
async fn a_member_asks_whether_it_is_muted_and_on_the_allow_list() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2", "user3"]).await;
    let (user, stranger) = (server.chat_as("user2").await, server.chat_as("user3").await);
    let room = json!({ "name": "r", "description": "d", "owner": "user1", "members": ["user2"] });
    let room = data(&chat.post(&server.chat_path("chatrooms"), &room).await)["id"].as_str().unwrap().to_owned();
    let id = group(&server, &chat, json!({ "members": ["user2"] })).await;
    for of in [format!("chatgroups/{id}"), format!("chatrooms/{room}")] {
        let muted = server.chat_path(&format!("sdk/{of}/mute/user2"));
        let allowed = server.chat_path(&format!("{of}/white/users/user2"));
        assert_eq!(
            (data(&user.get(&muted).await), &data(&user.get(&allowed).await)["white"]),
            (json!(false), &json!(false))
        );
        let mute = json!({ "usernames": ["user2"], "mute_duration": 60_000 });
        data(&chat.post(&server.chat_path(&format!("{of}/mute")), &mute).await);
        data(&chat.post(&allowed, &json!({})).await);
        for asking in [&user, &chat] {
            assert_eq!(data(&asking.get(&muted).await), json!(true));
            assert_eq!(data(&asking.get(&allowed).await)["white"], json!(true));
        }
        server.advance(std::time::Duration::from_secs(60));
        assert_eq!(data(&user.get(&muted).await), json!(false), "it is over");
        for path in [&muted, &allowed] {
            refused(&stranger.get(path).await, 403, "forbidden_op", "user user3 is not allowed to do this!");
        }
        assert_eq!(
            data(&stranger.get(&muted.replace("user2", "user3")).await),
            json!(false),
            "who is not in is not muted"
        );
    }
}

#[tokio::test]
async fn public_groups_are_found_page_by_page() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2"]).await;
    let user = server.chat_as("user2").await;
    let mut public = Vec::new();
    for number in 0..6 {
        let id = group(&server, &chat, json!({ "groupname": format!("g{number}"), "public": number % 2 == 0 })).await;
        if number % 2 == 0 {
            public.insert(0, id);
        }
    }
    let list = async |query: &str| user.get(&server.chat_path(&format!("publicchatgroups?{query}"))).await.json();
    let ids = |reply: &serde_json::Value| -> Vec<String> {
        reply["data"].as_array().unwrap().iter().map(|group| group["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = list("limit=20&cursor=undefined").await;
    assert_eq!((ids(&all), &all["cursor"]), (public.clone(), &serde_json::Value::Null));
    assert_eq!(all["data"][0], json!({ "id": public[0], "name": "g4", "groupid": public[0], "groupname": "g4" }));
    let first = list("limit=2").await;
    let second = list(&format!("limit=2&cursor={}", first["cursor"].as_str().unwrap())).await;
    assert_eq!([ids(&first), ids(&second)].concat(), public);
    refused(
        &user.get(&server.chat_path("publicchatgroups?cursor=%21")).await,
        400,
        "invalid_parameter",
        "cursor is invalid",
    );
    let count = |user: &str| server.chat_path(&format!("chatgroups/user/{user}/joined_count"));
    assert_eq!(data(&chat.get(&count("user1")).await), json!(6));
    assert_eq!(data(&user.get(&count("user2")).await), json!(0));
    assert_eq!(user.get(&count("user1")).await.code(), 401);
    assert_eq!(chat.get(&count("nobody")).await.code(), 404);
}
