//! A server in the test's own process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stentor_core::clock::{Clock, ManualClock, SystemClock};
use stentor_core::node::Node;
use stentor_core::store::Store;
use stentor_gateway_ws::client::{ChatClient, ChatLogin, Client, ClientError, ClientLogin, ClientOptions};
use stentor_server::{Parts, Server, StartError};
use tempfile::TempDir;

use crate::apps::{CHAT, TestApp, config, token};
use crate::http::Http;
use crate::tenant::Tenant;
use crate::{APP, START_MS};

/// What a [`TestServer`] is to be like.
pub struct TestServerBuilder {
    apps: Vec<TestApp>,
    sections: String,
    manual_clock: bool,
    embedded: bool,
    directory: Option<Arc<TempDir>>,
    store: Option<Arc<dyn Store>>,
}

impl std::fmt::Debug for TestServerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestServerBuilder").field("apps", &self.apps).finish_non_exhaustive()
    }
}

/// A server on a free port, in a directory of its own that goes with it.
#[derive(Debug)]
pub struct TestServer {
    server: Server,
    directory: Arc<TempDir>,
    manual: Option<Arc<ManualClock>>,
    clock: Arc<dyn Clock>,
    app: TestApp,
}

impl TestServer {
    /// One app, [`TestApp::new`]; the machine's clock; a store in memory.
    #[must_use]
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder {
            apps: Vec::new(),
            sections: String::new(),
            manual_clock: false,
            embedded: false,
            directory: None,
            store: None,
        }
    }

    /// The default server.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The server itself.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Its core.
    #[must_use]
    pub fn node(&self) -> &Node {
        self.server.node()
    }

    /// Its directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// The clock that only the test moves.
    ///
    /// # Panics
    /// When the server was not built with one.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that asks for a clock it does not have must fail")]
    pub fn clock(&self) -> &ManualClock {
        self.manual.as_ref().expect("build the server with manual_clock()")
    }

    /// Moves the clock, and does what is due then.
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
        self.node().tick();
        self.wake_callbacks();
        self.server.pushes().iter().for_each(stentor_push_queue::PushQueue::wake);
    }

    /// Has the outboxes look for what is due.
    pub fn wake_callbacks(&self) {
        self.server.callbacks().iter().for_each(|callbacks| callbacks.outbox().wake());
    }

    /// The path of an endpoint of the first app: `path("users/alice/peer_messages")`.
    #[must_use]
    pub fn path(&self, endpoint: &str) -> String {
        format!("/dev/v2/project/{}/rtm/{endpoint}", self.app.id())
    }

    /// Unix time in milliseconds, by the server's clock.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.clock.wall_ms()
    }

    /// A client of the REST API with the credentials of the customer.
    #[must_use]
    pub fn http(&self) -> Http {
        self.anonymous().basic("cid", "csec")
    }

    /// A client of the REST API without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Http {
        Http::new(self.address())
    }

    /// A client of the REST API with a token of `user` of [`APP`].
    #[must_use]
    pub fn http_as(&self, user: &str) -> Http {
        self.anonymous().token(user, &token(user, self.clock.wall_ms()))
    }

    /// The Chat side of an app by its names: [`CHAT`], or `OTHER_CHAT`. The methods below are those of the first.
    #[must_use]
    pub fn tenant(&self, names: [&'static str; 4]) -> Tenant<'_> {
        Tenant::new(self, names)
    }

    /// The path of an endpoint of the first app's Chat side: `chat_path("users")`.
    #[must_use]
    pub fn chat_path(&self, endpoint: &str) -> String {
        self.tenant(CHAT).path(endpoint)
    }

    /// A client of the Chat REST API with an app token.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn chat(&self) -> Http {
        self.tenant(CHAT).http().await
    }

    /// An app token of the Chat REST API.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn chat_app_token(&self) -> String {
        self.tenant(CHAT).app_token().await
    }

    /// A client of the Chat REST API with a token of this user, who is registered with the password `pw`.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn chat_as(&self, user: &str) -> Http {
        self.tenant(CHAT).http_as(user).await
    }

    /// Registers users with the password `pw`.
    ///
    /// # Panics
    /// When they cannot be registered.
    pub async fn register(&self, users: &[&str]) {
        self.tenant(CHAT).register(users).await;
    }

    /// What `user` logs in to the first app with.
    #[must_use]
    pub fn login(&self, user: &str) -> ClientLogin {
        let token = (self.app.id() == APP).then(|| token(user, self.clock.wall_ms()));
        ClientLogin { app: self.app.id().to_owned(), user: user.to_owned(), token, resume: None }
    }

    /// The URL of the gateway.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address())
    }

    /// A connected client of the first app.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn client(&self, user: &str) -> Client {
        match self.connect(self.login(user), ClientOptions::default()).await {
            Ok(client) => client,
            Err(error) => panic!("{user} cannot connect: {error}"),
        }
    }

    /// A client that behaves as told.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(&self, login: ClientLogin, options: ClientOptions) -> Result<Client, ClientError> {
        Client::connect_with(&self.ws_url(), login, options).await
    }

    /// What `user`, who is registered with the password `pw`, logs in to the Chat side of the first app with.
    #[must_use]
    pub fn chat_login(&self, user: &str) -> ChatLogin {
        self.tenant(CHAT).login(user)
    }

    /// A connected Chat client of a user who is registered with the password `pw`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn chat_client(&self, user: &str) -> ChatClient {
        self.tenant(CHAT).client(user).await
    }

    /// A Chat client that behaves as told.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn chat_connect(&self, login: ChatLogin, options: ClientOptions) -> Result<ChatClient, ClientError> {
        self.tenant(CHAT).connect(login, options).await
    }

    /// Ends the server in order. The directory stays for the next one: [`TestServerBuilder::directory`].
    ///
    /// # Panics
    /// When it does not end in order.
    pub async fn shutdown(self) -> Arc<TempDir> {
        if let Err(error) = self.server.shutdown().await {
            panic!("{error}");
        }
        self.directory
    }
}

