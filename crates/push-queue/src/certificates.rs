//! The certificates of an app: kept in the core's records with their secrets sealed, and for each a line to its service
//! that follows every change at once.

mod guard;
mod seal;
pub mod setup;
mod unusable;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use stentor_core::app::App;
use stentor_core::id::uuid;
use stentor_core::node::Node;
use stentor_core::push::{Notifier, NotifierChange, NotifierError, NotifierSetup};
use stentor_core::store::StoreError;
use stentor_push::{ErrorClass, Line, Provider, PushError, Sent};

pub use seal::SealError;
pub use setup::{BadCertificate, Fields, ServiceKind, Services, Setup};

use crate::route::{Route, Routes};
use guard::{Guard, Turn};
use seal::Sealer;
use unusable::Unusable;

/// What [`Certificates`] need.
#[derive(Debug)]
pub struct CertificatesSetup {
    /// The core.
    pub node: Node,
    /// The app whose they are.
    pub app: Arc<App>,
    /// What their secrets are sealed with: the same after a restart.
    pub sealing_key: [u8; 32],
    /// Where the services are.
    pub services: Services,
}

/// Why a certificate was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Nothing could be sent with it.
    #[error(transparent)]
    Bad(#[from] BadCertificate),
    /// Its secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The core does not keep it.
    #[error(transparent)]
    Notifier(#[from] NotifierError),
}

impl From<StoreError> for CertificateError {
    fn from(error: StoreError) -> Self {
        Self::Notifier(error.into())
    }
}

/// A certificate as it may be shown, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its UUID.
    pub uuid: String,
    /// What devices are bound with.
    pub name: String,
    /// The service; `None` if this version does not know it.
    pub service: Option<ServiceKind>,
    /// Made at: Unix time in milliseconds.
    pub created_ms: u64,
    /// Changed last at: Unix time in milliseconds.
    pub modified_ms: u64,
    /// Whether nothing is sent with it.
    pub disabled: bool,
    /// What may be seen of its setup.
    pub open: Fields,
    /// Why nothing can be sent with it; `None` if something can.
    pub unusable: Option<String>,
    /// Whether device tokens are kept although the service said that they are dead ([`Routes::may_forget`]).
    pub holds_tokens: bool,
    /// The last trouble with the service since the start or the last change; of single devices none.
    pub trouble: Option<Trouble>,
}

/// Something that an operator should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What sort.
    pub class: ErrorClass,
    /// Why.
    pub reason: String,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
}

/// A change of a certificate. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CertificateChange {
    /// Whether nothing is sent with it.
    pub disabled: Option<bool>,
    /// Another setup for the same service.
    pub setup: Option<Setup>,
}

/// The way of one certificate.
#[derive(Debug)]
struct Way {
    line: Arc<Line>,
    unusable: Option<String>,
    guard: Guard,
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug, Clone)]
struct Entry {
    uuid: String,
    disabled: bool,
    way: Arc<Way>,
}

#[derive(Debug)]
struct Inner {
    node: Node,
    app: Arc<App>,
    sealer: Sealer,
    services: Services,
    /// By name.
    entries: RwLock<HashMap<String, Entry>>,
    /// One change at a time, so that what is in memory follows the records in their order.
    changing: tokio::sync::Mutex<()>,
}

/// The certificates of one app. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Certificates(Arc<Inner>);

