//! `push/sync/{target}`, `push/async/{target}` and `push/single`: pushes without a message (push documents). Nobody's
//! settings hold them back. Those to everybody, or to the users of labels, are tasks and in a file of their own.
//!
//! "The vendor's own channel" is a command to the user's clients here: no page says what the vendor's SDKs get. Who is
//! connected gets it at once; who is not gets it at its next login, unless only those who are there are meant.

mod message;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use stentor_chat_content::Content;
use stentor_core::app::App;
use stentor_core::delivery::{Origin, SendError, SendOptions, SendPeer, SentPeer};
use stentor_core::id::UserId;
use stentor_core::node::Node;
use stentor_core::store::{Change, StoreError};
use stentor_push_queue::direct::{DirectError, DirectUser, SendEnd};
use stentor_push_queue::{PageError, PushQueue};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use super::invalid;
use crate::body::{Object, RawBody};
use crate::call::{Call, Visit};
use crate::envelope::Envelope;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use message::PushMessage;
pub(super) use message::{EXT, LENGTHS, MAX_BYTES};

/// Users in one request (documented).
pub(super) const MAX_TARGETS: usize = 100;

/// How long `push/sync` waits for a provider. The push goes on. Ours.
const SYNC_WAIT: Duration = Duration::from_secs(15);

/// How long a push may take to fail, before its own channel is not tried any more. Ours.
const FALLBACK_WAIT: Duration = Duration::from_secs(300);

/// So many users wait for that, of all apps; more are told by the provider only. Ours.
static FALLBACKS: Semaphore = Semaphore::const_new(10_000);

/// A task that is too fast for the rate of the backend's messages waits so long. Ours.
const RATE_PAUSE: Duration = Duration::from_secs(1);

/// Who a command of the own channel comes from, as of the vendor's backend (message documents).
const FROM: &str = "admin";

/// The command's action. Ours.
const ACTION: &str = "em_push";

/// Bytes of a command: larger than those of clients, for what is said stands in it. The payload's own bound is above.
const COMMAND_BYTES: usize = 2 * MAX_BYTES;

/// Where a push goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// 0: to the providers, and if they do not take it to the clients.
    ProviderThenOwn,
    /// 1: to the clients, also when they come later.
    Own,
    /// 2: to the providers.
    Provider,
    /// 3: to the clients of who is there, else as 0.
    OwnThenProvider,
    /// 4: to the clients of who is there.
    Online,
}

/// What is asked for.
pub(super) struct Asked {
    strategy: Strategy,
    message: PushMessage,
}

impl Asked {
    /// Reads it.
    ///
    /// # Errors
    /// 400 if it is none.
    pub(super) fn read(body: &Object) -> Result<Self, ChatError> {
        let strategy = match body.integer("strategy")? {
            Some(0) => Strategy::ProviderThenOwn,
            Some(1) => Strategy::Own,
            None | Some(2) => Strategy::Provider,
            Some(3) => Strategy::OwnThenProvider,
            Some(4) => Strategy::Online,
            Some(_) => return Err(invalid("strategy")),
        };
        Ok(Self { strategy, message: message::read(body.0.get("pushMessage"))? })
    }

    /// Whether the clients get what no provider takes.
    fn falls_back(&self) -> bool {
        matches!(self.strategy, Strategy::ProviderThenOwn | Strategy::OwnThenProvider)
    }
}

/// What became of it, or is to.
struct Told {
    status: &'static str,
    data: Option<Value>,
    desc: Option<String>,
}

impl Told {
    fn success(data: Value) -> Self {
        Self { status: "SUCCESS", data: Some(data), desc: None }
    }

    fn fail(desc: impl Into<String>) -> Self {
        Self { status: "FAIL", data: None, desc: Some(desc.into()) }
    }

    fn error(desc: &str) -> Self {
        Self { status: "ERROR", data: None, desc: Some(desc.to_owned()) }
    }

