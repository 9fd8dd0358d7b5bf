//! One app's Chat side of a server: what the `chat…` methods of [`TestServer`] are for the first app, for any.

use serde_json::{Value, json};
use stentor_gateway_ws::client::{ChatAppName, ChatClient, ChatCredential, ChatLogin, ClientError, ClientOptions};

use crate::http::Http;
use crate::server::TestServer;

/// The Chat side of one app, made by [`TestServer::tenant`].
#[derive(Debug, Clone, Copy)]
pub struct Tenant<'a> {
    server: &'a TestServer,
    names: [&'static str; 4],
}

impl<'a> Tenant<'a> {
    pub(crate) fn new(server: &'a TestServer, names: [&'static str; 4]) -> Self {
        Self { server, names }
    }

    /// The App Key: the core knows the app by it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}", self.names[0], self.names[1])
    }

    /// The path of an endpoint: `path("users")`.
    #[must_use]
    pub fn path(&self, endpoint: &str) -> String {
        format!("/{}/{}/{endpoint}", self.names[0], self.names[1])
    }

    /// A token, by what `POST token` takes.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn token(&self, body: &Value) -> String {
        let reply = self.server.anonymous().post(&self.path("token"), body).await.json();
        match reply["access_token"].as_str() {
            Some(token) => token.to_owned(),
            None => panic!("no token: {reply}"),
        }
    }

    /// An app token.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn app_token(&self) -> String {
        let [_, _, id, secret] = self.names;
        self.token(&json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret })).await
    }

    /// A token of this user, who is registered with the password `pw`.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn user_token(&self, user: &str) -> String {
        self.token(&json!({ "grant_type": "password", "username": user, "password": "pw" })).await
    }

    /// A client of the REST API with an app token.
    pub async fn http(&self) -> Http {
        self.server.anonymous().bearer(&self.app_token().await)
    }

    /// A client of the REST API with a token of this user, who is registered with the password `pw`.
    pub async fn http_as(&self, user: &str) -> Http {
        self.server.anonymous().bearer(&self.user_token(user).await)
    }

    /// Registers users with the password `pw`.
    ///
    /// # Panics
    /// When they cannot be registered.
    pub async fn register(&self, users: &[&str]) {
        let http = self.http().await;
        for users in users.chunks(60) {
            let body: Vec<_> = users.iter().map(|user| json!({ "username": user, "password": "pw" })).collect();
            let reply = http.post(&self.path("users"), &Value::from(body)).await;
            assert_eq!(reply.code(), 200, "{}", reply.text());
        }
    }

    /// What `user`, who is registered with the password `pw`, logs in with.
    #[must_use]
    pub fn login(&self, user: &str) -> ChatLogin {
        ChatLogin {
            app: ChatAppName::Names { org: self.names[0].to_owned(), app_name: self.names[1].to_owned() },
            user: user.to_owned(),
            credential: ChatCredential::Password("pw".to_owned()),
            ..ChatLogin::default()
        }
    }

    /// A connected client that behaves as told.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(&self, login: ChatLogin, options: ClientOptions) -> Result<ChatClient, ClientError> {
        ChatClient::connect_with(&self.server.ws_url(), login, options).await
    }

    /// A connected client of a user who is registered with the password `pw`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn client(&self, user: &str) -> ChatClient {
        match self.connect(self.login(user), ClientOptions::default()).await {
            Ok(client) => client,
            Err(error) => panic!("{user} cannot connect: {error}"),
        }
    }
}
