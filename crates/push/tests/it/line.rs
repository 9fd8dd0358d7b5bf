//! The line before a provider.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use stentor_core::clock::ManualClock;
use stentor_push::{BreakerSetup, Line, LineSetup, Provider, Push, PushError, Scope, Sent};
use tokio::sync::Semaphore;

use crate::kit::{clock, push};

/// Answers as told; without an answer it waits until it may.
#[derive(Debug)]
struct Told {
    answers: Mutex<VecDeque<Result<Sent, PushError>>>,
    may_end: Semaphore,
    asked: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Provider for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn part(&self, push: &Push) -> String {
        push.token.as_str().to_owned()
    }

    async fn send(&self, _push: &Push) -> Result<Sent, PushError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let told = self.answers.lock().pop_front();
        if let Some(answer) = told {
            return answer;
        }
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(under_way, Ordering::SeqCst);
        self.may_end.acquire().await.expect("open").forget();
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        Ok(Sent { id: String::new() })
    }
}

fn world(answers: impl IntoIterator<Item = Result<Sent, PushError>>) -> (Arc<ManualClock>, Arc<Told>, Arc<Line>) {
    let told = Arc::new(Told {
        answers: Mutex::new(answers.into_iter().collect()),
        may_end: Semaphore::new(0),
        asked: AtomicUsize::new(0),
        under_way: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    });
    let second = Duration::from_secs(1);
    let breaker = BreakerSetup { failures: 2, pause: second, longest_pause: 4 * second };
    let setup = LineSetup { concurrency: 3, breaker, throttle_pause: 10 * second };
    let clock = clock();
    (clock.clone(), told.clone(), Arc::new(Line::new(told, setup, clock)))
}

fn sent() -> Result<Sent, PushError> {
    Ok(Sent { id: "1".into() })
}

fn failed(retry_after: Option<Duration>) -> Result<Sent, PushError> {
    Err(PushError::Failed { reason: "down".into(), retry_after })
}

fn throttled(retry_after: Option<u64>, scope: Scope) -> Result<Sent, PushError> {
    Err(PushError::Throttled { reason: "slow".into(), retry_after: retry_after.map(Duration::from_secs), scope })
}

fn paused(seconds: u64) -> Result<Sent, PushError> {
    Err(PushError::Paused { retry_after: Duration::from_secs(seconds) })
}

#[tokio::test]
async fn so_many_are_under_way_at_once() {
    let (_clock, told, line) = world([]);
    let sends: Vec<_> = (0..10)
        .map(|_| {
            let line = line.clone();
            tokio::spawn(async move { line.send(&push("d")).await })
        })
        .collect();
    while told.under_way.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(line.free(), 0);
    told.may_end.add_permits(10);
    for send in sends {
        send.await.expect("ended").expect("sent");
    }
    assert_eq!((told.most.load(Ordering::SeqCst), line.free()), (3, 3));
}

#[tokio::test]
async fn a_provider_that_is_down_is_not_asked() {
    let (clock, told, line) = world([failed(None), failed(None), failed(None), sent(), sent()]);
    let push = push("d");
    assert_eq!(line.send(&push).await, failed(None));
    assert_eq!(line.send(&push).await, failed(None));
    assert_eq!(line.send(&push).await, paused(1));
    clock.advance(Duration::from_secs(1));
    assert_eq!(line.send(&push).await, failed(None));
    assert_eq!(line.send(&push).await, paused(2));
    clock.advance(Duration::from_secs(2));
    assert_eq!(line.send(&push).await, sent());
    assert_eq!(line.send(&push).await, sent());
    assert_eq!(told.asked.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn parts_of_a_service_fail_on_their_own() {
    let (_clock, _told, line) = world([failed(None), failed(None), sent(), sent()]);
    assert_eq!(line.send(&push("a")).await, failed(None));
    assert_eq!(line.send(&push("a")).await, failed(None));
    assert_eq!(line.send(&push("a")).await, paused(1));
    assert_eq!(line.send(&push("b")).await, sent());
    assert_eq!(line.send(&push("b")).await, sent());
}

#[tokio::test]
async fn many_parts_are_not_remembered_for_ever() {
    let (clock, _told, line) = world((0..3_000).map(|_| failed(Some(Duration::from_secs(1)))).chain([sent(), sent()]));
    for part in 0..3_000 {
        assert_eq!(line.send(&push(&part.to_string())).await, failed(Some(Duration::from_secs(1))));
    }
    assert_eq!(line.send(&push("0")).await, paused(1));
    assert_eq!(line.send(&push("2999")).await, sent());
    clock.advance(Duration::from_secs(1));
    assert_eq!(line.send(&push("0")).await, sent());
}

#[tokio::test]
async fn a_throttle_for_all_holds_all_and_one_for_a_device_does_not() {
    let (clock, _told, line) = world([
        throttled(Some(60), Scope::Device),
        throttled(Some(60), Scope::Provider),
        throttled(None, Scope::Provider),
        failed(Some(Duration::from_secs(30))),
        sent(),
    ]);
    let push = push("d");
    assert_eq!(line.send(&push).await, throttled(Some(60), Scope::Device));
    assert_eq!(line.send(&push).await, throttled(Some(60), Scope::Provider));
    assert_eq!(line.send(&push).await, paused(60));
    clock.advance(Duration::from_secs(60));
    assert_eq!(line.send(&push).await, throttled(None, Scope::Provider));
    assert_eq!(line.send(&push).await, paused(10));
    clock.advance(Duration::from_secs(10));
    assert_eq!(line.send(&push).await, failed(Some(Duration::from_secs(30))));
    assert_eq!(line.send(&push).await, paused(30));
    clock.advance(Duration::from_secs(30));
    assert_eq!(line.send(&push).await, sent());
}

#[tokio::test]
async fn a_probe_that_is_dropped_lets_the_next_one_try() {
    let (clock, told, line) = world([failed(None), failed(None)]);
    let push = push("d");
    for _ in 0..2 {
        assert_eq!(line.send(&push).await, failed(None));
    }
    clock.advance(Duration::from_secs(1));
    let probe = tokio::spawn({
        let (line, push) = (line.clone(), push.clone());
        async move { line.send(&push).await }
    });
    while told.under_way.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(line.send(&push).await, paused(1));
    probe.abort();
    assert!(probe.await.is_err());
    told.may_end.add_permits(1);
    assert!(line.send(&push).await.is_ok());
}
