//! A counterpart of APNs: HTTP/2 over TLS, headers, token or certificate, payload. Sources: [`crate::apns`].

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use http::{Method, Version};
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict, token};
use crate::error::BadSetup;
use crate::jwt::SigningKey;

/// How clients must show who they are.
#[derive(Debug, Clone)]
pub enum Expects {
    /// With a token that this key signed.
    Token {
        /// The key's ID.
        key_id: String,
        /// The team's ID.
        team_id: String,
        /// The public key: 65 bytes, not compressed.
        public: Vec<u8>,
    },
    /// With a certificate of this authority (DER).
    Certificate(Vec<u8>),
}

impl Expects {
    /// A token that the key in a `.p8` file signed.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn token(key_pem: &str, key_id: &str, team_id: &str) -> Result<Self, BadSetup> {
        const WHAT: &str = "the APNs key";
        let key = SigningKey::es256_pem(key_pem, WHAT)?;
        let public = key.public_point().ok_or(BadSetup::Credential(WHAT))?;
        Ok(Self::Token { key_id: key_id.into(), team_id: team_id.into(), public })
    }
}

/// APNs for one app.
#[derive(Debug)]
pub struct ApnsCounterpart {
    counterpart: Counterpart,
    dead: Arc<Mutex<HashMap<String, u64>>>,
}

impl Deref for ApnsCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl ApnsCounterpart {
    /// Starts one for the app with this bundle ID.
    ///
    /// # Errors
    /// When there is no port or no certificate.
    pub async fn start(topic: &str, expects: Expects, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let dead = Arc::<Mutex<HashMap<_, _>>>::default();
        let authorities = match &expects {
            Expects::Token { .. } => Vec::new(),
            Expects::Certificate(authority) => vec![authority.clone()],
        };
        let seen = Mutex::default();
        let contract = Apns { topic: topic.to_owned(), expects, dead: dead.clone(), seen };
        Ok(Self { counterpart: Counterpart::tls(clock, &authorities, contract).await?, dead })
    }

    /// From now on a device token is dead, since this Unix time in milliseconds.
    pub fn kill(&self, device: &str, since_ms: u64) {
        self.dead.lock().insert(device.to_owned(), since_ms);
    }
}

/// An error as APNs writes it.
#[must_use]
pub fn error(status: u16, reason: &str) -> Answer {
    Answer::json(status, &json!({ "reason": reason }))
}

struct Apns {
    topic: String,
    expects: Expects,
    dead: Arc<Mutex<HashMap<String, u64>>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The body of each `apns-id`.
    bodies: HashMap<String, Value>,
    /// Tokens that came, and when the last new one did (Unix time in seconds).
    tokens: HashSet<String>,
    renewed_s: Option<u64>,
}

