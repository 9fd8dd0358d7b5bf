//! A counterpart of Xiaomi. Sources: [`crate::xiaomi`].

use std::collections::HashSet;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict};

/// The secret of the app that it knows.
pub const APP_SECRET: &str = "xiaomi-secret";

/// That app's package name.
pub const PACKAGE: &str = "com.example.chat";

/// Xiaomi for one app.
#[derive(Debug)]
pub struct XiaomiCounterpart {
    counterpart: Counterpart,
    dead: Arc<Mutex<HashSet<String>>>,
}

impl Deref for XiaomiCounterpart {
    type Target = Counterpart;

    fn deref(&self) -> &Counterpart {
        &self.counterpart
    }
}

impl XiaomiCounterpart {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let dead = Arc::<Mutex<HashSet<String>>>::default();
        Ok(Self { counterpart: Counterpart::plain(clock, |_url| Xiaomi(dead.clone())).await?, dead })
    }

    /// From now on a registration ID is dead.
    pub fn kill(&self, device: &str) {
        self.dead.lock().insert(device.to_owned());
    }
}

/// An answer with a code.
#[must_use]
pub fn answer(code: i64) -> Answer {
    let result = if code == 0 { "ok" } else { "error" };
    let body = json!({"result": result, "reason": "said", "trace_id": "Xxx00", "code": code, "description": "said"});
    Answer::json(200, &body)
}

struct Xiaomi(Arc<Mutex<HashSet<String>>>);

impl Contract for Xiaomi {
    fn check(&self, asked: &Asked) -> Verdict {
        if asked.method != Method::POST || asked.target != "/v3/message/regid" {
            return Verdict::bad(Answer::status(404), format!("{} {}", asked.method, asked.target));
        }
        if asked.header("authorization") != format!("key={APP_SECRET}") {
            return Verdict::bad(answer(21301), "the secret is wrong");
        }
        let form = asked.form();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if field("restricted_package_name") != PACKAGE {
            return Verdict::bad(answer(22022), "the package is wrong");
        }
        let shown =
            |name: &str, less_than: usize| !field(name).trim().is_empty() && field(name).chars().count() < less_than;
        let ttl = field("time_to_live").parse::<u64>();
        let payload = serde_json::from_str::<Value>(field("payload"));
        let known = [
            "registration_id",
            "restricted_package_name",
            "title",
            "description",
            "payload",
            "pass_through",
            "notify_type",
            "notify_id",
            "time_to_live",
            "extra.channel_id",
        ];
        let good = form.keys().all(|name| known.contains(&name.as_str()))
            && shown("title", 50)
            && shown("description", 128)
            && ttl.is_ok_and(|ttl| ttl <= 1_209_600_000)
            && payload.is_ok()
            && field("pass_through") == "0"
            && field("notify_type") == "-1"
            && field("notify_id").parse::<i32>().is_ok_and(|id| id >= 0);
        if !good {
            return Verdict::bad(answer(10017), format!("{form:?}"));
        }
        let said = json!(form);
        if self.0.lock().contains(field("registration_id")) {
            return Verdict::good(answer(10029), said);
        }
        let body =
            json!({"result": "ok", "trace_id": "Xxx00", "code": 0, "description": "成功", "data": {"id": "scm1"}});
        Verdict::good(Answer::json(200, &body), said)
    }
}
