//! The queue from the message to the provider, with a provider that answers as told.

mod full;
mod late;
mod shares;
mod tasks;
mod translated;
mod tries;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use stentor_core::clock::Clock;
use stentor_core::delivery::{Origin, SendGroup, SendOptions, SendPeer};
use stentor_core::directory::users::NewUser;
use stentor_core::id::{DeviceId, MessageId, UserId};
use stentor_core::message::{Message, MessageKind};
use stentor_core::observer::Hooks;
use stentor_core::push::{Binding, PushAsked, PushChange, PushLanguage, PushMode, PushMoment, Said, SenderText};
use stentor_core::records::RecordKind;
use stentor_core::session::{Closing, Login, Outlet};
use stentor_core::store::{Change, InboxReader, InboxStore, RecordStore, Scan};
use stentor_push::{BreakerSetup, Extensions, Line, LineSetup, Provider, Push, PushError, Schedule, Scope, Sent};
use stentor_push_queue::direct::{DirectPush, SendEnd};
use stentor_push_queue::metrics::PushMetrics;
use stentor_push_queue::translate::Translator;
use stentor_push_queue::{
    PageError, PushBounds, PushQueue, PushResult, PushSetup, Route, Routes, TaskPage, Wording, Words,
};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::kit::{World, world};

/// A test that waits for longer has failed.
const DEADLINE: Duration = Duration::from_secs(20);

/// Answers as told, and takes everything else.
#[derive(Debug, Default)]
struct Told {
    answers: Mutex<VecDeque<Result<Sent, PushError>>>,
    came: Mutex<Vec<Push>>,
    news: Notify,
}

#[async_trait]
impl Provider for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        self.came.lock().push(push.clone());
        self.news.notify_waiters();
        let answer = self.answers.lock().pop_front();
        answer.unwrap_or_else(|| Ok(Sent { id: format!("id-{}", push.dedup_key) }))
    }
}

#[derive(Debug, Default)]
struct Lines {
    routes: Mutex<HashMap<String, Route>>,
    keeps_tokens: Mutex<bool>,
}

impl Routes for Lines {
    fn route(&self, notifier: &str) -> Route {
        self.routes.lock().get(notifier).cloned().unwrap_or(Route::Missing)
    }

    fn may_forget(&self, _notifier: &str) -> bool {
        !*self.keeps_tokens.lock()
    }
}

/// Messages are their text; a recall tells nobody. Ends are kept as records.
#[derive(Debug)]
struct Plain;

#[async_trait]
impl Words for Plain {
    fn tells(&self, message: &Message) -> bool {
        message.marks.kind == MessageKind::Content
    }

    fn read(&self, message: &Message) -> Option<Wording> {
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        (text != "unreadable").then(|| Wording {
            asked: PushAsked::default(),
            text: Some(text),
            translations: Vec::new(),
            otherwise: Said::Custom,
            sender: SenderText::default(),
            template: None,
            group_nickname: None,
            badge: None,
            custom: Some(serde_json::json!({"k": 1})),
            extensions: Extensions::default(),
        })
    }

    fn moment(&self, now_ms: u64) -> PushMoment {
        PushMoment { now_ms, local_minute: 0, utc_minute: 0 }
    }

    fn language(&self) -> PushLanguage {
        PushLanguage::English
    }

    async fn tell_page(&self, page: TaskPage<'_>) -> Result<(), PageError> {
        let TaskPage { queue, said, users, step } = page;
        if said == "unreadable" {
            return Err(PageError::Unreadable);
        }
        let push = DirectPush { title: said.to_owned(), ..DirectPush::default() };
        queue.direct_with(users, &push, false, step).await?;
        Ok(())
    }

    fn ended(&self, result: &PushResult<'_>) -> Vec<Change> {
        let PushResult { user, device, end, detail, .. } = result;
        let device = device.map_or("-", |device| device.device);
        let value = Bytes::from(format!("{user} {device} {end:?} {detail}"));
        vec![Change::Put { kind: RecordKind::Callback, key: format!("{}/{user}/{device}", result.message), value }]
    }
}

#[derive(Debug)]
struct Deaf;

impl Outlet for Deaf {
    fn ready(self: Arc<Self>) {}

