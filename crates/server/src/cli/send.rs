//! `stentor send`: one message over the REST API, as any backend would send it. A client's login instead would end
//! the session of a user who is listening.

use std::time::Duration;

use bytes::Bytes;
use clap::{ArgGroup, Args};
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::remote::RemoteArguments;
use super::token::check_user;
use super::{http as client, say};
use crate::exit::{Exit, Failed};

/// For the receiver's ack.
const ACK_TIME: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("receiver").required(true).args(["user", "channel"]))]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: RemoteArguments,
    /// The sender
    #[arg(long, value_name = "UID")]
    from: String,
    /// The receiver
    #[arg(long, value_name = "UID")]
    user: Option<String>,
    /// The channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Wait until the receiver has it. Exit code 5 if nobody is there, 6 if nobody confirmed in time
    #[arg(long, requires = "user")]
    ack: bool,
    /// Keep it for a receiver who is away
    #[arg(long, requires = "user")]
    keep: bool,
    /// Keep it for history queries
    #[arg(long)]
    history: bool,
    /// How many seconds to wait for the server's answer [default: 10; with --ack, 40]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    /// What to send
    payload: String,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failed> {
    check_user(&arguments.from)?;
    let remote = arguments.remote.find()?;
    let endpoint = match &arguments.user {
        Some(_) if arguments.ack => "peer_messages?wait_for_ack=true",
        Some(_) => "peer_messages",
        None => "channel_messages",
    };
    let mut body = json!({ "payload": arguments.payload, "enable_historical_messaging": arguments.history });
    match (&arguments.user, &arguments.channel) {
        (Some(user), _) => {
            body["destination"] = json!(user);
            body["enable_offline_messaging"] = json!(arguments.keep);
        }
        (None, channel) => body["channel_name"] = json!(channel),
    }
    let from = percent_encoded(&arguments.from);
    let uri = format!("{}/dev/v2/project/{}/rtm/users/{from}/{endpoint}", remote.url, remote.app_id);
    let mut request = Request::post(uri).header(CONTENT_TYPE, "application/json");
    for (name, value) in remote.headers(&arguments.from)? {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_string())));
    let request = request.map_err(|error| Failed::new(Exit::Usage, error))?;
    let patience = patience(arguments.timeout, arguments.ack);
    let reply = client::request(request, &remote.trust, patience).await?;
    report(&reply)
}

/// How long the answer is waited for. With `--ack` the server itself waits: 8 s, unless it is configured otherwise.
fn patience(timeout: Option<u64>, ack: bool) -> Duration {
    match timeout {
        Some(seconds) => Duration::from_secs(seconds),
        None if ack => client::PATIENCE + ACK_TIME,
        None => client::PATIENCE,
    }
}

/// Prints the reply's code, and turns it into the exit code.
fn report(reply: &client::Reply) -> Result<Exit, Failed> {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    if reply.status == StatusCode::OK {
        let code = body["code"].as_str().unwrap_or("ok");
        say(code);
        return Ok(if code == "message_offline" { Exit::Offline } else { Exit::Ok });
    }
    let reason = body["reason"].as_str().unwrap_or(&reply.body);
    let exit = if reply.status == StatusCode::REQUEST_TIMEOUT { Exit::Unconfirmed } else { Exit::Failure };
    Err(Failed::new(exit, format!("the server answered {}: {reason}", reply.status)))
}

/// A path segment: what is not plainly harmless is encoded.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_encoded() {
        assert_eq!(percent_encoded("a b/%7w"), "a%20b%2F%257w");
    }

    #[test]
    fn an_ack_may_take_longer() {
        let seconds = |timeout, ack| patience(timeout, ack).as_secs();
        assert_eq!((seconds(None, false), seconds(None, true), seconds(Some(700), true)), (10, 40, 700));
    }

    #[test]
    fn the_exit_code_says_what_became_of_it() {
        let report = |status, body: &str| report(&client::Reply { status, body: body.to_owned() });
        assert_eq!(report(StatusCode::OK, r#"{"code":"message_delivered"}"#).unwrap(), Exit::Ok);
        assert_eq!(report(StatusCode::OK, r#"{"code":"message_offline"}"#).unwrap(), Exit::Offline);
        assert_eq!(report(StatusCode::REQUEST_TIMEOUT, "{}").unwrap_err().exit, Exit::Unconfirmed);
        let refused = report(StatusCode::UNAUTHORIZED, r#"{"reason":"no such user"}"#).unwrap_err();
        assert_eq!(
            (refused.exit, refused.message.as_str()),
            (Exit::Failure, "the server answered 401 Unauthorized: no such user")
        );
    }
}