impl TestServerBuilder {
    /// Adds an app. The first one is what [`TestServer::path`] and [`TestServer::client`] mean.
    #[must_use]
    pub fn app(mut self, app: TestApp) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds to the configuration: `config("[server]\nack_timeout_ms = 50")`. `[server]` has no `listen` or `data_dir`.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.sections.push_str(text);
        self.sections.push('\n');
        self
    }

    /// The time stands still at [`START_MS`] until the test moves it.
    #[must_use]
    pub fn manual_clock(mut self) -> Self {
        self.manual_clock = true;
        self
    }

    /// With the durable store.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.embedded = true;
        self
    }

    /// With this store.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// In the directory of a server before, with the durable store.
    #[must_use]
    pub fn directory(mut self, directory: Arc<TempDir>) -> Self {
        self.directory = Some(directory);
        self.embedded()
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(self) -> TestServer {
        match self.try_start().await {
            Ok(server) => server,
            Err(error) => panic!("the server does not start: {error}"),
        }
    }

    /// Starts it, or not.
    ///
    /// # Errors
    /// When it does not start.
    ///
    /// # Panics
    /// When its configuration is wrong.
    #[expect(clippy::expect_used, reason = "a test without a directory must fail")]
    pub async fn try_start(self) -> Result<TestServer, StartError> {
        let apps = if self.apps.is_empty() { vec![TestApp::new()] } else { self.apps };
        let text: String = apps.iter().map(TestApp::to_toml).collect();
        let mut config = config(&format!("{}\n{text}", self.sections));
        let directory = self.directory.unwrap_or_else(|| Arc::new(tempfile::tempdir().expect("a directory")));
        config.server.listen = stentor_server::config::server::ListenAddress::loopback(0);
        config.server.data_dir = stentor_server::config::server::Directory(directory.path().to_owned());
        if !self.embedded {
            config.store.engine = stentor_server::config::storage::Engine::Memory;
        }
        let manual = self.manual_clock.then(|| Arc::new(ManualClock::new(START_MS)));
        let clock: Arc<dyn Clock> = match &manual {
            Some(manual) => manual.clone(),
            None => Arc::new(SystemClock::new()),
        };
        let parts = Parts { clock: Some(clock.clone()), store: self.store, seed: Some(1) };
        let server = Server::spawn_with(config, parts).await?;
        let app = apps.into_iter().next().unwrap_or_default();
        Ok(TestServer { server, directory, manual, clock, app })
    }
}