    fn view(self) -> Value {
        let mut view = json!({ "pushStatus": self.status });
        view.as_object_mut().into_iter().for_each(|view| {
            view.extend(self.data.clone().map(|data| ("data".to_owned(), data)));
            view.extend(self.desc.clone().map(|desc| ("desc".to_owned(), desc.into())));
        });
        view
    }
}

/// Push to a user and wait for what the providers say
#[utoipa::path(
    post,
    path = "/push/sync/{target}",
    operation_id = "pushSync",
    tag = "push",
    params(("target" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({
        "strategy": 3, "pushMessage": { "title": "Hello", "content": "Welcome", "subTitle": "Hi" }
    })),
    responses((status = 200, description = "`SUCCESS`, `FAIL` or `ERROR` of each device", body = serde_json::Value)),
)]
pub(super) async fn sync(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let (queue, asked) = begin(&call, ChatRule::PushSync, &body.object()?)?;
    let way = Way::of(&call, queue);
    let told = match user_id(call.param("target")) {
        Ok(user) => way.sync(&user, &asked).await?,
        Err(_) => vec![Told::fail("appUser not exists")],
    };
    Ok(brief(&call).data(told.into_iter().map(Told::view).collect::<Vec<_>>()).send())
}

/// Push to a user
#[utoipa::path(
    post,
    path = "/push/async/{target}",
    operation_id = "pushAsync",
    tag = "push",
    params(("target" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({
        "strategy": 3, "pushMessage": { "title": "Hello", "content": "Welcome" }
    })),
    responses((status = 200, description = "`ASYNC_SUCCESS`: it is queued", body = serde_json::Value)),
)]
pub(super) async fn later(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let (queue, asked) = begin(&call, ChatRule::PushAsync, &body.object()?)?;
    let users: Vec<_> = user_id(call.param("target")).into_iter().collect();
    Way::of(&call, queue).later(&users, &asked).await?;
    let data = json!([{ "pushStatus": "ASYNC_SUCCESS", "data": "", "desc": "success" }]);
    Ok(brief(&call).data(data).send())
}

/// Push to up to 100 users
#[utoipa::path(
    post,
    path = "/push/single",
    operation_id = "pushSingle",
    tag = "push",
    request_body(content = serde_json::Value, example = json!({
        "targets": ["test2"], "pushMessage": { "title": "Hello", "subTitle": "Hello", "content": "Hello", "vivo": {} }
    })),
    responses((status = 200, description = "`ASYNC_SUCCESS` of each: it is queued", body = serde_json::Value)),
)]
pub(super) async fn single(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let body = body.object()?;
    let (queue, asked) = begin(&call, ChatRule::PushSingle, &body)?;
    let targets = body.texts("targets")?.filter(|targets| !targets.is_empty()).ok_or_else(|| invalid("targets"))?;
    if targets.len() > MAX_TARGETS {
        return Err(limit_request());
    }
    let mut users: Vec<UserId> = Vec::with_capacity(targets.len());
    for user in targets.iter().filter_map(|name| user_id(name).ok()) {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Way::of(&call, queue).later(&users, &asked).await?;
    let told = |name: &&str| json!({ "id": name, "pushStatus": "ASYNC_SUCCESS", "desc": "async success." });
    Ok(brief(&call).data(targets.iter().map(told).collect::<Vec<_>>()).send())
}

/// What all of them have in common: only the backend, whether there is push, the rate, and the body.
pub(super) fn begin<'a>(call: &'a Call, rule: ChatRule, body: &Object) -> Result<(&'a PushQueue, Asked), ChatError> {
    call.only_app()?;
    let queue = open_queue(call)?;
    call.limit(rule)?;
    Ok((queue, Asked::read(body)?))
}

/// The app's queue.
///
/// # Errors
/// 403, documented: the app has no push.
pub(super) fn open_queue(call: &Call) -> Result<&PushQueue, ChatError> {
    let queue = call.chat.push.as_ref();
    queue.ok_or_else(|| refusal(StatusCode::FORBIDDEN, "ServiceNotOpenException", "push service not open"))
}

/// What pushes go over; outlives the request.
#[derive(Clone)]
pub(super) struct Way {
    node: Node,
    app: Arc<App>,
    queue: PushQueue,
}

