//! Files in a bucket: the same for clients, and an answer when the bucket has none.

use std::time::Duration;

use axum::http::StatusCode;
use stentor_testkit::{TestApp, TestServer, eventually};

use super::super::refused;
use super::s3_server::{BUCKET, KEY_ID, S3Server};
use super::{entity, noise, one_file, post, upload};

/// What a bucket is sent at a time.
const PART: usize = 5 * 1024 * 1024;

async fn server(bucket: &S3Server) -> TestServer {
    let files = format!(
        "[files]\nurl = \"s3://{BUCKET}/chat\"\ns3_endpoint = \"{}\"\ns3_region = \"eu-central-1\"\n\
         s3_access_key_id = \"{KEY_ID}\"\ns3_secret_access_key = \"secret\"",
        bucket.endpoint
    );
    TestServer::builder().app(TestApp::new().chat()).config(&files).manual_clock().start().await
}

#[tokio::test]
async fn files_go_up_and_down_and_expire_in_a_bucket() {
    let bucket = S3Server::start().await;
    let server = server(&bucket).await;
    for size in [1, PART, PART + 1] {
        let bytes = noise(size);
        let path = upload(&server, &bytes).await;
        let whole = server.anonymous().get(&path).await;
        assert_eq!((whole.code(), whole.body == bytes), (200, true), "{size}");
        let end = server.anonymous().header("range", "bytes=-1").get(&path).await;
        assert_eq!((end.code(), &end.body[..]), (206, &bytes[size - 1..]), "{size}");
    }
    assert_eq!((bucket.objects().len(), bucket.unfinished()), (3, 0));
    assert!(bucket.objects().iter().all(|name| name.starts_with("chat/")), "{:?}", bucket.objects());
    assert!(!server.data_dir().join("files").exists(), "nothing is kept here");
    server.clock().advance(Duration::from_secs(7 * 86_400));
    eventually("expired files are deleted", || {
        server.advance(Duration::from_secs(61));
        let left = bucket.objects().len();
        async move { if left == 0 { Ok(()) } else { Err(left) } }
    })
    .await;
}

#[tokio::test]
async fn a_bucket_that_fails_is_told_and_leaves_nothing() {
    let bucket = S3Server::start().await;
    let server = server(&bucket).await;
    let chat = server.chat().await;
    bucket.answer(Some(StatusCode::FORBIDDEN));
    let reply = post(&server, &chat, one_file(b"x")).await;
    refused(&reply, 500, "internal_error", "internal error");
    bucket.answer(None);
    assert_eq!((bucket.objects().len(), bucket.unfinished()), (0, 0));
    let entity = entity(&post(&server, &chat, one_file(b"x")).await);
    assert!(entity["uuid"].is_string());
    assert_eq!(bucket.objects().len(), 1);
}
