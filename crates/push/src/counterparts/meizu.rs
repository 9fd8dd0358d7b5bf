//! A counterpart of Meizu. Source: [`crate::meizu`].

use std::collections::HashSet;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use http::Method;
use md5::{Digest, Md5};
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict, only};

/// The app that it knows.
pub const APP_ID: &str = "100999";

/// Its secret.
pub const APP_SECRET: &str = "meizu-secret";

/// Meizu for one app.
#[derive(Debug)]
pub struct MeizuCounterpart {
    counterpart: Counterpart,
    dead: Arc<Mutex<HashSet<String>>>,
}

impl Deref for MeizuCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl MeizuCounterpart {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let dead = Arc::<Mutex<HashSet<String>>>::default();
        Ok(Self { counterpart: Counterpart::plain(clock, |_url| Meizu(dead.clone())).await?, dead })
    }

    /// From now on a push ID is dead.
    pub fn kill(&self, device: &str) {
        self.dead.lock().insert(device.to_owned());
    }
}

/// An answer with a code.
#[must_use]
pub fn answer(code: &str) -> Answer {
    Answer::json(200, &json!({"code": code, "message": "said", "value": "", "redirect": ""}))
}

/// An answer that says a code of one push ID.
#[must_use]
pub fn of_device(code: &str, device: &str) -> Answer {
    Answer::json(200, &json!({"code": "200", "message": "", "value": {code: [device]}, "msgId": "c2ee"}))
}

struct Meizu(Arc<Mutex<HashSet<String>>>);

impl Contract for Meizu {
    fn check(&self, asked: &Asked) -> Verdict {
        if asked.method != Method::POST || asked.target != "/garcia/api/server/push/varnished/pushByPushId" {
            return Verdict::bad(Answer::status(404), format!("{} {}", asked.method, asked.target));
        }
        let mut form = asked.form();
        let sign = form.remove("sign").unwrap_or_default();
        let mut signed: String = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        signed.push_str(APP_SECRET);
        let expected: String = Md5::digest(signed).iter().map(|byte| format!("{byte:02x}")).collect();
        if sign != expected {
            return Verdict::bad(answer("1006"), "the signature is wrong");
        }
        let names: Vec<_> = form.keys().map(String::as_str).collect();
        if names != ["appId", "messageJson", "pushIds"] || form["appId"] != APP_ID {
            return Verdict::bad(answer("110000"), format!("{names:?}"));
        }
        let message = serde_json::from_str::<Value>(&form["messageJson"]).unwrap_or_default();
        if let Err(field) = check(&message) {
            return Verdict::bad(answer("1005"), format!("{field} is wrong: {message}"));
        }
        let device = &form["pushIds"];
        if self.0.lock().contains(device) {
            return Verdict::good(of_device("110002", device), message);
        }
        let body = json!({"code": "200", "message": "", "value": {}, "msgId": "c2ee5c3bf00448cfbceb7fdf68c3c8eb"});
        Verdict::good(Answer::json(200, &body), message)
    }
}

/// The first field that is not as documented.
fn check(message: &Value) -> Result<(), String> {
    let known = ["noticeBarInfo", "noticeExpandInfo", "clickTypeInfo", "pushTimeInfo", "advanceInfo"];
    only(message, "", &known)?;
    let within =
        |field: &Value, max: usize| field.as_str().is_some_and(|text| (1..=max).contains(&text.chars().count()));
    let bar = &message["noticeBarInfo"];
    if !within(&bar["title"], 32) || !within(&bar["content"], 100) {
        return Err("noticeBarInfo".into());
    }
    let time = &message["pushTimeInfo"];
    let timed = match time["offLine"].as_u64() {
        Some(0) => true,
        Some(1) => time["validTime"].as_u64().is_some_and(|hours| (1..=72).contains(&hours)),
        _ => false,
    };
    let click = &message["clickTypeInfo"];
    let clicked = match click["clickType"].as_u64() {
        Some(0) => true,
        Some(1) => click["activity"].is_string(),
        _ => false,
    };
    if !timed || !clicked || !click["parameters"].is_object() {
        return Err("pushTimeInfo or clickTypeInfo".into());
    }
    let key = &message["advanceInfo"]["notifyKey"];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match key.as_str() {
        Some(key) if key.len() > 8 || !key.bytes().all(plain) => Err("notifyKey".into()),
        _ => Ok(()),
    }
}
