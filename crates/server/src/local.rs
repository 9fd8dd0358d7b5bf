//! `local.toml` in the data directory: how the command line on the same machine reaches the running server. Written
//! at start, for the owner only, and removed at the end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::config::AppConfig;
use crate::config::names::SecretText;
use crate::data_dir;

/// The file's name.
pub const LOCAL: &str = "local.toml";

/// How to reach a running server.
#[derive(Debug, Clone)]
pub struct Local {
    /// `http://127.0.0.1:8480`
    pub url: String,
    /// The server's certificate, if it speaks TLS: what to trust.
    pub trust: Option<PathBuf>,
    /// Its process.
    pub pid: u32,
    /// What it serves.
    pub apps: Vec<LocalApp>,
}

/// Credentials of one app.
#[derive(Debug, Clone)]
pub struct LocalApp {
    /// The App ID.
    pub app_id: String,
    /// The certificate, if tokens are needed.
    pub certificate: Option<SecretText>,
    /// One pair of Basic credentials, if there is any.
    pub customer: Option<(String, SecretText)>,
    /// Its Chat side, if it has one.
    pub chat: Option<LocalChat>,
}

/// The Chat side of an app.
#[derive(Debug, Clone)]
pub struct LocalChat {
    /// The organisation in the URLs.
    pub org: String,
    /// The app's name in the URLs.
    pub name: String,
    /// `client_id` and `client_secret`, if there are any.
    pub client: Option<(String, SecretText)>,
}

/// Why the local server cannot be reached that way.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There is no such directory.
    #[error("there is no data directory {}: start the server first, or name its directory with --data", .0.display())]
    NoDirectory(PathBuf),
    /// No server is running on it.
    #[error(
        "no server is running on the data directory {}: start it with `stentor serve`, or name another server with \
         --server", .0.display()
    )]
    NotRunning(PathBuf),
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] data_dir::DataDirError),
    /// The file does not say what it should.
    #[error("{} is damaged: restart the server", .0.display())]
    Damaged(PathBuf),
}

impl Local {
    /// What to write for a server that listens on `address`.
    #[must_use]
    pub fn of(address: SocketAddr, tls: Option<&Path>, apps: &[AppConfig]) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let apps = apps.iter().map(|app| LocalApp {
            app_id: app.app_id().to_owned(),
            certificate: app.app.app_certificate.as_ref().map(|secret| SecretText::new(secret.expose().to_owned())),
            customer: app.app.customers.first().map(|customer| (customer.id.clone(), customer.secret.clone())),
            chat: LocalChat::of(app),
        });
        Self {
            url: format!("{scheme}://{}", reachable(address)),
            trust: tls.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned())),
            pid: std::process::id(),
            apps: apps.collect(),
        }
    }

    /// The file's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut table = Table::new();
        table.insert("url".into(), Value::from(self.url.as_str()));
        table.insert("pid".into(), Value::from(i64::from(self.pid)));
        if let Some(trust) = &self.trust {
            table.insert("trust".into(), Value::from(trust.display().to_string()));
        }
        let apps = self.apps.iter().map(|app| {
            let mut table = Table::new();
            table.insert("app_id".into(), Value::from(app.app_id.as_str()));
            if let Some(certificate) = &app.certificate {
                table.insert("app_certificate".into(), Value::from(certificate.expose()));
            }
            if let Some((id, secret)) = &app.customer {
                table.insert("customer_id".into(), Value::from(id.as_str()));
                table.insert("customer_secret".into(), Value::from(secret.expose()));
            }
            if let Some(chat) = &app.chat {
                table.insert("org_name".into(), Value::from(chat.org.as_str()));
                table.insert("app_name".into(), Value::from(chat.name.as_str()));
                if let Some((id, secret)) = &chat.client {
                    table.insert("client_id".into(), Value::from(id.as_str()));
                    table.insert("client_secret".into(), Value::from(secret.expose()));
                }
            }
            Value::Table(table)
        });
        table.insert("apps".into(), Value::Array(apps.collect()));
        format!("# Written by the running server for `stentor listen` and `stentor send`. Holds secrets.\n{table}")
    }

    /// Reads the file of the server that runs on `directory`.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(directory: &Path) -> Result<Self, LocalError> {
        if !directory.is_dir() {
            return Err(LocalError::NoDirectory(directory.to_owned()));
        }
        let Some(text) = data_dir::read(directory, LOCAL)? else {
            return Err(LocalError::NotRunning(directory.to_owned()));
        };
        parse(&text).ok_or_else(|| LocalError::Damaged(directory.join(LOCAL)))
    }

    /// The app of that ID; the only one without an ID.
    #[must_use]
    pub fn app(&self, app_id: Option<&str>) -> Option<&LocalApp> {
        match app_id {
            Some(app_id) => self.apps.iter().find(|app| app.app_id == app_id),
            None => self.apps.first().filter(|_| self.apps.len() == 1),
        }
    }
}

