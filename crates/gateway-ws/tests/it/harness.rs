//! A gateway on a port of its own, and clients for it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use prometheus_client::registry::Registry;
use serde_json::Value;
use stentor_core::accounts::{Checking, Credential, Grant, LoginCheck, LoginRefused};
use stentor_core::app::{App, AppPolicy, DevicePolicy, DirectoryPolicy, HistoryPolicy, InboxPolicy};
use stentor_core::app::{OverloadPolicy, PresencePolicy, RegisteredRooms, RoomPolicy, SessionPolicy};
use stentor_core::attributes::AttributeLimits;
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::ManualClock;
use stentor_core::delivery::{Origin, SendOptions, SendPeer, SendRoom, SentPeer, SentRoom};
use stentor_core::id::{AppId, NameRule, NodeId, RoomId, UserId};
use stentor_core::limits::{Rate, Rule};
use stentor_core::node::{Node, NodeConfig};
use stentor_core::store::memory::MemoryStore;
use stentor_gateway_ws::client::{Client, ClientError, ClientEvent, ClientLogin, ClientOptions};
use stentor_gateway_ws::{Carrier, GatewayConfig, GatewayState, Logins, Protocol, Stream, router, sockjs_router};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

pub(crate) const APP: &str = "970CA35de60c44645bbae8a215061b33";
/// Every request's.
pub(crate) const REQUEST_ID: u64 = 10_116_762_670_167_749_259;
/// The app of Chat clients.
pub(crate) const CHAT_APP: &str = "acme#demo";
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

/// Far beyond what any step takes; reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

const NAMES: NameRule = NameRule::ascii(64, "abcdefghijklmnopqrstuvwxyz0123456789-");

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it happens soon")
}

/// Waits for a condition that nobody announces.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    soon(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn policy() -> AppPolicy {
    AppPolicy {
        id: AppId::from_trusted(APP),
        user_names: NAMES,
        room_names: NAMES,
        payload_bytes: 32_768,
        devices: DevicePolicy::One,
        sessions: SessionPolicy {
            grace_ms: 30_000,
            silence_ms: 30_000,
            unreachable_ms: 6_000,
            ack_timeout_ms: 8_000,
            mailbox_notices: 64,
            mailbox_bytes: 4 << 20,
            credential_notice_ms: 30_000,
        },
        inbox: InboxPolicy { cap: 200, retention_ms: 7 * 86_400_000 },
        history: Some(HistoryPolicy { retention_ms: 7 * 86_400_000, max_bytes: 1 << 30 }),
        rooms: RoomPolicy {
            rooms_per_session: 3,
            member_notices_up_to: 512,
            listed_members: 512,
            counted_rooms: 4,
            count_notice_ms: 1_000,
            count_notice_large_ms: 3_000,
            replayed: 32,
            replayed_bytes: 1 << 20,
            replayed_bytes_of_all: 1 << 30,
            replayed_unnoticed_ms: 0,
            echo_to_sender: false,
            attributes_stay_ms: 120_000,
            registered: None,
        },
        overload: None,
        broadcasts: None,
        presence: PresencePolicy { queried: 3, watched: 3 },
        directory: DirectoryPolicy::NONE,
        user_attributes: AttributeLimits { key_bytes: 32, value_bytes: 8192, entries: 32, total_bytes: 16_384 },
        room_attributes: AttributeLimits { key_bytes: 32, value_bytes: 8192, entries: 32, total_bytes: 32_768 },
        recalls_within_ms: Some(120_000),
        edits: Some(10),
        combined_sends: false,
        rates: Vec::new(),
    }
}

