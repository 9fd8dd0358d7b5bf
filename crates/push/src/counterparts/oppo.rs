//! A counterpart of OPPO: `auth` and `unicast`. Sources: [`crate::oppo`].

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict, only};

/// The key of the app that it knows.
pub const APP_KEY: &str = "oppo-key";

/// Its secret.
pub const MASTER_SECRET: &str = "oppo-secret";

#[derive(Debug, Default)]
struct Shared {
    /// Tokens and when they end (Unix time in seconds).
    tokens: Mutex<HashMap<String, u64>>,
    dead: Mutex<HashSet<String>>,
}

/// OPPO for one app.
#[derive(Debug)]
pub struct OppoCounterpart {
    counterpart: Counterpart,
    shared: Arc<Shared>,
}

impl Deref for OppoCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl OppoCounterpart {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        Ok(Self { counterpart: Counterpart::plain(clock, |_url| Oppo(shared.clone())).await?, shared })
    }

    /// From now on a registration ID is dead.
    pub fn kill(&self, device: &str) {
        self.shared.dead.lock().insert(device.to_owned());
    }

    /// Tokens that were given out are no longer good.
    pub fn revoke(&self) {
        self.shared.tokens.lock().clear();
    }
}

/// An answer with a code.
#[must_use]
pub fn answer(code: i64) -> Answer {
    Answer::json(200, &json!({"code": code, "message": "said"}))
}

struct Oppo(Arc<Shared>);

impl Contract for Oppo {
    fn check(&self, asked: &Asked) -> Verdict {
        if asked.method != Method::POST || asked.header("content-type") != "application/x-www-form-urlencoded" {
            return Verdict::bad(answer(12), format!("{} {}", asked.method, asked.header("content-type")));
        }
        match asked.target.as_str() {
            "/server/v1/auth" => self.auth(asked),
            "/server/v1/message/notification/unicast" => self.message(asked),
            _ => Verdict::bad(answer(20), asked.target.clone()),
        }
    }
}

impl Oppo {
    fn auth(&self, asked: &Asked) -> Verdict {
        let form = asked.form();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let timestamp = field("timestamp");
        let hash = digest(&SHA256, format!("{APP_KEY}{timestamp}{MASTER_SECRET}").as_bytes());
        let sign: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        if field("app_key") != APP_KEY || field("sign") != sign {
            return Verdict::bad(answer(16), "the key or the signature is wrong");
        }
        let recent = timestamp.parse::<u64>().is_ok_and(|at_ms| (at_ms / 1000).abs_diff(asked.now_s) <= 600);
        if timestamp.len() != 13 || !recent {
            return Verdict::bad(answer(19), timestamp);
        }
        let mut tokens = self.0.tokens.lock();
        let token = format!("58ad47319e8d{}-{}", tokens.len(), asked.now_s);
        tokens.insert(token.clone(), asked.now_s + 86_400);
        let data = json!({"auth_token": token, "create_time": timestamp});
        Verdict::good(Answer::json(200, &json!({"code": 0, "message": "success", "data": data})), Value::Null)
    }

    fn message(&self, asked: &Asked) -> Verdict {
        let form = asked.form();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let ends = self.0.tokens.lock().get(field("auth_token")).copied();
        if ends.is_none_or(|ends| asked.now_s >= ends) {
            return Verdict::good(answer(11), Value::Null);
        }
        let message = serde_json::from_str::<Value>(field("message")).unwrap_or_default();
        if let Err(wrong) = check(&message) {
            return Verdict::bad(answer(41), format!("{wrong} is wrong: {message}"));
        }
        if self.0.dead.lock().contains(message["target_value"].as_str().unwrap_or_default()) {
            return Verdict::good(answer(10_000), message);
        }
        let data = json!({"messageId": "ZngnvJIM7wQusNtbqYnpH6XX-1-1-622ff7cfae27668d2ed3afec"});
        Verdict::good(Answer::json(200, &json!({"code": 0, "message": "", "data": data})), message)
    }
}

/// The first field that is not as documented.
fn check(message: &Value) -> Result<(), String> {
    only(message, "", &["target_type", "target_value", "notification"])?;
    if message["target_type"] != 2 || !message["target_value"].is_string() {
        return Err("target".into());
    }
    let notification = &message["notification"];
    let known = [
        "app_message_id",
        "style",
        "title",
        "content",
        "click_action_type",
        "click_action_activity",
        "action_parameters",
        "off_line",
        "off_line_ttl",
        "channel_id",
        "category",
        "notify_level",
    ];
    only(notification, "notification", &known)?;
    let within = |name: &str, max: usize| {
        notification[name].as_str().is_some_and(|text| (1..=max).contains(&text.chars().count()))
    };
    let longest = match notification["style"].as_u64() {
        Some(1) => 50,
        Some(2) => 128,
        _ => return Err("style".into()),
    };
    if !within("title", 50) || !within("content", longest) || !within("action_parameters", 4_000) {
        return Err("title, content or action_parameters".into());
    }
    let clicked = match notification["click_action_type"].as_u64() {
        Some(0) => true,
        Some(4) => notification["click_action_activity"].is_string(),
        _ => false,
    };
    let kept = match notification["off_line"].as_bool() {
        Some(false) => true,
        Some(true) => notification["off_line_ttl"].as_u64().is_some_and(|ttl| (1..=864_000).contains(&ttl)),
        None => false,
    };
    let levelled = notification["notify_level"].is_null() || notification["category"].is_string();
    if clicked && kept && levelled { Ok(()) } else { Err("click_action_type, off_line or notify_level".into()) }
}
