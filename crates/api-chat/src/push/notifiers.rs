//! `notifiers` and `notifiers/{uuid}`: the certificates with which the services of push are spoken to. What is secret of
//! them never leaves the server again, so the field `certificate` that the vendor answers with is not among ours.
//!
//! No page of the documents shows a request; the fields are those of recorded answers, and the rest is ours
//! (`docs/compatibility.md`).

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use stentor_core::push::NotifierError;
use stentor_push_queue::certificates::setup::{DEVELOPMENT, field};
use stentor_push_queue::certificates::{
    Certificate, CertificateChange, CertificateError, Certificates, Fields, ServiceKind, Setup,
};

use super::binding::MAX_NAME;
use super::invalid;
use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::envelope::Envelope;
use crate::error::{ChatError, exception};
use crate::rates::ChatRule;

/// Bytes of what is secret: the account of Google, the longest, has less than a tenth. Ours.
pub(super) const MAX_CERTIFICATE: usize = 32 * 1024;
/// Bytes of another field. Ours.
pub(super) const MAX_FIELD: usize = 1024;

const PATH: &str = "/notifiers";
const PRODUCTION: &str = "PRODUCTION";

/// How a service is written here.
struct Written {
    service: ServiceKind,
    /// Its word.
    word: &'static str,
    /// The object of what only it has.
    settings: &'static str,
    /// What is in there and may be seen.
    fields: &'static [&'static str],
}

const fn written(
    service: ServiceKind,
    word: &'static str,
    settings: &'static str,
    fields: &'static [&'static str],
) -> Written {
    Written { service, word, settings, fields }
}

/// Words and objects of Apple, Huawei and Xiaomi were seen; the others are made like them.
const SERVICES: [Written; 9] = [
    written(ServiceKind::Apns, "APNS", "apnsPushSettings", &[field::KEY_ID, field::TEAM_ID]),
    written(ServiceKind::Fcm, "FCM", "fcmPushSettings", &[]),
    written(ServiceKind::Huawei, "HUAWEIPUSH", "huaweiPushSettings", &[field::APP_ID, field::ACTIVITY]),
    written(ServiceKind::Xiaomi, "XIAOMIPUSH", "xiaomiPushSettings", &[]),
    written(ServiceKind::Oppo, "OPPOPUSH", "oppoPushSettings", &[field::APP_KEY]),
    written(ServiceKind::Vivo, "VIVOPUSH", "vivoPushSettings", &[field::APP_ID, field::APP_KEY]),
    written(ServiceKind::Meizu, "MEIZUPUSH", "meizuPushSettings", &[field::APP_ID]),
    written(ServiceKind::WebPush, "WEBPUSH", "webPushSettings", &[field::PUBLIC_KEY, field::CONTACT]),
    written(ServiceKind::Webhook, "WEBHOOK", "webhookSettings", &[]),
];

/// What all requests have in common: only the backend, and the rate.
fn allowed(call: &Call) -> Result<&Certificates, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::Notifiers)?;
    call.chat.certificates.as_ref().ok_or_else(ChatError::internal)
}

/// List push certificates
#[utoipa::path(
    get,
    path = "/notifiers",
    operation_id = "listNotifiers",
    tag = "push",
    responses((status = 200, description = "All of them, without what is secret", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    let found = allowed(&call)?.list().await?;
    let entities: Vec<_> = found.iter().map(view).collect();
    let count = entities.len();
    Ok(envelope(&call).entities(entities).count(count).send())
}

/// Create a push certificate
#[utoipa::path(
    post,
    path = "/notifiers",
    operation_id = "createNotifier",
    tag = "push",
    request_body(content = serde_json::Value, example = json!({
        "name": "10492024", "provider": "HUAWEIPUSH", "environment": "PRODUCTION",
        "packageName": "com.example.chat", "certificate": "the client secret",
        "huaweiPushSettings": { "activityClass": "com.example.chat.MainActivity" }
    })),
    responses((status = 200, description = "The certificate, without what is secret", body = serde_json::Value)),
)]
pub(super) async fn create(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let certificates = allowed(&call)?;
    let body = body.object()?;
    let name = body.text("name")?.filter(|name| is_plain(name, MAX_NAME)).ok_or_else(|| invalid("name"))?;
    let word = body.text("provider")?.ok_or_else(|| invalid("provider"))?;
    let written = SERVICES.iter().find(|written| written.word == word).ok_or_else(|| invalid("provider"))?;
    let made = certificates.create(name, read(&body, written)?).await.map_err(refused)?;
    Ok(one(&call, &made))
}

