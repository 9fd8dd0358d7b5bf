//! Direct pushes to many.

use std::collections::BTreeSet;

use stentor_push_queue::tasks::{NewTask, TASKS, TaskError, UNDER_WAY};

use super::*;

fn task(labels: &[&str], said: &str, start_ms: Option<u64>) -> NewTask {
    NewTask { labels: labels.iter().map(|label| (*label).to_owned()).collect(), said: said.to_owned(), start_ms }
}

impl Pushing {
    /// Users `u000` and so on, each with a phone.
    async fn crowd(&self, count: usize) -> Vec<UserId> {
        let mut all = Vec::with_capacity(count);
        for number in 0..count {
            let name = format!("u{number:03}");
            let new = NewUser { name: user(&name), password_hash: None, nickname: None };
            self.world.node.register(&self.world.app, new).await.expect("registers");
            self.bind(&name, "phone", "fcm", &format!("token-{name}")).await;
            all.push(user(&name));
        }
        all
    }

    async fn label(&self, name: &str, users: &[UserId]) {
        self.world.node.create_push_label(&self.world.app, name, "").await.expect("made");
        for users in users.chunks(100) {
            self.world.node.add_push_label_users(&self.world.app, name, users).await.expect("given");
        }
    }

    /// Waits until there are so many tasks.
    async fn tasks(&self, count: u64) {
        let (store, app) = (&self.world.store, self.world.app.id());
        let wait = async {
            while store.count_records(app, RecordKind::PushTask, "").await.expect("counts") != count {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, wait).await.expect("in time");
    }

    async fn tokens(&self, count: usize) -> Vec<String> {
        let mut tokens: Vec<_> = self.came(count).await.iter().map(|push| push.token.as_str().to_owned()).collect();
        tokens.sort();
        tokens
    }
}

#[tokio::test]
async fn everybody_is_told_once() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.crowd(205).await;
    pushing.queue.create_task(task(&[], "all", None)).await.expect("made");
    pushing.tasks(0).await;
    let tokens = pushing.tokens(206).await;
    assert_eq!((tokens.len(), tokens.iter().collect::<BTreeSet<_>>().len()), (206, 206));
    assert_eq!(pushing.came(206).await[0].title, "all");
}

#[tokio::test]
async fn who_has_every_label_is_told() {
    let pushing = pushing(PushBounds::default(), true).await;
    let crowd = pushing.crowd(150).await;
    pushing.label("all", &crowd).await;
    pushing.label("late", &crowd[90..]).await;
    pushing.label("some", &[crowd[3].clone(), crowd[95].clone(), crowd[149].clone()]).await;
    pushing.label("empty", &[]).await;
    for (labels, expected) in [
        (&["all", "late", "some"][..], &["token-u095", "token-u149"][..]),
        (&["some"], &["token-u003", "token-u095", "token-u149"]),
        (&["all", "some", "empty"], &[]),
        (&["gone"], &[]),
    ] {
        pushing.told.came.lock().clear();
        pushing.queue.create_task(task(labels, "T", None)).await.expect("made");
        pushing.tasks(0).await;
        assert_eq!(pushing.tokens(expected.len()).await, expected, "{labels:?}");
    }
}

#[tokio::test]
async fn a_task_goes_on_where_it_was_when_the_process_ended() {
    // There is room for no more than a page, which the provider does not take.
    let bounds = PushBounds { deliveries: 50, ..PushBounds::default() };
    let mut pushing = pushing(bounds, false).await;
    let crowd = pushing.crowd(250).await;
    pushing.label("l", &crowd).await;
    let retry_after = Some(Duration::from_secs(3_600));
    let slow = || Err(PushError::Throttled { reason: "slow".to_owned(), retry_after, scope: Scope::Provider });
    pushing.told.answers.lock().extend((0..1000).map(|_| slow()));
    pushing.queue.create_task(task(&["l"], "T", None)).await.expect("made");
    pushing.queue.start();
    pushing.came(1).await;
    pushing.queue.stop().await;
    let (_, deliveries) = pushing.left().await;
    assert_eq!(deliveries, 100, "a page");
    pushing.told.answers.lock().clear();
    pushing.told.came.lock().clear();
    pushing.lines.routes.lock().insert("fcm".to_owned(), line(&pushing.told, &pushing.world));
    pushing.queue = queue_of(&pushing.world, &pushing.lines, PushBounds::default(), None).await;
    pushing.queue.start();
    pushing.tasks(0).await;
    pushing.advance(Duration::from_secs(4 * 3_600));
    let tokens = pushing.tokens(250).await;
    assert_eq!((tokens.len(), tokens.iter().collect::<BTreeSet<_>>().len()), (250, 250));
}

