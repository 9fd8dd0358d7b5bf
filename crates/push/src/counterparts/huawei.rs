//! A counterpart of Huawei: the token endpoint and `messages:send`. Sources: [`crate::huawei`].

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict, only};

/// The client that it knows.
pub const CLIENT_ID: &str = "100200300";

/// Its secret.
pub const CLIENT_SECRET: &str = "huawei-secret";

/// How long an access token is good, in seconds.
pub const TOKEN_S: u64 = 3_600;

#[derive(Debug, Default)]
struct Shared {
    /// Access tokens and when they end (Unix time in seconds).
    tokens: Mutex<HashMap<String, u64>>,
    dead: Mutex<HashSet<String>>,
}

/// Huawei for one app.
#[derive(Debug)]
pub struct HuaweiCounterpart {
    counterpart: Counterpart,
    shared: Arc<Shared>,
}

impl Deref for HuaweiCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl HuaweiCounterpart {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let counterpart = Counterpart::plain(clock, |_url| Huawei(shared.clone())).await?;
        Ok(Self { counterpart, shared })
    }

    /// Where access tokens come from.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/oauth2/v3/token", self.url())
    }

    /// From now on a push token is dead.
    pub fn kill(&self, device: &str) {
        self.shared.dead.lock().insert(device.to_owned());
    }

    /// Access tokens that were given out have ended.
    pub fn end_tokens(&self) {
        self.shared.tokens.lock().values_mut().for_each(|ends| *ends = 0);
    }
}

/// An answer as Huawei writes it.
#[must_use]
pub fn answer(status: u16, code: &str) -> Answer {
    Answer::json(status, &json!({"code": code, "msg": "said", "requestId": "157000006"}))
}

struct Huawei(Arc<Shared>);

impl Contract for Huawei {
    fn check(&self, asked: &Asked) -> Verdict {
        match (&asked.method, asked.target.as_str()) {
            (&Method::POST, "/oauth2/v3/token") => self.token(asked),
            (&Method::POST, "/v1/100200300/messages:send") => self.message(asked),
            _ => Verdict::bad(Answer::status(404), format!("{} {}", asked.method, asked.target)),
        }
    }
}

impl Huawei {
    fn token(&self, asked: &Asked) -> Verdict {
        let form = asked.form();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let known = field("client_id") == CLIENT_ID && field("client_secret") == CLIENT_SECRET;
        let formal = field("grant_type") == "client_credentials"
            && asked.header("content-type") == "application/x-www-form-urlencoded";
        if !known || !formal {
            let body = json!({"error": 1101, "sub_error": 20001, "error_description": "invalid request"});
            return Verdict::bad(Answer::json(400, &body), "the client is not known");
        }
        let mut tokens = self.0.tokens.lock();
        let token = format!("CF{}/{}==", tokens.len(), asked.now_s);
        tokens.insert(token.clone(), asked.now_s + TOKEN_S);
        let body = json!({"access_token": token, "expires_in": TOKEN_S, "token_type": "Bearer"});
        Verdict::good(Answer::json(200, &body), Value::Null)
    }

    fn message(&self, asked: &Asked) -> Verdict {
        let token = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        match self.0.tokens.lock().get(token) {
            None => return Verdict::bad(answer(401, "80200001"), "the access token is not known"),
            Some(ends) if asked.now_s >= *ends => return Verdict::good(answer(401, "80200003"), Value::Null),
            Some(_) => {}
        }
        let body = serde_json::from_slice::<Value>(&asked.body).unwrap_or_default();
        if let Err(field) = check(&body) {
            return Verdict::bad(answer(400, "80100003"), format!("{field} is wrong: {body}"));
        }
        let mut message = body["message"].clone();
        message["token"] = Value::Null;
        // Without the token's own bytes.
        if message.to_string().len() > 4_096 + r#","token":null"#.len() {
            return Verdict::bad(answer(400, "80300008"), "longer than 4096 bytes");
        }
        let device = body["message"]["token"][0].as_str().unwrap_or_default();
        let code = if self.0.dead.lock().contains(device) { "80300007" } else { "80000000" };
        Verdict::good(answer(200, code), body)
    }
}

/// The first field that is not as documented.
fn check(body: &Value) -> Result<(), String> {
    only(body, "", &["validate_only", "message"])?;
    let message = &body["message"];
    only(message, "message", &["data", "android", "token"])?;
    let one = message["token"].as_array().is_some_and(|tokens| tokens.len() == 1 && tokens[0].is_string());
    let data = message["data"].as_str().and_then(|data| serde_json::from_str::<Value>(data).ok());
    if !one || data.is_none() {
        return Err("message.token or message.data".into());
    }
    let android = &message["android"];
    only(android, "android", &["ttl", "notification", "category", "receipt_id", "target_user_type"])?;
    let ttl = android["ttl"].as_str().and_then(|ttl| ttl.strip_suffix('s')).and_then(|ttl| ttl.parse::<u64>().ok());
    if ttl.is_none_or(|ttl| ttl > 1_296_000) {
        return Err("ttl".into());
    }
    let notification = &android["notification"];
    let known = ["title", "body", "click_action", "channel_id", "tag", "sound", "default_sound", "badge"];
    only(notification, "notification", &known)?;
    if !notification["title"].is_string() || !notification["body"].is_string() {
        return Err("title or body".into());
    }
    let click = &notification["click_action"];
    let clicked = match click["type"].as_u64() {
        Some(1) => click["action"].is_string(),
        Some(3) => true,
        _ => false,
    };
    let badge = &notification["badge"];
    let badged =
        badge.is_null() || badge["class"].is_string() && badge["set_num"].as_u64().is_some_and(|num| num < 100);
    if clicked && badged { Ok(()) } else { Err("click_action or badge".into()) }
}
