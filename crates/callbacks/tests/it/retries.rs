//! When a callback is tried again, and for how long.

use std::time::Duration;

use bytes::Bytes;
use stentor_callbacks::metrics::Outcome;
use stentor_callbacks::receiver::{Behaviour, Receiver};
use stentor_callbacks::{Rule, Schedule};
use stentor_core::records::RecordKind;

use crate::kit::{Kit, SECRET, Setup, came, eventually, numbers, rule};

const SCHEDULE: Schedule = Schedule { first_ms: 1_000, longest_ms: 4_000, give_up_after_ms: 10_000 };

/// Waits until so many tries have failed and that is written.
async fn failed(kit: &Kit, tries: u64) {
    eventually("failed tries", || async {
        match kit.outbox.counted("audit", Outcome::Failed) {
            failed if failed == tries => Ok(()),
            failed => Err(failed),
        }
    })
    .await;
}

#[tokio::test]
async fn waits_double_are_random_and_end() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::status(500));
    let kit = Setup::new(vec![Rule { schedule: SCHEDULE, ..rule("audit", &receiver) }]).start().await;
    kit.queue([1]).await;
    let mut waits = Vec::new();
    for round in 0.. {
        came(&receiver, 2 * round + 1).await;
        failed(&kit, round as u64 + 1).await;
        let Some(wait_ms) = kit.dues().await.pop() else { break };
        waits.push(wait_ms);
        // Not before its time: another callback, queued later, is looked at, and comes first.
        kit.advance(Duration::from_millis(wait_ms - 1));
        receiver.behave_next([Behaviour::OK]);
        kit.queue([100 + round as u64]).await;
        let received = came(&receiver, 2 * round + 2).await;
        assert_eq!(received[2 * round + 1].body["n"], 100 + round as u64);
        eventually("only the first waits", || async {
            match kit.records(RecordKind::Callback).await {
                1 => Ok(()),
                waiting => Err(waiting),
            }
        })
        .await;
        kit.advance(Duration::from_millis(1));
    }
    for (wait, full) in waits.iter().zip([1_000, 2_000, 4_000, 4_000, 4_000]) {
        assert!((full / 2..=full).contains(wait), "{waits:?}");
    }
    let sum: u64 = waits.iter().sum();
    assert!((10_000..14_000).contains(&sum), "{waits:?}");
    assert_eq!(kit.records(RecordKind::FailedCallback).await, 1);
    assert_eq!(receiver.problems(), [""; 0], "every try is the same");
}

#[tokio::test]
async fn the_waits_follow_the_seed() {
    let mut all = Vec::new();
    for seed in [1, 1, 2] {
        let receiver = Receiver::start(SECRET).await.unwrap();
        receiver.behave(Behaviour::status(503));
        let rules = vec![Rule { schedule: SCHEDULE, ..rule("audit", &receiver) }];
        let kit = Setup { seed, ..Setup::new(rules) }.start().await;
        kit.queue([1]).await;
        failed(&kit, 1).await;
        all.push(kit.dues().await);
    }
    assert_eq!(all[0], all[1]);
    assert_ne!(all[0], all[2]);
}

#[tokio::test]
async fn anything_but_200_is_a_failure() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let elsewhere = Receiver::start(SECRET).await.unwrap();
    let kit = Setup::new(vec![Rule { timeout: Duration::from_millis(300), ..rule("audit", &receiver) }]).start().await;
    let behaviours = [
        Behaviour::status(201),
        Behaviour::status(204),
        Behaviour::status(400),
        Behaviour::status(500),
        Behaviour::Redirect(elsewhere.url()),
        Behaviour::Cut,
        Behaviour::Hang,
        Behaviour::Late(Duration::from_secs(5), 200, Bytes::new()),
    ];
    let count = behaviours.len();
    receiver.behave_next(behaviours);
    kit.queue(0..count as u64).await;
    came(&receiver, count).await;
    failed(&kit, count as u64).await;
    assert_eq!(elsewhere.connections(), 0, "redirects are not followed");
    kit.advance(Duration::from_secs(1));
    came(&receiver, 2 * count).await;
    kit.emptied().await;
    assert_eq!(numbers(&receiver.taken()).len(), count);
}

#[tokio::test]
async fn a_long_answer_is_an_answer() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::Answer(200, vec![b'x'; 1 << 20].into()));
    let kit = Setup::new(vec![rule("audit", &receiver)]).start().await;
    kit.queue(0..3).await;
    came(&receiver, 3).await;
    kit.emptied().await;
    assert_eq!(kit.outbox.counted("audit", Outcome::Failed), 0);
}

#[tokio::test]
async fn a_receiver_that_is_down_gets_everything_when_it_is_back() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let address = receiver.address();
    let kit = Setup::new(vec![Rule { schedule: SCHEDULE, ..rule("audit", &receiver) }]).start().await;
    drop(receiver);
    eventually("it is down", || async {
        match tokio::net::TcpStream::connect(address).await {
            Ok(_) => Err("up"),
            Err(_) => Ok(()),
        }
    })
    .await;
    kit.queue(0..20).await;
    failed(&kit, 20).await;
    kit.advance(Duration::from_secs(1));
    failed(&kit, 40).await;
    let receiver = Receiver::start_at(SECRET, address).await.unwrap();
    kit.advance(Duration::from_secs(2));
    came(&receiver, 20).await;
    kit.emptied().await;
    assert_eq!(numbers(&receiver.taken()), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_clock_that_is_put_back_delays_nothing_for_hours() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave_next([Behaviour::status(500)]);
    let kit = Setup::new(vec![Rule { schedule: SCHEDULE, ..rule("audit", &receiver) }]).start().await;
    kit.queue([1]).await;
    failed(&kit, 1).await;
    kit.clock.set_wall_ms(crate::kit::NOW_MS - 3_600_000);
    kit.outbox.wake();
    came(&receiver, 2).await;
    kit.emptied().await;
}
