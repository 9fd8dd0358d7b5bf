//! A counterpart of FCM: the token endpoint and `messages:send`. Sources: [`crate::fcm`].

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict, only, token};
use crate::secret::Secret;

const PROJECT: &str = "test-project";
const EMAIL: &str = "push@test-project.iam.gserviceaccount.com";
const KEY_ID: &str = "0123456789abcdef";

/// How long an access token is good, in seconds.
pub const TOKEN_S: u64 = 3_600;

/// FCM for one project, with the service account that it knows.
#[derive(Debug)]
pub struct FcmCounterpart {
    counterpart: Counterpart,
    shared: Arc<Shared>,
    account: Secret,
}

#[derive(Debug, Default)]
struct Shared {
    /// Access tokens and when they end (Unix time in seconds).
    tokens: Mutex<HashMap<String, u64>>,
    dead: Mutex<HashSet<String>>,
}

impl Deref for FcmCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl FcmCounterpart {
    /// Starts one, with a new key.
    ///
    /// # Errors
    /// When there is no port or no key.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        let shared = Arc::<Shared>::default();
        let public = key.public_key();
        let (modulus, exponent) = (public.modulus(), public.exponent());
        let (modulus, exponent) =
            (modulus.big_endian_without_leading_zero().to_vec(), exponent.big_endian_without_leading_zero().to_vec());
        let contract = |url: &str| Fcm { url: url.to_owned(), modulus, exponent, shared: shared.clone() };
        let counterpart = Counterpart::plain(clock, contract).await?;
        let der = key.as_der().map_err(io::Error::other)?;
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der.as_ref())
        );
        let account = json!({"type": "service_account", "project_id": PROJECT, "private_key_id": KEY_ID,
            "private_key": pem, "client_email": EMAIL, "token_uri": format!("{}/token", counterpart.url())});
        Ok(Self { counterpart, shared, account: Secret::new(account.to_string()) })
    }

    /// The service account's JSON file.
    #[must_use]
    pub fn account(&self) -> Secret {
        self.account.clone()
    }

    /// From now on a registration token is dead.
    pub fn kill(&self, device: &str) {
        self.shared.dead.lock().insert(device.to_owned());
    }

    /// Access tokens that were given out are no longer good.
    pub fn revoke(&self) {
        self.shared.tokens.lock().clear();
    }
}

