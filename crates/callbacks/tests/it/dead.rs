//! Dead letters: listed, sent again, deleted.

use std::time::Duration;

use stentor_callbacks::metrics::Outcome;
use stentor_callbacks::receiver::{Behaviour, Receiver};
use stentor_callbacks::{BadUrl, Bounds, ResendError, Rule, SetDate};
use stentor_core::records::RecordKind;

use crate::kit::{Kit, NOW_MS, QUICK, SECRET, Setup, came, eventually, numbers, rule};

/// The sets as (date, size, resends).
async fn sets(kit: &Kit) -> Vec<(String, u64, u32)> {
    let sets = kit.outbox.dead_sets().await.unwrap();
    sets.into_iter().map(|set| (set.date.to_string(), set.size, set.resends)).collect()
}

fn quick(receiver: &Receiver) -> Rule {
    Rule { schedule: QUICK, ..rule("audit", receiver) }
}

#[tokio::test]
async fn they_are_listed_in_sets_of_ten_minutes() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    let kit = Setup::new(vec![quick(&receiver)]).start().await;
    assert_eq!(sets(&kit).await, []);
    kit.queue(0..3).await;
    kit.died(3).await;
    kit.advance(Duration::from_secs(600));
    kit.queue(3..5).await;
    kit.died(5).await;
    assert_eq!(sets(&kit).await, [("202311142210".to_owned(), 3, 0), ("202311142220".to_owned(), 2, 0)]);
    assert_eq!(receiver.received().len(), 10, "each was tried twice, as documented");
    assert_eq!(kit.outbox.counted("audit", Outcome::Dead), 5);
}

#[tokio::test]
async fn a_set_is_sent_again_and_is_gone() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    let kit = Setup::new(vec![quick(&receiver)]).start().await;
    kit.queue(0..600).await;
    kit.died(600).await;
    receiver.behave(Behaviour::OK);
    let date = SetDate::of(NOW_MS);
    let elsewhen = SetDate::of(NOW_MS - 600_000);
    assert_eq!(kit.outbox.resend(&elsewhen, None).await.unwrap(), 0);
    assert_eq!(kit.outbox.resend(&date, None).await.unwrap(), 600);
    kit.emptied().await;
    assert_eq!(numbers(&receiver.taken()), (0..600).collect::<Vec<_>>());
    assert_eq!(sets(&kit).await, []);
    assert_eq!(kit.outbox.resend(&date, None).await.unwrap(), 0, "twice is once");
    assert_eq!(receiver.problems(), [""; 0], "the same as before");
}

#[tokio::test]
async fn what_fails_again_is_back_in_its_set() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    // It would be tried for hours; by hand it is tried twice.
    let patient = Rule {
        schedule: stentor_callbacks::Schedule { first_ms: 0, longest_ms: 0, give_up_after_ms: 60_000 },
        ..rule("audit", &receiver)
    };
    let kit = Setup::new(vec![patient]).start().await;
    kit.queue([1]).await;
    came(&receiver, 5).await;
    kit.advance(Duration::from_secs(60));
    kit.died(1).await;
    let date = kit.outbox.dead_sets().await.unwrap()[0].date.clone();
    kit.advance(Duration::from_secs(7_200));
    for resends in 1..=3 {
        let before = receiver.received().len();
        assert_eq!(kit.outbox.resend(&date, None).await.unwrap(), 1);
        came(&receiver, before + 2).await;
        kit.died(1).await;
        assert_eq!(receiver.received().len(), before + 2);
        assert_eq!(sets(&kit).await, [(date.to_string(), 1, resends)]);
    }
}

#[tokio::test]
async fn a_set_can_be_sent_elsewhere() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    let elsewhere = Receiver::start(SECRET).await.unwrap();
    // On a private network only where a rule of its own allows it.
    let kit = Setup::new(vec![quick(&receiver), rule("other", &elsewhere)]).start().await;
    kit.queue([1, 2]).await;
    kit.died(2).await;
    let before = receiver.received().len();
    let date = SetDate::of(NOW_MS);
    let refused = kit.outbox.resend(&date, Some("ftp://example.com")).await.unwrap_err();
    assert!(matches!(refused, ResendError::Url(BadUrl::Scheme)), "{refused}");
    assert_eq!(kit.outbox.resend(&date, Some(&elsewhere.url())).await.unwrap(), 2);
    assert_eq!(numbers(&came(&elsewhere, 2).await), [1, 2]);
    kit.emptied().await;
    assert_eq!((receiver.received().len(), elsewhere.problems()), (before, vec![]));
}

#[tokio::test]
async fn elsewhere_is_no_private_address() {
    let (receiver, failing) = (Receiver::start(SECRET).await.unwrap(), Receiver::start(SECRET).await.unwrap());
    failing.behave(Behaviour::status(500));
    // What a rule may do at its own address it may not do at others.
    let kit = Setup::new(vec![quick(&failing)]).start().await;
    kit.queue([1]).await;
    kit.died(1).await;
    let date = SetDate::of(NOW_MS);
    assert_eq!(kit.outbox.resend(&date, Some(&receiver.url())).await.unwrap(), 1);
    eventually("it is back", || async {
        match sets(&kit).await {
            sets if sets == [(date.to_string(), 1, 1)] => Ok(()),
            sets => Err(sets),
        }
    })
    .await;
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn what_the_outbox_has_no_room_for_stays() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    let kit = Setup::new(vec![quick(&receiver)]).start().await;
    kit.queue(0..5).await;
    kit.died(5).await;
    kit.outbox.stop().await;
    let small = Rule { waiting: 2, ..quick(&receiver) };
    let second = Setup { store: kit.store, ..Setup::new(vec![small]) }.open().await;
    assert_eq!(second.outbox.resend(&SetDate::of(NOW_MS), None).await.unwrap(), 2);
    assert_eq!(sets(&second).await, [("202311142210".to_owned(), 3, 0)]);
}

#[tokio::test]
async fn they_are_kept_for_three_days() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    let kit = Setup::new(vec![quick(&receiver)]).start().await;
    kit.queue([1]).await;
    kit.died(1).await;
    // 22:13:20; the set began at 22:10:00 and is there until three days after its end.
    kit.advance(Duration::from_secs(3 * 86_400 + 399));
    kit.queue([2]).await;
    kit.died(2).await;
    kit.advance(Duration::from_secs(1));
    kit.died(1).await;
    assert_eq!(kit.outbox.counted("audit", Outcome::Expired), 1);
    assert_eq!(sets(&kit).await.len(), 1);
}

#[tokio::test]
async fn too_many_drop_the_oldest_and_are_counted() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    let bounds = Bounds { dead_letters: 3, ..Bounds::default() };
    let kit = Setup { bounds, ..Setup::new(vec![quick(&receiver)]) }.start().await;
    for number in 0..3 {
        kit.queue([number]).await;
        kit.died(number + 1).await;
    }
    kit.queue([3]).await;
    eventually("one too many", || async {
        match kit.outbox.counted("audit", Outcome::Lost) {
            1 => Ok(()),
            lost => Err(lost),
        }
    })
    .await;
    assert_eq!(kit.records(RecordKind::FailedCallback).await, 3);
    receiver.behave(Behaviour::OK);
    assert_eq!(kit.outbox.resend(&SetDate::of(NOW_MS), None).await.unwrap(), 3);
    kit.emptied().await;
    assert_eq!(numbers(&receiver.taken()), [1, 2, 3]);
}
