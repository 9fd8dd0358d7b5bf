//! Delivery: once, signed, over few connections, through restarts of either side, without one rule waiting for another.

use std::sync::Arc;
use std::time::Duration;

use stentor_callbacks::metrics::Outcome;
use stentor_callbacks::receiver::{Behaviour, Receiver};
use stentor_callbacks::{Key, Rule};
use stentor_core::records::RecordKind;
use stentor_core::store::{Change, RecordStore};

use crate::kit::{NOW_MS, QUICK, SECRET, Setup, app, callback, came, eventually, numbers, rule};

#[tokio::test]
async fn a_callback_comes_once_signed_and_is_gone() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let kit = Setup::new(vec![rule("audit", &receiver)]).start().await;
    kit.queue([7]).await;
    let received = came(&receiver, 1).await;
    assert_eq!(received[0].text("callId"), "org#app_7");
    assert_eq!((received[0].target.as_str(), received[0].signed_at_s), ("/callback", NOW_MS / 1000));
    kit.emptied().await;
    assert_eq!(receiver.problems(), [""; 0]);
    assert_eq!(kit.records(RecordKind::FailedCallback).await, 0);
    eventually("counted", || async {
        let counted = (kit.outbox.counted("audit", Outcome::Delivered), kit.outbox.waiting("audit"));
        if counted == (1, 0) { Ok(()) } else { Err(counted) }
    })
    .await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn many_come_over_few_connections() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let kit = Setup::new(vec![Rule { concurrency: 3, ..rule("audit", &receiver) }]).start().await;
    kit.queue(0..50).await;
    assert_eq!(numbers(&came(&receiver, 50).await), (0..50).collect::<Vec<_>>());
    kit.emptied().await;
    assert!(receiver.connections() <= 3, "{} connections", receiver.connections());
    assert_eq!(receiver.problems(), [""; 0]);
}

#[tokio::test]
async fn no_more_are_under_way_than_the_rule_says() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::Hang);
    let kit = Setup::new(vec![Rule { concurrency: 2, ..rule("audit", &receiver) }]).start().await;
    kit.queue(0..10).await;
    came(&receiver, 2).await;
    // Whoever were to begin a third would have begun it before this other rule's callback came and went.
    let other = Receiver::start(SECRET).await.unwrap();
    let second = Setup::new(vec![rule("other", &other)]).start().await;
    second.queue([1]).await;
    came(&other, 1).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_no_other_rule() {
    let (slow, quick) = (Receiver::start(SECRET).await.unwrap(), Receiver::start(SECRET).await.unwrap());
    slow.behave(Behaviour::Hang);
    let kit = Setup::new(vec![rule("slow", &slow), rule("quick", &quick)]).start().await;
    kit.queue_for(0, 0..30).await;
    kit.queue_for(1, 0..30).await;
    assert_eq!(came(&quick, 30).await.len(), 30);
    eventually("the quick rule is done", || async {
        match kit.outbox.waiting("quick") {
            0 => Ok(()),
            waiting => Err(waiting),
        }
    })
    .await;
    assert_eq!(kit.outbox.waiting("slow"), 30);
}

#[tokio::test]
async fn a_receiver_that_comes_back_at_its_place_is_found() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let address = receiver.address();
    let kit = Setup::new(vec![rule("audit", &receiver)]).start().await;
    kit.queue([1]).await;
    came(&receiver, 1).await;
    kit.emptied().await;
    drop(receiver);
    // Its port is free when the listener's task has seen that it is to stop.
    let receiver = eventually("the port is free", || Receiver::start_at(SECRET, address)).await;
    kit.queue([2]).await;
    assert_eq!(numbers(&came(&receiver, 1).await), [2]);
    assert_eq!(kit.outbox.counted("audit", Outcome::Failed), 0, "the old connection was not held against it");
}

#[tokio::test]
async fn what_is_queued_is_there_after_a_restart() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let setup = || Setup::new(vec![rule("audit", &receiver)]);
    let first = setup().open().await;
    // The worker never ran: the process was killed.
    first.queue(0..5).await;
    let store = first.store.clone();
    drop(first);
    let second = Setup { store, seed: 2, ..setup() }.open().await;
    assert_eq!(second.outbox.waiting("audit"), 5);
    second.outbox.start();
    assert_eq!(numbers(&came(&receiver, 5).await), [0, 1, 2, 3, 4]);
    second.emptied().await;
}

#[tokio::test]
async fn stopping_waits_for_what_is_under_way() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::Late(Duration::from_millis(50), 200, "".into()));
    let kit = Setup::new(vec![rule("audit", &receiver)]).start().await;
    kit.queue([1]).await;
    came(&receiver, 1).await;
    kit.outbox.stop().await;
    assert_eq!(kit.records(RecordKind::Callback).await, 0);
}

