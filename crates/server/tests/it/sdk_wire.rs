//! The ways of the vendor's SDKs to the whole server: which doors there are, who gets in, and that everybody in a room
//! sees one order.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::json;
use stentor_msync::{
    BodyType, Command, Content, Jid, Logout, MSync, Message as _, MessageBody, Meta, MucBody, MucOperation, NameSpace,
    Provision, SyncDown, SyncUp, decode,
};
use stentor_testkit::{APP, CERTIFICATE, CHAT, ChatEvent, DEADLINE, TestApp, TestProcess, TestServer};
use stentor_token::v007;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::STENTOR;

const TCP: &str = "[gateway]\nsdk_tcp_listen = \"127.0.0.1:0\"\n";

/// A client that speaks without HTTP.
struct Sdk<S> {
    socket: S,
    /// What came while something else was waited for.
    told: VecDeque<SyncDown>,
}

fn jid(name: &str, domain: &str) -> Jid {
    Jid {
        app_key: Some(format!("{}#{}", CHAT[0], CHAT[1])),
        name: Some(name.into()),
        domain: Some(domain.into()),
        ..Jid::default()
    }
}

fn room(id: &str) -> Jid {
    jid(id, "conference.easemob.com")
}

fn frame(command: Command, payload: &impl stentor_msync::Message) -> MSync {
    MSync { command: Some(command as i32), payload: Some(payload.encode_to_vec().into()), ..MSync::default() }
}

fn login(user: &str, provision: &Provision) -> MSync {
    MSync { guid: Some(jid(user, "easemob.com")), ..frame(Command::Provision, provision) }
}

fn by_token(token: &str) -> Provision {
    Provision { auth: Some(format!("$t${token}")), ..Provision::default() }
}

fn by_password() -> Provision {
    Provision { password: Some("pw".to_owned()), ..Provision::default() }
}

