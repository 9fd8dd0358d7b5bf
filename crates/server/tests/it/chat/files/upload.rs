//! `POST chatfiles`.

use http::{HeaderValue, Method};
use stentor_testkit::{TestApp, TestServer, exchange};

use super::super::{refused, server};
use super::{BOUNDARY, blobs, entity, form, noise, one_file, post};

const TOO_LARGE: (u16, &str, &str) = (413, "file exceeding maximum limit", "the file size exceeds the maximum limit.");

async fn small() -> TestServer {
    let app = TestApp::new().chat().chat_option("file_bytes = 100000").chat_option("files_bytes = 250000");
    TestServer::builder().app(app).manual_clock().start().await
}

#[tokio::test]
async fn a_file_is_taken_from_the_app_and_from_a_user() {
    let server = server().await;
    server.register(&["user1"]).await;
    for http in [server.chat().await, server.chat_as("user1").await] {
        let http = http.header("restrict-access", "false");
        let path = format!("{}?chat-type=singleChat&chat-target=user2", server.chat_path("chatfiles"));
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let sending = http.header("content-type", &content_type);
        let reply = sending.send(Method::POST, &path, one_file(b"hello")).await;
        let entity = entity(&reply);
        let body = reply.json();
        let collection = format!("http://{}{}", server.address(), server.chat_path("chatfiles"));
        assert_eq!((body["uri"].as_str(), body["path"].as_str()), (Some(collection.as_str()), Some("/chatfiles")));
        assert_eq!((entity["type"].as_str(), entity.get("share-secret")), (Some("chatfile"), None));
        // As clients build it.
        let url = format!("{}/{}", body["uri"].as_str().unwrap(), entity["uuid"].as_str().unwrap());
        let path = url.strip_prefix(&format!("http://{}", server.address())).unwrap();
        assert_eq!(server.anonymous().get(path).await.body, "hello");
    }
    assert_eq!(blobs(&server).len(), 2, "the same file twice is two files");
}

#[tokio::test]
async fn a_restricted_file_gets_a_secret_by_header_or_field() {
    let server = server().await;
    let chat = server.chat().await;
    let by_header = post(&server, &chat.clone().header("restrict-access", "true"), one_file(b"x")).await;
    let after = form(&[("file", "; filename=\"a\"", None, b"x"), ("restrict-access", "", None, b"true")]);
    let before = form(&[("restrict-access", "", None, b"true"), ("file", "; filename=\"a\"", None, b"x")]);
    let replies = [by_header, post(&server, &chat, after).await, post(&server, &chat, before).await];
    let secrets = replies.each_ref().map(|reply| entity(reply)["share-secret"].as_str().unwrap().to_owned());
    assert!(secrets.iter().all(|secret| secret.len() == 48));
    assert!(secrets[0] != secrets[1] && secrets[1] != secrets[2]);
}

#[tokio::test]
async fn a_form_without_a_file_is_refused() {
    let server = server().await;
    let chat = server.chat().await;
    let path = server.chat_path("chatfiles");
    let forms = [
        form(&[]),
        form(&[("filename", "", None, b"a.jpg"), ("picture", "; filename=\"a.jpg\"", None, b"x")]),
        // What browsers send when nothing was chosen.
        form(&[("file", "; filename=\"\"", Some("application/octet-stream"), b"")]),
    ];
    for form in forms {
        let reply = post(&server, &chat, form).await;
        refused(&reply, 400, "illegal_argument", "file must be provided.");
    }
    let json = chat.post(&path, &serde_json::json!({ "file": "x" })).await;
    refused(&json, 400, "illegal_argument", "file must be provided.");
    refused(
        &chat.send(Method::POST, &path, b"".as_slice().into()).await,
        400,
        "illegal_argument",
        "file must be provided.",
    );
    assert_eq!(blobs(&server).len(), 0);
}

#[tokio::test]
async fn a_form_that_breaks_off_leaves_nothing() {
    let server = server().await;
    let chat = server.chat().await;
    let whole = one_file(&noise(50_000));
    for cut in [10, 100, 30_000, whole.len() - 30] {
        let reply = post(&server, &chat, whole.slice(..cut)).await;
        refused(&reply, 400, "illegal_argument", "this is an invalid request.");
    }
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"\r\nX: {}", "x".repeat(200_000));
    refused(&post(&server, &chat, head.into()).await, 400, "illegal_argument", "this is an invalid request.");
    let parts = vec![("a", "", None, b"b".as_slice()); 40];
    refused(&post(&server, &chat, form(&parts)).await, 400, "illegal_argument", "this is an invalid request.");
    assert_eq!(blobs(&server).len(), 0);
}