/// Two devices, registered rooms and groups, and users who may be blocked.
fn chat_policy() -> AppPolicy {
    let limits = RegisteredRooms { rooms_per_user: 3, groups_per_user: 3, rooms: 10, groups: 10 };
    AppPolicy {
        id: AppId::from_trusted(CHAT_APP),
        devices: DevicePolicy::Many { max: 2 },
        rooms: RoomPolicy { registered: Some(limits), ..policy().rooms },
        directory: DirectoryPolicy { blocks: 10, ..DirectoryPolicy::NONE },
        overload: Some(OverloadPolicy {
            high_senders: BTreeSet::new(),
            high_content: None,
            lane_notices: 256,
            lane_bytes: 1 << 20,
            room_messages_per_second: 20,
            busy_after_ms: 50,
        }),
        ..policy()
    }
}

/// Tokens say themselves what they are: `good`, `good-until:<ms>`, `revoked-meanwhile`, `expired`, `unauthorized`, `other-app`.
#[derive(Debug)]
struct Tokens;

impl LoginCheck for Tokens {
    fn app(&self, name: &str) -> Option<AppId> {
        [APP, CHAT_APP].contains(&name).then(|| AppId::from_trusted(name))
    }

    fn check<'a>(&'a self, _: &'a AppId, _: &'a UserId, credential: Credential<'a>, _: u64) -> Checking<'a> {
        Box::pin(async move {
            // Whoever has to wait, waits at least once.
            tokio::task::yield_now().await;
            match credential {
                Credential::Password("pw") => Ok(Grant { expires_at_ms: None, generation: None }),
                Credential::Password(_) => Err(LoginRefused::WrongPassword),
                Credential::None => Self::token(None),
                Credential::Token(token) => Self::token(Some(token)),
            }
        })
    }
}

impl Tokens {
    fn token(token: Option<&str>) -> Result<Grant, LoginRefused> {
        match token {
            None | Some("good") => Ok(Grant { expires_at_ms: None, generation: None }),
            // Its user is not registered any more when that is looked at.
            Some("revoked-meanwhile") => Ok(Grant { expires_at_ms: None, generation: Some(0) }),
            Some("expired") => Err(LoginRefused::Expired),
            Some("unauthorized") => Err(LoginRefused::NotAuthorized),
            Some("other-app") => Err(LoginRefused::InvalidApp),
            Some(token) => match token.strip_prefix("good-until:").and_then(|ms| ms.parse().ok()) {
                Some(ms) => Ok(Grant { expires_at_ms: Some(ms), generation: None }),
                None => Err(LoginRefused::InvalidToken),
            },
        }
    }
}

/// What a test may set before the gateway starts.
pub(crate) struct Setup {
    pub(crate) policy: AppPolicy,
    /// Of [`CHAT_APP`].
    pub(crate) chat: AppPolicy,
    pub(crate) config: GatewayConfig,
    pub(crate) tls: Option<TlsAcceptor>,
}

pub(crate) struct Gateway {
    pub(crate) node: Node,
    pub(crate) app: Arc<App>,
    /// That of Chat clients.
    pub(crate) chat: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    pub(crate) state: GatewayState,
    pub(crate) address: SocketAddr,
    /// Of the SDKs that connect without HTTP.
    pub(crate) tcp_address: SocketAddr,
    tls: bool,
}

pub(crate) async fn gateway() -> Gateway {
    gateway_with(|_| {}).await
}

pub(crate) async fn gateway_with(change: impl FnOnce(&mut Setup)) -> Gateway {
    let mut setup = Setup { policy: policy(), chat: chat_policy(), config: GatewayConfig::default(), tls: None };
    change(&mut setup);
    start(setup, Arc::new(ManualClock::new(NOW_MS)), Arc::new(MemoryStore::default())).await
}

async fn start(setup: Setup, clock: Arc<ManualClock>, store: Arc<MemoryStore>) -> Gateway {
    let config = NodeConfig { node: NodeId::SINGLE, apps: vec![setup.policy, setup.chat], seed: 7 };
    let bus = Arc::new(InProcessBus::alone());
    let node = Node::start(config, store.clone(), bus, clock.clone(), &mut Registry::default()).await.expect("starts");
    let logins = Logins { rtm: Arc::new(Tokens), chat: Arc::new(Tokens) };
    let state = GatewayState::new(node.clone(), logins, setup.config);
    state.remember_sent().await.expect("read");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let tls = setup.tls.is_some();
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let tcp_address = tcp.local_addr().expect("bound");
    tokio::spawn(accept_tcp(tcp, state.clone()));
    tokio::spawn(accept(listener, state.clone(), setup.tls));
    let app = node.app(APP).expect("the app is there");
    let chat = node.app(CHAT_APP).expect("the app is there");
    Gateway { node, app, chat, clock, store, state, address, tcp_address, tls }
}

