//! The log of pushes finds what it is there to find, and nothing else.

use serde_json::json;

use super::*;
use crate::crash::oracle::{To, Wish};

const USER: &str = "chat-idle";

/// An oracle that knows of messages to the first device of a user; the user's mailboxes.
fn sent(user: &str, messages: usize) -> (Oracle, Vec<Mailbox>) {
    let mut oracle = Oracle::new(roster::names());
    let mailboxes: Vec<_> = roster::mailboxes_of(user).collect();
    for _ in 0..messages {
        let to = To::mailboxes(mailboxes.clone());
        let number = oracle.begin(roster::user_sender(0), to, Wish { keep: true, history: false });
        oracle.answered(number, 200, false);
    }
    (oracle, mailboxes)
}

fn push(number: Number, user: &str, device: &str) -> Value {
    let id = 100 + number;
    json!({
        "id": format!("{id}:{user}:{device}"), "token": token(user, device), "title": "x",
        "content": format!("backend-0: {number}:"),
        "custom": {"t": user, "f": "backend-0", "m": id.to_string()},
    })
}

struct Scene {
    oracle: Oracle,
    log: PushLog,
}

impl Scene {
    fn new(messages: usize) -> Self {
        Self { oracle: sent(USER, messages).0, log: PushLog::default() }
    }

    fn comes(&mut self, body: &Value, life: u64) -> Option<Try> {
        let device = body["id"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default();
        self.log.came(certificate_of(device), body.to_string().as_bytes(), life, (&self.oracle, "g"))
    }

    fn taken(&mut self, body: &Value, life: u64) {
        let one = self.comes(body, life).unwrap();
        self.log.answered(one, true);
    }

    fn found(&mut self) -> usize {
        self.log.settle(&self.oracle);
        std::mem::take(&mut self.log.violations).len()
    }
}

#[test]
fn what_came_to_every_device_is_not_missing_whenever_it_came() {
    let mut scene = Scene::new(1);
    scene.log.owe(0, USER, 100, true);
    scene.log.owe(0, USER, 100, true);
    scene.taken(&push(0, USER, "web"), 0);
    assert_eq!(scene.log.missing(&scene.oracle), 1);
    scene.taken(&push(0, USER, "phone"), 0);
    assert_eq!((scene.log.missing(&scene.oracle), scene.found(), scene.log.counts.owed), (0, 0, 2));
    let mut scene = Scene::new(1);
    scene.taken(&push(0, USER, "web"), 0);
    scene.log.owe(0, USER, 100, false);
    assert_eq!((scene.found(), scene.log.counts.unacked), (1, 2), "the phone lacks it");
}

#[test]
fn what_was_not_taken_is_missing() {
    let mut scene = Scene::new(1);
    let one = scene.comes(&push(0, USER, "web"), 0).unwrap();
    scene.log.answered(one, false);
    scene.log.owe(0, USER, 100, true);
    assert_eq!(scene.log.missing(&scene.oracle), 2);
    scene.taken(&push(0, USER, "web"), 0);
    assert_eq!((scene.log.missing(&scene.oracle), scene.log.counts.repeated), (1, 0));
}

#[test]
fn it_comes_again_only_for_a_reason() {
    let mut scene = Scene::new(1);
    scene.taken(&push(0, USER, "web"), 0);
    scene.taken(&push(0, USER, "web"), 1);
    assert_eq!((scene.found(), scene.log.counts.repeated), (0, 1), "it was killed in between");
    scene.taken(&push(0, USER, "web"), 1);
    assert_eq!(scene.found(), 1, "it was taken");
    let mut scene = Scene::new(1);
    scene.comes(&push(0, USER, "web"), 0);
    scene.comes(&push(0, USER, "web"), 0);
    assert_eq!(scene.found(), 1, "two at once");
}

#[test]
fn what_comes_again_is_the_same() {
    let mut scene = Scene::new(1);
    scene.taken(&push(0, USER, "web"), 0);
    let mut other = push(0, USER, "web");
    other["title"] = json!("y");
    scene.comes(&other, 1);
    assert_eq!(scene.found(), 1);
}

#[test]
fn what_is_not_of_the_message_is_found() {
    let changes: [(&str, Value); 8] = [
        ("/id", json!("100:chat-idle:watch")),
        ("/id", json!("99:chat-idle:web")),
        ("/token", json!("another")),
        ("/content", json!("backend-0: 0:p")),
        ("/content", json!("backend-0: 7:")),
        ("/custom/f", json!("backend-1")),
        ("/custom/g", json!("g")),
        ("/custom/t", json!("chat-mute")),
    ];
    for (at, value) in changes {
        let mut scene = Scene::new(1);
        let mut body = push(0, USER, "web");
        match body.pointer_mut(at) {
            Some(place) => *place = value,
            None => body["custom"]["g"] = value,
        }
        assert!(scene.comes(&body, 0).is_none(), "{body}");
        assert_eq!(scene.found(), 1, "{body}");
    }
    let mut scene = Scene::new(1);
    let body = push(0, USER, "web").to_string();
    scene.log.came(1, body.as_bytes(), 0, (&scene.oracle, "g"));
    assert_eq!(scene.found(), 1, "over another certificate");
    scene.log.owe(0, USER, 101, true);
    scene.comes(&push(0, USER, "web"), 0);
    assert!(scene.found() >= 1, "another message ID than was answered");
}

#[test]
fn who_has_acked_or_wants_none_is_not_told() {
    let mut scene = Scene::new(1);
    scene.log.acked(USER, [0]);
    scene.taken(&push(0, USER, "web"), 0);
    assert_eq!(scene.found(), 0, "just now");
    let long_ago = Instant::now().checked_sub(2 * MAY_BE_LATE).unwrap();
    scene.log.acked.insert((0, USER), long_ago);
    scene.comes(&push(0, USER, "phone"), 0);
    assert_eq!(scene.found(), 1);
    let mut scene = Scene { oracle: sent("chat-quiet", 1).0, log: PushLog::default() };
    scene.log.owe(0, "chat-quiet", 100, true);
    assert_eq!(scene.found(), 0);
    scene.comes(&push(0, "chat-quiet", "web"), 0);
    assert_eq!(scene.found(), 1);
}

#[test]
fn what_newer_messages_replaced_need_not_come() {
    let mut scene = Scene::new(crate::crash::oracle::INBOX + 1);
    for number in 0..2 {
        scene.log.owe(number, USER, 100 + number as u64, true);
    }
    assert_eq!(scene.log.missing(&scene.oracle), 2, "both devices lack the second");
    assert_eq!((scene.found(), scene.log.counts.replaced), (2, 2));
}
