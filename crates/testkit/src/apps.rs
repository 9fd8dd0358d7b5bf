//! The apps of tests.

use stentor_server::config::Config;
use stentor_token::{v006, v007};

/// The App ID of the documents' samples.
pub const APP: &str = "970CA35de60c44645bbae8a215061b33";

/// Its certificate.
pub const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";

/// An App ID for an app without certificate.
pub const OPEN_APP: &str = "0123456789abcdef0123456789abcdef";

/// The Chat names and credentials of an app made by [`TestApp::chat`]: organisation, app, client ID, client secret.
pub const CHAT: [&str; 4] = ["easemob-demo", "wang", "YXA6cid", "YXA6csec"];

/// The same of another app, made by [`TestApp::other_chat`].
pub const OTHER_CHAT: [&str; 4] = ["acme", "other", "YXA6other", "YXA6othersec"];

/// The App ID of that app.
pub const OTHER_APP: &str = "fedcba9876543210fedcba9876543210";

/// Its certificate.
pub const OTHER_CERTIFICATE: &str = "0123456789abcdef0123456789abcdef";

/// What the callbacks of [`TestApp::callback`] are signed with.
pub const CALLBACK_SECRET: &str = "callback-secret";

/// One app in a test's configuration.
#[derive(Debug, Clone)]
pub struct TestApp {
    app_id: String,
    certificate: Option<String>,
    /// Lines of the app's own section.
    app: String,
    limits: String,
    features: String,
    chat: String,
    chat_limits: String,
    callbacks: String,
}

impl TestApp {
    /// [`APP`], with certificate, and with the customer `cid`, `csec`.
    #[must_use]
    pub fn new() -> Self {
        Self::with_id(APP).certificate(CERTIFICATE)
    }

    /// [`OPEN_APP`], without certificate.
    #[must_use]
    pub fn open() -> Self {
        Self::with_id(OPEN_APP)
    }

    /// Another app, without certificate.
    #[must_use]
    pub fn with_id(app_id: &str) -> Self {
        Self {
            app_id: app_id.to_owned(),
            certificate: None,
            app: String::new(),
            limits: String::new(),
            features: String::new(),
            chat: String::new(),
            chat_limits: String::new(),
            callbacks: String::new(),
        }
    }

    /// Its clients need tokens made with this.
    #[must_use]
    pub fn certificate(self, certificate: &str) -> Self {
        Self { certificate: Some(certificate.to_owned()), ..self }
    }

    /// A key of `[[apps]]`, as in `app("inbox_messages = 5")`.
    #[must_use]
    pub fn app(mut self, line: &str) -> Self {
        self.app.push_str(&format!("{line}\n"));
        self
    }

    /// A rate of `[apps.limits]`.
    #[must_use]
    pub fn limit(mut self, name: &str, count: u64) -> Self {
        self.limits.push_str(&format!("{name} = {count}\n"));
        self
    }

    /// A switch of `[apps.features]`.
    #[must_use]
    pub fn feature(mut self, name: &str, on: bool) -> Self {
        self.features.push_str(&format!("{name} = {on}\n"));
        self
    }

    /// With a Chat side, under the names of [`CHAT`].
    #[must_use]
    pub fn chat(self) -> Self {
        self.chat_names(CHAT)
    }

    /// [`OTHER_APP`], with a certificate and a Chat side of its own, under the names of [`OTHER_CHAT`].
    #[must_use]
    pub fn other_chat() -> Self {
        Self::with_id(OTHER_APP).certificate(OTHER_CERTIFICATE).chat_names(OTHER_CHAT)
    }

    fn chat_names(self, [org, app, id, secret]: [&str; 4]) -> Self {
        self.app(&format!(
            "org_name = \"{org}\"\napp_name = \"{app}\"\nclient_id = \"{id}\"\nclient_secret = \"{secret}\""
        ))
    }

    /// A key of `[apps.chat]`, as in `chat_option("inbox_messages = 5")`.
    #[must_use]
    pub fn chat_option(mut self, line: &str) -> Self {
        self.chat.push_str(&format!("{line}\n"));
        self
    }

    /// A rate of `[apps.chat_limits]`.
    #[must_use]
    pub fn chat_limit(mut self, name: &str, count: u64) -> Self {
        self.chat_limits.push_str(&format!("{name} = {count}\n"));
        self
    }

    /// A callback rule that leads to this machine, signed with [`CALLBACK_SECRET`], and more keys of its section.
    #[must_use]
    pub fn callback(mut self, name: &str, url: &str, lines: &str) -> Self {
        self.callbacks.push_str(&format!(
            "[[apps.callbacks]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"{CALLBACK_SECRET}\"\nallow_private = true\n{lines}\n"
        ));
        self
    }

    /// The App ID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.app_id
    }

    /// The app as the configuration file writes it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let certificate = self.certificate.as_ref().map(|certificate| format!("app_certificate = \"{certificate}\"\n"));
        format!(
            "[[apps]]\napp_id = \"{}\"\n{}customers = [{{ id = \"cid\", secret = \"csec\" }}]\n{}[apps.limits]\n{}[apps.features]\n{}\
             [apps.chat]\n{}[apps.chat_limits]\n{}{}",
            self.app_id,
            certificate.unwrap_or_default(),
            self.app,
            self.limits,
            self.features,
            self.chat,
            self.chat_limits,
            self.callbacks,
        )
    }
}

impl Default for TestApp {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads a test's configuration.
pub(crate) fn config(text: &str) -> Config {
    match Config::parse("test.toml", text) {
        Ok(config) => config,
        Err(error) => panic!("{error}\n{text}"),
    }
}

/// A token for a user of [`APP`], made at `now_ms` (Unix time in milliseconds), good for a day.
///
/// # Panics
/// When the user's name does not fit into a token.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that cannot make its token must fail")]
pub fn token(user: &str, now_ms: u64) -> String {
    let issue_ts_s = u32::try_from(now_ms / 1000).unwrap_or(u32::MAX);
    let issue = v007::Issue { issue_ts_s, expire_s: 86_400, salt: 1 };
    let service = v007::Service {
        privileges: [(1, 86_400)].into_iter().collect(),
        kind: v007::ServiceKind::Rtm { user: user.to_owned() },
    };
    v007::build(APP, CERTIFICATE, issue, &[service]).expect("a token")
}

/// The same in the older format.
#[must_use]
pub fn token_006(user: &str, now_ms: u64) -> String {
    let now_s = u32::try_from(now_ms / 1000).unwrap_or(u32::MAX);
    v006::build(APP, CERTIFICATE, user, 1, now_s.saturating_add(86_400), 0)
}
