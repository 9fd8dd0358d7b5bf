//! Counterparts of the providers, strict about their contracts: for tests and the crash test. Feature `counterparts`.
//!
//! Each checks what the documents that its provider's module cites ask of a request, answers as they say, and can be told
//! to answer anything else, to hang, to cut the connection, or to be down. What is not as it should be is answered with
//! the documented error and kept in [`Counterpart::problems`].

pub mod apns;
pub mod fcm;
pub mod huawei;
pub mod libretranslate;
mod listen;
pub mod meizu;
pub mod oppo;
mod server;
mod token;
pub mod vivo;
pub mod webhook;
pub mod webpush;
pub mod xiaomi;

use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use serde_json::Value;

pub use server::{Counterpart, Received};

/// A request as it came.
#[derive(Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The version of HTTP.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether the client showed a certificate that the counterpart trusts.
    pub certificate: bool,
    /// When it came: Unix time in seconds, by the counterpart's clock.
    pub now_s: u64,
}

impl Asked {
    /// A header's text; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The fields of a form in the body.
    #[must_use]
    pub fn form(&self) -> std::collections::BTreeMap<String, String> {
        let mut url = reqwest::Url::parse("http://form/").ok();
        if let Some(url) = &mut url {
            url.set_query(std::str::from_utf8(&self.body).ok());
        }
        url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// A status with JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string().into() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Header>) -> Self {
        self.headers.push((name, value.into().0));
        self
    }
}

/// A header's value: a text or a number.
#[derive(Debug)]
pub struct Header(String);

impl From<String> for Header {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Header {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<u64> for Header {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

/// What a counterpart does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// It answers so.
    Answer(Answer),
    /// It never answers.
    Hang,
    /// It closes the connection.
    Cut,
}

/// What a contract says to a request.
#[derive(Debug)]
pub struct Verdict {
    /// The documented answer.
    pub answer: Answer,
    /// What the request says, in clear; null if it cannot be read.
    pub said: Value,
    /// What is wrong with the request, if anything.
    pub problem: Option<String>,
}

impl Verdict {
    /// A request that is right.
    #[must_use]
    pub fn good(answer: Answer, said: Value) -> Self {
        Self { answer, said, problem: None }
    }

    /// A request that is wrong.
    #[must_use]
    pub fn bad(answer: Answer, problem: impl Into<String>) -> Self {
        Self { answer, said: Value::Null, problem: Some(problem.into()) }
    }
}

/// A provider's contract.
pub trait Contract: Send + Sync + 'static {
    /// Checks a request and says the documented answer.
    fn check(&self, asked: &Asked) -> Verdict;
}

/// Whether an object, if it is there, has no other fields.
fn only(value: &Value, at: &str, known: &[&str]) -> Result<(), String> {
    match value {
        Value::Null if !at.is_empty() => Ok(()),
        Value::Object(map) if map.keys().all(|key| known.contains(&key.as_str())) => Ok(()),
        _ => Err(at.to_owned()),
    }
}