#[tokio::test]
async fn it_begins_when_it_is_to() {
    let pushing = pushing(PushBounds::default(), true).await;
    let start_ms = pushing.world.clock.wall_ms() + 3_600_000;
    pushing.queue.create_task(task(&[], "later", Some(start_ms))).await.expect("made");
    pushing.queue.create_task(task(&[], "now", None)).await.expect("made");
    pushing.tasks(1).await;
    assert_eq!(pushing.came(1).await[0].title, "now");
    pushing.advance(Duration::from_millis(3_599_999));
    pushing.queue.create_task(task(&[], "between", None)).await.expect("made");
    pushing.tasks(1).await;
    assert_eq!(pushing.came(2).await[1].title, "between");
    pushing.advance(Duration::from_millis(1));
    pushing.tasks(0).await;
    assert_eq!(pushing.came(3).await[2].title, "later");
}

#[tokio::test]
async fn there_are_never_too_many() {
    let pushing = pushing(PushBounds::default(), false).await;
    let start_ms = Some(pushing.world.clock.wall_ms() + 3_600_000);
    for _ in 0..UNDER_WAY {
        pushing.queue.create_task(task(&[], "now", None)).await.expect("made");
    }
    let many = |made| assert!(matches!(made, Err(TaskError::TooMany)));
    many(pushing.queue.create_task(task(&[], "now", None)).await);
    for _ in UNDER_WAY..TASKS {
        pushing.queue.create_task(task(&[], "later", start_ms)).await.expect("made");
    }
    many(pushing.queue.create_task(task(&[], "later", start_ms)).await);
    pushing.queue.start();
    pushing.tasks((TASKS - UNDER_WAY) as u64).await;
    for _ in 0..UNDER_WAY {
        pushing.queue.create_task(task(&[], "now", None)).await.expect("there is room again");
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_stops_nobody() {
    let pushing = pushing(PushBounds::default(), false).await;
    pushing.queue.create_task(task(&[], "unreadable", None)).await.expect("made");
    let damaged = Change::Put { kind: RecordKind::PushTask, key: "0".repeat(48), value: Bytes::from_static(b"\xff") };
    pushing.world.store.change(pushing.world.app.id(), vec![damaged]).await.expect("written");
    pushing.queue.create_task(task(&[], "fine", None)).await.expect("made");
    pushing.queue.start();
    assert_eq!(pushing.came(1).await[0].title, "fine");
    pushing.tasks(2).await;
}

#[tokio::test]
async fn a_page_and_that_it_is_told_are_one_step() {
    let pushing = pushing(PushBounds::default(), false).await;
    let push = DirectPush { title: "T".to_owned(), ..DirectPush::default() };
    let refused = Change::Expect { kind: RecordKind::PushTask, key: "k".to_owned(), value: Some(Bytes::new()) };
    pushing.queue.direct_with(&[user("bob")], &push, false, vec![refused]).await.expect("answers");
    assert_eq!(pushing.left().await, (0, 0));
    let taken = Change::Put { kind: RecordKind::PushTask, key: "k".to_owned(), value: Bytes::new() };
    pushing.queue.direct_with(&[user("bob")], &push, false, vec![taken]).await.expect("answers");
    assert_eq!(pushing.left().await, (0, 1));
    pushing.tasks(1).await;
}