/// An error as FCM writes it.
#[must_use]
pub fn error(status: u16, state: &str, code: &str) -> Answer {
    let details = json!([{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]);
    Answer::json(status, &json!({"error": {"code": status, "message": code, "status": state, "details": details}}))
}

/// The error for a field that is wrong.
#[must_use]
pub fn bad_field(field: &str) -> Answer {
    let details = json!([
        {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "INVALID_ARGUMENT"},
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": field, "description": "Invalid"}]}
    ]);
    let error = json!({"code": 400, "message": "Invalid", "status": "INVALID_ARGUMENT", "details": details});
    Answer::json(400, &json!({ "error": error }))
}

struct Fcm {
    url: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    shared: Arc<Shared>,
}

impl Contract for Fcm {
    fn check(&self, asked: &Asked) -> Verdict {
        if asked.method != Method::POST {
            return Verdict::bad(Answer::status(405), asked.method.as_str());
        }
        if asked.target == "/token" {
            return self.token(asked);
        }
        if asked.target == format!("/v1/projects/{PROJECT}/messages:send") {
            return self.message(asked);
        }
        Verdict::bad(error(404, "NOT_FOUND", "UNSPECIFIED_ERROR"), asked.target.clone())
    }
}

impl Fcm {
    fn token(&self, asked: &Asked) -> Verdict {
        let refuse = |problem: String| {
            let answer = json!({"error": "invalid_grant", "error_description": "Invalid JWT."});
            Verdict::bad(Answer::json(400, &answer), problem)
        };
        if asked.header("content-type") != "application/x-www-form-urlencoded" {
            return refuse(format!("the media type is {:?}", asked.header("content-type")));
        }
        let form = asked.form();
        if form.get("grant_type").map(String::as_str) != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
            return refuse("grant_type is wrong".into());
        }
        let assertion = form.get("assertion").map(String::as_str).unwrap_or_default();
        let (claims, kid) = match token::rs256(assertion, &self.modulus, &self.exponent) {
            Ok(read) => read,
            Err(problem) => return refuse(problem),
        };
        let named = kid.as_deref() == Some(KEY_ID)
            && claims["iss"] == EMAIL
            && claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
            && claims["aud"] == format!("{}/token", self.url);
        let timed = match (claims["iat"].as_u64(), claims["exp"].as_u64()) {
            (Some(iat), Some(exp)) => iat <= asked.now_s && exp > asked.now_s && exp - iat <= 3_600,
            _ => false,
        };
        if !named || !timed {
            return refuse(format!("kid {kid:?}, claims {claims}"));
        }
        let mut tokens = self.shared.tokens.lock();
        let token = format!("ya29.{}-{}", tokens.len(), asked.now_s);
        tokens.insert(token.clone(), asked.now_s + TOKEN_S);
        let answer = json!({"access_token": token, "expires_in": TOKEN_S, "token_type": "Bearer"});
        Verdict::good(Answer::json(200, &answer), Value::Null)
    }

    fn message(&self, asked: &Asked) -> Verdict {
        let token = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        let known = self.shared.tokens.lock().get(token).copied();
        if known.is_none_or(|ends| asked.now_s >= ends) {
            // Not the sender's mistake: a token may be withdrawn.
            let body = json!({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Invalid credentials"}});
            return Verdict::good(Answer::json(401, &body), Value::Null);
        }
        let body = serde_json::from_slice::<Value>(&asked.body).unwrap_or_default();
        if let Err(field) = check_message(&body) {
            return Verdict::bad(bad_field(&field), format!("{field} is wrong: {body}"));
        }
        let device = body["message"]["token"].as_str().unwrap_or_default();
        if self.shared.dead.lock().contains(device) {
            return Verdict::good(error(404, "NOT_FOUND", "UNREGISTERED"), body);
        }
        let name = format!("projects/{PROJECT}/messages/0:{}%{}", asked.now_s, device.len());
        Verdict::good(Answer::json(200, &json!({ "name": name })), body)
    }
}

/// The first field that is not as documented.
fn check_message(body: &Value) -> Result<(), String> {
    only(body, "", &["message", "validate_only"])?;
    let message = &body["message"];
    only(message, "message", &["name", "data", "notification", "android", "fcm_options", "token"])?;
    if message["token"].as_str().is_none_or(str::is_empty) {
        return Err("message.token".into());
    }
    only(&message["notification"], "message.notification", &["title", "body", "image"])?;
    texts(&message["notification"], "message.notification")?;
    texts(&message["data"], "message.data")?;
    let reserved =
        |key: &String| key == "from" || key == "message_type" || key.starts_with("google") || key.starts_with("gcm");
    if message["data"].as_object().is_some_and(|data| data.keys().any(reserved)) {
        return Err("message.data".into());
    }
    let payload = json!({"notification": message["notification"], "data": message["data"]});
    if payload.to_string().len() > 4_096 {
        return Err("message".into());
    }
    let android = &message["android"];
    only(android, "message.android", &["collapse_key", "priority", "ttl", "notification"])?;
    if !matches!(android["priority"].as_str(), Some("NORMAL" | "HIGH")) {
        return Err("message.android.priority".into());
    }
    let ttl = android["ttl"].as_str().and_then(|ttl| ttl.strip_suffix('s')).and_then(|ttl| ttl.parse::<u64>().ok());
    if ttl.is_none_or(|ttl| ttl > 2_419_200) {
        return Err("message.android.ttl".into());
    }
    let notification = &android["notification"];
    only(notification, "message.android.notification", &["channel_id", "sound", "notification_count", "tag"])?;
    if notification.get("notification_count").is_some_and(|count| !count.is_u64()) {
        return Err("message.android.notification.notification_count".into());
    }
    only(&message["fcm_options"], "message.fcm_options", &["analytics_label"])
}

/// Whether an object, if it is there, has texts only.
fn texts(value: &Value, at: &str) -> Result<(), String> {
    let good = value.as_object().is_none_or(|map| map.values().all(Value::is_string));
    if good { Ok(()) } else { Err(at.to_owned()) }
}
