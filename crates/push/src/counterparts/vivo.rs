//! A counterpart of vivo: `/message/auth` and `/message/send`. Sources: [`crate::vivo`].

use std::collections::{HashMap, HashSet};
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
pub const APP_ID: u64 = 10_004;

/// Its key.
pub const APP_KEY: &str = "25509283-3767-4b9e-83fe-b6e55ac6243e";

/// Its secret.
pub const APP_SECRET: &str = "vivo-secret";

#[derive(Debug, Default)]
struct Shared {
    /// Tokens and when they end (Unix time in seconds).
    tokens: Mutex<HashMap<String, u64>>,
    dead: Mutex<HashSet<String>>,
}

/// vivo for one app.
#[derive(Debug)]
pub struct VivoCounterpart {
    counterpart: Counterpart,
    shared: Arc<Shared>,
}

impl Deref for VivoCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl VivoCounterpart {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        Ok(Self { counterpart: Counterpart::plain(clock, |_url| Vivo(shared.clone())).await?, shared })
    }

    /// From now on a `regId` is dead.
    pub fn kill(&self, device: &str) {
        self.shared.dead.lock().insert(device.to_owned());
    }
}

/// An answer with a code.
#[must_use]
pub fn answer(code: i64) -> Answer {
    Answer::json(200, &json!({"result": code, "desc": "said"}))
}

struct Vivo(Arc<Shared>);

impl Contract for Vivo {
    fn check(&self, asked: &Asked) -> Verdict {
        let body = serde_json::from_slice::<Value>(&asked.body).unwrap_or_default();
        if asked.method != Method::POST || asked.header("content-type") != "application/json" {
            return Verdict::bad(Answer::status(500), format!("{} {}", asked.method, asked.target));
        }
        match asked.target.as_str() {
            "/message/auth" => self.auth(asked, &body),
            "/message/send" => self.message(asked, body),
            _ => Verdict::bad(Answer::status(404), asked.target.clone()),
        }
    }
}

impl Vivo {
    fn auth(&self, asked: &Asked, body: &Value) -> Verdict {
        let timestamp = body["timestamp"].as_u64().unwrap_or_default();
        let sign = Md5::digest(format!("{APP_ID}{APP_KEY}{timestamp}{APP_SECRET}"));
        let sign: String = sign.iter().map(|byte| format!("{byte:02x}")).collect();
        let known = body["appId"] == APP_ID && body["appKey"] == APP_KEY && body["sign"] == sign;
        if !known || (timestamp / 1000).abs_diff(asked.now_s) > 600 {
            return Verdict::bad(answer(10_200), format!("auth is wrong: {body}"));
        }
        let mut tokens = self.0.tokens.lock();
        let token = format!("24ojds{}", tokens.len());
        tokens.insert(token.clone(), asked.now_s + 86_400);
        Verdict::good(Answer::json(200, &json!({"result": 0, "desc": "请求成功", "authToken": token})), Value::Null)
    }

    fn message(&self, asked: &Asked, body: Value) -> Verdict {
        let ends = self.0.tokens.lock().get(asked.header("authToken")).copied();
        if ends.is_none_or(|ends| asked.now_s >= ends) {
            return Verdict::bad(answer(10_000), "the token is not known or has ended");
        }
        if body["appId"] != APP_ID {
            return Verdict::bad(answer(10_094), "the app is another");
        }
        if let Err(field) = check(&body) {
            return Verdict::bad(answer(10_001), format!("{field} is wrong: {body}"));
        }
        if self.0.dead.lock().contains(body["regId"].as_str().unwrap_or_default()) {
            let answer =
                json!({"result": 10_302, "desc": "regId不合法", "invalidUser": {"status": 1, "userid": body["regId"]}});
            return Verdict::good(Answer::json(200, &answer), body);
        }
        Verdict::good(Answer::json(200, &json!({"result": 0, "desc": "请求成功", "taskId": "121397329"})), body)
    }
}

/// The first field that is not as documented.
fn check(body: &Value) -> Result<(), String> {
    let known = [
        "appId",
        "regId",
        "notifyType",
        "title",
        "content",
        "timeToLive",
        "skipType",
        "skipContent",
        "clientCustomMap",
        "requestId",
        "category",
    ];
    only(body, "body", &known)?;
    let width = |text: &str| text.chars().map(|char| if char.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let within = |name: &str, max: usize| body[name].as_str().is_some_and(|text| (1..=max).contains(&width(text)));
    if !within("title", 40) || !within("content", 100) || !within("requestId", 64) || !body["regId"].is_string() {
        return Err("title, content, requestId or regId".into());
    }
    let number =
        |name: &str, low: u64, high: u64| body[name].as_u64().is_some_and(|number| (low..=high).contains(&number));
    if !number("notifyType", 1, 4) || !number("timeToLive", 900, 604_800) || !number("skipType", 1, 4) {
        return Err("notifyType, timeToLive or skipType".into());
    }
    let texts = body["clientCustomMap"].as_object().is_some_and(|map| map.values().all(Value::is_string));
    let length = |text: &str| text.chars().count();
    let pairs = body["clientCustomMap"].as_object().into_iter().flatten();
    if pairs.map(|(key, value)| length(key) + value.as_str().map_or(0, length)).sum::<usize>() > 1024 {
        return Err("clientCustomMap is longer than 1024 characters".into());
    }
    // Upper case, or it is refused with 10096.
    let upper = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if !body["category"].is_null() && !body["category"].as_str().is_some_and(upper) {
        return Err("category".into());
    }
    let skips = body["skipType"] == 1 || body["skipContent"].is_string();
    if texts && skips { Ok(()) } else { Err("clientCustomMap or skipContent".into()) }
}
