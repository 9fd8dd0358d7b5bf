//! From what a certificate says to what sends with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use stentor_core::clock::Clock;
use stentor_push::apns::{Apns, ApnsAuth, ApnsSetup};
use stentor_push::fcm::{Fcm, FcmSetup};
use stentor_push::huawei::{Huawei, HuaweiSetup};
use stentor_push::meizu::{Meizu, MeizuSetup};
use stentor_push::oppo::{Oppo, OppoSetup};
use stentor_push::vivo::{Vivo, VivoSetup};
use stentor_push::webhook::{Webhook, WebhookSetup};
use stentor_push::webpush::{WebPush, WebPushSetup};
use stentor_push::xiaomi::{Xiaomi, XiaomiSetup};
use stentor_push::{
    BadSetup, Http, HttpSetup, Identity, LineSetup, Provider, Secret, Trust, apns, fcm, huawei, meizu, oppo, vivo,
    xiaomi,
};

macro_rules! services {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// A service of push.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ServiceKind {$($(#[doc = $doc])+ $kind,)+}

        impl ServiceKind {
            /// Every service.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Its name, as in metrics and records.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$kind => $name,)+}
            }
        }
    };
}

services! {
    /// Apple.
    Apns = "apns",
    /// Google.
    Fcm = "fcm",
    /// Huawei.
    Huawei = "huawei",
    /// Xiaomi.
    Xiaomi = "xiaomi",
    /// OPPO.
    Oppo = "oppo",
    /// vivo.
    Vivo = "vivo",
    /// Meizu.
    Meizu = "meizu",
    /// Browsers.
    WebPush = "webpush",
    /// A service of the app's own.
    Webhook = "webhook",
}

impl ServiceKind {
    /// The service of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether somebody other than the operator chooses where requests go: browsers, apps, or the account.
    fn leads_elsewhere(self) -> bool {
        matches!(self, Self::Fcm | Self::WebPush | Self::Webhook)
    }
}

/// Where the services are and how they are spoken to: the operator's choice, for all apps.
#[derive(Debug, Clone)]
pub struct Services {
    /// Apple, production.
    pub apns_url: String,
    /// Apple, for apps in development.
    pub apns_sandbox_url: String,
    /// Google.
    pub fcm_url: String,
    /// Huawei.
    pub huawei_url: String,
    /// Huawei's access tokens.
    pub huawei_token_url: String,
    /// Xiaomi.
    pub xiaomi_url: String,
    /// OPPO.
    pub oppo_url: String,
    /// vivo.
    pub vivo_url: String,
    /// Meizu.
    pub meizu_url: String,
    /// Whom connections trust.
    pub trust: Trust,
    /// Whether certificates and devices may lead to private addresses (FCM's token endpoint, Web Push, webhooks).
    pub allow_private: bool,
    /// How long a request may take.
    pub timeout: Duration,
    /// How many requests there are at once with one certificate, and when its service counts as down.
    pub line: LineSetup,
}

impl Services {
    /// The services where they are, as they are spoken to by default.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            apns_url: apns::PRODUCTION.into(),
            apns_sandbox_url: apns::SANDBOX.into(),
            fcm_url: fcm::SERVICE.into(),
            huawei_url: huawei::SERVICE.into(),
            huawei_token_url: huawei::TOKENS.into(),
            xiaomi_url: xiaomi::SERVICE.into(),
            oppo_url: oppo::SERVICE.into(),
            vivo_url: vivo::SERVICE.into(),
            meizu_url: meizu::SERVICE.into(),
            trust,
            allow_private: false,
            timeout: Duration::from_secs(10),
            line: LineSetup::default(),
        }
    }
}

/// Names and values.
pub type Fields = BTreeMap<String, String>;

/// What a certificate says. [`field`] has the names.
#[derive(Clone, PartialEq, Eq)]
pub struct Setup {
    /// The service.
    pub service: ServiceKind,
    /// What may be seen.
    pub open: Fields,
    /// What may not. `Debug` shows the names only.
    pub secret: Fields,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret: Vec<_> = self.secret.keys().collect();
        f.debug_struct("Setup")
            .field("service", &self.service)
            .field("open", &self.open)
            .field("secret", &secret)
            .finish()
    }
}

