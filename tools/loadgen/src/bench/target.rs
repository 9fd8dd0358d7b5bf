//! The servers that are measured, behind one face.

use std::cell::OnceCell;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::Plan;
use super::scenario::PeerAcks;
use crate::server::Server;
use crate::stentor::chat::{self, AppToken, Backend, Login};
use crate::stentor::config::{ChatSetup, Setup};
use crate::stentor::login::{LoggedIn, log_in, wait_for};
use crate::stentor::msync;
use crate::stentor::notice::blank_payload;
use crate::stentor::request::{PeerFlags, Template, channel_message, peer_message};
use crate::wire::websocket::{FrameSink, FrameSource, Scratch, connect};

/// The room of the fan-out.
const ROOM: &str = "bench";
/// Who publishes.
const SENDER: &str = "backend";

/// Connections from one source address; there are about 28 000 ports for each.
const PER_ADDRESS: usize = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Plain,
    Coalescing,
    Stentor,
    /// The same server, with clients that speak the protocol of the vendor's Chat SDKs.
    Msync,
}

impl Kind {
    /// Whether it is the server, and no reference.
    pub(super) fn is_stentor(self) -> bool {
        matches!(self, Self::Stentor | Self::Msync)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Coalescing => "coalescing",
            Self::Stentor => "stentor",
            Self::Msync => "msync",
        }
    }
}

/// A running server of some kind, with its data. Both are gone when this is dropped, the server first.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) server: Server,
    chat: OnceCell<ChatSide>,
    _data: Option<DataDir>,
}

/// What clients and publishers of the Chat side need.
#[derive(Debug)]
struct ChatSide {
    token: AppToken,
    /// By the number of the client.
    user_tokens: Vec<String>,
    room: String,
}

/// What a client does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    /// Is in the room.
    Member,
    /// Is there.
    User,
}

/// A connected client.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) source: FrameSource,
    pub(super) sink: Rc<FrameSink>,
    /// How often it must be heard of.
    pub(super) ping_interval: Option<Duration>,
}

impl Target {
    pub(super) fn start(plan: &Plan, kind: Kind) -> anyhow::Result<Self> {
        let mode = match kind {
            Kind::Stentor | Kind::Msync => return Ok(Self { kind, ..Self::start_stentor(plan, None)? }),
            reference => reference.name(),
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["reference", mode]);
        let server = plan.cores.on_server_core(|| Server::start(&mut command, &plan.out.join("reference.log")))?;
        Ok(Self { kind, server, chat: OnceCell::new(), _data: None })
    }

    /// Starts the server, on a data directory of its own. With `trace` its calls to sync files go to that file.
    pub(super) fn start_stentor(plan: &Plan, trace: Option<&Path>) -> anyhow::Result<Self> {
        Self::start_with_push(plan, trace, Some(""))
    }

    /// The same with these lines of `[push]`, or without push.
    pub(super) fn start_with_push(plan: &Plan, trace: Option<&Path>, push: Option<&str>) -> anyhow::Result<Self> {
        let data = DataDir::create(&plan.out)?;
        let config = data.0.join("config.toml");
        let setup = Setup {
            data_dir: &data.0.join("data"),
            grace_ms: 30_000,
            ack_timeout_ms: 8_000,
            logins_per_second: 2,
            chat: ChatSetup::default(),
            push,
        };
        std::fs::write(&config, setup.to_toml())?;
        let mut command = match trace {
            None => Command::new(&plan.stentor),
            Some(trace) => {
                let mut strace = Command::new("strace");
                // -D keeps the server our child; the filter leaves all other calls at full speed.
                strace.args(["-D", "-f", "-qq", "--seccomp-bpf", "-e", "trace=fsync,fdatasync,sync_file_range", "-o"]);
                strace.arg(trace).arg(&plan.stentor);
                strace
            }
        };
        command.arg("serve").arg("--config").arg(&config).current_dir(&data.0);
        let server = plan.cores.on_server_core(|| Server::start(&mut command, &plan.out.join("stentor.log")))?;
        Ok(Self { kind: Kind::Stentor, server, chat: OnceCell::new(), _data: Some(data) })
    }

    /// From now on clients and publishers use the Chat side. Registers the users of so many clients and, if they are
    /// to be members, puts them into a room. The references have no sides.
    pub(super) async fn use_chat(&self, clients: usize, role: Role) -> anyhow::Result<()> {
        if !self.kind.is_stentor() {
            return Ok(());
        }
        let mut backend = Backend::open(self.server.address).await?;
        let users: Vec<_> = (0..clients).map(user_name).collect();
        let mut user_tokens = Vec::with_capacity(clients);
        for user in &users {
            user_tokens.push(backend.user_token(user).await?);
        }
        let room = match role {
            Role::Member => backend.room(&users).await?,
            Role::User => String::new(),
        };
        let side = ChatSide { token: backend.token().clone(), user_tokens, room };
        self.chat.set(side).ok().context("the Chat side was set up twice")
    }

