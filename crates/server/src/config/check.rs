//! What no single value can know: pairs that belong together, names that must differ, addresses that need TLS.

use std::collections::BTreeMap;
use std::net::IpAddr;

use stentor_api_chat::callbacks::MAX_RULES;
use stentor_callbacks::address::is_public;

use super::callbacks::CallbackUrl;
use super::reader::Reader;
use super::{AppConfig, Config};

impl Reader {
    /// Checks what needs more than one key.
    pub(crate) fn check(&mut self, config: &Config) {
        self.check_transport(config);
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&config.log.filter) {
            self.problem("log.filter", error.to_string());
        }
        for (number, app) in config.apps.iter().enumerate() {
            self.check_app(&format!("apps[{number}]"), app);
        }
        self.check_distinct(config, "app_id", |app| app.app.app_id.as_ref().map(|id| id.as_str().to_owned()));
        self.check_distinct(config, "app_name", |app| {
            let (org, name) = (app.app.org_name.as_ref()?, app.app.app_name.as_ref()?);
            Some(format!("{}#{}", org.as_str(), name.as_str()).to_ascii_lowercase())
        });
        self.check_distinct(config, "client_id", |app| app.app.client_id.clone());
    }

    fn check_transport(&mut self, config: &Config) {
        self.check_pair("tls", ("certificate", config.tls.certificate.is_some()), ("key", config.tls.key.is_some()));
        let plain = "plain HTTP beyond loopback: set tls.certificate and tls.key, or server.allow_plain_http = true \
                     behind a proxy that does the TLS";
        if !config.server.allow_plain_http {
            if config.tls.certificate.is_none() && !config.server.listen.0.ip().is_loopback() {
                self.problem("server.listen", plain);
            }
            if config.server.metrics_listen.is_some_and(|address| !address.0.ip().is_loopback()) {
                self.problem("server.metrics_listen", "plain HTTP beyond loopback: set server.allow_plain_http = true");
            }
            let sdk = config.gateway.sdk_tcp_listen;
            if config.tls.certificate.is_none() && sdk.is_some_and(|address| !address.0.ip().is_loopback()) {
                self.problem("gateway.sdk_tcp_listen", plain.replace("HTTP beyond", "TCP beyond"));
            }
        }
    }

    fn check_app(&mut self, path: &str, app: &AppConfig) {
        if app.app.app_id.is_none() && !self.problems.iter().any(|problem| problem.key == format!("{path}.app_id")) {
            let origin = self.origin(path);
            let key = format!("{path}.app_id");
            self.origins.insert(key.clone(), origin);
            self.problem(&key, "is missing");
        }
        self.check_pair(path, ("org_name", app.app.org_name.is_some()), ("app_name", app.app.app_name.is_some()));
        self.check_pair(
            path,
            ("client_id", app.app.client_id.is_some()),
            ("client_secret", app.app.client_secret.is_some()),
        );
        self.check_callbacks(path, app);
        let mut seen = BTreeMap::new();
        for customer in &app.app.customers {
            if seen.insert(&customer.id, ()).is_some() {
                self.problem(&format!("{path}.customers"), format!("two customers have the ID {:?}", customer.id));
            }
        }
    }

    fn check_callbacks(&mut self, path: &str, app: &AppConfig) {
        if !app.callbacks.is_empty() && app.app.org_name.is_none() {
            self.problem(
                &format!("{path}.callbacks[0]"),
                "org_name and app_name are missing: callbacks are of the Chat side",
            );
        }
        if app.callbacks.len() > MAX_RULES {
            let first = format!("{path}.callbacks[{MAX_RULES}]");
            self.problem(&first, format!("an app has at most {MAX_RULES} callback rules"));
        }
        let mut names = BTreeMap::new();
        for (number, rule) in app.callbacks.iter().enumerate() {
            let path = format!("{path}.callbacks[{number}]");
            self.check_required(&path, "name", rule.name.is_some());
            self.check_required(&path, "url", rule.url.is_some());
            self.check_required(&path, "secret", rule.secret.is_some());
            if let Some(name) = &rule.name
                && let Some(first) = names.insert(name.as_str(), number)
            {
                self.problem(&format!("{path}.name"), format!("callback rule {first} has the same name"));
            }
            if rule.url.as_ref().is_some_and(is_private) && !rule.allow_private {
                self.problem(
                    &format!("{path}.url"),
                    "leads to a private address: set allow_private = true if it is meant to",
                );
            }
            if rule.retry_longest_ms.get() < rule.retry_first_ms.get() {
                self.problem(&format!("{path}.retry_longest_ms"), "is shorter than retry_first_ms");
            }
        }
    }

    /// A key that must be set; a value that was refused is not missing.
    fn check_required(&mut self, path: &str, key: &str, there: bool) {
        let full = format!("{path}.{key}");
        if !there && !self.problems.iter().any(|problem| problem.key == full) {
            let origin = self.origin(path);
            self.origins.insert(full.clone(), origin);
            self.problem(&full, "is missing");
        }
    }

    fn check_pair(&mut self, path: &str, one: (&str, bool), other: (&str, bool)) {
        let (there, missing) = match (one.1, other.1) {
            (true, false) => (one.0, other.0),
            (false, true) => (other.0, one.0),
            _ => return,
        };
        // A value that was refused is not missing.
        if !self.problems.iter().any(|problem| problem.key == format!("{path}.{missing}")) {
            self.problem(&format!("{path}.{there}"), format!("{missing} is missing: the two belong together"));
        }
    }

    fn check_distinct(&mut self, config: &Config, key: &str, name: impl Fn(&AppConfig) -> Option<String>) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (number, app) in config.apps.iter().enumerate() {
            let Some(name) = name(app) else { continue };
            if let Some(first) = seen.get(&name) {
                let first = self.origin(&format!("apps[{first}].{key}"));
                self.problem(&format!("apps[{number}].{key}"), format!("{name:?} is taken by the app at {first}"));
            } else {
                seen.insert(name, number);
            }
        }
    }
}

/// Whether a URL says by itself that it leads nowhere public. Names are looked up when they are used.
fn is_private(url: &CallbackUrl) -> bool {
    let host = url.endpoint().host();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| !is_public(address))
}

impl Config {
    /// What is legal but rarely meant, one line each; logged at start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let open = !self.server.listen.0.ip().is_loopback();
        for app in &self.apps {
            let id = app.app_id();
            if app.app.app_certificate.is_none() && open {
                warnings.push(format!("app {id} has no app_certificate: anybody can log in as anybody"));
            }
            if app.app.app_certificate.is_none() && app.app.customers.is_empty() && app.app.client_id.is_none() {
                warnings.push(format!(
                    "app {id} has neither app_certificate nor customers nor client_id: nobody can use its REST APIs"
                ));
            }
        }
        for (app, rule) in self.apps.iter().flat_map(|app| app.callbacks.iter().map(move |rule| (app, rule))) {
            if rule.enabled && rule.url.as_ref().is_some_and(|url| !url.endpoint().is_tls() && !is_private(url)) {
                let name = rule.name.as_ref().map_or("", |name| name.as_str());
                let id = app.app_id();
                warnings
                    .push(format!("app {id}: callback rule {name} goes over plain HTTP: it can be read on the way"));
            }
        }
        if self.store.engine == super::storage::Engine::Memory {
            warnings.push("store.engine is \"memory\": nothing survives a restart".to_owned());
        }
        if open && self.tls.certificate.is_none() {
            warnings
                .push(format!("plain HTTP on {}: passwords and tokens can be read on the way", self.server.listen.0));
        }
        warnings
    }
}