#[tokio::test]
async fn the_limit_of_a_file_and_one_byte_more() {
    let server = small().await;
    let chat = server.chat().await;
    entity(&post(&server, &chat, one_file(&noise(100_000))).await);
    let (status, error, text) = TOO_LARGE;
    // One more, more than a form may have around its file, and more than is thrown away.
    for length in [100_001, 600_000, 3_000_000] {
        refused(&post(&server, &chat, one_file(&noise(length))).await, status, error, text);
    }
    assert_eq!(blobs(&server).len(), 1);
    entity(&post(&server, &chat, one_file(b"")).await);
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_too_much_need_not_send_it() {
    let server = small().await;
    let token = server.chat_app_token().await;
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: 10000000\r\n\r\n",
        server.chat_path("chatfiles")
    );
    let reply = exchange(server.address(), request.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 413 ") && reply.contains(TOO_LARGE.2), "{reply}");
}

#[tokio::test]
async fn the_quota_of_the_app_and_one_byte_more() {
    let server = small().await;
    let chat = server.chat().await;
    entity(&post(&server, &chat, one_file(&noise(100_000))).await);
    entity(&post(&server, &chat, one_file(&noise(100_000))).await);
    let full = "the files of this app exceed the maximum limit.";
    refused(&post(&server, &chat, one_file(&noise(50_001))).await, 403, "exceed_limit", full);
    entity(&post(&server, &chat, one_file(&noise(50_000))).await);
    refused(&post(&server, &chat, one_file(b"x")).await, 403, "exceed_limit", full);
    assert_eq!(blobs(&server).len(), 3);
}

#[tokio::test]
async fn nobody_uploads_without_a_token() {
    let server = server().await;
    let reply = post(&server, &server.anonymous(), one_file(b"x")).await;
    refused(&reply, 401, "unauthorized", "Unable to authenticate (OAuth)");
    let reply = post(&server, &server.anonymous().bearer("x"), one_file(b"x")).await;
    refused(&reply, 401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token");
    assert_eq!(blobs(&server).len(), 0);
}

#[tokio::test]
async fn more_uploads_a_second_than_allowed_are_refused() {
    let app = TestApp::new().chat().chat_limit("chat_file_uploads_per_second", 2);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let chat = server.chat().await;
    for _ in 0..2 {
        entity(&post(&server, &chat, one_file(b"x")).await);
    }
    let reply = post(&server, &chat, one_file(b"x")).await;
    refused(&reply, 429, "reach_limit", "This request has reached api limit");
}

#[tokio::test]
async fn an_upload_that_stops_gets_408_and_gives_its_place_back() {
    let app = TestApp::new().chat();
    let times = "[files]\nupload_idle_timeout_ms = 200\nuploads = 1";
    let server = TestServer::builder().app(app).config(times).manual_clock().start().await;
    let token = server.chat_app_token().await;
    let whole = one_file(&noise(50_000));
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {}\r\n\r\n",
        server.chat_path("chatfiles"),
        whole.len()
    )
    .into_bytes();
    request.extend(&whole[..20_000]);
    let reply = exchange(server.address(), &request).await;
    assert!(reply.starts_with("HTTP/1.1 408 ") && reply.contains("Request Timeout"), "{reply}");
    entity(&post(&server, &server.chat().await, whole).await);
    assert_eq!(blobs(&server).len(), 1);
}

#[tokio::test]
async fn other_methods_and_places_are_refused() {
    let server = server().await;
    let chat = server.chat().await;
    let uuid = entity(&post(&server, &chat, one_file(b"x")).await)["uuid"].as_str().unwrap().to_owned();
    let path = server.chat_path(&format!("chatfiles/{uuid}"));
    refused(&chat.delete(&path).await, 405, "method_not_allowed", "Method Not Allowed");
    refused(&chat.get(&server.chat_path("chatfiles")).await, 405, "method_not_allowed", "Method Not Allowed");
    let by_id = chat.get(&format!("/app-id/{}/chatfiles/{uuid}", stentor_testkit::APP)).await;
    assert_eq!(by_id.body, "x");
    assert_eq!(by_id.headers["x-content-type-options"], HeaderValue::from_static("nosniff"));
}