    fn close(self: Arc<Self>, _why: Closing) {}
}

struct Pushing {
    world: World,
    lines: Arc<Lines>,
    told: Arc<Told>,
    queue: PushQueue,
}

fn user(name: &str) -> UserId {
    UserId::from_trusted(name)
}

fn line(told: &Arc<Told>, world: &World) -> Route {
    let second = Duration::from_secs(1);
    let breaker = BreakerSetup { failures: 2, pause: 5 * second, longest_pause: 60 * second };
    let setup = LineSetup { concurrency: 4, breaker, throttle_pause: 10 * second };
    Route::Open(Arc::new(Line::new(told.clone(), setup, world.clock.clone())))
}

async fn queue_of(
    world: &World,
    lines: &Arc<Lines>,
    bounds: PushBounds,
    translator: Option<Arc<dyn Translator>>,
) -> PushQueue {
    PushQueue::open(PushSetup {
        node: world.node.clone(),
        app: world.app.clone(),
        words: Arc::new(Plain),
        translator,
        routes: lines.clone(),
        bounds,
        schedule: Schedule::default(),
        seed: 1,
        metrics: PushMetrics::default(),
    })
    .await
    .expect("opens")
}

/// Alice, bob and carol are registered; bob has a phone that is bound with `fcm`.
async fn pushing(bounds: PushBounds, start: bool) -> Pushing {
    pushing_with(bounds, start, None).await
}

/// The same, with something that translates.
async fn pushing_with(bounds: PushBounds, start: bool, translator: Option<Arc<dyn Translator>>) -> Pushing {
    let world = world().await;
    let (lines, told) = (Arc::new(Lines::default()), Arc::new(Told::default()));
    lines.routes.lock().insert("fcm".to_owned(), line(&told, &world));
    let queue = queue_of(&world, &lines, bounds, translator).await;
    assert!(world.app.hook(Hooks { observers: vec![queue.intake()], gate: None }));
    if start {
        queue.start();
    }
    for name in ["alice", "bob", "carol"] {
        let new = NewUser { name: user(name), password_hash: None, nickname: None };
        world.node.register(&world.app, new).await.expect("registers");
    }
    let pushing = Pushing { world, lines, told, queue };
    pushing.bind("bob", "phone", "fcm", "token-1").await;
    pushing
}

impl Pushing {
    async fn bind(&self, name: &str, device: &str, notifier: &str, token: &str) {
        let bind = Binding::Bind { device, notifier, token };
        self.world.node.change_push_bindings(&self.world.app, &user(name), &bind).await.expect("binds");
    }

    async fn send(&self, text: &str) -> MessageId {
        let options = SendOptions { keep: true, ..SendOptions::default() };
        let payload = Bytes::copy_from_slice(text.as_bytes());
        let send = SendPeer { from: user("alice"), to: user("bob"), payload, wait_for_ack: false, options };
        self.world.node.send_peer(&self.world.app, Origin::Backend, send).await.expect("taken").id
    }

    async fn connect(&self, name: &str) -> stentor_core::session::Connected {
        let login = Login {
            user: user(name),
            device: DeviceId::only(),
            expires_at_ms: None,
            resume: None,
            silence_ms: None,
            to_replaced: None,
        };
        self.world.node.connect(&self.world.app, login, Arc::new(Deaf)).await.expect("connects")
    }

    fn advance(&self, by: Duration) {
        self.world.clock.advance(by);
        self.world.node.tick();
        self.queue.wake();
    }

    fn answer(&self, answer: Result<Sent, PushError>) {
        self.told.answers.lock().push_back(answer);
    }

    /// The pushes that came, once so many have.
    async fn came(&self, count: usize) -> Vec<Push> {
        let all = async {
            loop {
                let news = self.told.news.notified();
                let came = self.told.came.lock().clone();
                if came.len() >= count {
                    return came;
                }
                news.await;
            }
        };
        timeout(DEADLINE, all).await.unwrap_or_else(|_| panic!("{:?}", self.told.came.lock()))
    }