/// Get a push certificate
#[utoipa::path(
    get,
    path = "/notifiers/{uuid}",
    operation_id = "getNotifier",
    tag = "push",
    params(("uuid" = String, Path, description = "The UUID of the certificate")),
    responses((status = 200, description = "The certificate, without what is secret", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    let found = allowed(&call)?.get(call.param("uuid")).await?;
    Ok(one(&call, &found.ok_or_else(not_there)?))
}

/// Change a push certificate
#[utoipa::path(
    put,
    path = "/notifiers/{uuid}",
    operation_id = "changeNotifier",
    tag = "push",
    params(("uuid" = String, Path, description = "The UUID of the certificate")),
    request_body(content = serde_json::Value,
        description = "`disabled`; or a new `certificate`, with all that belongs to it", example = json!({"disabled": true})),
    responses((status = 200, description = "The certificate as it is now", body = serde_json::Value)),
)]
pub(super) async fn change(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let certificates = allowed(&call)?;
    let body = body.object()?;
    let disabled = body.flag("disabled")?;
    let setup = if body.0.keys().any(|key| key != "disabled") {
        let before = certificates.get(call.param("uuid")).await?.ok_or_else(not_there)?;
        let written = SERVICES.iter().find(|written| Some(written.service) == before.service);
        Some(read(&body, written.ok_or_else(|| invalid("provider"))?)?)
    } else if disabled.is_none() {
        return Err(invalid("disabled"));
    } else {
        None
    };
    let changed = certificates.change(call.param("uuid"), CertificateChange { disabled, setup }).await;
    Ok(one(&call, &changed.map_err(refused)?.ok_or_else(not_there)?))
}

/// Delete a push certificate
#[utoipa::path(
    delete,
    path = "/notifiers/{uuid}",
    operation_id = "deleteNotifier",
    tag = "push",
    params(("uuid" = String, Path, description = "The UUID of the certificate")),
    responses((status = 200, description = "The certificate as it was", body = serde_json::Value)),
)]
pub(super) async fn delete(call: Call) -> Result<Response, ChatError> {
    let gone = allowed(&call)?.delete(call.param("uuid")).await.map_err(refused)?;
    Ok(one(&call, &gone.ok_or_else(not_there)?))
}

/// Whether a text can be a name or a field: not empty, without control characters.
fn is_plain(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// What a certificate says. A text may be missing; what sends with it knows which may not.
fn read(body: &Object, written: &Written) -> Result<Setup, ChatError> {
    let nothing = Object(Map::new());
    let settings = match body.0.get(written.settings) {
        None | Some(Value::Null) => nothing,
        Some(Value::Object(settings)) => Object(settings.clone()),
        Some(_) => return Err(invalid(written.settings)),
    };
    let mut open = Fields::new();
    let mut take = |from: &Object, name: &'static str| match from.text(name)? {
        None | Some("") => Ok(()),
        Some(text) if is_plain(text, MAX_FIELD) => {
            open.insert(name.to_owned(), text.to_owned());
            Ok(())
        }
        Some(_) => Err(invalid(name)),
    };
    take(body, field::PACKAGE)?;
    written.fields.iter().try_for_each(|name| take(&settings, name))?;
    let environment = body.text(field::ENVIRONMENT)?.unwrap_or(PRODUCTION);
    if ![PRODUCTION, DEVELOPMENT].contains(&environment) {
        return Err(invalid(field::ENVIRONMENT));
    }
    open.insert(field::ENVIRONMENT.to_owned(), environment.to_owned());
    let mut secret = Fields::from([(field::CERTIFICATE.to_owned(), certificate(body)?)]);
    if let Some(url) = settings.text(field::URL)?.filter(|_| written.service == ServiceKind::Webhook) {
        if !is_plain(url, MAX_FIELD) {
            return Err(invalid(field::URL));
        }
        secret.insert(field::URL.to_owned(), url.to_owned());
    }
    Ok(Setup { service: written.service, open, secret })
}