    /// A request that publishes to the room of the Chat side, on a level, and the room's ID.
    pub(super) fn level_request(&self, level: &str, payload: usize) -> anyhow::Result<(Template, &str)> {
        let ChatSide { token, room, .. } = self.chat.get().context("no Chat side")?;
        Ok((Template::new(token.room_message(room, level, &blank_payload(payload))), room))
    }

    /// A request that publishes to the room.
    pub(super) fn room_request(&self, payload: usize) -> Template {
        let payload = blank_payload(payload);
        if let Some(ChatSide { token, room, .. }) = self.chat.get() {
            return Template::new(token.room_message(room, "normal", &payload));
        }
        Template::new(match self.kind {
            Kind::Stentor | Kind::Msync => channel_message(SENDER, ROOM, &payload, false),
            _ => reference_post("/room", &payload),
        })
    }

    /// A request that publishes to a user.
    pub(super) fn user_request(&self, user: usize, payload: usize, acks: PeerAcks) -> Template {
        let payload = blank_payload(payload);
        if let Some(ChatSide { token, .. }) = self.chat.get() {
            return Template::new(token.user_message(SENDER, &user_name(user), &payload));
        }
        let wait_for_ack = acks == PeerAcks::Waited;
        let flags = PeerFlags { wait_for_ack, ..PeerFlags::default() };
        Template::new(match self.kind {
            Kind::Stentor | Kind::Msync => peer_message(SENDER, &user_name(user), &payload, flags),
            _ if wait_for_ack => reference_post(&format!("/user/{user}/acked"), &payload),
            _ => reference_post(&format!("/user/{user}"), &payload),
        })
    }

    /// Connects the client with this number.
    pub(super) async fn subscribe(&self, number: usize, role: Role, scratch: &Scratch) -> anyhow::Result<Subscription> {
        let address = self.server.address;
        let from = u8::try_from(number / PER_ADDRESS).ok().filter(|further| *further > 0);
        let from = from.map(|further| Ipv4Addr::new(127, 0, 0, 1 + further));
        if !self.kind.is_stentor() {
            let path = match role {
                Role::Member => "/ws/room".to_owned(),
                Role::User => format!("/ws/{number}"),
            };
            let (source, sink) = connect(address, from, &path, scratch).await?;
            return Ok(Subscription { source, sink: Rc::new(sink), ping_interval: None });
        }
        let user = user_name(number);
        if let Some(chat) = self.chat.get() {
            let who = Login { user: &user, device: "web", token: &chat.user_tokens[number] };
            if self.kind == Kind::Msync {
                let (source, sink) = msync::log_in(address, from, who, scratch).await?;
                // Nobody has to be heard of as long as a run takes.
                return Ok(Subscription { source, sink: Rc::new(sink), ping_interval: None });
            }
            let client = chat::log_in(address, from, who, None, scratch).await?;
            let rooms = client.welcome["rooms"].as_array().map_or(0, Vec::len);
            ensure!(rooms == usize::from(matches!(role, Role::Member)), "{user} is in {rooms} rooms");
            return subscription(client);
        }
        let LoggedIn { mut source, sink, welcome, mut early } = log_in(address, from, &user, None, scratch).await?;
        if matches!(role, Role::Member) {
            sink.send_text(&format!(r#"{{"type":"join","id":1,"channel":"{ROOM}"}}"#))?;
            let reply = wait_for(&mut source, &mut early, |frame| frame["type"] == "reply").await?;
            if reply["ok"] != true {
                bail!("join refused: {reply}");
            }
        }
        subscription(LoggedIn { source, sink, welcome, early })
    }
}

fn subscription(client: LoggedIn) -> anyhow::Result<Subscription> {
    let interval = client.welcome["ping_interval_ms"].as_u64().context("no ping_interval_ms in the welcome")?;
    let ping_interval = Some(Duration::from_millis(interval));
    Ok(Subscription { source: client.source, sink: Rc::new(client.sink), ping_interval })
}

/// The name of the user with this number.
pub(super) fn user_name(number: usize) -> String {
    format!("user-{number}")
}

fn reference_post(path: &str, payload: &str) -> Vec<u8> {
    let length = payload.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{payload}").into_bytes()
}

/// A new directory that is removed when this is dropped.
#[derive(Debug)]
struct DataDir(PathBuf);

impl DataDir {
    fn create(parent: &Path) -> anyhow::Result<Self> {
        let path = parent.join(format!("data-{}-{:08x}", std::process::id(), fastrand::u32(..)));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        // What is left over is found in the output directory, named after the process.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