impl Certificates {
    /// Loads the certificates of an app. One that cannot be read is no error: it is there, and says why nothing can be sent
    /// with it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(setup: CertificatesSetup) -> Result<Self, CertificateError> {
        let CertificatesSetup { node, app, sealing_key, services } = setup;
        let sealer = Sealer::new(&sealing_key, app.id().as_str())?;
        let notifiers = node.notifiers(&app).await?;
        let (entries, changing) = (RwLock::default(), tokio::sync::Mutex::default());
        let inner = Inner { node, app, sealer, services, entries, changing };
        for notifier in &notifiers {
            inner.take(notifier, inner.way(notifier));
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Makes a certificate.
    ///
    /// # Errors
    /// When nothing can be sent with it, its name is taken, there are too many, or the store fails.
    pub async fn create(&self, name: &str, setup: Setup) -> Result<Certificate, CertificateError> {
        let (inner, name) = (self.0.clone(), name.to_owned());
        detached(async move {
            let provider = inner.provider(&name, &setup)?;
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|_| SealError::Failed)?;
            let uuid = uuid(u128::from_ne_bytes(random));
            let sealed = inner.sealer.seal(&uuid, &setup::write(&setup.secret))?;
            let notifier = Notifier {
                uuid,
                name,
                provider: setup.service.name().to_owned(),
                created_ms: 0,
                modified_ms: 0,
                disabled: false,
                open: setup.open.into_iter().collect(),
                sealed,
            };
            let _alone = inner.changing.lock().await;
            let notifier = inner.node.create_notifier(&inner.app, notifier).await?;
            inner.take(&notifier, inner.new_way(provider, None));
            Ok(inner.shown(notifier))
        })
        .await
    }

    /// Every certificate, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> Result<Vec<Certificate>, StoreError> {
        let notifiers = self.0.node.notifiers(&self.0.app).await?;
        Ok(notifiers.into_iter().map(|notifier| self.0.shown(notifier)).collect())
    }

    /// A certificate, if there is one with this UUID.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, uuid: &str) -> Result<Option<Certificate>, StoreError> {
        Ok(self.0.node.notifier(&self.0.app, uuid).await?.map(|notifier| self.0.shown(notifier)))
    }

    /// Changes a certificate. Returns it as it is then; `None` if there is none.
    ///
    /// # Errors
    /// When nothing can be sent with it, it is of another service, or the store fails.
    pub async fn change(&self, uuid: &str, change: CertificateChange) -> Result<Option<Certificate>, CertificateError> {
        let (inner, uuid) = (self.0.clone(), uuid.to_owned());
        detached(async move {
            let _alone = inner.changing.lock().await;
            let Some(before) = inner.node.notifier(&inner.app, &uuid).await? else { return Ok(None) };
            let mut kept = NotifierChange { disabled: change.disabled, setup: None };
            let mut way = None;
            if let Some(setup) = change.setup {
                if setup.service.name() != before.provider {
                    return Err(BadCertificate { field: "provider", why: "is another one".to_owned() }.into());
                }
                way = Some(inner.new_way(inner.provider(&before.name, &setup)?, None));
                let sealed = inner.sealer.seal(&uuid, &setup::write(&setup.secret))?;
                kept.setup = Some(NotifierSetup { open: setup.open.into_iter().collect(), sealed });
            }
            let Some(notifier) = inner.node.change_notifier(&inner.app, &uuid, &kept).await? else { return Ok(None) };
            let there = || inner.entries.read().get(&notifier.name).map(|entry| entry.way.clone());
            let way = way.or_else(there).unwrap_or_else(|| inner.way(&notifier));
            inner.take(&notifier, way);
            Ok(Some(inner.shown(notifier)))
        })
        .await
    }

    /// Deletes a certificate. Returns it as it was; `None` if there is none. Devices stay bound with its name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, uuid: &str) -> Result<Option<Certificate>, CertificateError> {
        let (inner, uuid) = (self.0.clone(), uuid.to_owned());
        detached(async move {
            let _alone = inner.changing.lock().await;
            let Some(notifier) = inner.node.delete_notifier(&inner.app, &uuid).await? else { return Ok(None) };
            let shown = inner.shown(notifier);
            inner.entries.write().remove(&shown.name);
            Ok(Some(shown))
        })
        .await
    }
}

impl Routes for Certificates {
    fn route(&self, notifier: &str) -> Route {
        match self.0.entries.read().get(notifier) {
            None => Route::Missing,
            Some(Entry { disabled: true, .. }) => Route::Disabled,
            Some(entry) => Route::Open(entry.way.line.clone()),
        }
    }

