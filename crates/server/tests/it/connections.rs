//! Clients that are slow, broken, or too many.

use std::time::{Duration, Instant};

use stentor_testkit::{DEADLINE, TestServer, eventually, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_head_that_trickles_is_cut() {
    let server = TestServer::builder().config("[http]\nheader_timeout_ms = 200").start().await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let trickle = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        loop {
            every.tick().await;
            if writing.write_all(b"x: y\r\n").await.is_err() {
                break;
            }
        }
    });
    let started = Instant::now();
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(DEADLINE, reading.read_to_end(&mut rest)).await;
    assert!(started.elapsed() < Duration::from_secs(5), "cut after {:?}", started.elapsed());
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    trickle.abort();
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let server = TestServer::builder().config("[http]\nheader_timeout_ms = 100").start().await;
    assert_eq!(exchange(server.address(), b"").await, "");
    let reply = exchange(server.address(), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 200 OK") && reply.ends_with('}'), "nothing after the reply: {reply}");
}

#[tokio::test]
async fn a_client_that_does_not_read_the_answer_is_cut() {
    let server = TestServer::builder().config("[http]\nstalled_timeout_ms = 200").start().await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address()).await.unwrap();
    // More than the kernel takes off the server's hands.
    let requests = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
    stream.write_all(requests.as_bytes()).await.unwrap();
    eventually("the connection is cut", async || {
        let page = server.anonymous().get("/metrics").await.text();
        // The page's own is the one that is left.
        if page.contains("stentor_http_connections 1.0\n") { Ok(()) } else { Err(()) }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let server = TestServer::builder().config("[http]\nbody_timeout_ms = 100").start().await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Y2lkOmNzZWM=\r\nContent-Type: application/json\r\n\
         Content-Length: 50\r\n\r\n{{",
        server.path("users/alice/peer_messages")
    );
    let reply = exchange(server.address(), head.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 408"), "{reply}");
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_413_at_once() {
    let server = TestServer::builder().config("[http]\nbody_timeout_ms = 600000").start().await;
    for too_large in ["Content-Length: 300000\r\nExpect: 100-continue", "Content-Length: 9999999999"] {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Y2lkOmNzZWM=\r\nContent-Type: application/json\r\n\
             Connection: close\r\n{too_large}\r\n\r\n",
            server.path("users/alice/peer_messages")
        );
        let reply = exchange(server.address(), head.as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
    }
}

#[tokio::test]
async fn nonsense_is_400_and_ends_the_connection() {
    let server = TestServer::start().await;
    for nonsense in [
        "NONSENSE\r\n\r\n",
        "GET /healthz HTTP/9.9\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let reply = exchange(server.address(), nonsense.as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 400") || reply.is_empty(), "{nonsense:?}: {reply}");
    }
    assert_eq!(server.anonymous().get("/healthz").await.code(), 200);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431() {
    let server = TestServer::builder().config("[http]\nheader_bytes = 8192").start().await;
    let large = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(9_000));
    let reply = exchange(server.address(), large.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 431"), "{reply}");
    let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(200));
    let reply = exchange(server.address(), many.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 431"), "{reply}");
}

#[tokio::test]
async fn beyond_the_maximum_only_the_health_pages_answer() {
    let server = TestServer::builder().config("[server]\nmax_connections = 1").start().await;
    let mut first = TcpStream::connect(server.address()).await.unwrap();
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(first.read(&mut [0; 1024]).await.unwrap() > 0, "the first is served");

    let http = server.http();
    assert_eq!(http.get("/healthz").await.code(), 200);
    assert!(http.get("/metrics").await.text().contains("stentor_max_connections 1.0\n"));
    let reply = http.get(&server.path("vendor/user_events")).await;
    assert_eq!((reply.code(), reply.headers["connection"].to_str().unwrap()), (503, "close"));
    let id = reply.headers["x-request-id"].to_str().unwrap();
    let reason = "too many connections: try again later";
    let expected = format!(
        r#"{{"result":"failed","request_id":"{id}","errorCode":503,"reason":"{reason}","message":"{reason}"}}"#
    );
    assert_eq!(reply.text(), expected);

    drop(first);
    eventually("there is room again", async || match http.get("/docs/").await.code() {
        200 => Ok(()),
        code => Err(code),
    })
    .await;
}

#[tokio::test]
async fn clients_count_as_connections() {
    let server = TestServer::builder().config("[server]\nmax_connections = 1").start().await;
    let client = server.client("bob").await;
    eventually("the place is taken", async || match server.anonymous().get("/docs/").await.code() {
        503 => Ok(()),
        code => Err(code),
    })
    .await;
    client.close().await;
    eventually("the place is free", async || match server.anonymous().get("/docs/").await.code() {
        200 => Ok(()),
        code => Err(code),
    })
    .await;
}