type Wrong = (u16, &'static str, String);

fn wrong<T>(status: u16, reason: &'static str, problem: impl Into<String>) -> Result<T, Wrong> {
    Err((status, reason, problem.into()))
}

impl Contract for Apns {
    fn check(&self, asked: &Asked) -> Verdict {
        let checked = self.way(asked).and_then(|device| {
            self.identity(asked)?;
            self.headers(asked)?;
            Ok((device, self.payload(asked)?))
        });
        let (device, payload) = match checked {
            Ok(checked) => checked,
            Err((status, reason, problem)) => {
                return Verdict::bad(error(status, reason), format!("{reason}: {problem}"));
            }
        };
        if let Some(since_ms) = self.dead.lock().get(device) {
            let answer = Answer::json(410, &json!({"reason": "Unregistered", "timestamp": since_ms}));
            return Verdict::good(answer, payload);
        }
        Verdict::good(Answer::status(200).with("apns-id", asked.header("apns-id")), payload)
    }
}

impl Apns {
    fn way<'a>(&self, asked: &'a Asked) -> Result<&'a str, Wrong> {
        if asked.version != Version::HTTP_2 {
            return wrong(400, "BadPath", format!("the version is {:?}", asked.version));
        }
        if asked.method != Method::POST {
            return wrong(405, "MethodNotAllowed", asked.method.as_str());
        }
        let Some(device) = asked.target.strip_prefix("/3/device/") else {
            return wrong(404, "BadPath", &asked.target);
        };
        if device.len() != 64 || !device.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return wrong(400, "BadDeviceToken", device);
        }
        Ok(device)
    }

    fn identity(&self, asked: &Asked) -> Result<(), Wrong> {
        let Expects::Token { key_id, team_id, public } = &self.expects else {
            return if asked.certificate { Ok(()) } else { wrong(403, "BadCertificate", "there is none") };
        };
        let Some(token) = asked
            .header("authorization")
            .strip_prefix("Bearer ")
            .or_else(|| asked.header("authorization").strip_prefix("bearer "))
        else {
            return wrong(403, "MissingProviderToken", "no authorization");
        };
        let (claims, kid) = match token::es256(token, public) {
            Ok(read) => read,
            Err(problem) => return wrong(403, "InvalidProviderToken", problem),
        };
        if kid.as_ref() != Some(key_id) || claims["iss"] != team_id.as_str() {
            return wrong(403, "InvalidProviderToken", format!("kid {kid:?}, claims {claims}"));
        }
        match claims["iat"].as_u64() {
            Some(iat) if iat > asked.now_s => wrong(403, "InvalidProviderToken", "it is of the future"),
            Some(iat) if asked.now_s - iat < 3_600 => self.renewals(asked, token),
            Some(_) => wrong(403, "ExpiredProviderToken", "it is older than an hour"),
            None => wrong(403, "InvalidProviderToken", "no iat"),
        }
    }

    /// A new token at most every 20 minutes.
    fn renewals(&self, asked: &Asked, token: &str) -> Result<(), Wrong> {
        let mut seen = self.seen.lock();
        if !seen.tokens.insert(token.to_owned()) {
            return Ok(());
        }
        let last = seen.renewed_s.replace(asked.now_s);
        if last.is_some_and(|last| asked.now_s - last < 1_200) {
            return wrong(429, "TooManyProviderTokenUpdates", "less than 20 minutes after the last one");
        }
        Ok(())
    }

    fn headers(&self, asked: &Asked) -> Result<(), Wrong> {
        let header = |name: &str| asked.header(name);
        if header("apns-topic") != self.topic {
            return wrong(400, "TopicDisallowed", header("apns-topic"));
        }
        if !matches!(header("apns-push-type"), "alert" | "background") {
            return wrong(400, "InvalidPushType", header("apns-push-type"));
        }
        if !matches!(header("apns-priority"), "1" | "5" | "10") {
            return wrong(400, "BadPriority", header("apns-priority"));
        }
        match header("apns-expiration").parse::<u64>() {
            Ok(0) => {}
            Ok(at) if at >= asked.now_s => {}
            _ => return wrong(400, "BadExpirationDate", header("apns-expiration")),
        }
        if asked.headers.contains_key("apns-collapse-id") && !(1..=64).contains(&header("apns-collapse-id").len()) {
            return wrong(400, "BadCollapseId", header("apns-collapse-id"));
        }
        let id = header("apns-id");
        let dashes: Vec<_> = id.match_indices('-').map(|(at, _)| at).collect();
        let hex = id.bytes().all(|byte| byte == b'-' || matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if id.len() != 36 || dashes != [8, 13, 18, 23] || !hex {
            return wrong(400, "BadMessageId", id);
        }
        Ok(())
    }

    fn payload(&self, asked: &Asked) -> Result<Value, Wrong> {
        if asked.body.len() > 4096 {
            return wrong(413, "PayloadTooLarge", asked.body.len().to_string());
        }
        let Ok(payload) = serde_json::from_slice::<Value>(&asked.body) else {
            return wrong(400, "PayloadEmpty", "no JSON");
        };
        let aps = &payload["aps"];
        let known = ["alert", "badge", "sound", "category", "mutable-content", "content-available", "thread-id"];
        let odd = aps.as_object().is_none_or(|aps| aps.keys().any(|key| !known.contains(&key.as_str())));
        if odd || !aps["alert"]["title"].is_string() || !aps["alert"]["body"].is_string() {
            return wrong(400, "PayloadEmpty", format!("aps is {aps}"));
        }
        let mut seen = self.seen.lock();
        let first = seen.bodies.entry(asked.header("apns-id").to_owned()).or_insert_with(|| payload.clone());
        if *first != payload {
            return wrong(400, "BadMessageId", "it came with another payload before");
        }
        Ok(payload)
    }
}