    fn note(&self, notifier: &str, line: &Arc<Line>, outcome: &Result<Sent, PushError>) {
        let Some(way) = self.0.entries.read().get(notifier).map(|entry| entry.way.clone()) else { return };
        if !Arc::ptr_eq(&way.line, line) {
            return; // it says something of the certificate as it was
        }
        let turn = match outcome {
            Ok(_) => way.guard.note(false),
            Err(PushError::DeadToken { .. }) => way.guard.note(true),
            Err(error @ (PushError::Credentials { reason } | PushError::Failed { reason, .. })) => {
                let (class, at_ms) = (error.class(), self.0.node.clock().wall_ms());
                *way.trouble.lock() = Some(Trouble { class, reason: reason.clone(), at_ms });
                None
            }
            Err(_) => None,
        };
        let app = self.0.app.id();
        match turn {
            Some(Turn::Holds) => tracing::warn!(
                %app,
                notifier,
                "the push service calls tokens dead, but has taken no push with this certificate or calls most of them \
                 so: none is forgotten. Is it the right certificate, project and environment?"
            ),
            Some(Turn::Forgets) => {
                tracing::info!(%app, notifier, "dead tokens of this certificate are forgotten again")
            }
            None => {}
        }
    }

    /// Not before a push was taken since the certificate was loaded or got another setup, and not while more than half of
    /// its last hundred outcomes were dead tokens.
    fn may_forget(&self, notifier: &str) -> bool {
        self.0.entries.read().get(notifier).is_some_and(|entry| entry.way.guard.may_forget())
    }
}

impl Inner {
    fn provider(&self, name: &str, setup: &Setup) -> Result<Arc<dyn Provider>, BadCertificate> {
        setup.provider(name, &self.services, self.node.clock())
    }

    fn new_way(&self, provider: Arc<dyn Provider>, unusable: Option<String>) -> Arc<Way> {
        let line = Arc::new(Line::new(provider, self.services.line, self.node.clock().clone()));
        Arc::new(Way { line, unusable, guard: Guard::default(), trouble: Mutex::default() })
    }

    /// The way of a certificate that was kept.
    fn way(&self, notifier: &Notifier) -> Arc<Way> {
        let Notifier { uuid, name, .. } = notifier;
        let service = ServiceKind::of_name(&notifier.provider);
        let read = || -> Result<_, String> {
            let service = service.ok_or("this version does not know its service")?;
            let secret = self.sealer.open(uuid, &notifier.sealed).map_err(|error| error.to_string())?;
            let secret = setup::read(&secret).ok_or("its secret is damaged")?;
            let setup = Setup { service, open: notifier.open.iter().cloned().collect(), secret };
            self.provider(name, &setup).map_err(|error| error.to_string())
        };
        read().map_or_else(
            |reason| {
                let app = self.app.id();
                tracing::error!(%app, notifier = name, uuid, reason, "a push certificate cannot be used");
                let service = service.map_or("unknown", ServiceKind::name);
                self.new_way(Arc::new(Unusable { service, reason: reason.clone() }), Some(reason))
            },
            |provider| self.new_way(provider, None),
        )
    }

    fn take(&self, notifier: &Notifier, way: Arc<Way>) {
        let entry = Entry { uuid: notifier.uuid.clone(), disabled: notifier.disabled, way };
        self.entries.write().insert(notifier.name.clone(), entry);
    }

    fn shown(&self, notifier: Notifier) -> Certificate {
        let entries = self.entries.read();
        let way = entries.get(&notifier.name).filter(|entry| entry.uuid == notifier.uuid).map(|entry| &entry.way);
        Certificate {
            service: ServiceKind::of_name(&notifier.provider),
            uuid: notifier.uuid,
            name: notifier.name,
            created_ms: notifier.created_ms,
            modified_ms: notifier.modified_ms,
            disabled: notifier.disabled,
            open: notifier.open.into_iter().collect(),
            unusable: way.and_then(|way| way.unusable.clone()),
            holds_tokens: way.is_some_and(|way| way.guard.is_holding()),
            trouble: way.and_then(|way| way.trouble.lock().clone()),
        }
    }
}

/// Does a change to its end, also when nobody waits for it any more: what is in memory must follow the records.
async fn detached<T: Send + 'static>(
    change: impl Future<Output = Result<T, CertificateError>> + Send + 'static,
) -> Result<T, CertificateError> {
    match tokio::spawn(change).await {
        Ok(changed) => changed,
        Err(ended) => Err(StoreError::Failed(Box::new(ended)).into()),
    }
}