impl LocalChat {
    /// The Chat side of a configured app.
    #[must_use]
    pub fn of(app: &AppConfig) -> Option<Self> {
        Some(Self {
            org: app.app.org_name.as_ref()?.as_str().to_owned(),
            name: app.app.app_name.as_ref()?.as_str().to_owned(),
            client: app.app.client_id.clone().zip(app.app.client_secret.clone()),
        })
    }
}

fn parse(text: &str) -> Option<Local> {
    let table: Table = text.parse().ok()?;
    let string = |table: &Table, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut apps = Vec::new();
    for app in table.get("apps")?.as_array()? {
        let app = app.as_table()?;
        let customer = string(app, "customer_id").zip(string(app, "customer_secret").map(SecretText::new));
        let client = string(app, "client_id").zip(string(app, "client_secret").map(SecretText::new));
        let names = string(app, "org_name").zip(string(app, "app_name"));
        apps.push(LocalApp {
            app_id: string(app, "app_id")?,
            certificate: string(app, "app_certificate").map(SecretText::new),
            customer,
            chat: names.map(|(org, name)| LocalChat { org, name, client }),
        });
    }
    Some(Local {
        url: string(&table, "url")?,
        trust: string(&table, "trust").map(PathBuf::from),
        pid: u32::try_from(table.get("pid")?.as_integer()?).ok()?,
        apps,
    })
}

/// The address under which a client on this machine reaches a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let temporary = tempfile::tempdir().unwrap();
        assert!(matches!(Local::read(&temporary.path().join("none")), Err(LocalError::NoDirectory(_))));
        assert!(matches!(Local::read(temporary.path()), Err(LocalError::NotRunning(_))));
        let config = crate::config::Config::parse(
            "c.toml",
            "[[apps]]\napp_id = \"970CA35de60c44645bbae8a215061b33\"\ncustomers = [{ id = \"a\", secret = \"b\\\"c\" }]\n\
             org_name = \"acme\"\napp_name = \"demo\"\nclient_id = \"YXA6i\"\nclient_secret = \"YXA6s\"",
        )
        .unwrap();
        let local = Local::of("0.0.0.0:99".parse().unwrap(), None, &config.apps);
        std::fs::write(temporary.path().join(LOCAL), local.to_toml()).unwrap();
        let read = Local::read(temporary.path()).unwrap();
        assert_eq!(read.url, "http://127.0.0.1:99");
        let app = read.app(None).unwrap();
        assert_eq!(app.customer.as_ref().unwrap().1.expose(), "b\"c");
        assert!(app.certificate.is_none());
        let chat = app.chat.as_ref().unwrap();
        assert_eq!((chat.org.as_str(), chat.name.as_str()), ("acme", "demo"));
        assert_eq!(chat.client.as_ref().unwrap().1.expose(), "YXA6s");
        assert!(read.app(Some("other")).is_none());
        std::fs::write(temporary.path().join(LOCAL), "url = 1").unwrap();
        assert!(matches!(Local::read(temporary.path()), Err(LocalError::Damaged(_))));
    }
}
