//! Replays `transcripts/*.http`, the examples of the documents: see the README there for the format.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};
use stentor_testkit::{APP, CHAT, Client, ClientOptions, TestApp, TestServer, token, token_006};

/// The instruction for bodies whose lines end as those of forms do.
const FORM: &str = "lines of the body end with CR LF";

/// The hour in which the clock of tests starts, if it stands.
const HOUR: &str = "2023111422";

/// One exchange.
#[derive(Debug, Default)]
struct Transcript {
    given: Vec<String>,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    reply_headers: Vec<(String, String)>,
    reply: String,
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

/// Lines up to the first blank one.
fn until_blank<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.take_while(|line| !line.trim().is_empty()).collect()
}

fn parse(text: &str) -> Option<Transcript> {
    let mut transcript = Transcript::default();
    let mut lines = text.lines().peekable();
    while let Some(comment) = lines.next_if(|line| line.starts_with('#')) {
        transcript.given.extend(comment.strip_prefix("# given: ").map(str::to_owned));
    }
    let (method, path) = lines.next()?.split_once(' ')?;
    (transcript.method, transcript.path) = (method.to_owned(), path.to_owned());
    transcript.headers = until_blank(&mut lines).into_iter().filter_map(header).collect();
    let mut body = Vec::new();
    let status = loop {
        let line = lines.next()?;
        if let Some(status) = line.strip_prefix("HTTP ") {
            break status;
        }
        body.push(line);
    };
    transcript.body = body.join("\n").trim_end().to_owned();
    transcript.status = status.trim().parse().ok()?;
    transcript.reply_headers = until_blank(&mut lines).into_iter().filter_map(header).collect();
    transcript.reply = lines.collect::<Vec<_>>().join("\n");
    Some(transcript)
}

/// Removes the white space between the tokens of JSON. Leaves what is none as it is.
fn compact(json: &str) -> String {
    if !json.starts_with(['{', '[']) {
        return json.to_owned();
    }
    let (mut compacted, mut in_string, mut escaped) = (String::new(), false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        compacted.push(character);
    }
    compacted
}