async fn accept_tcp(listener: TcpListener, state: GatewayState) {
    while let Ok((tcp, _)) = listener.accept().await {
        state.serve_tcp(Stream::Plain(tcp));
    }
}

/// The accept loop of a server, in short.
async fn accept(listener: TcpListener, state: GatewayState, tls: Option<TlsAcceptor>) {
    let routes = Protocol::ALL.map(|protocol| match protocol {
        Protocol::Msync(Carrier::SockJs) => sockjs_router(state.clone(), protocol.path(), |_| REQUEST_ID),
        _ => router(state.clone(), protocol, protocol.path(), |_| REQUEST_ID),
    });
    let service = TowerToHyperService::new(routes.into_iter().fold(Router::new(), Router::merge));
    while let Ok((tcp, _)) = listener.accept().await {
        let (service, tls) = (service.clone(), tls.clone());
        tokio::spawn(async move {
            let stream = match tls {
                None => Stream::Plain(tcp),
                Some(tls) => match tls.accept(tcp).await {
                    Ok(stream) => Stream::Tls(Box::new(stream)),
                    Err(_) => return,
                },
            };
            let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = served.with_upgrades().await;
        });
    }
}

pub(crate) fn login(user: &str) -> ClientLogin {
    ClientLogin { app: APP.to_owned(), user: user.to_owned(), ..ClientLogin::default() }
}

impl Gateway {
    pub(crate) fn url(&self) -> String {
        let (scheme, host) = if self.tls { ("wss", "localhost") } else { ("ws", "127.0.0.1") };
        format!("{scheme}://{host}:{}", self.address.port())
    }

    pub(crate) async fn client(&self, user: &str) -> Client {
        self.try_client(login(user)).await.expect("logged in")
    }

    pub(crate) async fn try_client(&self, login: ClientLogin) -> Result<Client, ClientError> {
        soon(Client::connect(&self.url(), login)).await
    }

    pub(crate) async fn client_with(&self, user: &str, options: ClientOptions) -> Client {
        soon(Client::connect_with(&self.url(), login(user), options)).await.expect("logged in")
    }

    /// A connection that is upgraded and not logged in.
    pub(crate) async fn raw(&self) -> Raw {
        self.raw_at("/ws/rtm").await
    }

    pub(crate) async fn raw_at(&self, path: &str) -> Raw {
        let tcp = TcpStream::connect(self.address).await.expect("connected");
        tcp.set_nodelay(true).expect("nodelay");
        let url = format!("ws://{}{path}", self.address);
        let (socket, _) = soon(tokio_tungstenite::client_async(url, tcp)).await.expect("upgraded");
        Raw(socket)
    }

