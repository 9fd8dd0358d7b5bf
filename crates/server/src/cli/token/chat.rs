//! `stentor token chat-app` and `chat-user`: made with the app's certificate, also when no server is running; without a
//! certificate asked for with the client's secret, which needs a running server.

use clap::Args;
use stentor_token::v007;

use super::{DAY_S, configured, now_s, salt};
use crate::cli::remote::RemoteArguments;
use crate::cli::remote::chat::{ChatNames, ChatRemote, Secrets, user_id};
use crate::cli::{ServeArguments, say};
use crate::config::AppConfig;
use crate::exit::{Exit, Failed};
use crate::local::LocalChat;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The App ID; may be left out if there is only one Chat app
    #[arg(long, value_name = "APP_ID")]
    app: Option<String>,
    #[command(flatten)]
    names: ChatNames,
    /// How long it lives
    #[arg(long, value_name = "SECONDS", default_value_t = DAY_S, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAY_S)))]
    ttl: u32,
    #[command(flatten)]
    sources: ServeArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UserArguments {
    /// Whom the token is for
    #[arg(long, value_name = "UID")]
    pub(super) user: String,
    #[command(flatten)]
    pub(super) common: Arguments,
}

pub(super) async fn run(arguments: &Arguments, user: Option<&str>) -> Result<Exit, Failed> {
    let user = user.map(user_id).transpose()?;
    let (data_dir, apps) = configured(&arguments.sources)?;
    let Some((app, chat)) = choose(&apps, arguments) else {
        return Err(Failed::new(
            Exit::Usage,
            "no such Chat app in the configuration or the data directory: name it with --org and --app-name",
        ));
    };
    let token = match &app.app.app_certificate {
        Some(certificate) => token_007(app.app_id(), certificate.expose(), user.as_deref(), arguments.ttl)?,
        None => {
            let names = ChatNames { org: Some(chat.org), app_name: Some(chat.name) };
            let running: ChatRemote = RemoteArguments::of_directory(data_dir).find_chat(&names)?;
            let remote = running.with(Secrets { certificate: None, client: chat.client });
            remote.token(user.as_deref(), arguments.ttl).await?
        }
    };
    say(token);
    Ok(Exit::Ok)
}

/// The app that is meant, if it has a Chat side: by its ID or names, or the only one.
fn choose<'a>(apps: &'a [AppConfig], arguments: &Arguments) -> Option<(&'a AppConfig, LocalChat)> {
    let with_chat = apps.iter().filter_map(|app| Some((app, LocalChat::of(app)?)));
    let mut meant = with_chat.filter(|(app, chat)| {
        arguments.app.as_deref().is_none_or(|app_id| app.app_id() == app_id)
            && arguments.names.are(&chat.org, &chat.name)
    });
    let found = meant.next()?;
    meant.next().is_none().then_some(found)
}

/// An AccessToken2 for the Chat app, or for `user`, that lives for `ttl_s` seconds from now.
pub(in crate::cli) fn token_007(
    app_id: &str,
    certificate: &str,
    user: Option<&str>,
    ttl_s: u32,
) -> Result<String, Failed> {
    let issue = v007::Issue { issue_ts_s: now_s(), expire_s: ttl_s, salt: salt()? };
    let service = match user {
        Some(user) => v007::Service::chat_user(user, ttl_s),
        None => v007::Service::chat_app(ttl_s),
    };
    v007::build(app_id, certificate, issue, &[service]).map_err(|error| Failed::new(Exit::Usage, error))
}

#[cfg(test)]
mod tests {
    use stentor_token::ChatHolder;

    use super::*;

    const APP: &str = "970CA35de60c44645bbae8a215061b33";
    const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";

    #[test]
    fn both_kinds_verify() {
        let now_s = u64::from(now_s());
        for (user, holder) in [(None, ChatHolder::App), (Some("bob"), ChatHolder::User("bob".to_owned()))] {
            let token = token_007(APP, CERTIFICATE, user, 600).unwrap();
            let grant = v007::verify_chat(&token, APP, CERTIFICATE, now_s).unwrap();
            assert_eq!(grant.holder, holder);
            assert!((now_s + 599..=now_s + 603).contains(&grant.expires_at_s), "{}", grant.expires_at_s);
        }
    }
}
