//! More than there is room for.

use stentor_core::delivery::SendUsers;
use stentor_core::observer::Observer;
use stentor_push_queue::direct::DirectError;

use super::*;

fn kept() -> SendOptions {
    SendOptions { keep: true, ..SendOptions::default() }
}

impl Pushing {
    /// Has a user's inbox looked at.
    async fn mark(&self, name: &str, up_to: MessageId) {
        let changes = self.queue.intake().unacked(&user(name), up_to);
        self.world.store.change(self.world.app.id(), changes).await.expect("written");
    }

    /// Waits until bob was told of these, each once and in order.
    async fn told_in_order(&self, messages: &[MessageId]) {
        let came = self.came(messages.len()).await;
        let came: Vec<_> = came.iter().map(|push| push.custom.message.clone()).collect();
        assert_eq!(came, messages.iter().map(MessageId::to_string).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_waits_behind_a_full_queue_is_decided_on_when_there_is_room() {
    let bounds = PushBounds { deliveries: 1, ..PushBounds::default() };
    let pushing = pushing(bounds, true).await;
    pushing.answer(failed());
    let first = pushing.send("one").await;
    pushing.logged(first, "pushed; phone waiting 1 failed: down").await;
    let second = pushing.send("two").await;
    pushing.advance(Duration::from_secs(2));
    pushing.logged(first, &format!("pushed; phone sent 2 id-{first}:bob:phone")).await;
    pushing.logged(second, &format!("pushed; phone sent 1 id-{second}:bob:phone")).await;
}

#[tokio::test]
async fn what_comes_while_too_many_wait_is_found_in_the_inbox() {
    let bounds = PushBounds { due: 2, ..PushBounds::default() };
    let pushing = pushing(bounds, false).await;
    let mut messages = Vec::new();
    for number in 0..6 {
        messages.push(pushing.send(&number.to_string()).await);
    }
    assert_eq!(pushing.left().await, (3, 0), "two, and a mark for all others");
    pushing.queue.start();
    for message in &messages {
        pushing.logged(*message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;
    }
    pushing.emptied().await;
    assert_eq!((pushing.came(6).await.len(), pushing.ends().await.len()), (6, 6));
}

#[tokio::test]
async fn who_does_not_ack_or_logs_out_while_too_many_wait_is_told_later() {
    for logs_out in [false, true] {
        let bounds = PushBounds { due: 1, deliveries: 1, ..PushBounds::default() };
        let pushing = pushing(bounds, true).await;
        pushing.bind("carol", "phone", "fcm", "token-carol").await;
        pushing.answer(failed());
        let first = pushing.send("one").await;
        pushing.logged(first, "pushed; phone waiting 1 failed: down").await;
        let second = pushing.send("two").await;
        let carol = pushing.connect("carol").await;
        let payload = Bytes::from_static(b"Hi");
        let send = SendPeer { from: user("alice"), to: user("carol"), payload, wait_for_ack: false, options: kept() };
        pushing.world.node.send_peer(&pushing.world.app, Origin::Backend, send).await.expect("taken");
        if logs_out {
            pushing.world.node.logout(&carol.session).await;
        } else {
            for _ in 0..2 {
                pushing.world.clock.advance(Duration::from_millis(10_001));
                pushing.world.node.tick();
            }
        }
        // One of bob's, which is due and waits for room, and one mark.
        let marked = async {
            while pushing.left().await.0 != 2 {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, marked).await.expect("marked");
        pushing.advance(Duration::from_secs(2));
        pushing.logged(second, &format!("pushed; phone sent 1 id-{second}:bob:phone")).await;
        let tokens: Vec<_> = pushing.came(4).await.into_iter().map(|push| push.token.as_str().to_owned()).collect();
        assert!(tokens.contains(&"token-carol".to_owned()), "{tokens:?}");
        pushing.emptied().await;
    }
}

#[tokio::test]
async fn direct_pushes_have_a_bound_too() {
    let bounds = PushBounds { deliveries: 3, ..PushBounds::default() };
    let pushing = pushing(bounds, false).await;
    pushing.bind("bob", "tablet", "fcm", "token-2").await;
    let say = DirectPush { title: "T".to_owned(), ..DirectPush::default() };
    let one = [user("bob")];
    pushing.queue.direct(&one, &say, false).await.expect("two of three");
    let refused = pushing.queue.direct(&one, &say, false).await;
    assert!(matches!(refused, Err(DirectError::Full)), "{refused:?}");
    assert_eq!((pushing.left().await, pushing.queue.waiting()), ((0, 2), (0, 2)), "all or nothing");
    pushing.queue.direct(&[user("carol")], &say, false).await.expect("nothing to be sent");
    pushing.queue.start();
    pushing.came(2).await;
    pushing.emptied().await;
    pushing.queue.direct(&one, &say, false).await.expect("there is room again");
    pushing.came(4).await;
}

#[tokio::test]
async fn who_is_away_does_not_wait_for_looks_into_inboxes() {
    let pushing = pushing(PushBounds::default(), false).await;
    let mut crowd = Vec::new();
    for number in 0..60 {
        let name = format!("u{number:02}");
        let new = NewUser { name: user(&name), password_hash: None, nickname: None };
        pushing.world.node.register(&pushing.world.app, new).await.expect("registers");
        pushing.bind(&name, "phone", "fcm", &format!("token-{name}")).await;
        crowd.push(name);
    }
    let mut last = MessageId::ZERO;
    for _ in 0..20 {
        let to = crowd.iter().map(|name| user(name)).collect();
        let send = SendUsers { from: user("alice"), to, payload: Bytes::from_static(b"Hi"), options: kept() };
        let sent = pushing.world.node.send_users(&pushing.world.app, Origin::Backend, send).await.expect("taken");
        last = sent.into_iter().map(|sent| sent.id).max().expect("taken");
    }
    // As if they had been there: only their inboxes are left to be looked at.
    let all = Change::DeletePrefix { kind: RecordKind::PushDue, prefix: String::new() };
    pushing.world.store.change(pushing.world.app.id(), vec![all]).await.expect("deleted");
    for name in &crowd {
        pushing.mark(name, last).await;
    }
    let away = pushing.send("bob's").await;
    pushing.queue.start();
    let came = pushing.came(1_201).await;
    let place = came.iter().position(|push| push.custom.message == away.to_string());
    assert!(place.is_some_and(|place| place < 300), "{place:?}");
    for name in &crowd {
        let mine = came.iter().filter(|push| push.custom.to == *name).count();
        assert_eq!(mine, 20, "{name}");
    }
    pushing.emptied().await;
}

#[tokio::test]
async fn a_full_inbox_is_looked_at_in_slices_and_in_order() {
    for start in [false, true] {
        let pushing = pushing(PushBounds { due: 1, ..PushBounds::default() }, start).await;
        let mut messages = Vec::new();
        for number in 0..150 {
            messages.push(pushing.send(&number.to_string()).await);
        }
        if !start {
            assert_eq!(pushing.left().await, (2, 0));
            pushing.queue.start();
        }
        pushing.told_in_order(&messages).await;
        pushing.emptied().await;
    }
}

#[tokio::test]
async fn marks_are_there_after_a_restart() {
    let bounds = PushBounds { due: 1, ..PushBounds::default() };
    let pushing = pushing(bounds, false).await;
    let (first, second) = (pushing.send("one").await, pushing.send("two").await);
    drop(pushing.queue);
    let again = queue_of(&pushing.world, &pushing.lines, bounds, None).await;
    assert_eq!(again.waiting(), (1, 0), "a mark is not a note");
    again.start();
    let pushing = Pushing { queue: again, ..pushing };
    for message in [first, second] {
        pushing.logged(message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;
    }
    pushing.emptied().await;
}