    /// A connection that is logged in.
    pub(crate) async fn raw_as(&self, user: &str) -> Raw {
        let mut raw = self.raw().await;
        raw.send(&format!(r#"{{"type":"login","version":1,"app":"{APP}","user":"{user}"}}"#)).await;
        assert_eq!(raw.json().await["type"], "welcome");
        raw
    }

    /// The backend sends to a channel.
    pub(crate) async fn publish(&self, channel: &str, payload: impl Into<Bytes>) -> SentRoom {
        let room = RoomId::from_trusted(channel);
        let (from, options) = (UserId::from_trusted("backend"), SendOptions::default());
        let send = SendRoom { from, room, payload: payload.into(), only_for: Vec::new(), options };
        self.node.send_room(&self.app, Origin::Backend, send).await.expect("sent")
    }

    /// The backend sends to a user, and does not wait for the ack.
    pub(crate) async fn send(&self, to: &str, payload: &str, keep: bool) -> SentPeer {
        let send = SendPeer {
            from: UserId::from_trusted("backend"),
            to: UserId::from_trusted(to),
            payload: Bytes::from(payload.to_owned()),
            wait_for_ack: false,
            options: SendOptions { keep, ..SendOptions::default() },
        };
        self.node.send_peer(&self.app, Origin::Backend, send).await.expect("sent")
    }

    /// Lets time pass for the core.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.node.tick();
    }

    /// Another process on the same store, as after `kill -9`.
    pub(crate) async fn restarted(&self) -> Self {
        let (policy, chat) = (self.app.policy().clone(), self.chat.policy().clone());
        let setup = Setup { policy, chat, config: GatewayConfig::default(), tls: None };
        start(setup, self.clock.clone(), self.store.clone()).await
    }

    /// Waits until the core knows that so many sessions have lost their connection.
    pub(crate) async fn detached(&self, count: usize) {
        until(|| self.node.census().detached == count).await;
    }
}

/// One rate for a rule.
pub(crate) fn limit(setup: &mut Setup, rule: Rule, count: u32) {
    setup.policy.rates.push((rule, Rate { count, window_ms: 60_000 }));
}

/// The next event that is not about members.
pub(crate) async fn event(client: &mut Client) -> ClientEvent {
    loop {
        match soon(client.next()).await.expect("an event") {
            ClientEvent::MemberCount { .. } | ClientEvent::MemberJoined { .. } | ClientEvent::MemberLeft { .. } => {}
            other => return other,
        }
    }
}

pub(crate) async fn closed(client: &mut Client) -> Option<u16> {
    loop {
        if let ClientEvent::Closed { code } = soon(client.next()).await.expect("the end") {
            return code;
        }
    }
}

/// A client that says what it likes.
pub(crate) struct Raw(pub(crate) WebSocketStream<TcpStream>);

impl Raw {
    /// A socket that never speaks WebSocket.
    pub(crate) async fn unframed(tcp: TcpStream) -> Self {
        tcp.set_nodelay(true).expect("nodelay");
        Self(WebSocketStream::from_raw_socket(tcp, tokio_tungstenite::tungstenite::protocol::Role::Client, None).await)
    }

    /// What stands behind its length; `None` at the end of the stream.
    pub(crate) async fn prefixed(&mut self) -> Option<Vec<u8>> {
        use tokio::io::AsyncReadExt as _;
        let tcp = self.0.get_mut();
        let length = soon(tcp.read_u32()).await.ok()?;
        let mut message = vec![0; length as usize];
        soon(tcp.read_exact(&mut message)).await.expect("the rest");
        Some(message)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        soon(self.0.send(Message::text(text))).await.expect("sent");
    }

    /// Bytes past the WebSocket library.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt as _;
        let tcp = self.0.get_mut();
        soon(tcp.write_all(bytes)).await.expect("written");
    }

    /// The next message. Pings are answered by the library.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            match soon(self.0.next()).await.and_then(Result::ok) {
                Some(Message::Ping(_)) => {}
                other => return other,
            }
        }
    }

    /// Has the library write the answer to a ping that it has read.
    pub(crate) async fn flush_pong(&mut self) {
        // What waits to be read is read, too: there is nothing else.
        let _ = futures_util::poll!(self.0.next());
        soon(self.0.flush()).await.expect("written");
    }

    /// The next message is a ping; it is answered.
    pub(crate) async fn ping_arrives(&mut self) {
        let message = soon(self.0.next()).await;
        assert!(matches!(message, Some(Ok(Message::Ping(_)))), "{message:?}");
        soon(self.0.flush()).await.expect("written");
    }

    /// The next frame of ours.
    pub(crate) async fn json(&mut self) -> Value {
        match self.message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("a text was expected: {other:?}"),
        }
    }

    /// The next frame of a type.
    pub(crate) async fn json_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.json().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Reads up to the close frame. `None` if the connection ends without one.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.message().await {
                Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }
}
