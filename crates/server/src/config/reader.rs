//! Reads the file, the environment and the flags into a [`Config`], and remembers where each value came from, so
//! that whatever is wrong can be named with its line.

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::section::{Keys, List};
use super::value::{Invalid, Raw};
use super::{AppConfig, Config};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of a file, counted from 1.
    Line {
        /// The file as it was named.
        file: String,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// Which key, dotted: `server.listen`, `apps[0].app_id`.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, self.key.as_str()) {
            (Origin::Default, key) => write!(f, "{key}: {}", self.message),
            (origin, "") => write!(f, "{origin}: {}", self.message),
            (origin, key) => write!(f, "{origin}: {key}: {}", self.message),
        }
    }
}

/// Collects values, their origins, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) origins: BTreeMap<String, Origin>,
    pub(crate) problems: Vec<Problem>,
}

impl Reader {
    /// Where a key's value came from.
    pub(crate) fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Notes a problem with a key, at the place its value came from.
    pub(crate) fn problem(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(Problem { origin: self.origin(key), key: key.to_owned(), message: message.into() });
    }

    /// Sets `path.key`.
    pub(crate) fn set(&mut self, section: &mut dyn Keys, path: &str, key: &str, raw: Raw<'_>, origin: Origin) {
        let full = format!("{path}.{key}");
        let message = match section.set(key, raw) {
            Some(Ok(())) => {
                self.origins.insert(full, origin);
                return;
            }
            Some(Err(Invalid(message))) => message,
            None => format!("unknown key; this section has {}", section.names().join(", ")),
        };
        self.problems.push(Problem { origin, key: full, message });
    }

    /// Reads a file's text.
    pub(crate) fn file(&mut self, config: &mut Config, file: &str, text: &str) {
        let place = Place { file, text };
        match DeTable::parse(text) {
            Ok(root) => self.root(config, place, root.get_ref()),
            Err(error) => self.problems.push(Problem {
                origin: place.origin(error.span().map_or(0, |span| span.start)),
                key: String::new(),
                message: error.message().replace('\n', "; "),
            }),
        }
    }

    fn root(&mut self, config: &mut Config, place: Place<'_>, root: &DeTable<'_>) {
        for (name, value) in root {
            let origin = place.origin(name.span().start);
            let name = name.get_ref().as_ref();
            if name == "apps" {
                self.apps(config, place, origin, value);
            } else if let Some(section) = config.section(name) {
                self.table(section, name, place, origin, value);
            } else {
                let message = format!("unknown section; there are {} and apps", Config::SECTIONS.join(", "));
                self.problems.push(Problem { origin, key: name.to_owned(), message });
            }
        }
    }

    fn apps(&mut self, config: &mut Config, place: Place<'_>, origin: Origin, value: &Spanned<DeValue<'_>>) {
        let Some(apps) = value.get_ref().as_array() else {
            let message = "expected [[apps]], with two brackets".to_owned();
            self.problems.push(Problem { origin, key: "apps".to_owned(), message });
            return;
        };
        for value in apps {
            let path = format!("apps[{}]", config.apps.len());
            let origin = place.origin(value.span().start);
            let mut app = AppConfig::default();
            self.origins.insert(path.clone(), origin.clone());
            match value.get_ref().as_table() {
                Some(table) => self.app(&mut app, &path, place, table),
                None => self.problems.push(Problem { origin, key: path, message: "expected a table".to_owned() }),
            }
            config.apps.push(app);
        }
    }

    fn app(&mut self, app: &mut AppConfig, path: &str, place: Place<'_>, table: &DeTable<'_>) {
        for (name, value) in table {
            let origin = place.origin(name.span().start);
            let name = name.get_ref().as_ref();
            let full = format!("{path}.{name}");
            if let Some(section) = app.section(name) {
                self.table(section, &full, place, origin, value);
            } else if let Some(list) = app.list(name) {
                self.list(list, &full, place, origin, value);
            } else {
                self.set(&mut app.app, path, name, Raw::Toml(value.get_ref()), origin);
            }
        }
    }

    fn list(
        &mut self,
        list: &mut dyn List,
        path: &str,
        place: Place<'_>,
        origin: Origin,
        value: &Spanned<DeValue<'_>>,
    ) {
        let Some(items) = value.get_ref().as_array() else {
            let message = "expected a section in two brackets".to_owned();
            self.problems.push(Problem { origin, key: path.to_owned(), message });
            return;
        };
        for value in items {
            let number = list.count();
            let (path, origin) = (format!("{path}[{number}]"), place.origin(value.span().start));
            list.add();
            self.origins.insert(path.clone(), origin.clone());
            if let Some(section) = list.at(number) {
                self.table(section, &path, place, origin, value);
            }
        }
    }

    fn table(
        &mut self,
        section: &mut dyn Keys,
        path: &str,
        place: Place<'_>,
        origin: Origin,
        value: &Spanned<DeValue<'_>>,
    ) {
        let Some(table) = value.get_ref().as_table() else {
            self.problems.push(Problem { origin, key: path.to_owned(), message: "expected a section".to_owned() });
            return;
        };
        for (name, value) in table {
            let origin = place.origin(name.span().start);
            self.set(section, path, name.get_ref(), Raw::Toml(value.get_ref()), origin);
        }
    }
}

/// A file being read.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn origin(self, offset: usize) -> Origin {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Origin::Line { file: self.file.to_owned(), line }
    }
}