/// The names of what certificates say. They are stored, and stay as they are.
pub mod field {
    /// Secret: the key, certificate, account or secret itself. Every service.
    pub const CERTIFICATE: &str = "certificate";
    /// Secret: where a webhook leads.
    pub const URL: &str = "url";
    /// Apple: `PRODUCTION`, or `DEVELOPMENT` for the sandbox.
    pub const ENVIRONMENT: &str = "environment";
    /// The bundle ID (Apple) or package (Xiaomi).
    pub const PACKAGE: &str = "packageName";
    /// Apple, with a signing key: the key's ID.
    pub const KEY_ID: &str = "keyId";
    /// Apple, with a signing key: the team's ID.
    pub const TEAM_ID: &str = "teamId";
    /// The app's ID (Huawei, Meizu, vivo). Without one the certificate's name is it; vivo's is then `appId#appKey`.
    pub const APP_ID: &str = "appId";
    /// The app's key (OPPO, vivo). Without one the certificate's name is it; vivo's is then `appId#appKey`.
    pub const APP_KEY: &str = "appKey";
    /// Huawei: the class of the app's entry activity, for badges.
    pub const ACTIVITY: &str = "activityClass";
    /// Web Push: the public key.
    pub const PUBLIC_KEY: &str = "publicKey";
    /// Web Push: whom push services may ask.
    pub const CONTACT: &str = "contact";
}

/// [`field::ENVIRONMENT`] of apps in development.
pub const DEVELOPMENT: &str = "DEVELOPMENT";

/// Why nothing can be sent with a certificate: the field at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct BadCertificate {
    /// The name of the field: one of [`field`], or `provider`.
    pub field: &'static str,
    /// What is wrong with it. Says nothing of what is secret.
    pub why: String,
}

fn bad(field: &'static str, why: impl fmt::Display) -> BadCertificate {
    BadCertificate { field, why: why.to_string() }
}

impl Setup {
    fn open(&self, name: &'static str) -> Result<String, BadCertificate> {
        self.maybe(name).ok_or_else(|| bad(name, "is missing"))
    }