    /// What the log says of a message to bob: reason, and each device with its state and reason; once it says so.
    async fn logged(&self, message: MessageId, expected: &str) {
        let mut seen = String::new();
        let settled = async {
            loop {
                seen = self.shown(message).await;
                if seen == expected {
                    return;
                }
                // Other tasks of this runtime go on.
                tokio::task::yield_now().await;
            }
        };
        if timeout(DEADLINE, settled).await.is_err() {
            assert_eq!(seen, expected);
        }
    }

    async fn shown(&self, message: MessageId) -> String {
        let entries = self.queue.log(&user("bob"), Some(message), 1).await.expect("reads");
        let Some(entry) = entries.first() else { return "nothing".to_owned() };
        let mut shown = entry.reason.clone().unwrap_or_else(|| "pushed".to_owned());
        for device in &entry.devices {
            let why = device.reason.as_deref().or(device.sent_id.as_deref()).unwrap_or("-");
            shown = format!("{shown}; {} {} {} {why}", device.device, device.state.name(), device.attempts);
        }
        shown
    }

    async fn ends(&self) -> Vec<String> {
        let all = Scan::of(RecordKind::Callback, "", 1000);
        let found = self.world.store.scan_records(self.world.app.id(), all).await.expect("scans");
        found.into_iter().map(|(_, value)| String::from_utf8(value.to_vec()).expect("text")).collect()
    }

