//! The Chat side of a server that a client's command speaks to.

use bytes::Bytes;
use clap::Args;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use stentor_gateway_ws::client::ChatAppName;

use super::{RemoteArguments, checked, local_failed, trust};
use crate::cli::http as client;
use crate::cli::token::chat::token_007;
use crate::cli::trust::Trust;
use crate::config::names::SecretText;
use crate::exit::{Exit, Failed};
use crate::local::{Local, LocalApp};

/// Which app, by the names in its URLs.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct ChatNames {
    /// Chat: the organisation; may be left out if the local server has only one app
    #[arg(long, value_name = "ORG", requires = "app_name")]
    pub(in crate::cli) org: Option<String>,
    /// Chat: the app's name
    #[arg(long, value_name = "NAME", requires = "org")]
    pub(in crate::cli) app_name: Option<String>,
}

impl ChatNames {
    /// Whether these are the names of an app.
    pub(in crate::cli) fn are(&self, org: &str, name: &str) -> bool {
        let same = |given: &Option<String>, name: &str| given.as_ref().is_none_or(|g| g.eq_ignore_ascii_case(name));
        same(&self.org, org) && same(&self.app_name, name)
    }
}

/// The Chat side of an app on a server, and what is known of its secrets.
#[derive(Debug)]
pub(in crate::cli) struct ChatRemote {
    /// Without a path: `http://127.0.0.1:8480`.
    pub(in crate::cli) url: String,
    /// Whom to trust.
    pub(in crate::cli) trust: Trust,
    /// What the app is called.
    pub(in crate::cli) app: ChatAppName,
    secrets: Secrets,
}

/// What tokens can be had with.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Secrets {
    /// The App ID and the certificate.
    pub(in crate::cli) certificate: Option<(String, SecretText)>,
    /// `client_id` and `client_secret`.
    pub(in crate::cli) client: Option<(String, SecretText)>,
}

impl RemoteArguments {
    /// Finds the server, and the Chat side of an app of it. A token that was given is the caller's business.
    pub(in crate::cli) fn find_chat(&self, names: &ChatNames) -> Result<ChatRemote, Failed> {
        let local = match &self.server {
            None => Some(Local::read(&self.data).map_err(local_failed)?),
            Some(url) => {
                let url = checked(url)?;
                Local::read(&self.data).ok().filter(|local| local.url == url)
            }
        };
        let app = local.as_ref().and_then(|local| choose(local, self.app.as_deref(), names));
        let url = match (&self.server, &local) {
            (Some(url), _) => checked(url)?,
            (None, local) => local.as_ref().map(|local| local.url.clone()).unwrap_or_default(),
        };
        let named = match (names, &self.app, app) {
            (ChatNames { org: Some(org), app_name: Some(name) }, ..) => names_of(org, name),
            (_, Some(app_id), _) => ChatAppName::Id { app_id: app_id.clone() },
            (_, None, Some((_, chat))) => names_of(&chat.org, &chat.name),
            (_, None, None) => {
                return Err(Failed::new(Exit::Usage, "name the app with --org and --app-name, or with --app"));
            }
        };
        let trust = trust(self.ca.clone(), local.as_ref());
        Ok(ChatRemote { url, trust, app: named, secrets: app.map(|(app, _)| Secrets::of(app)).unwrap_or_default() })
    }

    /// The token that was given.
    pub(in crate::cli) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

fn names_of(org: &str, name: &str) -> ChatAppName {
    ChatAppName::Names { org: org.to_owned(), app_name: name.to_owned() }
}

/// The app that is meant, if it has a Chat side: by its ID or names, or the only one.
fn choose<'a>(
    local: &'a Local,
    app_id: Option<&str>,
    names: &ChatNames,
) -> Option<(&'a LocalApp, &'a crate::local::LocalChat)> {
    let with_chat = local.apps.iter().filter_map(|app| Some((app, app.chat.as_ref()?)));
    let mut meant = with_chat
        .filter(|(app, chat)| app_id.is_none_or(|app_id| app.app_id == app_id) && names.are(&chat.org, &chat.name));
    let found = meant.next()?;
    meant.next().is_none().then_some(found)
}

impl Secrets {
    fn of(app: &LocalApp) -> Self {
        Self {
            certificate: app.certificate.clone().map(|certificate| (app.app_id.clone(), certificate)),
            client: app.chat.as_ref().and_then(|chat| chat.client.clone()),
        }
    }
}

impl ChatRemote {
    /// The same with other secrets.
    pub(in crate::cli) fn with(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Whether tokens can be had.
    pub(in crate::cli) fn makes_tokens(&self) -> bool {
        self.secrets.certificate.is_some() || self.secrets.client.is_some()
    }

    /// A token for the app, or for a user of it: made with the certificate, or asked for with the client's secret.
    pub(in crate::cli) async fn token(&self, user: Option<&str>, ttl_s: u32) -> Result<String, Failed> {
        if let Some((app_id, certificate)) = &self.secrets.certificate {
            return token_007(app_id, certificate.expose(), user, ttl_s);
        }
        let Some((id, secret)) = &self.secrets.client else {
            return Err(Failed::new(Exit::Usage, "no credentials for the app: give a token with --token"));
        };
        let body = json!({
            "grant_type": "client_credentials", "client_id": id, "client_secret": secret.expose(), "ttl": ttl_s,
        });
        let app_token = self.ask_for_token(&body, None).await?;
        match user {
            None => Ok(app_token),
            Some(user) => {
                let body = json!({ "grant_type": "inherit", "username": user, "ttl": ttl_s });
                self.ask_for_token(&body, Some(&app_token)).await
            }
        }
    }

    async fn ask_for_token(&self, body: &Value, bearer: Option<&str>) -> Result<String, Failed> {
        let reply = self.post("token", body, bearer).await?;
        let found: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        match found["access_token"].as_str() {
            Some(token) if reply.status == StatusCode::OK => Ok(token.to_owned()),
            _ => Err(refused(&reply)),
        }
    }

    /// Makes a request of the Chat API.
    pub(in crate::cli) async fn post(
        &self,
        endpoint: &str,
        body: &Value,
        bearer: Option<&str>,
    ) -> Result<client::Reply, Failed> {
        let prefix = match &self.app {
            ChatAppName::Names { org, app_name } => format!("{org}/{app_name}"),
            ChatAppName::Id { app_id } => format!("app-id/{app_id}"),
        };
        let mut request =
            Request::post(format!("{}/{prefix}/{endpoint}", self.url)).header(CONTENT_TYPE, "application/json");
        if let Some(token) = bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body.to_string())));
        let request = request.map_err(|error| Failed::new(Exit::Usage, error))?;
        Ok(client::request(request, &self.trust, client::PATIENCE).await?)
    }
}

/// What a reply that is no success comes to.
pub(in crate::cli) fn refused(reply: &client::Reply) -> Failed {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let reason = body["error_description"].as_str().unwrap_or(&reply.body);
    Failed::new(Exit::Failure, format!("the server answered {}: {reason}", reply.status))
}

/// The user ID as the server keeps it.
pub(in crate::cli) fn user_id(name: &str) -> Result<String, Failed> {
    match stentor_api_chat::user_id(name) {
        Ok(user) => Ok(user.as_str().to_owned()),
        Err(error) => Err(Failed::new(Exit::Usage, format!("the user ID {error}"))),
    }
}
