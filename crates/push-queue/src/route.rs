//! The way from the name of a certificate to its provider.

use std::fmt;
use std::sync::Arc;

use stentor_push::Line;

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

/// The certificates of an app, as those who send ask for them. They may change at any time.
pub trait Routes: Send + Sync + fmt::Debug {
    /// Where pushes of this certificate go now.
    fn route(&self, notifier: &str) -> Route;
}