#[tokio::test]
async fn while_the_store_refuses_nothing_is_sent_twice() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::Late(Duration::from_millis(20), 200, "".into()));
    let kit = Setup::new(vec![rule("audit", &receiver)]).start().await;
    kit.queue([1]).await;
    came(&receiver, 1).await;
    kit.store.refuse_writes(true);
    eventually("it is answered", || async { if receiver.answers() == 1 { Ok(()) } else { Err("not yet") } }).await;
    // A worker that forgot what it delivered would send it again when it looks the next time.
    let marker = Receiver::start(SECRET).await.unwrap();
    let other = Setup::new(vec![rule("other", &marker)]).start().await;
    for number in 0..20 {
        kit.outbox.wake();
        other.queue([number]).await;
        came(&marker, usize::try_from(number).unwrap() + 1).await;
    }
    assert_eq!(receiver.received().len(), 1);
    kit.store.refuse_writes(false);
    kit.emptied().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn another_secret_counts_at_once() {
    let old = Receiver::start("old").await.unwrap();
    let first = Setup::new(vec![rule("audit", &old)]).open().await;
    first.queue([1]).await;
    let new = Receiver::start("new").await.unwrap();
    let again = Rule { key: Key::new("new"), ..rule("audit", &new) };
    let second = Setup { store: first.store, ..Setup::new(vec![again]) }.start().await;
    came(&new, 1).await;
    second.emptied().await;
    assert_eq!(new.problems(), [""; 0]);
}

#[tokio::test]
async fn too_many_become_dead_letters_and_none_is_lost() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::Hang);
    let kit = Setup::new(vec![Rule { waiting: 3, concurrency: 1, ..rule("audit", &receiver) }]).start().await;
    kit.queue(0..5).await;
    assert_eq!(kit.records(RecordKind::Callback).await, 3);
    assert_eq!(kit.records(RecordKind::FailedCallback).await, 2);
    assert_eq!(kit.outbox.counted("audit", Outcome::Overflow), 2);
    assert_eq!(kit.outbox.dead_sets().await.unwrap()[0].size, 2);
}

#[tokio::test]
async fn a_change_that_is_never_written_does_not_fill_the_outbox() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let kit = Setup::new(vec![Rule { waiting: 1, ..rule("audit", &receiver) }]).start().await;
    let _abandoned = kit.outbox.queue(0, &callback(1)).unwrap();
    assert_eq!(kit.outbox.waiting("audit"), 1);
    eventually("it is noticed", || async {
        match kit.outbox.waiting("audit") {
            0 => Ok(()),
            waiting => Err(waiting),
        }
    })
    .await;
    kit.queue([2]).await;
    assert_eq!(numbers(&came(&receiver, 1).await), [2]);
}

#[tokio::test]
async fn a_callback_that_is_queued_later_than_announced_is_found() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let kit = Setup::new(vec![rule("audit", &receiver)]).start().await;
    let change = kit.outbox.queue(0, &callback(1)).unwrap();
    // The worker is woken, and looks in vain.
    tokio::task::yield_now().await;
    kit.store.change(&app(), vec![change]).await.unwrap();
    came(&receiver, 1).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_left_and_holds_nothing_up() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let kit = Setup::new(vec![Rule { concurrency: 1, ..rule("audit", &receiver) }]).start().await;
    let odd = |n: u64| Change::Put { kind: RecordKind::Callback, key: format!("audit/{n:016x}"), value: "odd".into() };
    kit.store.change(&app(), vec![odd(0), odd(1)]).await.unwrap();
    kit.queue(1..4).await;
    assert_eq!(numbers(&came(&receiver, 3).await), [1, 2, 3]);
    eventually("only the odd ones are left", || async {
        match kit.records(RecordKind::Callback).await {
            2 => Ok(()),
            waiting => Err(waiting),
        }
    })
    .await;
}

#[tokio::test]
async fn callbacks_of_a_rule_that_is_gone_become_dead_letters() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let rules = vec![rule("a", &receiver), rule("gone", &receiver), rule("z", &receiver)];
    let first = Setup::new(rules).open().await;
    for number in 0..3 {
        first.queue_for(number, 0..300).await;
    }
    let left = vec![rule("a", &receiver), Rule { schedule: QUICK, ..rule("z", &receiver) }];
    let second = Setup { store: first.store.clone(), ..Setup::new(left) }.open().await;
    assert_eq!(second.records(RecordKind::FailedCallback).await, 300);
    assert_eq!((second.outbox.waiting("a"), second.outbox.waiting("z")), (300, 300));
    assert_eq!(second.outbox.counted("gone", Outcome::Orphaned), 300);
    // Without its rule it cannot be sent; with it again, it can.
    let date = second.outbox.dead_sets().await.unwrap()[0].date.clone();
    assert_eq!(second.outbox.resend(&date, None).await.unwrap(), 0);
    let third = Setup { store: first.store, ..Setup::new(vec![rule("gone", &receiver)]) }.open().await;
    assert_eq!(third.outbox.resend(&date, None).await.unwrap(), 300);
}

#[tokio::test]
async fn apps_do_not_see_each_other() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let kit = Setup::new(vec![rule("audit", &receiver)]).start().await;
    let change = kit.outbox.queue(0, &callback(1)).unwrap();
    let other = stentor_core::id::AppId::from_trusted("org#other");
    kit.store.change(&other, vec![change]).await.unwrap();
    kit.queue([2]).await;
    assert_eq!(numbers(&came(&receiver, 1).await), [2]);
    assert_eq!(kit.store.count_records(&other, RecordKind::Callback, "").await.unwrap(), 1);
    let _: Arc<_> = kit.store;
}
