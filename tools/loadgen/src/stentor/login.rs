//! Logging in over an open WebSocket.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::{APP_ID, token};
use crate::wire::frame;
use crate::wire::websocket::{FrameSink, FrameSource, Scratch, connect};

/// Where clients connect.
pub const PATH: &str = "/ws/rtm";

/// What a client says every `ping_interval_ms` while it has nothing else to say.
pub const PING: &str = r#"{"type":"ping"}"#;

/// How long the server may take to answer during a login.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Its reading side.
    pub source: FrameSource,
    /// Its writing side.
    pub sink: FrameSink,
    /// The server's `welcome`.
    pub welcome: Value,
    /// Notices that came with or before the welcome.
    pub early: Vec<Value>,
}

/// A login that was refused. What passes may be tried again.
#[derive(Debug)]
pub struct Refused {
    /// Its code.
    pub code: u64,
    /// The whole frame.
    frame: Value,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "login refused: {}", self.frame)
    }
}

impl std::error::Error for Refused {}

/// Connects and logs in. `resume` is the field of that name.
///
/// # Errors
/// When the connection fails or the login is refused.
pub async fn log_in(
    server: SocketAddr,
    from: Option<Ipv4Addr>,
    user: &str,
    resume: Option<Value>,
    scratch: &Scratch,
) -> anyhow::Result<LoggedIn> {
    let (mut source, sink) = connect(server, from, PATH, scratch).await?;
    let mut login = json!({"type": "login", "version": 1, "app": APP_ID, "user": user, "token": token(user)?});
    if let Some(resume) = resume {
        login["resume"] = resume;
    }
    sink.send_text(&login.to_string())?;
    let mut early = Vec::new();
    let welcome = wait_for(&mut source, &mut early, |frame| frame["type"] == "welcome").await?;
    Ok(LoggedIn { source, sink, welcome, early })
}

/// Reads until the frame that `wanted` accepts; the others are added to `early`.
///
/// # Errors
/// When the connection ends, the login is refused, or nothing comes for 30 s.
pub async fn wait_for(
    source: &mut FrameSource,
    early: &mut Vec<Value>,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let mut found = None;
    while found.is_none() {
        let read = source.read(|opcode, payload| {
            let frame = read_text(opcode, payload)?;
            match frame["type"].as_str() {
                Some("refused") => bail!(Refused { code: frame["code"].as_u64().unwrap_or_default(), frame }),
                _ if found.is_none() && wanted(&frame) => found = Some(frame),
                _ => early.push(frame),
            }
            Ok(())
        });
        if !tokio::time::timeout(PATIENCE, read).await.context("no answer to a login")?? {
            bail!("the server closed the connection during the login");
        }
    }
    found.context("unreachable: the loop ends with a frame")
}

/// A text frame as JSON.
///
/// # Errors
/// When it is no text frame or no JSON; with the code if it is a close frame.
pub fn read_text(opcode: u8, payload: &[u8]) -> anyhow::Result<Value> {
    match opcode {
        frame::TEXT => Ok(serde_json::from_slice(payload)?),
        frame::CLOSE => bail!("closed by the server with {}", close_code(payload)),
        other => bail!("a frame with opcode {other}"),
    }
}

/// The code of a close frame; 1005, as RFC 6455 has it, if it carries none.
#[must_use]
pub fn close_code(payload: &[u8]) -> u16 {
    payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
}
