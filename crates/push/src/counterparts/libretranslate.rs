//! A counterpart of LibreTranslate. Source: `libretranslate/app.py` of <https://github.com/LibreTranslate/LibreTranslate>:
//! fields, answers, and the words of its refusals.

use std::io;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use super::{Answer, Asked, Contract, Counterpart, Verdict, only};

/// Its API key.
pub const API_KEY: &str = "libre-key";

/// The languages that it knows.
pub const LANGUAGES: [&str; 4] = ["en", "de", "zh-Hans", "pt-BR"];

/// Characters of a text at most.
pub const CHAR_LIMIT: usize = 2_000;

/// Starts one, which wants its key. It translates `text` into German as `[de] text`.
///
/// # Errors
/// When there is no port.
pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Counterpart> {
    Counterpart::plain(clock, |_url| LibreTranslate).await
}

/// A refusal in its form.
#[must_use]
pub fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": text }))
}

struct LibreTranslate;

impl Contract for LibreTranslate {
    fn check(&self, asked: &Asked) -> Verdict {
        if asked.method != Method::POST || asked.target != "/translate" {
            return Verdict::bad(Answer::status(404), format!("{} {}", asked.method, asked.target));
        }
        if asked.header("content-type") != "application/json" {
            return Verdict::bad(Answer::status(415), format!("the media type is {:?}", asked.header("content-type")));
        }
        let body = serde_json::from_slice::<Value>(&asked.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
        if let Err(problem) = only(&body, "", &["q", "source", "target", "format", "api_key"]) {
            return Verdict::bad(error(400, "Invalid request"), problem);
        }
        if text("api_key") != Some(API_KEY) {
            return Verdict::bad(error(403, "Invalid API key"), "the key is wrong".to_owned());
        }
        for name in ["q", "source", "target"] {
            if text(name).is_none() {
                let problem = format!("Invalid request: missing {name} parameter");
                return Verdict::bad(error(400, &problem), problem);
            }
        }
        let (q, source, target) = (text("q").unwrap_or(""), text("source").unwrap_or(""), text("target").unwrap_or(""));
        if body["format"] != "text" || (source != "auto" && !LANGUAGES.contains(&source)) {
            return Verdict::bad(error(400, "Invalid request"), format!("fields are wrong: {body}"));
        }
        let size = q.chars().count();
        if size > CHAR_LIMIT {
            let problem = format!("Invalid request: request ({size}) exceeds text limit ({CHAR_LIMIT})");
            return Verdict::bad(error(400, &problem), problem);
        }
        // A language that it does not have is asked for in good faith.
        if !LANGUAGES.contains(&target) {
            return Verdict::good(error(400, &format!("{target} is not supported")), body.clone());
        }
        let mut answer = json!({ "translatedText": format!("[{target}] {q}") });
        if source == "auto" {
            answer["detectedLanguage"] = json!({ "confidence": 90.0, "language": "en" });
        }
        Verdict::good(Answer::json(200, &answer), body.clone())
    }
}
