//! A counterpart of a push service: it makes subscriptions, verifies VAPID and decrypts. Sources: [`crate::webpush`].

use std::collections::HashMap;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::{hkdf, rand};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict, token};
use crate::push::DeviceToken;

/// A browser that has subscribed.
struct Browser {
    key: PrivateKey,
    public: Vec<u8>,
    auth: Vec<u8>,
    /// The key of VAPID that may send, in base64.
    sender: String,
    gone: bool,
}

type Browsers = Arc<Mutex<HashMap<String, Browser>>>;

/// A push service with the browsers behind it.
pub struct WebPushCounterpart {
    counterpart: Counterpart,
    browsers: Browsers,
}

impl std::fmt::Debug for WebPushCounterpart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.counterpart.fmt(f)
    }
}

impl Deref for WebPushCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl WebPushCounterpart {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let browsers = Browsers::default();
        let contract = |url: &str| PushService { url: url.to_owned(), browsers: browsers.clone() };
        Ok(Self { counterpart: Counterpart::plain(clock, contract).await?, browsers })
    }

    /// A browser subscribes for this `applicationServerKey` (base64). The name is the end of its endpoint.
    ///
    /// # Errors
    /// When there is no key.
    pub fn subscribe(&self, name: &str, application_server_key: &str) -> io::Result<DeviceToken> {
        let key = PrivateKey::generate(&ECDH_P256).map_err(io::Error::other)?;
        let public = key.compute_public_key().map_err(io::Error::other)?.as_ref().to_vec();
        let mut auth = vec![0; 16];
        rand::fill(&mut auth).map_err(io::Error::other)?;
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"p256dh": encode(&public), "auth": encode(&auth)});
        let subscription =
            json!({"endpoint": format!("{}/push/{name}", self.url()), "expirationTime": null, "keys": keys});
        let sender = application_server_key.to_owned();
        self.browsers.lock().insert(name.to_owned(), Browser { key, public, auth, sender, gone: false });
        Ok(DeviceToken::new(subscription.to_string()))
    }

    /// A browser takes its subscription back.
    pub fn unsubscribe(&self, name: &str) {
        if let Some(browser) = self.browsers.lock().get_mut(name) {
            browser.gone = true;
        }
    }
}

struct PushService {
    url: String,
    browsers: Browsers,
}

impl Contract for PushService {
    fn check(&self, asked: &Asked) -> Verdict {
        let name = asked.target.strip_prefix("/push/").unwrap_or_default();
        let browsers = self.browsers.lock();
        let Some(browser) = browsers.get(name).filter(|_| asked.method == Method::POST) else {
            return Verdict::good(Answer::status(404), Value::Null);
        };
        if let Err((status, problem)) = self.vapid(asked, browser).and_then(|()| headers(asked)) {
            return Verdict::bad(Answer::status(status), problem);
        }
        let said = match browser.decrypt(&asked.body) {
            Ok(said) => said,
            Err(problem) => return Verdict::bad(Answer::status(400), problem),
        };
        if browser.gone {
            return Verdict::good(Answer::status(410), said);
        }
        Verdict::good(Answer::status(201).with("location", format!("{}/message/{name}", self.url)), said)
    }
}

impl PushService {
    fn vapid(&self, asked: &Asked, browser: &Browser) -> Result<(), (u16, String)> {
        let wrong = |status: u16, problem: &str| Err((status, format!("VAPID: {problem}")));
        let header = asked.header("authorization");
        let Some(parts) = header.strip_prefix("vapid ") else { return wrong(401, "there is none") };
        let part = |name: &str| parts.split(',').find_map(|part| part.trim().strip_prefix(name)).unwrap_or_default();
        let (token, key) = (part("t="), part("k="));
        if key != browser.sender {
            return wrong(403, "the key is not the one of the subscription");
        }
        let point = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap_or_default();
        let claims = match token::es256(token, &point) {
            Ok((claims, _)) => claims,
            Err(problem) => return wrong(403, &problem),
        };
        let ends = claims["exp"].as_u64().unwrap_or_default();
        if ends <= asked.now_s || ends > asked.now_s + 86_400 {
            return wrong(403, "exp is past or more than 24 hours away");
        }
        let contact = claims["sub"].as_str().unwrap_or_default();
        if claims["aud"] != self.url.as_str() || !(contact.starts_with("mailto:") || contact.starts_with("https:")) {
            return wrong(403, &claims.to_string());
        }
        Ok(())
    }
}

fn headers(asked: &Asked) -> Result<(), (u16, String)> {
    let header = |name: &str| asked.header(name);
    if header("ttl").parse::<u32>().is_err() {
        return Err((400, format!("TTL is {:?}", header("ttl"))));
    }
    if !matches!(header("urgency"), "very-low" | "low" | "normal" | "high") {
        return Err((400, format!("Urgency is {:?}", header("urgency"))));
    }
    let topic = header("topic");
    let plain = topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if topic.len() > 32 || !plain {
        return Err((400, format!("Topic is {topic:?}")));
    }
    if header("content-encoding") != "aes128gcm" {
        return Err((415, format!("Content-Encoding is {:?}", header("content-encoding"))));
    }
    if asked.body.len() > 4_096 {
        return Err((413, format!("{} bytes", asked.body.len())));
    }
    Ok(())
}

/// So many bytes of key material.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(salt: &[u8], secret: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut out = vec![0; length];
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let filled = prk.expand(&[info], Length(length)).and_then(|okm| okm.fill(&mut out));
    filled.map_err(|_| "HKDF failed".to_owned())?;
    Ok(out)
}

impl Browser {
    /// RFC 8188, section 2, and RFC 8291, section 3.4.
    fn decrypt(&self, body: &[u8]) -> Result<Value, String> {
        let short = || "the body is too short".to_owned();
        let (salt, rest) = body.split_at_checked(16).ok_or_else(short)?;
        let (record_size, rest) = rest.split_at_checked(4).ok_or_else(short)?;
        let (key_length, rest) = rest.split_first().ok_or_else(short)?;
        let (sender, record) = rest.split_at_checked(usize::from(*key_length)).ok_or_else(short)?;
        let record_size = u32::from_be_bytes(record_size.try_into().map_err(|_| short())?);
        if record_size < 18 || record.len() > usize::try_from(record_size).unwrap_or(usize::MAX) {
            return Err(format!("the record is longer than {record_size} bytes"));
        }
        let theirs = UnparsedPublicKey::new(&ECDH_P256, sender);
        let secret = agree(&self.key, theirs, "no agreement".to_owned(), |secret| Ok(secret.to_vec()))?;
        let info = [b"WebPush: info\0", &*self.public, sender].concat();
        let ikm = derive(&self.auth, &secret, &info, 32)?;
        let key = derive(salt, &ikm, b"Content-Encoding: aes128gcm\0", 16)?;
        let nonce = derive(salt, &ikm, b"Content-Encoding: nonce\0", 12)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).map_err(|_| "no key")?);
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| "no nonce")?;
        let mut record = record.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut record).map_err(|_| "it cannot be decrypted")?;
        let end = plain.iter().rposition(|byte| *byte != 0).filter(|end| plain[*end] == 2);
        let end = end.ok_or("the delimiter is not that of a last record")?;
        serde_json::from_slice(&plain[..end]).map_err(|error| format!("no JSON: {error}"))
    }
}