impl Way {
    fn of(visit: &Visit, queue: &PushQueue) -> Self {
        Self { node: visit.node().clone(), app: visit.app.clone(), queue: queue.clone() }
    }

    /// For what no request asks for any more.
    pub(super) fn over(queue: &PushQueue) -> Self {
        Self { node: queue.node().clone(), app: queue.app().clone(), queue: queue.clone() }
    }

    async fn sync(&self, user: &UserId, asked: &Asked) -> Result<Vec<Told>, ChatError> {
        let users = std::slice::from_ref(user);
        if !self.node.are_users(&self.app, users).await?.contains(&true) {
            return Ok(vec![Told::fail("appUser not exists")]);
        }
        let online = self.node.is_online(&self.app, user);
        match asked.strategy {
            Strategy::Own => return Ok(vec![self.own(user, &asked.message, true).await?]),
            Strategy::Online if !online => return Ok(vec![Told::fail("appUser is not online")]),
            Strategy::Online => return Ok(vec![self.own(user, &asked.message, false).await?]),
            Strategy::OwnThenProvider if online => return Ok(vec![self.own(user, &asked.message, true).await?]),
            Strategy::ProviderThenOwn | Strategy::Provider | Strategy::OwnThenProvider => {}
        }
        let mut told = Vec::new();
        for DirectUser { refused, devices, .. } in
            self.queue.direct(users, &asked.message.push, true).await.map_err(refused_push)?
        {
            told.extend(refused.map(Told::fail));
            let deadline = tokio::time::Instant::now() + SYNC_WAIT;
            for (_, end) in devices {
                told.push(match tokio::time::timeout_at(deadline, end).await {
                    Ok(Ok(SendEnd::Sent(id))) => Told::success(json!({ "id": id })),
                    Ok(Ok(SendEnd::Failed(why))) => Told::fail(why),
                    Ok(Err(_)) | Err(_) => Told::error("timeout"),
                });
            }
        }
        if asked.strategy != Strategy::Provider && told.iter().all(|told| told.status == "FAIL") {
            return Ok(vec![self.own(user, &asked.message, true).await?]);
        }
        Ok(told)
    }

    /// Queues what the providers get, and tells the clients what they get now.
    async fn later(&self, users: &[UserId], asked: &Asked) -> Result<(), ChatError> {
        let (own, provider) = self.split(users, asked).await?;
        for user in &own {
            self.own(user, &asked.message, asked.strategy != Strategy::Online).await?;
        }
        let queued = self.queue.direct(&provider, &asked.message.push, asked.falls_back()).await;
        self.fall_back_later(queued.map_err(refused_push)?, asked);
        Ok(())
    }

    /// The same for a page of a task, at the rate of the backend's messages; what the providers get is queued last, and
    /// in the page's own step.
    pub(super) async fn page(&self, users: &[UserId], asked: &Asked, step: Vec<Change>) -> Result<(), PageError> {
        let (own, provider) = self.split(users, asked).await?;
        if !own.is_empty() {
            let payload = command(&asked.message).map_err(|_| PageError::Unreadable)?;
            for user in &own {
                self.send_in_time(user, &payload, asked.strategy != Strategy::Online).await?;
            }
        }
        let told = self.queue.direct_with(&provider, &asked.message.push, asked.falls_back(), step).await?;
        self.fall_back_later(told, asked);
        Ok(())
    }

    /// Sends as soon as the rate allows it. What else keeps it from a user keeps it from no other.
    async fn send_in_time(&self, user: &UserId, payload: &Bytes, keep: bool) -> Result<(), StoreError> {
        loop {
            match self.send(user, payload.clone(), keep).await {
                Ok(_) => return Ok(()),
                Err(SendError::Limited(_)) => sleep(RATE_PAUSE).await,
                Err(SendError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(app = %self.app.id(), %error, "a push of a task did not reach a user's clients");
                    return Ok(());
                }
            }
        }
    }