async fn tcp(server: &TestServer) -> Sdk<TcpStream> {
    let address = server.server().sdk_tcp_address().expect("it is configured");
    Sdk::new(TcpStream::connect(address).await.unwrap())
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sdk<S> {
    fn new(socket: S) -> Self {
        Self { socket, told: VecDeque::new() }
    }

    async fn say(&mut self, frame: &MSync) {
        let frame = frame.encode_to_vec();
        self.socket.write_u32(u32::try_from(frame.len()).unwrap()).await.unwrap();
        self.socket.write_all(&frame).await.unwrap();
    }

    async fn try_hear(&mut self) -> io::Result<MSync> {
        let hears = async {
            let length = self.socket.read_u32().await?;
            let mut frame = vec![0; length as usize];
            self.socket.read_exact(&mut frame).await?;
            Ok(decode(frame.into()).expect("a frame"))
        };
        tokio::time::timeout(DEADLINE, hears).await.expect("in time")
    }

    async fn hear(&mut self) -> MSync {
        self.try_hear().await.expect("a frame")
    }

    /// The code of the answer to a login.
    async fn login(&mut self, user: &str, provision: &Provision) -> i32 {
        self.say(&login(user, provision)).await;
        let answer: Provision = decode(self.hear().await.payload.unwrap()).unwrap();
        answer.status.unwrap().error_code.unwrap()
    }

    async fn down(&mut self, fits: impl Fn(&SyncDown) -> bool) -> SyncDown {
        if let Some(at) = self.told.iter().position(&fits) {
            return self.told.remove(at).unwrap();
        }
        loop {
            let frame = self.hear().await;
            if frame.command == Some(Command::Sync as i32) {
                let down: SyncDown = decode(frame.payload.unwrap()).unwrap();
                if fits(&down) {
                    return down;
                }
                self.told.push_back(down);
            }
        }
    }

    async fn ask(&mut self, id: u64, meta: Meta) -> i32 {
        let meta = Meta { id: Some(id), ..meta };
        self.say(&frame(Command::Sync, &SyncUp { meta: Some(meta), ..SyncUp::default() })).await;
        let answer = self.down(|down| down.meta_id == Some(id)).await;
        answer.status.unwrap().error_code.unwrap()
    }

    /// Sends a text to a room.
    async fn text(&mut self, id: u64, to: &str, text: &str) -> i32 {
        let content = Content { kind: Some(0), text: Some(text.to_owned()), ..Content::default() };
        let body =
            MessageBody { kind: Some(BodyType::Chatroom as i32), contents: vec![content], ..MessageBody::default() };
        let payload = Some(body.encode_to_vec().into());
        self.ask(id, Meta { to: Some(room(to)), ns: Some(NameSpace::Chat as i32), payload, ..Meta::default() }).await
    }

    async fn join(&mut self, id: u64, to: &str) -> i32 {
        let operation = Some(MucOperation::Join as i32);
        let body = MucBody { muc_id: Some(room(to)), operation, is_chatroom: Some(true), ..MucBody::default() };
        let payload = Some(body.encode_to_vec().into());
        self.ask(id, Meta { ns: Some(NameSpace::Muc as i32), payload, ..Meta::default() }).await
    }

    /// The next text.
    async fn said(&mut self) -> String {
        let is_chat = |meta: &Meta| meta.ns == Some(NameSpace::Chat as i32);
        let down = self.down(|down| down.metas.iter().any(is_chat)).await;
        let body: MessageBody = decode(down.metas[0].payload.clone().unwrap()).unwrap();
        body.contents[0].text.clone().unwrap()
    }
}

async fn server() -> TestServer {
    TestServer::builder().app(TestApp::new().chat()).config(TCP).start().await
}

#[tokio::test]
async fn every_credential_of_a_user_lets_an_sdk_in() {
    let server = server().await;
    server.register(&["bob", "carol"]).await;
    let asked = json!({ "grant_type": "password", "username": "bob", "password": "pw", "ttl": 600 });
    let token = server.anonymous().post(&server.chat_path("token"), &asked).await.json();
    let token = token["access_token"].as_str().unwrap();
    let issue = v007::Issue { issue_ts_s: u32::try_from(server.now_ms() / 1000).unwrap(), expire_s: 600, salt: 1 };
    let signed = v007::build(APP, CERTIFICATE, issue, &[v007::Service::chat_user("bob", 600)]).unwrap();
    let wrong = Provision { password: Some("other".to_owned()), ..Provision::default() };
    for (user, provision, code) in [
        ("bob", by_token(token), 0),
        ("bob", by_token(&signed), 0),
        ("bob", by_password(), 0),
        ("BOB", by_password(), 0),
        ("carol", by_token(token), 1),
        ("carol", by_token(&signed), 1),
        ("bob", wrong, 1),
        ("nobody", by_password(), 1),
        ("bob", Provision::default(), 1),
    ] {
        let mut sdk = tcp(&server).await;
        assert_eq!(sdk.login(user, &provision).await, code, "{user}: {provision:?}");
        if code == 0 {
            sdk.say(&frame(Command::Logout, &Logout::default())).await;
            while sdk.hear().await.command != Some(Command::Logout as i32) {}
        }
        assert!(sdk.try_hear().await.is_err(), "it is closed");
    }
}

#[tokio::test]
async fn a_room_of_both_protocols_and_rest_sees_one_order() {
    let server = server().await;
    server.register(&["owner", "sdk", "json"]).await;
    let chat = server.chat().await;
    let made = json!({ "name": "n", "description": "d", "owner": "owner", "maxusers": 9 });
    let made = chat.post(&server.chat_path("chatrooms"), &made).await.json();
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    let (mut listener, mut sdk) = (tcp(&server).await, tcp(&server).await);
    assert_eq!(listener.login("owner", &by_password()).await, 0);
    assert_eq!(sdk.login("sdk", &by_password()).await, 0);
    assert_eq!((listener.join(1, &id).await, sdk.join(1, &id).await), (0, 0));
    let mut client = server.chat_client("json").await;
    client.join(&id).await.unwrap();
    for number in 0..20 {
        let text = number.to_string();
        match number % 3 {
            0 => assert_eq!(sdk.text(100 + number, &id, &text).await, 0),
            1 => {
                let to = stentor_testkit::ChatType::ChatRoom;
                let outgoing = stentor_testkit::ChatOutgoing::text(to, &id, &text);
                client.send(&outgoing).await.unwrap();
            }
            _ => {
                let body = json!({ "from": "admin", "to": [id], "type": "txt", "body": { "msg": text } });
                assert_eq!(chat.post(&server.chat_path("messages/chatrooms"), &body).await.code(), 200);
            }
        }
    }
    for number in 0..20 {
        assert_eq!(listener.said().await, number.to_string());
    }
    // Nobody hears himself; the rest is in the same order.
    for number in (0..20).filter(|number| number % 3 != 1) {
        let text = loop {
            match tokio::time::timeout(DEADLINE, client.next()).await.expect("in time").expect("an event") {
                ChatEvent::Message(message) => break message.body.value()["msg"].as_str().unwrap().to_owned(),
                ChatEvent::Closed { code } => panic!("closed: {code:?}"),
                _ => {}
            }
        };
        assert_eq!(text, number.to_string());
    }
    for number in (0..20).filter(|number| number % 3 != 0) {
        assert_eq!(sdk.said().await, number.to_string());
    }
}

#[tokio::test]
async fn sockjs_where_it_is_configured_with_the_browsers_credentials() {
    let config = "[gateway]\nsdk_sockjs_path = \"/im/sock\"\n";
    let server = TestServer::builder().app(TestApp::new().chat()).config(config).start().await;
    let browser = server.anonymous().header("origin", "https://a.example");
    let info = browser.get("/im/sock/info?t=1").await;
    assert_eq!(info.code(), 200);
    assert_eq!(info.headers["access-control-allow-origin"], "https://a.example");
    assert_eq!(info.headers["access-control-allow-credentials"], "true");
    assert_eq!(info.json()["websocket"], true);
    for path in ["/ws/info", "/im/sock/1/2/xhr_streaming", "/im/sock"] {
        assert_eq!(browser.get(path).await.code(), 404, "{path}");
    }
    assert_eq!(browser.get("/im/sock/123/abcdefgh/websocket").await.code(), 426, "an upgrade is wanted");
}

#[tokio::test]
async fn connections_without_http_count_like_all_others() {
    let server = TestServer::builder()
        .app(TestApp::new().chat())
        .config("[server]\nmax_connections = 1\n[gateway]\nsdk_tcp_listen = \"127.0.0.1:0\"\n")
        .start()
        .await;
    let mut first = tcp(&server).await;
    // It is there once it is counted: an answer says so.
    first.say(&login("bob", &by_password())).await;
    let mut second = tcp(&server).await;
    assert!(second.try_hear().await.is_err(), "there is no place for it");
    first.hear().await;
    let metrics = server.anonymous().get("/metrics").await;
    assert!([200, 503].contains(&metrics.code()));
}

#[tokio::test]
async fn tcp_is_off_unless_configured_and_has_the_servers_tls() {
    assert_eq!(TestServer::start().await.server().sdk_tcp_address(), None);
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(directory.path().join("tls.crt"), made.cert.pem()).unwrap();
    std::fs::write(directory.path().join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    let path = |name| directory.path().join(name).display().to_string();
    let config = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n{TCP}", path("tls.crt"), path("tls.key"));
    let server = TestServer::builder().app(TestApp::new().chat()).config(&config).start().await;
    let address: SocketAddr = server.server().sdk_tcp_address().unwrap();
    let mut roots = RootCertStore::empty();
    let certificate = tokio_rustls::rustls::pki_types::CertificateDer::from_pem_file(path("tls.crt")).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let connector = TlsConnector::from(Arc::new(client.with_root_certificates(roots).with_no_client_auth()));
    let plain = TcpStream::connect(address).await.unwrap();
    let mut sdk = Sdk::new(connector.connect("localhost".try_into().unwrap(), plain).await.unwrap());
    assert_eq!(sdk.login("nobody", &by_password()).await, 1);
}

#[tokio::test]
async fn plain_tcp_beyond_loopback_must_be_meant() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [("STENTOR_GATEWAY_SDK_TCP_LISTEN", "0.0.0.0:0")];
    let refused = TestProcess::run(STENTOR, directory.path(), &["serve", "--listen", "127.0.0.1:0"], &variables).await;
    assert!(!refused.status.success() && refused.errors.contains("SDK_TCP_LISTEN"), "{}", refused.errors);
}

#[tokio::test]
async fn sdks_that_ask_where_to_go_are_told() {
    let server = server().await;
    let asked = server.anonymous().get("/easemob/server.json?app_key=acme%2523demo").await;
    let (port, answer) = (server.address().port().to_string(), asked.json());
    let host = json!({ "protocol": "http", "domain": "127.0.0.1", "ip": "", "port": port });
    for name in ["rest", "msync-wx", "msync-ws"] {
        assert_eq!(answer[name]["hosts"], json!([host]), "{name}");
    }
    assert_eq!((&answer["enableReportLogs"], answer.get("app_key")), (&json!("false"), None));
    let by_id = server.anonymous().get(&format!("/easemob/server.json?app_id={APP}")).await.json();
    assert_eq!(by_id["app_key"], format!("{}#{}", CHAT[0], CHAT[1]));
    let unknown = server.anonymous().get("/easemob/server.json?app_id=x").await;
    assert_eq!((unknown.code(), &unknown.json()["error"]), (404, &json!("resource_not_found")));
    let config = "[server]\npublic_url = \"https://chat.example.com/\"\n";
    let server = TestServer::builder().app(TestApp::new().chat()).config(config).start().await;
    let answer = server.anonymous().get("/easemob/server.json").await.json();
    let host = json!({ "protocol": "https", "domain": "chat.example.com", "ip": "", "port": "443" });
    assert_eq!(answer["rest"]["hosts"], json!([host]));
}

/// The message is taken, its answer lost with the process; the client asks again, and its peer gets it once.
#[tokio::test]
async fn a_message_that_is_sent_again_after_kill_9_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listen = port.to_string();
    let variables = [("STENTOR_GATEWAY_SDK_TCP_LISTEN", listen.as_str())];
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let server = TestProcess::serve(STENTOR, directory.path(), &[], &variables).await;
        let text = std::fs::read_to_string(directory.path().join("stentor-data/credentials.toml")).unwrap();
        let config = stentor_server::config::Config::parse("credentials.toml", &text).unwrap();
        let app = &config.apps[0].app;
        let (org, name) = (app.org_name.as_ref().unwrap().as_str(), app.app_name.as_ref().unwrap().as_str());
        let key = format!("{org}#{name}");
        if numbers.is_empty() {
            let token = TestProcess::run(STENTOR, directory.path(), &["token", "chat-app"], &[]).await;
            let backend = server.http().header("authorization", &format!("Bearer {}", token.output[0]));
            let users = json!(["alice", "bob"].map(|user| json!({ "username": user, "password": "pw" })));
            assert_eq!(backend.post(&format!("/{org}/{name}/users"), &users).await.code(), 200);
        }
        let of_app = |name: &str| Jid { app_key: Some(key.clone()), ..jid(name, "easemob.com") };
        let mut clients = Vec::new();
        for user in ["alice", "bob"] {
            let mut sdk = Sdk::new(TcpStream::connect(port).await.unwrap());
            let login = MSync { guid: Some(of_app(user)), ..frame(Command::Provision, &by_password()) };
            sdk.say(&login).await;
            let answer: Provision = decode(sdk.hear().await.payload.unwrap()).unwrap();
            assert_eq!(answer.status.unwrap().error_code, Some(0));
            clients.push(sdk);
        }
        let content = Content { kind: Some(0), text: Some("once".to_owned()), ..Content::default() };
        let body = MessageBody { kind: Some(BodyType::Chat as i32), contents: vec![content], ..MessageBody::default() };
        let meta = Meta {
            id: Some(77),
            to: Some(of_app("bob")),
            ns: Some(NameSpace::Chat as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        clients[0].say(&frame(Command::Sync, &SyncUp { meta: Some(meta), ..SyncUp::default() })).await;
        let answer = clients[0].down(|down| down.meta_id == Some(77)).await;
        assert_eq!(answer.status.unwrap().error_code, Some(0));
        numbers.push((answer.server_id, answer.timestamp));
        // Bob never acks it: it waits for him once.
        clients[1].say(&MSync { command: Some(Command::Unread as i32), ..MSync::default() }).await;
        let waiting = loop {
            let frame = clients[1].hear().await;
            if frame.command == Some(Command::Unread as i32) {
                let unread: stentor_msync::UnreadDown = decode(frame.payload.unwrap()).unwrap();
                break unread.unread.iter().map(|queue| queue.n.unwrap()).sum::<u32>();
            }
        };
        assert!(waiting <= 1, "{waiting}");
        server.kill().await;
    }
    assert!(numbers[0].0 > Some(0));
    assert_eq!(numbers, [numbers[0]; 3]);
}