    /// Waits until nothing waits.
    async fn emptied(&self) {
        let empty = async {
            while self.left().await != (0, 0) {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, empty).await.expect("emptied");
    }

    async fn left(&self) -> (u64, u64) {
        let count = |kind| self.world.store.count_records(self.world.app.id(), kind, "");
        (count(RecordKind::PushDue).await.expect("counts"), count(RecordKind::PushDelivery).await.expect("counts"))
    }
}

fn failed() -> Result<Sent, PushError> {
    Err(PushError::Failed { reason: "down".to_owned(), retry_after: None })
}

#[tokio::test]
async fn who_is_away_is_told_once() {
    let pushing = pushing(PushBounds::default(), true).await;
    let message = pushing.send("Hi").await;
    let push = pushing.came(1).await.remove(0);
    assert_eq!((push.token.as_str(), push.title.as_str()), ("token-1", "You have a new message"));
    assert_eq!(push.dedup_key, format!("{message}:bob:phone"));
    assert_eq!((push.custom.to.as_str(), push.custom.from.as_str()), ("bob", "alice"));
    assert_eq!(
        (push.custom.message.clone(), push.custom.ext.clone()),
        (message.to_string(), Some(serde_json::json!({"k": 1})))
    );
    assert_eq!((push.ttl, push.badge), (Duration::from_secs(86_400), Some(1)));
    pushing.logged(message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;
    assert_eq!((pushing.left().await, pushing.queue.waiting()), ((0, 0), (0, 0)));
    assert_eq!(pushing.ends().await, [format!("bob phone Sent id-{message}:bob:phone")]);
    pushing.advance(Duration::from_secs(100));
    assert_eq!(pushing.came(1).await.len(), 1);
    pushing.send("Hi again").await;
    assert_eq!(pushing.came(2).await[1].badge, Some(2), "so many wait");
}

#[tokio::test]
async fn who_is_there_and_acks_is_not_told() {
    let pushing = pushing(PushBounds::default(), true).await;
    let bob = pushing.connect("bob").await;
    let message = pushing.send("Hi").await;
    pushing.world.node.acked(&bob.session, &[message]);
    pushing.advance(Duration::from_secs(11));
    let away = pushing.send("carol's").await;
    pushing.world.node.logout(&bob.session).await;
    let later = pushing.send("later").await;
    // The log of what came later is there: what came before was looked at.
    pushing.logged(later, &format!("pushed; phone sent 1 id-{later}:bob:phone")).await;
    assert_eq!(pushing.shown(message).await, "nothing");
    pushing.logged(away, &format!("pushed; phone sent 1 id-{away}:bob:phone")).await;
}

#[tokio::test]
async fn who_is_connected_and_does_not_ack_is_told_after_a_while() {
    let pushing = pushing(PushBounds::default(), true).await;
    let bob = pushing.connect("bob").await;
    let message = pushing.send("Hi").await;
    pushing.advance(Duration::from_millis(9_999));
    assert_eq!(pushing.left().await, (0, 0));
    pushing.advance(Duration::from_millis(2));
    pushing.logged(message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;
    // Told once, though the session ends without an ack, too.
    pushing.world.node.logout(&bob.session).await;
    let marker = pushing.send("marker").await;
    pushing.logged(marker, &format!("pushed; phone sent 1 id-{marker}:bob:phone")).await;
    assert_eq!(pushing.came(2).await.len(), 2);
}

#[tokio::test]
async fn what_was_not_acked_when_a_session_ends_is_told() {
    let pushing = pushing(PushBounds::default(), true).await;
    let bob = pushing.connect("bob").await;
    let (first, second) = (pushing.send("one").await, pushing.send("two").await);
    pushing.world.node.acked(&bob.session, &[first]);
    pushing.world.node.logout(&bob.session).await;
    pushing.logged(second, &format!("pushed; phone sent 1 id-{second}:bob:phone")).await;
    assert_eq!(pushing.shown(first).await, "nothing");
}

#[tokio::test]
async fn who_comes_back_as_another_session_and_acks_is_not_told() {
    let pushing = pushing(PushBounds::default(), true).await;
    let before = pushing.connect("bob").await;
    let message = pushing.send("Hi").await;
    pushing.world.node.detach(&before.session, before.attachment);
    let bob = pushing.connect("bob").await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await; // Whoever wants to look at the inbox does.
    }
    pushing.world.node.acked(&bob.session, &[message]);
    pushing.advance(Duration::from_secs(11));
    let away = pushing.send("bob is silent").await;
    pushing.advance(Duration::from_secs(11));
    pushing.logged(away, &format!("pushed; phone sent 1 id-{away}:bob:phone")).await;
    assert_eq!(pushing.shown(message).await, "nothing");
    assert_eq!(pushing.came(1).await.len(), 1);
}

#[tokio::test]
async fn what_is_held_back_has_a_reason() {
    let pushing = pushing(PushBounds::default(), true).await;
    let off = PushChange { mode: Some(Some(PushMode::Nothing)), ..PushChange::default() };
    pushing.world.node.change_push(&pushing.world.app, &user("bob"), off).await.expect("changes");
    let message = pushing.send("Hi").await;
    pushing.logged(message, "user ignore push").await;
    assert_eq!(pushing.ends().await, ["bob - HeldBack user ignore push"]);
    let carol = SendPeer {
        from: user("alice"),
        to: user("nobody"),
        payload: Bytes::from_static(b"Hi"),
        wait_for_ack: false,
        options: SendOptions { keep: true, ..SendOptions::default() },
    };
    let sent = pushing.world.node.send_peer(&pushing.world.app, Origin::Backend, carol).await.expect("taken");
    let found = async {
        loop {
            let log = pushing.queue.log(&user("nobody"), Some(sent.id), 1).await.expect("reads");
            if let Some(entry) = log.into_iter().next() {
                return entry.reason;
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(timeout(DEADLINE, found).await.expect("in time").as_deref(), Some("no user exist"));
}

#[tokio::test]
async fn a_device_is_told_once_over_the_certificate_that_is_there() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.lines.routes.lock().insert("off".to_owned(), Route::Disabled);
    pushing.lines.routes.lock().insert("other".to_owned(), line(&pushing.told, &pushing.world));
    // In this order: the last one that leads anywhere is taken.
    pushing.bind("bob", "phone", "other", "token-2").await;
    pushing.bind("bob", "phone", "gone", "token-3").await;
    pushing.bind("bob", "tablet", "off", "token-4").await;
    let message = pushing.send("Hi").await;
    let push = pushing.came(1).await.remove(0);
    assert_eq!(push.token.as_str(), "token-2");
    pushing
        .logged(
            message,
            &format!(
                "pushed; phone left_out 0 told over another certificate; phone sent 1 id-{message}:bob:phone; \
                 phone left_out 0 no notifier exist; tablet left_out 0 notifier disabled"
            ),
        )
        .await;
    let ends = pushing.ends().await;
    assert!(ends.contains(&"bob tablet HeldBack notifier disabled".to_owned()), "{ends:?}");
}

#[tokio::test]
async fn who_has_it_before_it_is_decided_on_is_not_told() {
    let pushing = pushing(PushBounds::default(), false).await;
    let (has, lacks) = (pushing.send("one").await, pushing.send("two").await);
    let reader = InboxReader { app: pushing.world.app.id().clone(), user: user("bob"), device: DeviceId::only() };
    pushing.world.store.inbox_ack(&reader, &[has]).await.expect("acked");
    pushing.world.clock.advance(Duration::from_secs(3));
    pushing.queue.start();
    pushing.logged(lacks, &format!("pushed; phone sent 1 id-{lacks}:bob:phone")).await;
    pushing.logged(has, "the message does not wait any more").await;
    assert_eq!(pushing.came(1).await.len(), 1);
    assert_eq!(pushing.ends().await.len(), 1, "who has come is no failure");
}

#[tokio::test]
async fn what_waits_is_there_after_a_restart() {
    let pushing = pushing(PushBounds::default(), false).await;
    let (one, two) = (pushing.send("one").await, pushing.send("two").await);
    assert_eq!(pushing.left().await, (2, 0), "nobody has decided yet");
    drop(pushing.queue);
    let again = queue_of(&pushing.world, &pushing.lines, PushBounds::default(), None).await;
    assert_eq!(again.waiting(), (2, 0));
    again.start();
    let pushing = Pushing { queue: again, ..pushing };
    pushing.answer(failed());
    pushing.answer(failed());
    pushing.came(2).await;
    pushing.logged(one, "pushed; phone waiting 1 failed: down").await;
    pushing.logged(two, "pushed; phone waiting 1 failed: down").await;
    pushing.queue.stop().await;
    // Deliveries are found by the certificate they are for.
    let again = queue_of(&pushing.world, &pushing.lines, PushBounds::default(), None).await;
    assert_eq!(again.waiting(), (0, 2));
    again.start();
    let pushing = Pushing { queue: again, ..pushing };
    pushing.advance(Duration::from_secs(10));
    pushing.logged(one, &format!("pushed; phone sent 2 id-{one}:bob:phone")).await;
    pushing.logged(two, &format!("pushed; phone sent 2 id-{two}:bob:phone")).await;
    assert_eq!(pushing.left().await, (0, 0));
}

#[tokio::test]
async fn a_message_to_more_than_one_record_holds_reaches_all_who_are_away() {
    let pushing = pushing(PushBounds::default(), false).await;
    let to: Vec<_> = (0..1_100).map(|number| user(&format!("u{number}"))).collect();
    let changes = to.iter().map(|member| Change::Put {
        kind: RecordKind::Member,
        key: format!("team/{member}"),
        value: Bytes::new(),
    });
    pushing.world.store.change(pushing.world.app.id(), changes.collect()).await.expect("written");
    let send = SendGroup {
        from: user("alice"),
        group: stentor_core::id::RoomId::from_trusted("team"),
        payload: Bytes::from_static(b"Hi"),
        only_for: Vec::new(),
        options: SendOptions { keep: true, ..SendOptions::default() },
    };
    let sent = pushing.world.node.send_group(&pushing.world.app, Origin::Backend, send).await.expect("taken");
    assert_eq!(pushing.left().await, (3, 0));
    pushing.queue.start();
    let all = async {
        loop {
            let count = pushing.world.store.count_records(pushing.world.app.id(), RecordKind::PushLog, "").await;
            if count.expect("counts") == 1_100 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, all).await.expect("all are decided on");
    let one = pushing.queue.log(&user("u1099"), Some(sent.id), 1).await.expect("reads");
    assert_eq!((one[0].reason.as_deref(), one[0].group.as_deref()), (Some("no user exist"), Some("team")));
}

#[tokio::test]
async fn what_cannot_be_read_stops_nobody() {
    let pushing = pushing(PushBounds::default(), true).await;
    let odd = pushing.send("unreadable").await;
    let damaged = Change::Put { kind: RecordKind::PushDue, key: "0".repeat(48), value: Bytes::from_static(b"\xff") };
    pushing.world.store.change(pushing.world.app.id(), vec![damaged]).await.expect("written");
    let fine = pushing.send("fine").await;
    pushing.logged(fine, &format!("pushed; phone sent 1 id-{fine}:bob:phone")).await;
    assert_eq!(pushing.shown(odd).await, "nothing");
    assert_eq!(pushing.left().await, (1, 0), "left for the version that can read it");
}

#[tokio::test]
async fn old_entries_of_the_log_go() {
    let pushing = pushing(PushBounds { log_kept_ms: 0, ..PushBounds::default() }, true).await;
    let message = pushing.send("Hi").await;
    pushing.logged(message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;
    pushing.advance(Duration::from_secs(86_400));
    let next = pushing.send("Hi").await;
    pushing.logged(next, &format!("pushed; phone sent 1 id-{next}:bob:phone")).await;
    assert_ne!(pushing.shown(message).await, "nothing", "at least a day");
    pushing.advance(Duration::from_secs(3 * 86_400));
    pushing.logged(message, "nothing").await;
}

#[tokio::test]
async fn a_direct_push_says_how_it_ended() {
    let pushing = pushing(PushBounds::default(), true).await;
    let off = PushChange { mode: Some(Some(PushMode::Nothing)), ..PushChange::default() };
    pushing.world.node.change_push(&pushing.world.app, &user("bob"), off).await.expect("changes");
    let say = DirectPush { title: "T".to_owned(), content: "C".to_owned(), ..DirectPush::default() };
    let users = [user("bob"), user("carol"), user("nobody")];
    let mut answers = pushing.queue.direct(&users, &say, true).await.expect("queued");
    let refused: Vec<_> = answers.iter().map(|answer| answer.refused).collect();
    assert_eq!(refused, [None, Some("no push binding"), Some("appUser not exists")]);
    let (device, end) = answers[0].devices.remove(0);
    let end = timeout(DEADLINE, end).await.expect("in time").expect("told");
    let message = answers[0].message;
    assert_eq!((device.as_str(), end), ("phone", SendEnd::Sent(format!("id-{message}:bob:phone"))));
    let push = pushing.came(1).await.remove(0);
    assert_eq!((push.title.as_str(), push.content.as_str(), push.custom.from.as_str()), ("T", "C", ""));
    pushing.logged(message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;

    pushing.answer(Err(PushError::Refused { reason: "no".to_owned() }));
    let mut again = pushing.queue.direct(&users[..1], &say, true).await.expect("queued");
    assert_ne!(again[0].message, message);
    let (_, end) = again[0].devices.remove(0);
    let end = timeout(DEADLINE, end).await.expect("in time").expect("told");
    assert_eq!(end, SendEnd::Failed("refused: no".to_owned()));
    let unawaited = pushing.queue.direct(&users[..1], &say, false).await.expect("queued");
    assert!(unawaited[0].devices.is_empty() && unawaited[0].refused.is_none());
    pushing.came(3).await;
    assert_eq!(pushing.world.clock.wall_ms(), crate::kit::NOW_MS, "nothing waited for the clock");
    let held_back: Vec<_> = pushing.ends().await.into_iter().filter(|end| end.contains("HeldBack")).collect();
    assert_eq!(held_back, ["carol - HeldBack no push binding", "nobody - HeldBack appUser not exists"]);
}

#[tokio::test]
async fn nobody_is_told_if_no_device_is_reached() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.lines.routes.lock().insert("fcm".to_owned(), Route::Disabled);
    let message = pushing.send("Hi").await;
    pushing.logged(message, "notifier disabled; phone left_out 0 notifier disabled").await;
    pushing.bind("bob", "tablet", "other", "token-1").await;
    pushing.lines.routes.lock().insert("other".to_owned(), line(&pushing.told, &pushing.world));
    pushing.bind("bob", "watch", "other", "token-1").await;
    let message = pushing.send("Hi").await;
    let watch = format!("watch sent 1 id-{message}:bob:watch");
    let tablet = "tablet left_out 0 told as another device";
    pushing.logged(message, &format!("pushed; phone left_out 0 notifier disabled; {tablet}; {watch}")).await;
    assert_eq!(pushing.came(1).await.len(), 1, "one token, one push");
}
