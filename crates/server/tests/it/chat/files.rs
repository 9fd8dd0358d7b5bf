//! Files: up, down, and gone.

mod bucket;
mod download;
mod keeping;
#[expect(dead_code, reason = "the tests of the file store use the rest")]
#[path = "../../../../files/tests/it/s3_server.rs"]
mod s3_server;
mod upload;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use stentor_testkit::{Http, Reply, TestServer};

const BOUNDARY: &str = "---WebKitFormBoundary7MA4YWxkTrZu0gW";

/// A part of a form: its name, what else its disposition says, its type, its bytes.
pub(super) type Part<'a> = (&'a str, &'a str, Option<&'a str>, &'a [u8]);

pub(super) fn form(parts: &[Part<'_>]) -> Bytes {
    let mut form = Vec::new();
    for (name, more, content_type, bytes) in parts {
        form.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n").bytes());
        if let Some(content_type) = content_type {
            form.extend(format!("Content-Type: {content_type}\r\n").bytes());
        }
        form.extend(b"\r\n");
        form.extend(*bytes);
        form.extend(b"\r\n");
    }
    form.extend(format!("--{BOUNDARY}--\r\n").bytes());
    form.into()
}

/// A form with one file.
pub(super) fn one_file(bytes: &[u8]) -> Bytes {
    form(&[("file", "; filename=\"IMG_2953.JPG\"", Some("application/octet-stream"), bytes)])
}

async fn post(server: &TestServer, http: &Http, form: Bytes) -> Reply {
    post_to(&server.chat_path("chatfiles"), http, form).await
}

pub(super) async fn post_to(path: &str, http: &Http, form: Bytes) -> Reply {
    let http = http.clone().header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
    http.send(Method::POST, path, form).await
}

/// The entity of an upload that succeeds.
#[track_caller]
fn entity(reply: &Reply) -> Value {
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()["entities"][0].clone()
}

/// Uploads a file that anybody may read; returns its path.
async fn upload(server: &TestServer, bytes: &[u8]) -> String {
    let entity = entity(&post(server, &server.chat().await, one_file(bytes)).await);
    server.chat_path(&format!("chatfiles/{}", entity["uuid"].as_str().expect("a UUID")))
}

/// Bytes that are nowhere alike.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

/// The blobs that are there, thumbnails included.
pub(super) fn blobs(server: &TestServer) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(server.data_dir().join("files")).expect("a folder");
    let folders = folders.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    folders.flat_map(|folder| std::fs::read_dir(folder).expect("a folder")).map(|entry| entry.unwrap().path()).collect()
}
