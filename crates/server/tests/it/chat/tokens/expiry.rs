//! `GET sdk/users/{username}/token/expires`.

use std::time::Duration;

use serde_json::json;

use super::{ask, token};
use crate::chat::{refused, server};

#[tokio::test]
async fn a_client_learns_when_its_token_ends() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let http = server.anonymous();
    let password = |ttl: u64| json!({ "grant_type": "password", "username": "user1", "password": "pw", "ttl": ttl });
    let path = server.chat_path("sdk/users/user1/token/expires");
    let begun = server.now_ms();
    let short = http.clone().bearer(&token(&server, &http, password(100)).await);
    for _ in 0..2 {
        let reply = short.get(&path).await;
        assert_eq!((reply.code(), reply.json()), (200, json!({ "expire_timestamp": begun + 100_000 })));
        server.advance(Duration::from_secs(40));
    }
    let for_ever = http.clone().bearer(&token(&server, &http, password(0)).await);
    assert_eq!(for_ever.get(&path).await.json(), json!({ "expire_timestamp": 4_638_873_600_000_u64 }));
    server.advance(Duration::from_secs(20));
    let expired = "Unable to authenticate due to expired access token";
    refused(&short.get(&path).await, 401, "unauthorized", expired);
    // The question is about the token, whoever the path names; and that must be its user.
    let of_other = server.chat_path("sdk/users/user2/token/expires");
    assert_eq!(for_ever.get(&of_other).await.code(), 401);
    assert_eq!(http.get(&path).await.code(), 401);
    let chat = server.chat().await;
    assert!(chat.get(&path).await.json()["expire_timestamp"].as_u64() > Some(server.now_ms()));
    let nobody = chat.get(&server.chat_path("sdk/users/nobody/token/expires")).await;
    refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
    // One that is revoked is none.
    let change = json!({ "newpassword": "other" });
    assert_eq!(chat.put(&server.chat_path("users/user1/password"), &change).await.code(), 200);
    assert_eq!(for_ever.get(&path).await.code(), 401);
    assert_eq!(ask(&server, &http, password(7)).await.code(), 400);
}
