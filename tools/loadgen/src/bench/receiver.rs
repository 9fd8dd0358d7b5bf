//! The receiving side: clients that check every frame, ack, and say that they are there.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_local};

use super::target::{Role, Subscription, Target};
use super::tracker::Tracker;
use crate::stentor::login::{PING, close_code};
use crate::stentor::notice;
use crate::wire::frame;
use crate::wire::websocket::{FrameSink, FrameSource, scratch};

/// Clients that connect at the same time.
const CONNECTING: usize = 64;

/// In how many groups the clients ping, one group after the other.
const PING_GROUPS: u32 = 50;

/// Connects clients 0 to `count`, in this order.
pub(super) async fn connect_all(
    target: &Rc<Target>,
    count: usize,
    role: impl Fn(usize) -> Role,
) -> anyhow::Result<Vec<Subscription>> {
    let scratch = scratch();
    let mut connecting = JoinSet::new();
    let mut connected: Vec<Option<Subscription>> = (0..count).map(|_| None).collect();
    for number in 0..count {
        if connecting.len() >= CONNECTING {
            keep(&mut connected, connecting.join_next().await)?;
        }
        let (target, scratch, role) = (Rc::clone(target), Rc::clone(&scratch), role(number));
        connecting.spawn_local(async move { (number, target.subscribe(number, role, &scratch).await) });
    }
    while !connecting.is_empty() {
        keep(&mut connected, connecting.join_next().await)?;
    }
    connected.into_iter().collect::<Option<_>>().context("a client is missing")
}

type Joined = Option<Result<(usize, anyhow::Result<Subscription>), tokio::task::JoinError>>;

fn keep(connected: &mut [Option<Subscription>], joined: Joined) -> anyhow::Result<()> {
    if let Some(joined) = joined {
        let (number, subscription) = joined?;
        connected[number] = Some(subscription.with_context(|| format!("client {number}"))?);
    }
    Ok(())
}

/// Keeps clients present: each says something as often as the server wants. Stops with `LocalSet` or process.
pub(super) fn keep_present(sinks: Vec<Rc<FrameSink>>, interval: Duration, faults: mpsc::Sender<anyhow::Error>) {
    spawn_local(async move {
        let group = sinks.len().div_ceil(PING_GROUPS as usize).max(1);
        let mut ticks = tokio::time::interval(interval / PING_GROUPS);
        loop {
            for sinks in sinks.chunks(group) {
                ticks.tick().await;
                for sink in sinks {
                    if let Err(error) = sink.send_text(PING) {
                        // The first fault decides.
                        let _ = faults.try_send(error.context("pinging"));
                        return;
                    }
                }
            }
        }
    });
}

/// When a client acks what it received.
#[derive(Debug, Clone, Copy)]
pub(super) enum Acks {
    Never,
    /// As soon as so many wait.
    Every(usize),
}

/// A client: runs until its connection fails, and reports that.
pub(super) fn spawn(
    subscription: Subscription,
    number: usize,
    acks: Acks,
    tracker: Rc<Tracker>,
    faults: mpsc::Sender<anyhow::Error>,
) {
    let Subscription { source, sink, .. } = subscription;
    spawn_local(async move {
        if let Err(error) = receive(source, &sink, number, acks, &tracker).await {
            // The first fault decides.
            let _ = faults.try_send(error.context(format!("client {number}")));
        }
    });
}

async fn receive(
    mut source: FrameSource,
    sink: &FrameSink,
    number: usize,
    acks: Acks,
    tracker: &Tracker,
) -> anyhow::Result<()> {
    let (mut unacked, mut pongs) = (Vec::new(), Vec::new());
    loop {
        let now = Cell::new(None);
        let read = source.read(|opcode, payload| {
            if opcode == frame::PING {
                pongs.extend(frame::from_client(frame::PONG, payload));
                return Ok(());
            }
            if !matches!(opcode, frame::TEXT | frame::BINARY) {
                return refuse(opcode, payload);
            }
            let Some(sequence) = notice::sequence(payload) else { return Ok(()) };
            let instant = now.get().unwrap_or_else(Instant::now);
            now.set(Some(instant));
            tracker.received(number, sequence, payload.len(), instant)?;
            if matches!(acks, Acks::Every(_)) {
                unacked.push(notice::message_id(payload).context("a message without ID")?);
            }
            Ok(())
        });
        if !read.await? {
            bail!("the server closed the connection");
        }
        if !pongs.is_empty() {
            sink.send_now(&pongs)?;
            pongs.clear();
        }
        if matches!(acks, Acks::Every(count) if unacked.len() >= count) {
            sink.send_text(&notice::ack(&unacked))?;
            unacked.clear();
        }
    }
}

/// A frame that no server in a benchmark should send.
pub(super) fn refuse(opcode: u8, payload: &[u8]) -> anyhow::Result<()> {
    match opcode {
        frame::CLOSE => bail!("closed by the server with {}", close_code(payload)),
        other => bail!("a frame with opcode {other}"),
    }
}
