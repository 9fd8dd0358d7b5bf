//! A counterpart of the webhook: it verifies the signature and the fields. Source: `docs/push.md`.

use std::io;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use stentor_callbacks::signature;
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict};
use crate::secret::Secret;

/// How old a signature may be, in seconds.
const MAX_AGE_S: u64 = 300;

/// Starts one at the path `/push`. Pushes must be signed with this secret.
///
/// # Errors
/// When there is no port.
pub async fn start(secret: Secret, clock: Arc<dyn Clock>) -> io::Result<Counterpart> {
    Counterpart::plain(clock, |_url| Webhook { secret }).await
}

struct Webhook {
    secret: Secret,
}

impl Contract for Webhook {
    fn check(&self, asked: &Asked) -> Verdict {
        if asked.method != Method::POST || asked.target != "/push" {
            return Verdict::bad(Answer::status(404), format!("{} {}", asked.method, asked.target));
        }
        let signed = signature::verify(self.secret.expose(), asked.header(signature::HEADER), &asked.body);
        if signed.is_none_or(|at_s| at_s.abs_diff(asked.now_s) > MAX_AGE_S) {
            return Verdict::bad(Answer::status(401), "the signature is wrong or old");
        }
        if asked.header("content-type") != "application/json" {
            return Verdict::bad(Answer::status(415), format!("the media type is {:?}", asked.header("content-type")));
        }
        let body = serde_json::from_slice::<Value>(&asked.body).unwrap_or_default();
        let texts = ["id", "token", "title", "content"].iter().all(|name| body[name].is_string());
        let objects = ["custom", "em_apns_ext", "em_android_push_ext", "em_harmony_push_ext"];
        if !texts || !body["ttl"].is_u64() || !objects.iter().all(|name| body[name].is_object()) {
            return Verdict::bad(Answer::status(422), format!("fields are missing: {body}"));
        }
        let id = format!("taken-{}", body["id"].as_str().unwrap_or_default());
        Verdict::good(Answer::json(200, &json!({ "id": id })), body)
    }
}
