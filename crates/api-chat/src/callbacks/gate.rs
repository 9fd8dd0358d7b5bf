//! The pre-send callback: the backend is asked before a client's message is taken (Easemob document
//! `callback_presending`). It has the rule's budget, 200 ms by default, and is never asked twice.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use stentor_callbacks::Rule;
use stentor_callbacks::asker::Asker;
use stentor_callbacks::metrics::AskOutcome;
use stentor_chat_content::{Content, ContentType, ContentView};
use stentor_core::gate::{Gate, Proposed, Verdict};
use stentor_core::message::{Priority, Target};

use super::Inner;
use super::content::{ext, flat};
use super::filter::{ChatKind, Filter, Source};
use super::seal::sealed;

/// Characters of an answer; a longer one is none (documented: "taken for an attack").
const MAX_CHARACTERS: usize = 1000;

/// Bytes of a changed message (documented: 1 KB).
const MAX_CHANGED_BYTES: usize = 1024;

/// What a client is told when there is no `code` in the answer.
const DENIED: &str = "custom logic denied";

/// The same if `code` is empty.
const BLOCKED: &str = "Message blocked by external logic";

/// The same if there is no answer that can be used, and the rule denies then.
const FAILED: &str = "custom internal error";

/// What becomes of a message when the backend gives no answer that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// It is taken (documented default).
    #[default]
    Allow,
    /// It is not.
    Deny,
}

/// A rule that is asked.
#[derive(Debug)]
pub struct PreSend {
    /// About which messages.
    pub filter: Filter,
    /// Whom to ask. Its time-out is the budget; its schedule and its bound of what waits are not used.
    pub rule: Rule,
    /// What a missing answer means.
    pub on_failure: OnFailure,
}

/// The same, ready to ask.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    pub(super) asker: Asker,
    pub(super) on_failure: OnFailure,
}

#[derive(Serialize)]
struct Question<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    timestamp: u64,
    chat_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    from: &'a str,
    to: &'a str,
    msg_id: String,
    payload: &'a RawValue,
    #[serde(rename = "securityVersion")]
    security_version: &'static str,
    appkey: &'a str,
    host: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    valid: bool,
    code: Option<String>,
    chatroom_msg_level: Option<String>,
    payload: Option<Value>,
}

/// An answer that can be used.
#[derive(Debug, PartialEq, Eq)]
enum Ruling {
    Pass { payload: Option<Bytes>, priority: Option<Priority> },
    Deny(String),
}

/// No answer that can be used.
#[derive(Debug, PartialEq, Eq)]
struct Useless;

#[async_trait]
impl Gate for Inner {
    async fn ask(&self, proposed: Proposed<'_>) -> Verdict {
        let (mut payload, mut priority) = (None, None);
        for gate in &self.gates {
            let now = payload.as_ref().unwrap_or(proposed.payload).clone();
            // What cannot be read was not written by this dialect: there is nothing to ask about.
            let Ok(view) = ContentView::decode(&now) else { break };
            if !gate.wants(&proposed, view) {
                continue;
            }
            match self.put(gate, &proposed, view).await {
                Ok(Ruling::Pass { payload: changed, priority: other }) => {
                    let outcome = if changed.is_some() { AskOutcome::Changed } else { AskOutcome::Allowed };
                    gate.asker.count(outcome);
                    payload = changed.or(payload);
                    priority = other.or(priority);
                }
                Ok(Ruling::Deny(why)) => {
                    gate.asker.count(AskOutcome::Denied);
                    return Verdict::Deny(why);
                }
                Err(Useless) => {
                    gate.asker.count(AskOutcome::Failed);
                    if gate.on_failure == OnFailure::Deny {
                        return Verdict::Deny(FAILED.to_owned());
                    }
                }
            }
        }
        if payload.is_none() && priority.is_none() { Verdict::Allow } else { Verdict::Change { payload, priority } }
    }
}

impl Asked {
    fn wants(&self, proposed: &Proposed<'_>, view: ContentView<'_>) -> bool {
        let keys = view.ext_members().map(|(key, _)| key.into_owned());
        self.filter.allows_message(proposed.from.as_str(), proposed.to, Source::Client)
            && self.filter.allows_content(view.kind(), keys)
    }
}

