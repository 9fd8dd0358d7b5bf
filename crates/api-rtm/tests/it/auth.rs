//! Who may call, on every endpoint.

use axum::body::Body;
use axum::http::Request;

use crate::harness::{APP, BASIC, CERTIFICATE, OTHER_APP, OTHER_BASIC, Reply, World, url, world};

const SEND: &str = "/rtm/users/userA/peer_messages";
const HELLO: &str = r#"{"destination":"userB","payload":"Hello"}"#;
const EVERY: [(&str, &str); 7] = [
    ("POST", SEND),
    ("POST", "/rtm/users/userA/channel_messages"),
    ("GET", "/rtm/vendor/user_events"),
    ("GET", "/rtm/vendor/channel_events"),
    ("POST", "/rtm/message/history/query"),
    ("GET", "/rtm/message/history/query/123"),
    ("GET", "/rtm/message/history/count"),
];

async fn ask(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.ask(request.body(Body::from(HELLO)).unwrap()).await
}

fn token_006(user: &str) -> String {
    stentor_token::v006::build(APP, CERTIFICATE, user, 1, 1_700_003_600, 0)
}

#[tokio::test]
async fn every_endpoint_wants_to_know_who_is_calling() {
    let world = world().await;
    for (method, resource) in EVERY {
        let none = ask(&world, method, &url(resource), &[]).await;
        assert_eq!(none.message(), (401, "Unauthorized"), "{resource}");
        assert!(none.headers.contains_key("www-authenticate"));
        for headers in [
            &[("authorization", "Basic eDp5")][..],
            &[("authorization", OTHER_BASIC)],
            &[("authorization", "agora token=007x")],
            &[("x-agora-token", "006x"), ("x-agora-uid", "userA")],
        ] {
            let wrong = ask(&world, method, &url(resource), headers).await;
            assert_eq!(wrong.message(), (401, "Invalid authentication credentials"), "{resource} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_customer_may_send_as_anybody() {
    let world = world().await;
    for user in ["userA", "userB", "anybody"] {
        let path = url(&format!("/rtm/users/{user}/peer_messages"));
        assert_eq!(ask(&world, "POST", &path, &[("authorization", BASIC)]).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_may_send_as_its_user_only() {
    let world = world().await;
    let token = token_006("a b");
    let headers = [("x-agora-token", token.as_str()), ("x-agora-uid", "a b")];
    for (user, status) in [("a%20b", 200), ("%61%20b", 200), ("a+b", 401), ("userB", 401)] {
        for noun in ["peer_messages", "channel_messages"] {
            let path = url(&format!("/rtm/users/{user}/{noun}"));
            let reply = ask(&world, "POST", &path, &headers).await;
            let expected = if noun == "channel_messages" && status == 200 { 400 } else { status };
            assert_eq!(reply.status, expected, "{user} {noun}: {}", reply.text);
        }
    }
    let reply = ask(&world, "POST", &url("/rtm/users/userB/peer_messages"), &headers).await;
    assert_eq!(reply.refusal(), (401, "the token was not made for this user_id"));
}

#[tokio::test]
async fn any_valid_token_takes_events() {
    let world = world().await;
    let token = token_006("SYSTEM");
    for resource in ["/rtm/vendor/user_events", "/rtm/vendor/channel_events"] {
        let headers = [("x-agora-token", token.as_str()), ("x-agora-uid", "SYSTEM")];
        assert_eq!(ask(&world, "GET", &url(resource), &headers).await.status, 200);
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_and_says_why() {
    let world = world().await;
    let token = token_006("userA");
    let headers = [("x-agora-token", token.as_str()), ("x-agora-uid", "userA")];
    world.pass(std::time::Duration::from_secs(3600)).await;
    assert_eq!(ask(&world, "POST", &url(SEND), &headers).await.status, 200);
    world.pass(std::time::Duration::from_secs(1)).await;
    assert_eq!(ask(&world, "POST", &url(SEND), &headers).await.refusal(), (401, "token has expired"));
}

#[tokio::test]
async fn an_app_id_is_malformed_or_unknown_or_not_yours() {
    let world = world().await;
    let path = |app: &str| format!("/dev/v2/project/{app}{SEND}");
    let basic = [("authorization", BASIC)];
    let malformed = ["", "x", "970CA35de60c44645bbae8a215061b3", "970CA35de60c44645bbae8a215061b33a", "%ff", "%zz"];
    for app in malformed {
        for headers in [&basic[..], &[]] {
            let reply = ask(&world, "POST", &path(app), headers).await;
            assert_eq!(reply.message(), (400, "appid is invalid"), "{app} {headers:?}");
        }
    }
    // The case of an App ID matters, so this one is well-formed and unknown.
    for unknown in [&APP.to_lowercase(), "00000000000000000000000000000000"] {
        let reply = ask(&world, "POST", &path(unknown), &basic).await;
        assert_eq!(reply.message(), (400, "appid is invalid"), "a customer of this server is told");
        for (headers, message) in [
            (&[][..], "Unauthorized"),
            (&[("authorization", "Basic eDp5")], "Invalid authentication credentials"),
            (&[("x-agora-token", "006x"), ("x-agora-uid", "u")], "Invalid authentication credentials"),
        ] {
            assert_eq!(ask(&world, "POST", &path(unknown), headers).await.message(), (401, message));
        }
    }
    let reply = ask(&world, "POST", &path(OTHER_APP), &basic).await;
    assert_eq!(reply.message(), (401, "Invalid authentication credentials"));
    assert_eq!(ask(&world, "POST", &path(OTHER_APP), &[("authorization", OTHER_BASIC)]).await.status, 200);
    assert_eq!(ask(&world, "POST", &path(&APP.replace('9', "%39")), &basic).await.status, 200, "decoded");
}

#[tokio::test]
async fn an_app_without_certificate_takes_no_tokens_over_rest() {
    let world = world().await;
    let headers = [("x-agora-token", "006x"), ("x-agora-uid", "userA")];
    let reply = ask(&world, "POST", &format!("/dev/v2/project/{OTHER_APP}{SEND}"), &headers).await;
    assert_eq!(reply.refusal(), (401, "tokens are not enabled for this App ID"));
}