    fn maybe(&self, name: &str) -> Option<String> {
        self.open.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn secret(&self, name: &'static str) -> Result<Secret, BadCertificate> {
        let secret = self.secret.get(name).filter(|value| !value.is_empty());
        secret.map(|secret| Secret::new(secret.as_str())).ok_or_else(|| bad(name, "is missing"))
    }

    /// What sends with this certificate. `name` is what devices are bound with: of some vendors the app's ID or key.
    ///
    /// # Errors
    /// When something is missing or cannot be read.
    pub fn provider(
        &self,
        name: &str,
        services: &Services,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<dyn Provider>, BadCertificate> {
        let certificate = self.secret(field::CERTIFICATE)?;
        let identity = match (self.service, certificate.expose()) {
            (ServiceKind::Apns, pem) if pem.contains("-----BEGIN CERTIFICATE") => {
                Some(Identity::from_pem(pem, pem).map_err(|error| bad(field::CERTIFICATE, error))?)
            }
            _ => None,
        };
        let with_identity = identity.is_some();
        let http = Http::new(&HttpSetup {
            identity,
            timeout: services.timeout,
            allow_private: services.allow_private || !self.service.leads_elsewhere(),
            ..HttpSetup::new(services.trust.clone())
        });
        let http = http.map_err(|error| bad(field::CERTIFICATE, error))?;
        let clock = clock.clone();
        Ok(match self.service {
            ServiceKind::Apns => Arc::new(self.apns(with_identity, certificate, services, http, clock)?),
            ServiceKind::Fcm => {
                let setup = FcmSetup { account_json: certificate, base_url: services.fcm_url.clone() };
                Arc::new(of(field::CERTIFICATE, Fcm::new(&setup, http, clock))?)
            }
            ServiceKind::Huawei => Arc::new(self.huawei(name, certificate, services, http, clock)?),
            ServiceKind::Xiaomi => {
                let package = self.open(field::PACKAGE)?;
                let setup = XiaomiSetup { app_secret: certificate, package, base_url: services.xiaomi_url.clone() };
                Arc::new(of(field::CERTIFICATE, Xiaomi::new(setup, http, clock))?)
            }
            ServiceKind::Oppo => {
                let app_key = Secret::new(self.maybe(field::APP_KEY).unwrap_or_else(|| name.to_owned()));
                let base_url = services.oppo_url.clone();
                let setup = OppoSetup { app_key, master_secret: certificate, base_url };
                Arc::new(of(field::CERTIFICATE, Oppo::new(setup, http, clock))?)
            }
            ServiceKind::Vivo => {
                let (app_id, app_key) = self.vivo_app(name)?;
                let base_url = services.vivo_url.clone();
                let setup = VivoSetup { app_id, app_key, app_secret: certificate, base_url };
                Arc::new(of(field::CERTIFICATE, Vivo::new(setup, http, clock))?)
            }
            ServiceKind::Meizu => {
                let app_id = self.maybe(field::APP_ID).unwrap_or_else(|| name.to_owned());
                let base_url = services.meizu_url.clone();
                let setup = MeizuSetup { app_id, app_secret: certificate, base_url };
                Arc::new(of(field::CERTIFICATE, Meizu::new(setup, http, clock))?)
            }
            ServiceKind::WebPush => Arc::new(self.web_push(certificate, http, clock)?),
            ServiceKind::Webhook => {
                let setup = WebhookSetup { url: self.secret(field::URL)?.expose().to_owned(), secret: certificate };
                Arc::new(of(field::URL, Webhook::new(setup, http, clock))?)
            }
        })
    }

    fn apns(
        &self,
        with_identity: bool,
        key_pem: Secret,
        services: &Services,
        http: Http,
        clock: Arc<dyn Clock>,
    ) -> Result<Apns, BadCertificate> {
        let auth = if with_identity {
            ApnsAuth::Certificate
        } else {
            ApnsAuth::Token { key_pem, key_id: self.open(field::KEY_ID)?, team_id: self.open(field::TEAM_ID)? }
        };
        let sandbox = self.maybe(field::ENVIRONMENT).is_some_and(|environment| environment == DEVELOPMENT);
        let base_url = if sandbox { &services.apns_sandbox_url } else { &services.apns_url }.clone();
        let setup = ApnsSetup { auth, topic: self.open(field::PACKAGE)?, base_url };
        Apns::new(setup, http, clock).map_err(|error| match error {
            BadSetup::Credential("the APNs topic") => bad(field::PACKAGE, error),
            other => bad(field::CERTIFICATE, other),
        })
    }

    fn huawei(
        &self,
        name: &str,
        client_secret: Secret,
        services: &Services,
        http: Http,
        clock: Arc<dyn Clock>,
    ) -> Result<Huawei, BadCertificate> {
        let setup = HuaweiSetup {
            client_id: self.maybe(field::APP_ID).unwrap_or_else(|| name.to_owned()),
            client_secret,
            badge_class: self.maybe(field::ACTIVITY),
            base_url: services.huawei_url.clone(),
            token_url: services.huawei_token_url.clone(),
        };
        // Secrets are texts of any form here: what cannot be read is the ID.
        of(field::APP_ID, Huawei::new(setup, http, clock))
    }

    /// vivo's ID and key: both are said, or are the name with `#` between them.
    fn vivo_app(&self, name: &str) -> Result<(u64, Secret), BadCertificate> {
        let named = name.split_once('#');
        let id = self.maybe(field::APP_ID).or_else(|| Some(named?.0.to_owned()));
        let key = self.maybe(field::APP_KEY).or_else(|| Some(named?.1.to_owned()));
        let id = id.ok_or_else(|| bad(field::APP_ID, "is missing"))?;
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| bad(field::APP_KEY, "is missing"))?;
        Ok((id.parse().map_err(|_| bad(field::APP_ID, "is not a number"))?, Secret::new(key)))
    }

    fn web_push(&self, private_key: Secret, http: Http, clock: Arc<dyn Clock>) -> Result<WebPush, BadCertificate> {
        let (contact, public_key) = (self.open(field::CONTACT)?, self.maybe(field::PUBLIC_KEY));
        let setup = WebPushSetup { private_key, public_key, contact };
        WebPush::new(&setup, http, clock).map_err(|error| match error {
            BadSetup::Credential("the VAPID contact") => bad(field::CONTACT, error),
            other => bad(field::CERTIFICATE, other),
        })
    }
}

fn of<T>(field: &'static str, made: Result<T, BadSetup>) -> Result<T, BadCertificate> {
    made.map_err(|error| bad(field, error))
}

/// Fields as bytes.
pub(super) fn write(fields: &Fields) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a vector does not fail.
    let _ = minicbor::encode(fields, &mut bytes);
    bytes
}

/// Fields from bytes. `None` if they are none.
pub(super) fn read(bytes: &[u8]) -> Option<Fields> {
    minicbor::decode(bytes).ok()
}