impl Inner {
    /// Puts the question to one rule.
    async fn put(&self, gate: &Asked, proposed: &Proposed<'_>, view: ContentView<'_>) -> Result<Ruling, Useless> {
        let call_id = self.fresh_id();
        let question = self.question(&call_id, proposed, view).ok_or(Useless)?;
        let question = sealed(&question, &call_id, proposed.at_ms, gate.asker.secret());
        // A character has at most four bytes.
        let answer = gate.asker.ask(question, 4 * MAX_CHARACTERS).await.map_err(|error| {
            tracing::debug!(app = self.app_key, rule = gate.asker.name(), %error, "a pre-send callback has no answer");
            Useless
        })?;
        ruling(&answer, view, matches!(proposed.to, Target::Room(_)))
    }

    fn question(&self, call_id: &str, proposed: &Proposed<'_>, view: ContentView<'_>) -> Option<Vec<u8>> {
        let kind = ChatKind::of(proposed.to);
        let payload = with_ext(view)?;
        let question = Question {
            call_id,
            timestamp: proposed.at_ms,
            chat_type: kind.word(),
            group_id: (kind != ChatKind::User).then(|| proposed.to.name()),
            from: proposed.from.as_str(),
            to: proposed.to.name(),
            msg_id: proposed.id.to_string(),
            payload: &payload,
            security_version: "1.0.0",
            appkey: &self.app_key,
            host: &self.host,
        };
        serde_json::to_vec(&question).ok()
    }
}

/// The flat body, with the extension as one more member if there is one.
fn with_ext(view: ContentView<'_>) -> Option<Box<RawValue>> {
    let body = flat(view)?;
    if view.ext().is_none() {
        return Some(body);
    }
    let (open, ext) = (body.get().strip_suffix('}')?, ext(view)?);
    RawValue::from_string(format!("{open},\"ext\":{}}}", ext.get())).ok()
}

fn ruling(answer: &[u8], view: ContentView<'_>, in_room: bool) -> Result<Ruling, Useless> {
    let text = std::str::from_utf8(answer).map_err(|_| Useless)?;
    if text.chars().count() > MAX_CHARACTERS {
        return Err(Useless);
    }
    let Answer { valid, code, chatroom_msg_level, payload } = serde_json::from_str(text).map_err(|_| Useless)?;
    if !valid {
        return Ok(Ruling::Deny(match code {
            None => DENIED.to_owned(),
            Some(code) if code.is_empty() => BLOCKED.to_owned(),
            Some(code) => code,
        }));
    }
    let priority = chatroom_msg_level.filter(|_| in_room).and_then(|level| match level.as_str() {
        "high" => Some(Priority::High),
        "normal" => Some(Priority::Normal),
        "low" => Some(Priority::Low),
        _ => None,
    });
    // Only text can be changed; what is said about other messages is ignored (documented).
    let payload = match payload.filter(|_| view.kind() == ContentType::Text) {
        None | Some(Value::Null) => None,
        Some(payload) => Some(changed(payload, view)?),
    };
    Ok(Ruling::Pass { payload, priority })
}

/// The message that the backend wants instead: in the form in which it was asked, or as post-send callbacks have it. An
/// extension that it does not name stays.
fn changed(payload: Value, view: ContentView<'_>) -> Result<Bytes, Useless> {
    let Value::Object(mut fields) = payload else { return Err(Useless) };
    let ext = match fields.remove("ext") {
        Some(ext) => Some(raw(&ext)?),
        None => view.ext().map(|ext| RawValue::from_string(ext.to_owned())).transpose().map_err(|_| Useless)?,
    };
    let mut body: Map<String, Value> = match fields.remove("bodies") {
        Some(Value::Array(mut bodies)) if bodies.len() == 1 => match bodies.remove(0) {
            Value::Object(body) => body,
            _ => return Err(Useless),
        },
        Some(_) => return Err(Useless),
        None => fields,
    };
    body.entry("type").or_insert_with(|| Value::from(ContentType::Text.as_str()));
    let body = raw(&Value::Object(body))?;
    let content = Content::parse_flat(Some(&body), ext.as_deref(), MAX_CHANGED_BYTES).map_err(|_| Useless)?;
    if content.view().kind() == ContentType::Text { Ok(content.into_payload().into()) } else { Err(Useless) }
}

