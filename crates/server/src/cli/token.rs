//! `stentor token`: tokens for clients, made with an app's certificate.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use stentor_core::clock::{Clock, SystemClock};
use stentor_token::{v006, v007};

use super::{ServeArguments, say};
use crate::config::{AppConfig, Config};
use crate::data_dir;
use crate::exit::{Exit, Failed};
use crate::first_start::CREDENTIALS;
use crate::local::Local;

pub(super) mod chat;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// A token for an RTM client or REST caller.
    Rtm(RtmArguments),
    /// A Bearer token of a Chat app: for its backend.
    ChatApp(chat::Arguments),
    /// A Bearer token of a Chat user, who must be registered to use it.
    ChatUser(chat::UserArguments),
}

#[derive(Debug, Args)]
pub(super) struct RtmArguments {
    /// The App ID; may be left out if there is only one app
    #[arg(long, value_name = "APP_ID")]
    app: Option<String>,
    /// Whom the token is for
    #[arg(long, value_name = "UID")]
    user: String,
    /// AccessToken 006 or AccessToken2 007
    #[arg(long, value_enum, default_value = "007")]
    format: Format,
    /// How long it lives
    #[arg(long, value_name = "SECONDS", default_value_t = DAY_S, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAY_S)))]
    ttl: u32,
    #[command(flatten)]
    sources: ServeArguments,
}

/// The formats of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    #[value(name = "006")]
    V006,
    #[value(name = "007")]
    V007,
}

/// No RTM token lives longer, whatever it says.
pub(super) const DAY_S: u32 = 86_400;

pub(super) async fn run(command: Command) -> Result<Exit, Failed> {
    match command {
        Command::Rtm(arguments) => rtm(&arguments),
        Command::ChatApp(arguments) => chat::run(&arguments, None).await,
        Command::ChatUser(arguments) => chat::run(&arguments.common, Some(&arguments.user)).await,
    }
}

fn rtm(arguments: &RtmArguments) -> Result<Exit, Failed> {
    check_user(&arguments.user)?;
    let (app_id, certificate) = certificate(arguments)?;
    let make = match arguments.format {
        Format::V006 => token_006,
        Format::V007 => token_007,
    };
    say(make(&app_id, &certificate, &arguments.user, arguments.ttl)?);
    Ok(Exit::Ok)
}

/// Refuses what no client may be called.
pub(super) fn check_user(user: &str) -> Result<(), Failed> {
    stentor_api_rtm::NAMES.check(user).map_err(|error| Failed::new(Exit::Usage, format!("the user ID {error}")))
}

fn now_s() -> u32 {
    u32::try_from(SystemClock::new().wall_ms() / 1000).unwrap_or(u32::MAX)
}

fn salt() -> Result<u32, Failed> {
    // As the official builders do: 1 to 99999999.
    let random = getrandom::u32().map_err(|error| Failed::new(Exit::Failure, format!("no random numbers: {error}")))?;
    Ok(random % 99_999_999 + 1)
}

fn token_006(app_id: &str, certificate: &str, user: &str, ttl_s: u32) -> Result<String, Failed> {
    Ok(v006::build(app_id, certificate, user, salt()?, now_s().saturating_add(ttl_s), 0))
}

/// An AccessToken2 for `user` that lives for `ttl_s` seconds from now.
pub(super) fn token_007(app_id: &str, certificate: &str, user: &str, ttl_s: u32) -> Result<String, Failed> {
    let issue = v007::Issue { issue_ts_s: now_s(), expire_s: ttl_s, salt: salt()? };
    let service = v007::Service {
        privileges: [(1, ttl_s)].into_iter().collect(),
        kind: v007::ServiceKind::Rtm { user: user.to_owned() },
    };
    v007::build(app_id, certificate, issue, &[service]).map_err(|error| Failed::new(Exit::Usage, error))
}

/// The App ID and its certificate: from the configuration, the made-up app, or the running server.
fn certificate(arguments: &RtmArguments) -> Result<(String, String), Failed> {
    let (data_dir, apps) = configured(&arguments.sources)?;
    if let Some(app) = choose(&apps, arguments.app.as_deref()) {
        let certificate = app.app.app_certificate.as_ref().ok_or_else(|| {
            Failed::new(Exit::Usage, format!("the app {} has no certificate: its clients need no token", app.app_id()))
        })?;
        return Ok((app.app_id().to_owned(), certificate.expose().to_owned()));
    }
    let running = Local::read(&data_dir).ok();
    let app = running.as_ref().and_then(|local| local.app(arguments.app.as_deref()));
    match app.and_then(|app| Some((app.app_id.clone(), app.certificate.as_ref()?.expose().to_owned()))) {
        Some(found) => Ok(found),
        None => Err(Failed::new(
            Exit::Usage,
            match &arguments.app {
                Some(app) => format!("no app {app} in the configuration or the data directory"),
                None => "name the app with --app".to_owned(),
            },
        )),
    }
}

/// The data directory, and the apps that are configured or were made up in it.
fn configured(sources: &ServeArguments) -> Result<(PathBuf, Vec<AppConfig>), Failed> {
    let config = sources.load()?;
    let data_dir = config.data_dir().to_owned();
    let apps = if config.apps.is_empty() { made_up(&data_dir)? } else { config.apps };
    Ok((data_dir, apps))
}

fn made_up(data_dir: &Path) -> Result<Vec<AppConfig>, Failed> {
    let text = data_dir::read(data_dir, CREDENTIALS).map_err(|error| Failed::new(Exit::DataDirectory, error))?;
    let Some(text) = text else { return Ok(Vec::new()) };
    let file = data_dir.join(CREDENTIALS).display().to_string();
    let config = Config::parse(&file, &text).map_err(|error| Failed::new(Exit::DataDirectory, error))?;
    Ok(config.apps)
}

fn choose<'a>(apps: &'a [AppConfig], app_id: Option<&str>) -> Option<&'a AppConfig> {
    match app_id {
        Some(app_id) => apps.iter().find(|app| app.app_id() == app_id),
        None => apps.first().filter(|_| apps.len() == 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "970CA35de60c44645bbae8a215061b33";
    const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";

    #[test]
    fn both_formats_verify() {
        let now_s = u64::from(now_s());
        for make in [token_006, token_007] {
            let token = make(APP, CERTIFICATE, "bob", 600).unwrap();
            let grant = stentor_token::verify_login(&token, APP, CERTIFICATE, "bob", now_s).unwrap();
            assert!((now_s + 599..=now_s + 603).contains(&grant.expires_at_s), "{}", grant.expires_at_s);
            assert!(stentor_token::verify_login(&token, APP, CERTIFICATE, "alice", now_s).is_err());
        }
    }
}
