//! Requests whose bodies nobody reads: the answer comes, and the next request on the same connection is answered, or the
//! client was told that there is none.

use std::time::Duration;

use stentor_testkit::{CHAT, DEADLINE, TestApp, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Reads one response with a length.
async fn response(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let read = async {
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
                if body.len() >= length.parse().expect("a number") {
                    return (head.to_owned(), body.to_owned());
                }
            }
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).await.expect("reads");
            assert!(count > 0, "closed in the middle of {text:?}");
            bytes.extend_from_slice(&piece[..count]);
        }
    };
    tokio::time::timeout(DEADLINE, read).await.expect("in time")
}

fn post(path: &str, token: &str, length: usize, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n{more}\r\n"
    )
}

async fn server() -> TestServer {
    TestServer::builder().app(TestApp::new().chat()).start().await
}

#[tokio::test]
async fn a_refusal_that_needs_no_body_keeps_the_connection() {
    let server = server().await;
    let [org, app, ..] = CHAT;
    let paths = [format!("/{org}/{app}/users"), "/no/app/users".to_owned(), format!("/{org}/{app}/nothing/there")];
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for round in 0..10 {
        for (path, size) in paths.iter().zip([2, 1000, 100_000]) {
            // Body behind the head, as many clients write them.
            stream.write_all(post(path, "wrong", size, "").as_bytes()).await.unwrap();
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            stream.write_all(&vec![b'x'; size]).await.unwrap();
            let (head, body) = response(&mut stream).await;
            assert!(head.starts_with("HTTP/1.1 40") && !head.contains("connection: close"), "{path}: {head}");
            assert!(body.starts_with('{'), "{body}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_worth_reading_ends_the_connection_and_the_answer_says_so() {
    let server = server().await;
    let path = "/no/app/users";
    // Much too large, asked for first, and one that does not come.
    for (length, more) in [(9_000_000, ""), (10, "expect: 100-continue\r\n"), (10, "")] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(post(path, "wrong", length, more).as_bytes()).await.unwrap();
        let (head, _) = response(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 404") && head.contains("connection: close"), "{length} {more}: {head}");
        let rest = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 16])).await.expect("in time");
        assert!(matches!(rest, Ok(0) | Err(_)), "{rest:?}");
    }
}

#[tokio::test]
async fn browsers_may_send_what_files_need() {
    let server = server().await;
    let [org, app, ..] = CHAT;
    let preflight = server
        .anonymous()
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,restrict-access")
        .send(http::Method::OPTIONS, &format!("/{org}/{app}/chatfiles"), "".into())
        .await;
    let allowed = preflight.headers["access-control-allow-headers"].to_str().unwrap().to_owned();
    for name in [
        "authorization",
        "restrict-access",
        "share-secret",
        "thumbnail",
        "thumbnail-height",
        "thumbnail-width",
        "range",
    ] {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}: {allowed}");
    }
}
