//! What goes wrong before a handler looks at its parameters: wrong URLs, methods, media types and sizes.

use axum::body::Body;
use axum::http::Request;
use futures_util::stream;

use crate::harness::{APP, BASIC, url, world};

const PEER: &str = "/rtm/users/userA/peer_messages";
const POSTS: [&str; 3] = [PEER, "/rtm/users/userA/channel_messages", "/rtm/message/history/query"];
const GETS: [&str; 4] = [
    "/rtm/vendor/user_events",
    "/rtm/vendor/channel_events",
    "/rtm/message/history/query/123",
    "/rtm/message/history/count",
];
const HELLO: &str = r#"{"destination":"userB","payload":"Hello"}"#;

fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", BASIC)
}

#[tokio::test]
async fn an_unknown_url_is_404() {
    let world = world().await;
    for path in [
        url(""),
        url("/"),
        url("/rtm"),
        url("/rtm/users/userA/peer_message"),
        url("/rtm/users/userA/Peer_messages"),
        url("/rtm/users/userA/peer_messages/"),
        url("/rtm/users/a/b/peer_messages"),
        url("/RTM/vendor/user_events"),
        url("/rtm/hook/channel_events"),
        url("///rtm/vendor/user_events"),
        "/dev/v2/project/x".to_owned(),
    ] {
        let reply = world.ask(request("GET", &path).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.message(), (404, "no Route matched with those values"), "{path}");
        assert_eq!(world.ask(request("POST", &path).body(Body::empty()).unwrap()).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn one_more_slash_after_the_app_id_is_taken() {
    let world = world().await;
    let double = |resource: &str| format!("/dev/v2/project/{APP}/{resource}");
    let post = |path: String| request("POST", &path).body(Body::from(HELLO)).unwrap();
    assert_eq!(world.ask(post(double(PEER))).await.status, 200);
    let get = |path: String| request("GET", &path).body(Body::empty()).unwrap();
    assert_eq!(world.ask(get(double("/rtm/vendor/user_events"))).await.status, 200);
    assert_eq!(world.ask(get(double("/rtm/vendor/channel_events"))).await.status, 200);
    assert_eq!(world.ask(get(double("/rtm/message/history/query/123"))).await.status, 400);
    assert_eq!(world.ask(get(double("/rtm/message/history/count"))).await.status, 400);
}

#[tokio::test]
async fn another_method_is_405() {
    let world = world().await;
    for (resources, allowed, others) in [
        (&POSTS[..], "POST", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]),
        (&GETS[..], "GET", ["POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    ] {
        for resource in resources {
            for method in others {
                let reply = world.ask(request(method, &url(resource)).body(Body::empty()).unwrap()).await;
                assert_eq!(reply.status, 405, "{method} {resource}");
                assert_eq!(reply.headers["allow"], allowed, "{method} {resource}");
            }
        }
    }
}

#[tokio::test]
async fn head_takes_no_events() {
    let world = world().await;
    let _bob = world.login("userB").await;
    let head = request("HEAD", &url("/rtm/vendor/user_events")).body(Body::empty()).unwrap();
    assert_eq!(world.ask(head).await.status, 405);
    assert_eq!(world.get("/rtm/vendor/user_events").await.json["events"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_foreign_media_type_is_415() {
    let world = world().await;
    for resource in POSTS {
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
            let request = request("POST", &url(resource)).header("content-type", media_type);
            let reply = world.ask(request.body(Body::from(HELLO)).unwrap()).await;
            assert_eq!(reply.refusal(), (415, "the body must be application/json, not compressed"), "{resource}");
        }
    }
    for media_type in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"] {
        let request = request("POST", &url(PEER)).header("content-type", media_type);
        assert_eq!(world.ask(request.body(Body::from(HELLO)).unwrap()).await.status, 200, "{media_type}");
    }
    let missing = request("POST", &url(PEER)).body(Body::from(HELLO)).unwrap();
    assert_eq!(world.ask(missing).await.status, 200);
    let zipped = request("POST", &url(PEER)).header("content-encoding", "gzip").body(Body::from(HELLO)).unwrap();
    assert_eq!(world.ask(zipped).await.status, 415);
}

#[tokio::test]
async fn a_body_above_256_kib_is_413() {
    let world = world().await;
    let padded = |length: usize| HELLO.to_owned() + &" ".repeat(length - HELLO.len());
    assert_eq!(world.post(PEER, padded(256 * 1024)).await.status, 200);
    for resource in POSTS {
        let reply = world.post(resource, padded(256 * 1024 + 1)).await;
        assert_eq!(reply.refusal(), (413, "the body is larger than 262144 bytes"), "{resource}");
    }
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1000]));
    assert_eq!(world.post(PEER, Body::from_stream(endless)).await.status, 413);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_408() {
    let world = world().await;
    let never = stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let reply = world.post(PEER, Body::from_stream(never)).await;
    assert_eq!(reply.refusal(), (408, "the body did not arrive in time"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let world = world().await;
    let broken = stream::iter([Ok(b"{".to_vec()), Err(std::io::Error::other("reset"))]);
    let reply = world.post(PEER, Body::from_stream(broken)).await;
    assert_eq!(reply.refusal(), (400, "the body could not be read"));
}
