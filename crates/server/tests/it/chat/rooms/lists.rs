//! Lists of rooms: of the app, and of a user.

use serde_json::{Value, json};

use super::super::refused;
use super::{data, room, server_with};

fn ids(reply: &Value, key: &str) -> Vec<String> {
    let id = |room: &Value| room[key].as_str().unwrap().to_owned();
    reply["data"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn rooms_are_listed_by_cursor_and_by_page() {
    let (server, chat) = server_with(&["user1", "user2"]).await;
    let path = |query: &str| server.chat_path(&format!("chatrooms{query}"));
    let nothing = chat.get(&path("")).await.json();
    assert_eq!((&nothing["data"], &nothing["count"], &nothing["cursor"]), (&json!([]), &json!(0), &Value::Null));
    let mut rooms = Vec::new();
    for number in 0..12 {
        let members: &[&str] = if number == 11 { &["user2"] } else { &[] };
        rooms.push(room(&server, &chat, "user1", members).await);
    }
    rooms.reverse();
    // A group is no room.
    let group = json!({ "groupname": "g", "public": true, "owner": "user1" });
    data(&chat.post(&server.chat_path("chatgroups"), &group).await);

    let first = chat.get(&path("")).await.json();
    assert_eq!((ids(&first, "id").as_slice(), &first["count"]), (&rooms[..10], &json!(10)));
    let newest = json!({ "id": rooms[0], "name": "lobby", "owner": "user1", "affiliations_count": 2 });
    assert_eq!(first["data"][0], newest);
    let cursor = first["cursor"].as_str().unwrap();
    let second = chat.get(&path(&format!("?limit=10&cursor={cursor}"))).await.json();
    assert_eq!((ids(&second, "id").as_slice(), &second["cursor"]), (&rooms[10..], &Value::Null));
    assert_eq!(second["params"], json!({ "limit": ["10"], "cursor": [cursor] }));
    let all = chat.get(&path("?limit=1001")).await.json();
    assert_eq!((ids(&all, "id").len(), &all["cursor"]), (12, &Value::Null), "a larger limit is the largest");
    refused(&chat.get(&path("?cursor=zz")).await, 400, "invalid_parameter", "cursor is invalid");

    let page = chat.get(&path("?pagenum=2&pagesize=5")).await.json();
    assert_eq!((ids(&page, "id").as_slice(), &page["count"]), (&rooms[5..10], &json!(5)));
    assert_eq!(ids(&chat.get(&path("?pagenum=0&pagesize=5")).await.json(), "id"), rooms[..5]);
    assert_eq!(ids(&chat.get(&path("?pagenum=4&pagesize=5")).await.json(), "id"), [""; 0]);
}

#[tokio::test]
async fn a_users_rooms_are_listed_shortly_and_in_detail() {
    let (server, chat) = server_with(&[]).await;
    server.register(&["user1", "user2"]).await;
    let (one, two) = (room(&server, &chat, "user1", &["user2"]).await, room(&server, &chat, "user1", &["user2"]).await);
    let path = |query: &str| server.chat_path(&format!("users/user2/joined_chatrooms{query}"));
    let reply = chat.get(&path("?pagenum=1&pagesize=10")).await.json();
    let short = |id: &str| json!({ "id": id, "name": "lobby", "disabled": "false" });
    assert_eq!((&reply["data"], &reply["count"]), (&json!([short(&two), short(&one)]), &json!(2)));
    assert_eq!(reply["params"], json!({ "pagenum": ["1"], "pagesize": ["10"] }));
    assert_eq!(data(&chat.get(&path("?pagenum=2&pagesize=1")).await), json!([short(&one)]));
    let detailed = data(&chat.get(&path("?detail=true&version=v3&resource=web_1")).await);
    let expected = json!({
        "id": two, "name": "lobby", "disabled": "false", "title": "lobby", "owner": "easemob-demo#wang_user1",
        "created": server.now_ms(), "description": "d", "max_users": 1000, "affiliations_count": 2,
    });
    assert_eq!(detailed[0], expected);
    let own = server.chat_as("user2").await;
    assert_eq!(own.get(&path("")).await.code(), 200);
    let other = server.chat_as("user1").await;
    assert_eq!(other.get(&path("")).await.code(), 401);
    let nobody = chat.get(&server.chat_path("users/nobody/joined_chatrooms")).await;
    refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
    data(&chat.delete(&server.chat_path(&format!("chatrooms/{two}"))).await);
    assert_eq!(data(&chat.get(&path("")).await), json!([short(&one)]));
}
