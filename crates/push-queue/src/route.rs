//! The way from the name of a certificate to its provider.

use std::fmt;
use std::sync::Arc;

use stentor_push::{Line, PushError, Sent};

/// Where the pushes of a device go that was bound with the name of a certificate.
#[derive(Debug, Clone)]
pub enum Route {
    /// The app has no certificate of this name (push callback documents: "no notifier exist").
    Missing,
    /// It is switched off ("notifier disabled").
    Disabled,
    /// Over this line.
    Open(Arc<Line>),
}

impl Route {
    /// The line, or why there is none in the words of the documents.
    ///
    /// # Errors
    /// Why there is none.
    pub fn line(self) -> Result<Arc<Line>, &'static str> {
        match self {
            Self::Missing => Err("no notifier exist"),
            Self::Disabled => Err("notifier disabled"),
            Self::Open(line) => Ok(line),
        }
    }
}

/// The certificates of an app, as those who send ask for them. They may change at any time.
pub trait Routes: Send + Sync + fmt::Debug {
    /// Where pushes of this certificate go now.
    fn route(&self, notifier: &str) -> Route;

    /// Told of every answer of a provider, and which line it came over: the certificate may have another one by now.
    fn note(&self, _notifier: &str, _line: &Arc<Line>, _outcome: &Result<Sent, PushError>) {}

    /// Whether a token that the provider calls dead may be forgotten. With a certificate that leads to the wrong service
    /// all tokens look dead.
    fn may_forget(&self, _notifier: &str) -> bool {
        true
    }
}
