//! How long files stay, and what is left of uploads that were killed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stentor_testkit::{CHAT, Http, TestApp, TestProcess, TestServer, eventually};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::super::{refused, server};
use super::{BOUNDARY, blobs, noise, one_file, post, upload};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Does what is due in a minute, until it is so.
async fn swept(server: &TestServer, left: usize) {
    eventually("expired files are deleted", || {
        server.advance(Duration::from_secs(61));
        let found = blobs(server).len();
        async move { if found == left { Ok(()) } else { Err(found) } }
    })
    .await;
}

#[tokio::test]
async fn a_file_expires_and_its_bytes_go() {
    let server = server().await;
    let path = upload(&server, b"x").await;
    let uuid = path.rsplit_once('/').unwrap().1.to_owned();
    server.clock().advance(WEEK - Duration::from_millis(1));
    assert_eq!(server.anonymous().get(&path).await.body, "x");
    let late = upload(&server, b"late").await;
    server.clock().advance(Duration::from_millis(1));
    let expired = format!("file {uuid} is expired");
    refused(&server.anonymous().get(&path).await, 404, "file_expired", &expired);
    swept(&server, 1).await;
    refused(&server.anonymous().get(&path).await, 404, "file_expired", &expired);
    assert_eq!(server.anonymous().get(&late).await.body, "late");
    server.clock().advance(Duration::from_secs(31 * 86_400));
    swept(&server, 0).await;
    eventually("it is forgotten", || {
        server.advance(Duration::from_secs(61));
        let http = server.anonymous();
        let path = path.clone();
        async move {
            let reply = http.get(&path).await.json();
            if reply["error"] == "entity_not_found" { Ok(()) } else { Err(reply) }
        }
    })
    .await;
}

#[tokio::test]
async fn what_expires_gives_its_quota_back() {
    let app = TestApp::new().chat().chat_option("files_bytes = 10").chat_option("file_retention_s = 60");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    upload(&server, b"0123456789").await;
    let chat = server.chat().await;
    let full = post(&server, &chat, one_file(b"x")).await;
    refused(&full, 403, "exceed_limit", "the files of this app exceed the maximum limit.");
    swept(&server, 0).await;
    // The bytes go first, and then they count no more.
    eventually("there is room again", || {
        let (server, chat) = (&server, &chat);
        async move {
            let reply = post(server, chat, one_file(b"0123456789")).await;
            if reply.code() == 200 { Ok(()) } else { Err(reply) }
        }
    })
    .await;
}

#[tokio::test]
async fn files_survive_a_restart_and_so_does_their_end() {
    let builder = || TestServer::builder().app(TestApp::new().chat()).manual_clock();
    let server = builder().embedded().start().await;
    let bytes = noise(300_000);
    let path = upload(&server, &bytes).await;
    let secret_app = server.chat().await.header("restrict-access", "true");
    let entity = super::entity(&post(&server, &secret_app, one_file(b"secret")).await);
    let directory = server.shutdown().await;
    let server = builder().directory(directory).start().await;
    assert_eq!(server.anonymous().get(&path).await.body, bytes);
    let restricted = server.chat_path(&format!("chatfiles/{}", entity["uuid"].as_str().unwrap()));
    assert_eq!(server.anonymous().get(&restricted).await.code(), 401);
    let secret = entity["share-secret"].as_str().unwrap();
    assert_eq!(server.anonymous().header("share-secret", secret).get(&restricted).await.body, "secret");
    server.clock().advance(WEEK);
    swept(&server, 0).await;
}

#[tokio::test]
async fn orphans_go_when_they_are_old() {
    let server = TestServer::builder().app(TestApp::new().chat()).embedded().start().await;
    let path = upload(&server, b"kept").await;
    let kept = blobs(&server)[0].clone();
    let orphan = |digit: &str| kept.with_file_name(format!("{digit}5f12940-64af-41e4-8a5b-ff2336f03251"));
    let foreign = server.data_dir().join("files/other/55f12940-64af-41e4-8a5b-ff2336f03251");
    std::fs::create_dir(foreign.parent().unwrap()).unwrap();
    let (old, young) = (orphan("a"), orphan("b"));
    for file in [&old, &young, &foreign] {
        std::fs::write(file, "orphan").unwrap();
    }
    #[expect(clippy::disallowed_methods, reason = "the file system has the machine's time")]
    let two_days_ago = SystemTime::now() - Duration::from_secs(2 * 86_400);
    for file in [&old, &kept, &foreign] {
        std::fs::File::options().write(true).open(file).unwrap().set_modified(two_days_ago).unwrap();
    }
    let directory: Arc<_> = server.shutdown().await;
    let server = TestServer::builder().app(TestApp::new().chat()).directory(directory).start().await;
    eventually("the orphan is swept", || {
        let there = old.exists();
        async move { if there { Err("there") } else { Ok(()) } }
    })
    .await;
    assert!(young.exists(), "its upload may still go on");
    assert!(foreign.exists(), "its app is not ours");
    assert_eq!(server.anonymous().get(&path).await.body, "kept");
}

async fn token(http: &Http) -> String {
    let body =
        serde_json::json!({ "grant_type": "client_credentials", "client_id": CHAT[2], "client_secret": CHAT[3] });
    let reply = http.post(&format!("/{}/{}/token", CHAT[0], CHAT[1]), &body).await.json();
    reply["access_token"].as_str().expect("a token").to_owned()
}

/// Files in the folder of files, without the lock.
fn files_in(directory: &std::path::Path) -> usize {
    let folders = std::fs::read_dir(directory.join("files")).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|path| path.is_dir()).map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
}

#[tokio::test]
async fn an_upload_that_is_killed_leaves_nothing_and_secrets_are_not_logged() {
    let temporary = tempfile::tempdir().unwrap();
    let data = temporary.path().join("data");
    let config = temporary.path().join("stentor.toml");
    std::fs::write(&config, TestApp::new().chat().to_toml()).unwrap();
    let arguments = ["--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let binary = env!("CARGO_BIN_EXE_stentor");
    let variables = [("STENTOR_LOG", "trace")];
    let process = TestProcess::serve(binary, temporary.path(), &arguments, &variables).await;
    let http = process.http().bearer(&token(&process.http()).await);
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let path = format!("/{}/{}/chatfiles", CHAT[0], CHAT[1]);
    let sending = http.clone().header("content-type", &content_type).header("restrict-access", "true");
    let reply = sending.send(http::Method::POST, &path, one_file(b"kept")).await.json();
    let entity = reply["entities"][0].clone();
    let (uuid, secret) = (entity["uuid"].as_str().unwrap(), entity["share-secret"].as_str().unwrap());
    let url = format!("{path}/{uuid}?share-secret={secret}");
    assert_eq!(process.http().get(&url).await.body, "kept");
    let mut upload = TcpStream::connect(process.address()).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: {content_type}\r\n\
         content-length: 9000000\r\n\r\n",
        token(&process.http()).await
    );
    upload.write_all(head.as_bytes()).await.unwrap();
    upload.write_all(&one_file(&noise(2_000_000))[..2_000_000]).await.unwrap();
    eventually("half of the file is on the disk", || {
        let files = files_in(&data);
        async move { if files == 2 { Ok(()) } else { Err(files) } }
    })
    .await;
    let log = process.errors();
    process.kill().await;
    assert!(!log.contains(secret), "the secret is in the log");
    let process = TestProcess::serve(binary, temporary.path(), &arguments, &variables).await;
    assert_eq!(files_in(&data), 1);
    assert_eq!(process.http().get(&url).await.body, "kept");
}
