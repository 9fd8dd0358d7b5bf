//! The start of every request: which app, who is calling; and the end: the envelope, and the time of a refusal.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Method;
use axum::http::header::HOST;
use axum::http::request::Parts;
use serde_json::Value;
use stentor_core::app::App;
use stentor_core::id::UserId;
use stentor_core::node::Node;
use stentor_http_kit::percent::query_value;

use crate::app::ChatApp;
use crate::auth::{Granted, Principal, authenticate, bearer};
use crate::envelope::Envelope;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::state::ChatState;

/// The app that the URL names; put among the request's extensions by `crate::routes`.
#[derive(Debug, Clone)]
pub(crate) struct Addressed {
    pub(crate) chat: Arc<ChatApp>,
    pub(crate) app: Arc<App>,
    /// `/org/app` or `/app-id/id`, as the client wrote it.
    pub(crate) prefix: Arc<str>,
    pub(crate) started_us: u64,
}

/// A request to an app, by anybody.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) state: ChatState,
    /// The core, on behalf of the user who calls.
    node: Node,
    /// The core's side of the app.
    pub(crate) app: Arc<App>,
    /// This dialect's side of it.
    pub(crate) chat: Arc<ChatApp>,
    prefix: Arc<str>,
    started_us: u64,
    /// Behind the prefix.
    path: String,
    query: String,
    method: Method,
    host: Option<String>,
    params: HashMap<String, String>,
}

/// A request to an app, by somebody with a good token.
#[derive(Debug)]
pub(crate) struct Call {
    visit: Visit,
    pub(crate) granted: Granted,
}

impl Deref for Call {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl FromRequestParts<ChatState> for Visit {
    type Rejection = ChatError;

    async fn from_request_parts(parts: &mut Parts, state: &ChatState) -> Result<Self, ChatError> {
        let addressed = parts.extensions.get::<Addressed>().cloned().ok_or_else(ChatError::internal)?;
        let params = match RawPathParams::from_request_parts(parts, state).await {
            Ok(params) => params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            Err(_not_utf8) => return Err(ChatError::illegal_argument("this is an invalid request.")),
        };
        Ok(Self {
            state: state.clone(),
            node: state.node().clone(),
            app: addressed.app,
            chat: addressed.chat,
            prefix: addressed.prefix,
            started_us: addressed.started_us,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            method: parts.method.clone(),
            host: parts.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned),
            params,
        })
    }
}

impl FromRequestParts<ChatState> for Call {
    type Rejection = ChatError;

    async fn from_request_parts(parts: &mut Parts, state: &ChatState) -> Result<Self, ChatError> {
        let visit = Visit::from_request_parts(parts, state).await?;
        let granted = authenticate(state, &visit.chat, &visit.app, bearer(&parts.headers)?).await?;
        let actor = match &granted.principal {
            Principal::User(user) => Some(visit.node.acting_for(user)),
            Principal::App => None,
        };
        let node = actor.unwrap_or(visit.node);
        Ok(Self { visit: Visit { node, ..visit }, granted })
    }
}

impl Visit {
    /// The core.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Unix time in milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        self.node().clock().wall_ms()
    }

    /// Takes one call under a rule.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn limit(&self, rule: ChatRule) -> Result<(), ChatError> {
        self.chat.limit(rule, self.node().clock().monotonic_us())
    }

    /// A part of the path, percent-decoded; empty if there is none of that name.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// A user ID in the path.
    ///
    /// # Errors
    /// 404: a name that nobody can have is a user that is not there.
    pub(crate) fn user_param(&self, name: &str) -> Result<UserId, ChatError> {
        user_id(self.param(name)).map_err(|_| ChatError::user_not_found())
    }

    /// A query parameter, percent-decoded. One that cannot be decoded is not there.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        query_value(&self.query, name).ok().flatten().map(std::borrow::Cow::into_owned)
    }

    /// The cursor in the query. Web clients write `undefined` when they have none.
    pub(crate) fn cursor(&self) -> Option<String> {
        self.query("cursor").filter(|text| !matches!(text.as_str(), "" | "undefined" | "null"))
    }

    /// A number in the query, within bounds. Anything else is the default, as the vendor's services have it.
    pub(crate) fn query_number(&self, name: &str, default: usize, max: usize) -> usize {
        self.query(name).and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(default).min(max)
    }

    /// The query as the envelope repeats it.
    pub(crate) fn query_params(&self, names: &[&str]) -> Value {
        let pairs = names.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(vec![self.query(name)?]))));
        Value::Object(pairs.collect())
    }

    /// The URL of something of the app: `path` begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.state.base_url(self.host.as_deref()), self.prefix)
    }

    /// The path behind the app.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// An envelope with what is known so far: the method as action, the request's own URL.
    pub(crate) fn reply(&self) -> Envelope {
        let clock = self.node().clock();
        Envelope {
            path: None,
            uri: Some(self.url(&self.path)),
            timestamp: clock.wall_ms(),
            organization: Some(self.chat.org.clone()),
            application: Some(self.chat.uuid().to_owned()),
            action: Some(self.method.as_str().to_ascii_lowercase()),
            data: None,
            entities: None,
            status: None,
            count: None,
            total: None,
            cursor: None,
            params: None,
            properties: None,
            duration: clock.monotonic_us().saturating_sub(self.started_us) / 1000,
            application_name: Some(self.chat.name.clone()),
        }
    }
}

impl Call {
    /// Who is calling.
    pub(crate) fn principal(&self) -> &Principal {
        &self.granted.principal
    }

    /// Only for the app's backend.
    ///
    /// # Errors
    /// 401.
    pub(crate) fn only_app(&self) -> Result<(), ChatError> {
        match self.principal() {
            Principal::App => Ok(()),
            Principal::User(_) => Err(self.no_permission()),
        }
    }

    /// For the app's backend, and for this user.
    ///
    /// # Errors
    /// 401.
    pub(crate) fn app_or(&self, user: &UserId) -> Result<(), ChatError> {
        match self.principal() {
            Principal::User(own) if own != user => Err(self.no_permission()),
            _ => Ok(()),
        }
    }

    /// 401: the token is good, but not for this.
    pub(crate) fn no_permission(&self) -> ChatError {
        let verb = self.method.as_str().to_ascii_lowercase();
        ChatError::no_permission(&verb, self.chat.uuid(), &self.path)
    }
}
