//! The configuration: a TOML file, overridden by `STENTOR_…` variables, overridden by flags.
//!
//! These structs mirror the file and belong to this crate. The other crates take plain structs of their own, which
//! `compose` fills from here. Each section is defined once, in [`section`]'s macro, and describes itself for
//! `config.example.toml`.

use std::fmt;
use std::path::{Path, PathBuf};

pub mod apps;
pub mod callbacks;
pub mod chat;
mod check;
mod environment;
pub mod example;
pub mod files;
pub mod limits;
pub mod log;
pub mod names;
pub mod push;
mod reader;
pub mod section;
pub mod server;
pub mod storage;
pub mod transport;
pub mod value;

pub use apps::AppConfig;
pub use reader::{Origin, Problem};

use files::FilesSection;
use log::LogSection;
use push::PushSection;
use reader::Reader;
use section::{Keys, List};
use server::ServerSection;
use storage::StoreSection;
use transport::{GatewaySection, HttpSection, TlsSection};
use value::Raw;

/// The whole configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `[server]`
    pub server: ServerSection,
    /// `[tls]`
    pub tls: TlsSection,
    /// `[http]`
    pub http: HttpSection,
    /// `[gateway]`
    pub gateway: GatewaySection,
    /// `[store]`
    pub store: StoreSection,
    /// `[files]`
    pub files: FilesSection,
    /// `[push]`
    pub push: PushSection,
    /// `[log]`
    pub log: LogSection,
    /// `[[apps]]`
    pub apps: Vec<AppConfig>,
}

/// What the command line overrides.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<String>,
    /// `--data`
    pub data: Option<String>,
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file; without one, defaults.
    pub file: Option<PathBuf>,
    /// The environment; only `STENTOR_…` is looked at.
    pub variables: Vec<(String, String)>,
    /// The flags.
    pub overrides: Overrides,
}

impl Sources {
    /// The process's own environment. A variable that is not UTF-8 is taken as near as possible, and refused by
    /// whoever reads it.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, overrides: Overrides) -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { file, variables, overrides }
    }
}

/// Why there is no configuration: everything that is wrong, one line each.
#[derive(Debug)]
pub struct ConfigError {
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The sections by name, apart from `apps`.
    pub(crate) const SECTIONS: [&'static str; 8] =
        ["server", "tls", "http", "gateway", "store", "files", "push", "log"];

    pub(crate) fn section(&mut self, name: &str) -> Option<&mut dyn Keys> {
        Some(match name {
            "server" => &mut self.server,
            "tls" => &mut self.tls,
            "http" => &mut self.http,
            "gateway" => &mut self.gateway,
            "store" => &mut self.store,
            "files" => &mut self.files,
            "push" => &mut self.push,
            "log" => &mut self.log,
            _ => return None,
        })
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    /// Everything that is wrong, with key and place.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let mut config = Self::default();
        if let Some(file) = &sources.file {
            let name = file.display().to_string();
            match std::fs::read_to_string(file) {
                Ok(text) => reader.file(&mut config, &name, &text),
                Err(error) => {
                    let origin = Origin::Flag("--config");
                    reader.problems.push(Problem { origin, key: name, message: error.to_string() });
                }
            }
        }
        reader.environment(&mut config, &sources.variables);
        let flags =
            [("listen", "--listen", &sources.overrides.listen), ("data_dir", "--data", &sources.overrides.data)];
        for (key, flag, value) in flags {
            if let Some(value) = value {
                reader.set(&mut config.server, "server", key, Raw::Text(value), Origin::Flag(flag));
            }
        }
        reader.check(&config);
        finish(reader, config)
    }

    /// Reads and checks the text of a file.
    ///
    /// # Errors
    /// Everything that is wrong, with key and line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let mut config = Self::default();
        reader.file(&mut config, file, text);
        reader.check(&config);
        finish(reader, config)
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.server.data_dir.0
    }

    /// Whether the server speaks TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls.certificate.is_some() && self.tls.key.is_some()
    }
}

fn finish(reader: Reader, config: Config) -> Result<Config, ConfigError> {
    if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError { problems: reader.problems }) }
}

impl AppConfig {
    /// The sections of an app by name.
    pub(crate) const SECTIONS: [&'static str; 4] = ["limits", "features", "chat", "chat_limits"];

    pub(crate) fn section(&mut self, name: &str) -> Option<&mut dyn Keys> {
        match name {
            "limits" => Some(&mut self.limits),
            "features" => Some(&mut self.features),
            "chat" => Some(&mut self.chat),
            "chat_limits" => Some(&mut self.chat_limits),
            _ => None,
        }
    }

    /// The sections of an app that may be repeated, by name.
    pub(crate) const LISTS: [&'static str; 1] = ["callbacks"];

    pub(crate) fn list(&mut self, name: &str) -> Option<&mut dyn List> {
        match name {
            "callbacks" => Some(&mut self.callbacks),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