fn raw(value: &Value) -> Result<Box<RawValue>, Useless> {
    RawValue::from_string(value.to_string()).map_err(|_| Useless)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"type":"txt","body":{"msg":"hello"},"ext":{"a":1}}"#;
    const IMAGE: &str = r#"{"type":"img","body":{"url":"https://a/b"}}"#;

    fn ruled(payload: &str, answer: &str) -> Result<Ruling, Useless> {
        ruling(answer.as_bytes(), ContentView::decode(payload.as_bytes()).expect("a payload"), true)
    }

    fn pass() -> Result<Ruling, Useless> {
        Ok(Ruling::Pass { payload: None, priority: None })
    }

    fn pass_with(payload: &'static str) -> Result<Ruling, Useless> {
        Ok(Ruling::Pass { payload: Some(payload.into()), priority: None })
    }

    #[test]
    fn answers_mean_what_the_documents_say() {
        for (answer, expected) in [
            (r#"{"valid":true}"#, pass()),
            (r#"{"valid":true,"code":"HX:10000","payload":null,"other":1}"#, pass()),
            (r#"{"valid":false}"#, Ok(Ruling::Deny(DENIED.to_owned()))),
            (r#"{"valid":false,"code":""}"#, Ok(Ruling::Deny(BLOCKED.to_owned()))),
            (r#"{"valid":false,"code":"HX:10000"}"#, Ok(Ruling::Deny("HX:10000".to_owned()))),
            ("", Err(Useless)),
            ("ok", Err(Useless)),
            ("{}", Err(Useless)),
            (r#"{"valid":"true"}"#, Err(Useless)),
            (r#"{"valid":false,"code":1}"#, Err(Useless)),
        ] {
            assert_eq!(ruled(TEXT, answer), expected, "{answer}");
        }
    }

    #[test]
    fn an_answer_has_at_most_a_thousand_characters() {
        let answer = |code: usize| format!(r#"{{"valid":false,"code":"{}"}}"#, "好".repeat(code));
        let around = answer(0).chars().count();
        assert!(matches!(ruled(TEXT, &answer(MAX_CHARACTERS - around)), Ok(Ruling::Deny(_))));
        assert_eq!(ruled(TEXT, &answer(MAX_CHARACTERS - around + 1)), Err(Useless));
    }

    #[test]
    fn text_can_be_changed() {
        let kept_ext = r#"{"type":"txt","body":{"msg":"****"},"ext":{"a":1}}"#;
        for (answer, expected) in [
            (r#"{"valid":true,"payload":{"msg":"****","type":"txt"}}"#, pass_with(kept_ext)),
            (r#"{"valid":true,"payload":{"msg":"****"}}"#, pass_with(kept_ext)),
            (r#"{"valid":true,"payload":{"bodies":[{"msg":"****","type":"txt"}]}}"#, pass_with(kept_ext)),
            (
                r#"{"valid":true,"payload":{"msg":"****","ext":{}}}"#,
                pass_with(r#"{"type":"txt","body":{"msg":"****"},"ext":{}}"#),
            ),
            (r#"{"valid":true,"payload":{"msg":1}}"#, Err(Useless)),
            (r#"{"valid":true,"payload":{"type":"img","url":"x"}}"#, Err(Useless)),
            (r#"{"valid":true,"payload":"****"}"#, Err(Useless)),
            (r#"{"valid":true,"payload":{"bodies":[]}}"#, Err(Useless)),
        ] {
            assert_eq!(ruled(TEXT, answer), expected, "{answer}");
        }
        assert_eq!(ruled(IMAGE, r#"{"valid":true,"payload":{"msg":"****"}}"#), pass(), "only text");
    }

    #[test]
    fn a_changed_text_has_at_most_a_kilobyte() {
        let payload = r#"{"type":"txt","body":{"msg":"hello"}}"#;
        // What is counted is the body, `{"msg":"…"}`.
        let answer = |bytes: usize| format!(r#"{{"valid":true,"payload":{{"msg":"{}"}}}}"#, "好".repeat(bytes / 3));
        assert!(matches!(ruled(payload, &answer(1014)), Ok(Ruling::Pass { payload: Some(_), .. })));
        assert_eq!(ruled(payload, &answer(1017)), Err(Useless));
    }

    #[test]
    fn the_level_is_changed_in_rooms_only() {
        let answer = br#"{"valid":true,"chatroom_msg_level":"low"}"#;
        let view = ContentView::decode(TEXT.as_bytes()).expect("a payload");
        let low = Ruling::Pass { payload: None, priority: Some(Priority::Low) };
        assert_eq!(ruling(answer, view, true), Ok(low));
        assert_eq!(ruling(answer, view, false), pass());
    }

    #[test]
    fn the_extension_is_asked_about_too() {
        let view = |payload: &'static str| ContentView::decode(payload.as_bytes()).expect("a payload");
        assert_eq!(with_ext(view(TEXT)).expect("JSON").get(), r#"{"type":"txt","msg":"hello","ext":{"a":1}}"#);
        assert_eq!(with_ext(view(IMAGE)).expect("JSON").get(), r#"{"type":"img","url":"https://a/b"}"#);
    }
}