/// Whether `found` is `expected` with its placeholders filled in. Says where they part.
fn matches(expected: &str, found: &str, request_id: &str) -> Result<(), String> {
    let (mut expected, mut found) = (expected, found);
    loop {
        let digits = found.len() - found.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if let Some(rest) = expected.strip_prefix("<id>") {
            if digits == 0 || digits > 20 || &found[..digits] != request_id {
                return Err(format!("{request_id:?} expected at {found:?}"));
            }
            (expected, found) = (rest, &found[digits..]);
        } else if let Some(rest) = expected.strip_prefix("<ms>") {
            if digits != 13 {
                return Err(format!("a time expected at {found:?}"));
            }
            (expected, found) = (rest, &found[digits..]);
        } else if let Some(rest) = expected.strip_prefix("<n>").filter(|_| digits > 0) {
            (expected, found) = (rest, &found[digits..]);
        } else if let Some(rest) = expected.strip_prefix("<messageid>").filter(|_| (15..=19).contains(&digits)) {
            (expected, found) = (rest, &found[digits..]);
        } else if let Some(rest) = expected.strip_prefix("<secret>").filter(|_| is_base64(found, 48)) {
            (expected, found) = (rest, &found[48..]);
        } else if let Some(rest) = expected.strip_prefix("<signature>").filter(|_| is_base64(found, 43)) {
            (expected, found) = (rest, &found[43..]);
        } else if let Some(rest) = expected.strip_prefix("<uuid>").filter(|_| is_uuid(found)) {
            (expected, found) = (rest, &found[36..]);
        } else {
            match (expected.chars().next(), found.chars().next()) {
                (None, None) => return Ok(()),
                (Some(wanted), Some(got)) if wanted == got => {
                    (expected, found) = (&expected[wanted.len_utf8()..], &found[got.len_utf8()..]);
                }
                _ => return Err(format!("{expected:?} expected at {found:?}")),
            }
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let hex =
        |(at, byte): (usize, u8)| if [8, 13, 18, 23].contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() >= 36 && text.bytes().take(36).enumerate().all(hex)
}

/// Base64 as URLs have it.
fn is_base64(text: &str, length: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() >= length && text.bytes().take(length).all(plain)
}

fn fill(text: &str, now_ms: u64) -> String {
    let mut filled = text.replace("<appid>", APP).replace("<basic>", &STANDARD.encode("cid:csec"));
    filled = filled.replace("<org>", CHAT[0]).replace("<app>", CHAT[1]);
    for (name, make) in [("<token006 ", token_006 as fn(&str, u64) -> String), ("<token007 ", token)] {
        while let Some(start) = filled.find(name) {
            let end = start + filled[start..].find('>').expect("the placeholder ends");
            let made = make(&filled[start + name.len()..end], now_ms);
            filled.replace_range(start..=end, &made);
        }
    }
    filled
}

/// The clients that a transcript wants, by user.
type Clients = BTreeMap<String, Client>;

/// What the instructions made, by the placeholder that stands for it.
type Made = BTreeMap<&'static str, String>;

fn put_in(text: &str, made: &Made) -> String {
    made.iter().fold(text.to_owned(), |text, (placeholder, value)| text.replace(placeholder, value))
}

/// An instruction of the Chat API. `false` if it is none.
async fn prepare_chat(server: &TestServer, made: &mut Made, given: &str) -> bool {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    if let Some(message) = given.strip_prefix("user1 has sent user2 ") {
        let mut body: Value = serde_json::from_str(message).expect("a message");
        (body["from"], body["to"]) = (json!("user1"), json!(["user2"]));
        let reply = server.chat().await.post(&server.chat_path("messages/users"), &body).await.json();
        made.insert("<sent>", text(&reply["data"]["user2"]));
        made.insert("<hour>", HOUR.to_owned());
    } else if let Some(user) = given.strip_suffix(" owns the group") {
        let body = json!({ "groupname": "team", "public": true, "owner": user });
        let reply = server.chat().await.post(&server.chat_path("chatgroups"), &body).await.json();
        made.insert("<group>", text(&reply["data"]["groupid"]));
    } else if let Some((method, rest)) = given.split_once(' ').filter(|(method, _)| ["POST", "PUT"].contains(method)) {
        let (path, body) = rest.split_once(' ').expect("a path and a body");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let reply = server.chat().await.send(method, &server.chat_path(path), body.to_owned().into()).await;
        assert_eq!(reply.code(), 200, "{given}: {}", reply.text());
    } else if given == "a file is shared" {
        let path = server.chat_path(&format!("chatgroups/{}/share_files", made["<group>"]));
        let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"159781149272586.jpg\"\r\n\r\n\
                    Hello world\r\n--b--\r\n";
        let http = server.chat().await.header("content-type", "multipart/form-data; boundary=b");
        let reply = http.send(Method::POST, &path, form.into()).await.json();
        made.insert("<file>", text(&reply["data"]["file_id"]));
    } else {
        return false;
    }
    true
}

async fn prepare(server: &TestServer, clients: &mut Clients, given: &str) {
    let connect = async |user: &str, auto_ack: bool| {
        let options = ClientOptions { auto_ack, ..ClientOptions::default() };
        server.connect(server.login(user), options).await.unwrap()
    };
    if let Some(user) = given.strip_suffix(" is logged in") {
        clients.insert(user.to_owned(), connect(user, false).await);
    } else if let Some(user) = given.strip_suffix(" acks") {
        clients.insert(user.to_owned(), connect(user, true).await);
    } else if let Some((user, channel)) = given.split_once(" has joined ") {
        clients[user].join(channel).await.unwrap();
    } else if let Some(user) = given.strip_suffix(" is registered") {
        server.register(&[user]).await;
    } else if let Some(kind) = given.strip_suffix(" events are empty") {
        let path = server.path(&format!("vendor/{kind}_events"));
        assert_eq!(server.http().get(&path).await.code(), 200);
    } else {
        assert!(given.starts_with("option ") || given == FORM, "no such instruction: {given}");
    }
}

async fn replay(transcript: &Transcript) -> Result<(), String> {
    let options = transcript.given.iter().filter_map(|given| given.strip_prefix("option "));
    let app = options.fold(TestApp::new().chat(), |app, option| app.app(option));
    let builder = TestServer::builder().app(app);
    // Where the hour matters, it must not end meanwhile.
    let stands = transcript.given.iter().any(|given| given.contains(" has sent "));
    let server = if stands { builder.manual_clock() } else { builder }.start().await;
    let (mut clients, mut made) = (Clients::new(), Made::new());
    for given in &transcript.given {
        if !prepare_chat(&server, &mut made, given).await {
            prepare(&server, &mut clients, given).await;
        }
    }
    let fill = |text: &str| put_in(&fill(text, server.now_ms()), &made);
    let mut http = server.anonymous();
    for (name, value) in &transcript.headers {
        let mut value = fill(value);
        if value.contains("<apptoken>") {
            value = value.replace("<apptoken>", &server.chat_app_token().await);
        }
        http = http.header(name, &value);
    }
    let method: Method = transcript.method.parse().map_err(|error| format!("{error}"))?;
    let path = fill(&transcript.path);
    let is_form = transcript.given.iter().any(|given| given == FORM);
    let body = if is_form { transcript.body.replace('\n', "\r\n") + "\r\n" } else { transcript.body.clone() };
    let reply = http.send(method, &path, body.into()).await;
    if reply.code() != transcript.status {
        return Err(format!("{} instead of {}: {}", reply.code(), transcript.status, reply.text()));
    }
    for (name, value) in &transcript.reply_headers {
        let found = reply.headers.get(name.as_str()).and_then(|found| found.to_str().ok());
        if found != Some(value) {
            return Err(format!("{name}: {found:?} instead of {value:?}"));
        }
    }
    let request_id = reply.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let expected = fill(&transcript.reply).replace("<url>", &format!("http://{}", server.address()));
    matches(&compact(&expected), &reply.text(), request_id)
}

/// The transcripts of a folder, by name.
fn transcripts(folder: &str) -> Vec<(String, Transcript)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts").join(folder);
    let files = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "http")).collect();
    files.sort();
    let read = |file: std::path::PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let transcript =
            parse(&std::fs::read_to_string(&file).unwrap()).unwrap_or_else(|| panic!("{name} is malformed"));
        (name, transcript)
    };
    files.into_iter().map(read).collect()
}

async fn replay_all(folder: &str, at_least: usize) {
    let transcripts = transcripts(folder);
    assert!(transcripts.len() >= at_least, "the transcripts are gone");
    let mut wrong = Vec::new();
    for (name, transcript) in transcripts {
        if let Err(why) = replay(&transcript).await {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_example_of_the_documents_is_answered_as_documented() {
    replay_all("", 8).await;
}

#[tokio::test]
async fn every_example_of_the_chat_documents_is_answered_as_documented() {
    replay_all("chat", 18).await;
}

#[test]
fn the_comparison_is_strict() {
    assert_eq!(compact("{ \"a b\" : [ 1,\n 2 ], \"c\\\" \": 3 }"), r#"{"a b":[1,2],"c\" ":3}"#);
    assert!(matches(r#"{"id":"<id>","t":<ms>}"#, r#"{"id":"77","t":1700000000000}"#, "77").is_ok());
    assert!(matches(r#"{"id":"<id>"}"#, r#"{"id":"78"}"#, "77").is_err());
    assert!(matches(r#"{"t":<ms>}"#, r#"{"t":1700000000}"#, "77").is_err());
    assert!(matches(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, "77").is_err());
    assert!(matches(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, "77").is_err());
}
