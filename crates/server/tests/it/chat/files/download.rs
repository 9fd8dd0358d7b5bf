//! `GET chatfiles/{uuid}`.

use http::Method;
use stentor_testkit::{Http, Reply};

use super::super::{refused, server};
use super::{blobs, entity, form, noise, post, upload};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).and_then(|value| value.to_str().ok())
}

async fn part(http: &Http, path: &str, range: &str) -> Reply {
    http.clone().header("range", range).get(path).await
}

#[tokio::test]
async fn an_open_file_is_anybodys() {
    let server = server().await;
    let bytes = noise(300_000);
    let path = upload(&server, &bytes).await;
    server.register(&["user1"]).await;
    for http in [server.anonymous(), server.chat().await, server.chat_as("user1").await] {
        let reply = http.get(&format!("{path}?em-redirect=true&share-secret=anything")).await;
        assert_eq!((reply.code(), reply.body == bytes), (200, true));
        assert_eq!(header(&reply, "content-type"), Some("application/octet-stream"));
        assert_eq!(header(&reply, "content-disposition"), Some("attachment; filename=\"IMG_2953.JPG\""));
        assert_eq!(header(&reply, "content-length"), Some("300000"));
        assert_eq!(header(&reply, "content-security-policy"), Some("default-src 'none'; sandbox"));
    }
    let upper = path.rsplit_once('/').map(|(start, uuid)| format!("{start}/{}", uuid.to_uppercase())).unwrap();
    assert_eq!(server.anonymous().get(&upper).await.body, bytes);
    let bad = server.anonymous().bearer("bad").get(&path).await;
    refused(&bad, 401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token");
}

#[tokio::test]
async fn a_restricted_file_needs_its_secret() {
    let server = server().await;
    let chat = server.chat().await.header("restrict-access", "true");
    let mut found = Vec::new();
    for bytes in [b"first", b"other"] {
        let entity = entity(&post(&server, &chat, super::one_file(bytes)).await);
        let path = server.chat_path(&format!("chatfiles/{}", entity["uuid"].as_str().unwrap()));
        found.push((path, entity["share-secret"].as_str().unwrap().to_owned()));
    }
    let (path, secret) = &found[0];
    let anybody = server.anonymous();
    assert_eq!(anybody.clone().header("share-secret", secret).get(path).await.body, "first");
    assert_eq!(anybody.get(&format!("{path}?share-secret={secret}")).await.body, "first");
    assert_eq!(server.chat().await.header("share-secret", secret).get(path).await.body, "first");
    let other = &found[1].1;
    for refusal in [
        anybody.get(path).await,
        server.chat().await.get(path).await,
        anybody.clone().header("share-secret", other).get(path).await,
        anybody.get(&format!("{path}?share-secret=")).await,
        anybody.get(&format!("{path}?share-secret={}", &secret[..47])).await,
        anybody.clone().header("thumbnail", "true").get(path).await,
    ] {
        refused(&refusal, 401, "unauthorized", "Unable to authenticate (OAuth)");
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let server = server().await;
    let path = upload(&server, b"x").await;
    let (start, uuid) = path.rsplit_once('/').unwrap();
    for uuid in [&uuid.replace(|c: char| c.is_ascii_digit(), "a"), "nothing", "..%2f..%2fstentor.db", "%00"] {
        let reply = server.anonymous().get(&format!("{start}/{uuid}")).await;
        let body = refused(&reply, 404, "entity_not_found", "file may not exists");
        assert_eq!(body["exception"], "EntityNotFoundException");
    }
    // Somebody has taken the bytes away.
    std::fs::remove_file(&blobs(&server)[0]).unwrap();
    refused(&server.anonymous().get(&path).await, 404, "entity_not_found", "file may not exists");
}

#[tokio::test]
async fn parts_make_the_whole() {
    let server = server().await;
    let bytes = noise(300_000);
    let path = upload(&server, &bytes).await;
    let http = server.anonymous();
    let mut got: Vec<u8> = Vec::new();
    // As somebody whose connection breaks now and then.
    while got.len() < bytes.len() {
        let reply = part(&http, &path, &format!("bytes={}-", got.len())).await;
        assert_eq!(reply.code(), 206);
        assert_eq!(header(&reply, "content-range"), Some(format!("bytes {}-299999/300000", got.len()).as_str()));
        got.extend(&reply.body[..reply.body.len().min(70_001)]);
    }
    assert_eq!(got, bytes);
    for (range, expected) in
        [("bytes=0-0", &bytes[..1]), ("bytes=-5", &bytes[299_995..]), ("bytes=131071-131073", &bytes[131_071..131_074])]
    {
        let reply = part(&http, &path, range).await;
        assert_eq!((reply.code(), &reply.body[..]), (206, expected), "{range}");
        assert_eq!(header(&reply, "content-length"), Some(expected.len().to_string().as_str()));
    }
    for whole in ["bytes=5-4", "lines=1-2", "bytes=0-1,3-4"] {
        assert_eq!(part(&http, &path, whole).await.body, bytes, "{whole}");
    }
    let beyond = part(&http, &path, "bytes=300000-").await;
    refused(&beyond, 416, "range_not_satisfiable", "the range is not satisfiable");
    assert_eq!(header(&beyond, "content-range"), Some("bytes */300000"));
}

#[tokio::test]
async fn a_range_is_only_of_the_version_that_the_client_knows() {
    let server = server().await;
    let path = upload(&server, b"0123456789").await;
    let http = server.anonymous().header("range", "bytes=2-3");
    let tag = header(&http.get(&path).await, "etag").unwrap().to_owned();
    assert_eq!(http.clone().header("if-range", &tag).get(&path).await.body, "23");
    assert_eq!(http.clone().header("if-range", "\"other\"").get(&path).await.body, "0123456789");
}

#[tokio::test]
async fn head_has_everything_but_the_bytes() {
    let server = server().await;
    let path = upload(&server, &noise(1000)).await;
    let reply = server.anonymous().header("range", "bytes=0-9").send(Method::HEAD, &path, "".into()).await;
    assert_eq!((reply.code(), reply.body.len()), (200, 0));
    assert_eq!((header(&reply, "content-length"), header(&reply, "accept-ranges")), (Some("1000"), Some("bytes")));
    let nothing = server.anonymous().send(Method::HEAD, &format!("{path}0"), "".into()).await;
    assert_eq!(nothing.code(), 404);
}

#[tokio::test]
async fn a_page_is_never_served_as_one() {
    let server = server().await;
    let chat = server.chat().await;
    let html = b"<script>alert(1)</script>".as_slice();
    for (declared, bytes, served) in [
        ("text/html", html, "application/octet-stream"),
        ("image/svg+xml", html, "application/octet-stream"),
        ("image/png", html, "application/octet-stream"),
        ("text/html", PNG, "image/png"),
        ("audio/amr", b"#!AMR".as_slice(), "audio/amr"),
    ] {
        let form = form(&[("file", "; filename=\"a\\\\b/\u{4f60}.html\"", Some(declared), bytes)]);
        let uuid = entity(&post(&server, &chat, form).await)["uuid"].as_str().unwrap().to_owned();
        let reply = server.anonymous().get(&server.chat_path(&format!("chatfiles/{uuid}"))).await;
        assert_eq!((header(&reply, "content-type"), &reply.body[..]), (Some(served), bytes), "{declared}");
        let disposition = header(&reply, "content-disposition").unwrap();
        assert!(disposition.ends_with("filename=\"_.html\"; filename*=UTF-8''%E4%BD%A0.html"), "{disposition}");
        assert_eq!(disposition.starts_with("attachment"), served == "application/octet-stream");
    }
}

/// A picture of this width and height, much larger than 10 KB: an uncompressed-looking PNG of noise is made by hand, since
/// the server's tests know no encoder.
fn picture() -> Vec<u8> {
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut crc = 0xffff_ffff_u32;
        for byte in kind.iter().chain(data) {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), &kind[..], data, &(!crc).to_be_bytes()].concat()
    }
    const SIDE: usize = 200;
    let gray = noise(SIDE * SIDE);
    let raw: Vec<u8> = gray.chunks(SIDE).flat_map(|row| [&[0], row].concat()).collect();
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in &raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut stream = vec![0x78, 0x01];
    let blocks: Vec<_> = raw.chunks(65_535).collect();
    for (number, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        stream.push(u8::from(number + 1 == blocks.len()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(*block);
    }
    stream.extend((b << 16 | a).to_be_bytes());
    let header = [&200_u32.to_be_bytes()[..], &200_u32.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let parts = [chunk(b"IHDR", &header), chunk(b"IDAT", &stream), chunk(b"IEND", &[])].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &parts].concat()
}

/// Width and height of a JPEG.
fn jpeg_size(bytes: &[u8]) -> (u16, u16) {
    let at = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a baseline JPEG");
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    (number(at + 7), number(at + 5))
}

#[tokio::test]
async fn thumbnails_fit_the_box_of_the_upload() {
    let server = server().await;
    let chat = server.chat().await;
    let whole = picture();
    let file: super::Part<'_> = ("file", "; filename=\"a.png\"", Some("image/png"), &whole);
    for (form, sized, expected) in [
        (form(&[file]), None, (170, 170)),
        (form(&[file]), Some("50"), (50, 50)),
        (form(&[file, ("thumbnail-height", "", None, b"60"), ("thumbnail-width", "", None, b"60")]), None, (60, 60)),
    ] {
        let http = match sized {
            Some(pixels) => chat.clone().header("thumbnail-width", pixels).header("thumbnail-height", pixels),
            None => chat.clone(),
        };
        let uuid = entity(&post(&server, &http, form).await)["uuid"].as_str().unwrap().to_owned();
        let path = server.chat_path(&format!("chatfiles/{uuid}"));
        let thumbnail = server.anonymous().header("thumbnail", "true").get(&path).await;
        assert_eq!((thumbnail.code(), header(&thumbnail, "content-type")), (200, Some("image/jpeg")));
        assert_eq!(jpeg_size(&thumbnail.body), expected);
        let again = server.anonymous().get(&format!("{path}?thumbnail=true")).await;
        assert_eq!(again.body, thumbnail.body);
        assert_eq!(
            part(&server.anonymous().header("thumbnail", "true"), &path, "bytes=2-9").await.body,
            &again.body[2..10]
        );
        assert_eq!(server.anonymous().header("thumbnail", "false").get(&path).await.body, whole);
    }
    // What has none is sent itself.
    let path = upload(&server, b"no picture").await;
    assert_eq!(server.anonymous().header("thumbnail", "true").get(&path).await.body, "no picture");
}
