//! The publishing side: closed loops, and a fixed rate.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

use super::tracker::Tracker;
use crate::stentor::request::Template;
use crate::wire::http::HttpConnection;

/// How long a message may take to reach all: far above what any server here needs.
const LOST: Duration = Duration::from_secs(20);

/// Timers of the runtime are a millisecond coarse; the rest of a wait is spent looking at the clock.
const TIMER_SLACK: Duration = Duration::from_micros(1500);

/// Publishes in one lane, the next message when the one before was answered and received by all.
pub(super) async fn closed_loop(
    mut connection: HttpConnection,
    mut request: Template,
    lane: u64,
    tracker: Rc<Tracker>,
    stop: Rc<Cell<bool>>,
) -> anyhow::Result<()> {
    while !stop.get() {
        let now = Instant::now();
        let sequence = tracker.next_in_lane(lane);
        let done = tracker.publish(sequence, now)?;
        connection.expect_ok(request.with(sequence)).await?;
        tracker.answered(now);
        tokio::time::timeout(LOST, done.notified())
            .await
            .with_context(|| format!("message {sequence} did not reach all within {LOST:?}"))?;
    }
    Ok(())
}

/// Publishes one message after the other at `rate` a second, to the lanes in turn. A message is stamped with the
/// instant it was due, so that a server that is late cannot hide it by making the generator wait.
pub(super) async fn fixed_rate(
    connections: Vec<HttpConnection>,
    requests: Vec<Template>,
    rate: u32,
    tracker: Rc<Tracker>,
    stop: Rc<Cell<bool>>,
) -> anyhow::Result<()> {
    let permits = Rc::new(Semaphore::new(connections.len()));
    let free = Rc::new(RefCell::new(connections));
    let requests: Vec<_> = requests.into_iter().map(|request| Rc::new(RefCell::new(request))).collect();
    let mut answers: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let start = Instant::now();
    for message in 0u32.. {
        let due = start + Duration::from_secs(1) * message / rate;
        wait_until(due).await;
        if stop.get() {
            break;
        }
        while let Some(answer) = answers.try_join_next() {
            answer??;
        }
        let lane = message as usize % requests.len();
        let permit = Rc::clone(&permits);
        permit.acquire().await?.forget();
        let connection = free.borrow_mut().pop();
        let mut connection = connection.context("a permit stands for a free connection")?;
        let sequence = tracker.next_in_lane(lane as u64);
        // It is received when it is received; at a fixed rate nobody waits for it here.
        drop(tracker.publish(sequence, due)?);
        let (request, tracker) = (Rc::clone(&requests[lane]), Rc::clone(&tracker));
        let (free, permits) = (Rc::clone(&free), Rc::clone(&permits));
        answers.spawn_local(async move {
            let bytes = request.borrow_mut().with(sequence).to_vec();
            connection.expect_ok(&bytes).await?;
            tracker.answered(due);
            free.borrow_mut().push(connection);
            permits.add_permits(1);
            Ok(())
        });
    }
    while let Some(answer) = answers.join_next().await {
        answer??;
    }
    Ok(())
}

/// Waits for an instant, to the microsecond.
pub(super) async fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if left > TIMER_SLACK {
        tokio::time::sleep(left - TIMER_SLACK).await;
    }
    while Instant::now() < due {
        yield_now().await;
    }
}