    /// Those of the users who are registered: who is told over the own channel now, and who by the providers.
    async fn split(&self, users: &[UserId], asked: &Asked) -> Result<(Vec<UserId>, Vec<UserId>), StoreError> {
        let registered = self.node.are_users(&self.app, users).await?;
        let users = users.iter().zip(registered).filter(|(_, is)| *is).map(|(user, _)| user.clone());
        Ok(users.partition(|user| match asked.strategy {
            Strategy::Own | Strategy::Online => true,
            Strategy::OwnThenProvider => self.node.is_online(&self.app, user),
            Strategy::ProviderThenOwn | Strategy::Provider => false,
        }))
    }

    /// Of what the providers got, what they do not take goes to the clients, if it is to.
    fn fall_back_later(&self, told: Vec<DirectUser>, asked: &Asked) {
        if !asked.falls_back() {
            return;
        }
        for told in told {
            if let Ok(permit) = FALLBACKS.try_acquire() {
                let (way, message) = (self.clone(), asked.message.clone());
                tokio::spawn(async move {
                    way.fall_back(told, &message).await;
                    drop(permit);
                });
            }
        }
    }

    /// Tells a user's clients if no device is reached.
    async fn fall_back(&self, told: DirectUser, message: &PushMessage) {
        let failed = async |end: oneshot::Receiver<SendEnd>| matches!(end.await, Ok(SendEnd::Failed(_)));
        let all_failed = async {
            for (_, end) in told.devices {
                if !failed(end).await {
                    return false;
                }
            }
            true
        };
        if timeout(FALLBACK_WAIT, all_failed).await == Ok(true)
            && let Err(error) = self.own(&told.user, message, true).await
        {
            tracing::warn!(app = %self.app.id(), ?error, "a push that no provider took did not reach the clients");
        }
    }

    /// The own channel: a command to the user's clients.
    async fn own(&self, user: &UserId, message: &PushMessage, keep: bool) -> Result<Told, ChatError> {
        match self.send(user, command(message)?, keep).await {
            Ok(sent) => Ok(Told::success(json!({ "msg_id": sent.id.to_string() }))),
            Err(SendError::Limited(_)) => Err(ChatError::reach_limit()),
            Err(SendError::Store(error)) => Err(error.into()),
            Err(error) => Ok(Told::fail(error.to_string())),
        }
    }

    async fn send(&self, user: &UserId, payload: Bytes, keep: bool) -> Result<SentPeer, SendError> {
        let send = SendPeer {
            from: UserId::from_trusted(FROM),
            to: user.clone(),
            payload,
            wait_for_ack: false,
            options: SendOptions { keep, online_only: !keep, ..SendOptions::default() },
        };
        self.node.send_peer(&self.app, Origin::Backend, send).await
    }
}

/// The own channel's message.
fn command(message: &PushMessage) -> Result<Bytes, ChatError> {
    let raw = |value: &Value| to_raw_value(value).map_err(|_| ChatError::internal());
    let (body, ext): (Box<RawValue>, _) = (raw(&json!({ "action": ACTION }))?, raw(&json!({ ACTION: message.json }))?);
    let content = Content::parse(Some("cmd"), Some(&body), Some(&ext), COMMAND_BYTES).map_err(|_| bad_request())?;
    Ok(content.into_payload().into())
}

/// The envelope of these services: little more than what was done.
pub(super) fn brief(call: &Call) -> Envelope {
    call.reply().brief().without_action()
}

fn refusal(status: StatusCode, exception: &'static str, text: &'static str) -> ChatError {
    ChatError::new(status, exception, text).with(exception)
}

/// Too many pushes wait: what is answered where a limit is reached.
fn refused_push(error: DirectError) -> ChatError {
    match error {
        DirectError::Full => limit_request(),
        DirectError::Store(error) => error.into(),
    }
}

/// 403: too many (documented).
pub(super) fn limit_request() -> ChatError {
    refusal(StatusCode::FORBIDDEN, "LimitException", "limit request")
}

/// 400: the push cannot be read (documented).
fn bad_request() -> ChatError {
    refusal(StatusCode::BAD_REQUEST, "MessageException", "bad_request")
}
