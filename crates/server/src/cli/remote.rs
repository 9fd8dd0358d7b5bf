//! Which server a client's command speaks to, and with which credentials.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use http::Uri;

use super::token::{DAY_S, token_007};
use super::trust::Trust;
use crate::config::names::SecretText;
use crate::exit::{Exit, Failed};
use crate::local::{Local, LocalApp, LocalError};

pub(super) mod chat;

/// What `listen` and `send` have in common.
#[derive(Debug, Args)]
pub(super) struct RemoteArguments {
    /// The server [default: the one that runs on the data directory]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The App ID; may be left out if the local server has only one app
    #[arg(long, value_name = "APP_ID")]
    app: Option<String>,
    /// The token [default: one made with the data directory's credentials]
    #[arg(long, value_name = "T")]
    token: Option<String>,
    /// The data directory of the local server
    #[arg(long, value_name = "DIR", env = "STENTOR_SERVER_DATA_DIR", default_value = "./stentor-data")]
    data: PathBuf,
    /// Certificate authorities to trust, PEM [default: the system's]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// A server, an app of it, and the right to use it.
#[derive(Debug)]
pub(super) struct Remote {
    /// Without a path: `http://127.0.0.1:8480`.
    pub(super) url: String,
    /// Whom to trust.
    pub(super) trust: Trust,
    /// The App ID.
    pub(super) app_id: String,
    credentials: Credentials,
}

#[derive(Debug)]
enum Credentials {
    /// A token that was given.
    Token(String),
    /// The app's certificate: tokens are made as they are needed.
    Certificate(SecretText),
    /// HTTP Basic; clients need no token.
    Customer(String, SecretText),
    /// Nothing is needed, or nothing is known.
    None,
}

impl RemoteArguments {
    /// The server that runs on a data directory.
    pub(super) fn of_directory(data: PathBuf) -> Self {
        Self { server: None, app: None, token: None, data, ca: None }
    }

    /// Finds the server.
    pub(super) fn find(self) -> Result<Remote, Failed> {
        match self.server {
            Some(url) => named(&url, self.app, self.token, &self.data, self.ca),
            None => {
                let local = Local::read(&self.data).map_err(local_failed)?;
                let app = choose(&local, self.app.as_deref())?;
                let credentials = self.token.map_or_else(|| Credentials::of(app), Credentials::Token);
                let trust = trust(self.ca, Some(&local));
                Ok(Remote { url: local.url.clone(), trust, app_id: app.app_id.clone(), credentials })
            }
        }
    }
}

/// With `--server`, the data directory helps if that server runs on it.
fn named(
    url: &str,
    app_id: Option<String>,
    token: Option<String>,
    data: &std::path::Path,
    ca: Option<PathBuf>,
) -> Result<Remote, Failed> {
    let url = checked(url)?;
    let local = Local::read(data).ok().filter(|local| local.url == url);
    let app = local.as_ref().and_then(|local| local.app(app_id.as_deref()));
    let credentials = match (token, app) {
        (Some(token), _) => Credentials::Token(token),
        (None, Some(app)) => Credentials::of(app),
        (None, None) => Credentials::None,
    };
    let known = app.map(|app| app.app_id.clone());
    let app_id = app_id.or(known).ok_or_else(|| Failed::new(Exit::Usage, "--app is needed with --server"))?;
    let trust = trust(ca, local.as_ref());
    Ok(Remote { url, trust, app_id, credentials })
}

/// Checks the URL of a server.
fn checked(url: &str) -> Result<String, Failed> {
    let url = url.trim_end_matches('/').to_owned();
    let parsed: Option<Uri> = url.parse().ok();
    let good = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    if parsed.is_some_and(|uri| good(&uri) && uri.path() == "/") {
        return Ok(url);
    }
    Err(Failed::new(Exit::Usage, format!("--server: expected a URL like https://host:port, found {url:?}")))
}

/// Whom to trust: those who were named, the certificate of the local server, or the system's authorities.
fn trust(ca: Option<PathBuf>, local: Option<&Local>) -> Trust {
    match (ca, local.and_then(|local| local.trust.clone())) {
        (Some(ca), _) => Trust::Authorities(ca),
        (None, Some(certificate)) => Trust::Exactly(certificate),
        (None, None) => Trust::System,
    }
}

fn local_failed(error: LocalError) -> Failed {
    let exit = match error {
        LocalError::NoDirectory(_) | LocalError::NotRunning(_) => Exit::Unreachable,
        LocalError::Unreadable(_) | LocalError::Damaged(_) => Exit::DataDirectory,
    };
    Failed::new(exit, error)
}

fn choose<'a>(local: &'a Local, app_id: Option<&str>) -> Result<&'a LocalApp, Failed> {
    local.app(app_id).ok_or_else(|| {
        let known: Vec<&str> = local.apps.iter().map(|app| app.app_id.as_str()).collect();
        let known = known.join(", ");
        Failed::new(
            Exit::Usage,
            match app_id {
                Some(app_id) => format!("the local server has no app {app_id}; it has {known}"),
                None => format!("the local server has several apps; name one with --app: {known}"),
            },
        )
    })
}

impl Credentials {
    fn of(app: &LocalApp) -> Self {
        match (&app.certificate, &app.customer) {
            (Some(certificate), _) => Self::Certificate(certificate.clone()),
            (None, Some((id, secret))) => Self::Customer(id.clone(), secret.clone()),
            (None, None) => Self::None,
        }
    }
}

impl Remote {
    /// A server that asks for nothing.
    #[cfg(test)]
    pub(super) fn at(url: String) -> Self {
        let app_id = "970CA35de60c44645bbae8a215061b33".to_owned();
        Self { url, trust: Trust::System, app_id, credentials: Credentials::None }
    }

    /// A token for a client; `None` if none is needed, or none can be made.
    pub(super) fn token(&self, user: &str) -> Result<Option<String>, Failed> {
        match &self.credentials {
            Credentials::Token(token) => Ok(Some(token.clone())),
            Credentials::Certificate(certificate) => {
                token_007(&self.app_id, certificate.expose(), user, DAY_S).map(Some)
            }
            Credentials::Customer(..) | Credentials::None => Ok(None),
        }
    }

    /// Whether a token that expires can be replaced.
    pub(super) fn makes_tokens(&self) -> bool {
        matches!(self.credentials, Credentials::Certificate(_))
    }

    /// The headers that let a REST call send as `user`.
    pub(super) fn headers(&self, user: &str) -> Result<Vec<(&'static str, String)>, Failed> {
        if let Some(token) = self.token(user)? {
            return Ok(vec![("x-agora-token", token), ("x-agora-uid", user.to_owned())]);
        }
        match &self.credentials {
            Credentials::Customer(id, secret) => {
                let pair = STANDARD.encode(format!("{id}:{}", secret.expose()));
                Ok(vec![("authorization", format!("Basic {pair}"))])
            }
            _ => Err(Failed::new(
                Exit::Usage,
                format!("no credentials for the app {}: give a token with --token", self.app_id),
            )),
        }
    }
}
