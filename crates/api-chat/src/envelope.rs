//! The reply envelope: `action`, `uri`, `timestamp`, `organization` … around what an endpoint answers.

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use stentor_http_kit::json::json;

use axum::http::StatusCode;

/// A reply with status 200. Fields that are `None` are not written.
#[derive(Debug, Clone, Serialize)]
pub struct Envelope {
    /// The first segment of the path, or all of it; absent in some families.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The request's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// When it was answered: Unix time in milliseconds.
    pub timestamp: u64,
    /// The organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The app's UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The method in lower case, with a few exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Things of the older services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Value>,
    /// How it went, where a service says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How many there are on all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The query parameters, each an array of strings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// Always empty, where it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Value>,
    /// How long it took, in milliseconds.
    pub duration: u64,
    /// The app's name.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
}

impl Envelope {
    /// With the first segment of the path, or all of it.
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// With another action than the method.
    #[must_use]
    pub fn action(self, action: impl Into<String>) -> Self {
        Self { action: Some(action.into()), ..self }
    }

    /// Without an action.
    #[must_use]
    pub fn without_action(self) -> Self {
        Self { action: None, ..self }
    }

    /// With the URL of the collection instead of that of the request.
    #[must_use]
    pub fn uri(self, uri: impl Into<String>) -> Self {
        Self { uri: Some(uri.into()), ..self }
    }

    /// Without the app: some of the older services do not say it.
    #[must_use]
    pub fn without_app(self) -> Self {
        Self { organization: None, application: None, application_name: None, ..self }
    }

    /// Without the app and the URL: some services answer with little more than what was done.
    #[must_use]
    pub fn brief(self) -> Self {
        Self { uri: None, ..self.without_app() }
    }

    /// With data.
    #[must_use]
    pub fn data(self, data: impl Into<Value>) -> Self {
        Self { data: Some(data.into()), ..self }
    }

    /// With entities.
    #[must_use]
    pub fn entities(self, entities: impl Into<Value>) -> Self {
        Self { entities: Some(entities.into()), ..self }
    }

    /// With how it went.
    #[must_use]
    pub fn status(self, status: &'static str) -> Self {
        Self { status: Some(status), ..self }
    }

    /// With a count.
    #[must_use]
    pub fn count(self, count: usize) -> Self {
        Self { count: Some(count as u64), ..self }
    }

    /// With how many there are on all pages.
    #[must_use]
    pub fn total(self, total: u64) -> Self {
        Self { total: Some(total), ..self }
    }

    /// With a cursor, if there is another page.
    #[must_use]
    pub fn cursor(self, cursor: Option<String>) -> Self {
        Self { cursor, ..self }
    }

    /// With the query's parameters.
    #[must_use]
    pub fn params(self, params: impl Into<Value>) -> Self {
        Self { params: Some(params.into()), ..self }
    }

    /// With the empty things that the services of rooms and groups send along.
    #[must_use]
    pub fn of_rooms(self) -> Self {
        Self { entities: Some(Value::Array(Vec::new())), properties: Some(Value::Object(Default::default())), ..self }
    }

    /// The response.
    #[must_use]
    pub fn send(self) -> Response {
        json(StatusCode::OK, &self)
    }
}