/// The key, certificate or secret as a text; Google's account may be the JSON itself.
fn certificate(body: &Object) -> Result<String, ChatError> {
    let text = match body.0.get(field::CERTIFICATE) {
        Some(Value::String(text)) => text.clone(),
        Some(account @ Value::Object(_)) => account.to_string(),
        _ => return Err(invalid(field::CERTIFICATE)),
    };
    if (1..=MAX_CERTIFICATE).contains(&text.len()) { Ok(text) } else { Err(invalid(field::CERTIFICATE)) }
}

fn envelope(call: &Call) -> Envelope {
    call.reply().path(PATH).uri(call.url(PATH))
}

fn one(call: &Call, certificate: &Certificate) -> Response {
    envelope(call).entities(vec![view(certificate)]).send()
}

fn view(certificate: &Certificate) -> Value {
    let mut shown = json!({
        "uuid": certificate.uuid,
        "type": "notifier",
        "name": certificate.name,
        "created": certificate.created_ms,
        "modified": certificate.modified_ms,
        "disabled": certificate.disabled,
        "environment": certificate.open.get(field::ENVIRONMENT),
        "packageName": certificate.open.get(field::PACKAGE),
        // Ours.
        "usable": certificate.unusable.is_none(),
        "holdsTokens": certificate.holds_tokens,
    });
    if let Some(written) = SERVICES.iter().find(|written| Some(written.service) == certificate.service) {
        shown["provider"] = written.word.into();
        let settings =
            written.fields.iter().filter_map(|name| Some(((*name).to_owned(), certificate.open.get(*name)?)));
        let settings: Map<_, _> = settings.map(|(name, value)| (name, Value::from(value.as_str()))).collect();
        if !settings.is_empty() {
            shown[written.settings] = settings.into();
        }
    }
    if let Some(why) = &certificate.unusable {
        shown["reason"] = why.as_str().into();
    }
    if let Some(trouble) = &certificate.trouble {
        shown["trouble"] =
            json!({ "class": trouble.class.name(), "reason": trouble.reason, "timestamp": trouble.at_ms });
    }
    shown
}

/// 404, in the words of the service that these are of. The text is ours.
fn not_there() -> ChatError {
    ChatError::new(StatusCode::NOT_FOUND, "service_resource_not_found", "Service resource not found")
}

fn refused(error: CertificateError) -> ChatError {
    match error {
        CertificateError::Bad(bad) => {
            ChatError::illegal_argument(format!("parameters is invalid : {}, {}", bad.field, bad.why))
        }
        CertificateError::Notifier(NotifierError::NameTaken(name)) => {
            let text = format!(
                "Application null Entity notifier requires that property named name be unique, value of {name} exists"
            );
            ChatError::new(StatusCode::BAD_REQUEST, "duplicate_unique_property_exists", text).with(exception::DUPLICATE)
        }
        CertificateError::Notifier(NotifierError::TooMany) => {
            ChatError::exceed_limit("the number of notifiers exceeds the limit")
        }
        CertificateError::Notifier(NotifierError::Store(error)) => error.into(),
        CertificateError::Seal(error) => {
            tracing::error!(%error, "a push certificate could not be sealed");
            ChatError::internal()
        }
    }
}
