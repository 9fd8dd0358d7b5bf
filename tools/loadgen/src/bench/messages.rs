//! Fan-out and point-to-point: one run.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::publisher::{closed_loop, fixed_rate};
use super::receiver::{Acks, connect_all, keep_present, spawn};
use super::scenario::{CPU_PER_DELIVERY, CPU_PER_REQUEST, Load, Messages, PEERS, PeerAcks, Shape, Side};
use super::target::{Role, Target};
use super::tracker::{Tally, Tracker};
use super::{Figures, Plan};
use crate::usage::CpuTime;
use crate::wire::http::HttpConnection;

/// Publications of the closed fan-out that not all have received.
const OUTSTANDING: usize = 4;

/// Requests on their way at a fixed rate, at most.
const RATE_CONNECTIONS: usize = 48;

/// After the last join the server still tells the number of members, once in 3 s in a large room.
const SETTLE: Duration = Duration::from_millis(3200);
const SETTLE_SMALL: Duration = Duration::from_millis(1100);

/// How long messages may be on their way when nothing is published any more.
const LATE: Duration = Duration::from_secs(20);

/// After everything was received, something received twice would still come.
const TWICE: Duration = Duration::from_millis(100);

pub(super) async fn measure(plan: &Plan, target: &Rc<Target>, work: &Messages) -> anyhow::Result<Figures> {
    let tracker = match work.shape {
        Shape::FanOut { subscribers } => Tracker::new(1, subscribers),
        Shape::Peer(_) => Tracker::new(PEERS, 1),
    };
    if work.side == Side::Chat {
        let role = if matches!(work.shape, Shape::Peer(_)) { Role::User } else { Role::Member };
        target.use_chat(tracker.receivers(), role).await?;
    }
    let (faults, mut fault) = mpsc::channel(1);
    receive(target, work, &tracker, &faults).await?;
    let stop = Rc::new(Cell::new(false));
    let mut publishers = publish(target, work, &tracker, &stop).await?;

    let run = async {
        let failed = async {
            // Publishers only end by themselves when they fail.
            match publishers.join_next().await {
                Some(ended) => ended?.and(Err(anyhow::anyhow!("a publisher ended"))),
                None => Err(anyhow::anyhow!("no publisher")),
            }
        };
        let window = tokio::select! {
            window = window(plan, target, &tracker) => window?,
            failed = failed => return failed,
        };
        stop.set(true);
        while let Some(publisher) = publishers.join_next().await {
            publisher??;
        }
        tokio::time::timeout(LATE, tracker.all_received()).await.context("messages are missing")?;
        sleep(TWICE).await;
        tracker.check_complete()?;
        Ok(window)
    };
    let window = tokio::select! {
        window = run => window?,
        Some(fault) = fault.recv() => return Err(fault),
    };
    figures(work, &window)
}

/// What was measured between two instants.
struct Window {
    tally: Tally,
    seconds: f64,
    cpu_us: f64,
}

async fn window(plan: &Plan, target: &Target, tracker: &Tracker) -> anyhow::Result<Window> {
    sleep(plan.warm_up).await;
    let (cpu, start) = (CpuTime::of_process(target.server.pid())?, Instant::now());
    tracker.record();
    sleep(plan.measure).await;
    let tally = tracker.stop_recording();
    let cpu_us = CpuTime::of_process(target.server.pid())?.since(cpu);
    Ok(Window { tally, seconds: start.elapsed().as_secs_f64(), cpu_us })
}

fn figures(work: &Messages, window: &Window) -> anyhow::Result<Figures> {
    let Window { tally, seconds, cpu_us } = window;
    anyhow::ensure!(tally.deliveries > 0, "nothing was received in the measured time");
    let bytes = tally.delivered_bytes as f64 / tally.deliveries as f64;
    let mut figures = Figures::from([("bytes_per_frame", bytes), ("server_cpu_percent", cpu_us / seconds / 1e4)]);
    let latency = match work.shape {
        Shape::FanOut { .. } => {
            figures.insert(CPU_PER_DELIVERY, cpu_us / tally.deliveries as f64);
            figures.insert("deliveries_per_s", tally.deliveries as f64 / seconds);
            &tally.delivery_latency
        }
        Shape::Peer(acks) => {
            figures.insert(CPU_PER_REQUEST, cpu_us / tally.answers.max(1) as f64);
            figures.insert("requests_per_s", tally.answers as f64 / seconds);
            // Who waits for the ack wants to know how long that takes.
            if acks == PeerAcks::Waited { &tally.answer_latency } else { &tally.delivery_latency }
        }
    };
    figures.insert("p50_ms", latency.quantile_ms(0.50).unwrap_or_default());
    figures.insert("p99_ms", latency.quantile_ms(0.99).unwrap_or_default());
    Ok(figures)
}

/// Connects the receivers and waits until the server has nothing more to say about that.
async fn receive(
    target: &Rc<Target>,
    work: &Messages,
    tracker: &Rc<Tracker>,
    faults: &mpsc::Sender<anyhow::Error>,
) -> anyhow::Result<()> {
    let (role, acks) = match work.shape {
        Shape::FanOut { .. } => (Role::Member, Acks::Never),
        Shape::Peer(PeerAcks::Unwaited) if !target.kind.is_stentor() => (Role::User, Acks::Never),
        Shape::Peer(PeerAcks::Grouped) if !target.kind.is_stentor() => (Role::User, Acks::Never),
        Shape::Peer(PeerAcks::Grouped) => (Role::User, Acks::Every(16)),
        Shape::Peer(_) => (Role::User, Acks::Every(1)),
    };
    let clients = connect_all(target, tracker.receivers(), |_| role).await?;
    if let Some(interval) = clients.first().and_then(|client| client.ping_interval) {
        let sinks = clients.iter().map(|client| Rc::clone(&client.sink)).collect();
        keep_present(sinks, interval, faults.clone());
    }
    let many = clients.len() > 512;
    for (number, client) in clients.into_iter().enumerate() {
        spawn(client, number, acks, Rc::clone(tracker), faults.clone());
    }
    if target.kind.is_stentor() && matches!(role, Role::Member) {
        sleep(if many { SETTLE } else { SETTLE_SMALL }).await;
    }
    Ok(())
}

/// Starts the publishers.
async fn publish(
    target: &Target,
    work: &Messages,
    tracker: &Rc<Tracker>,
    stop: &Rc<Cell<bool>>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let payload = work.payload_of(target.kind);
    let requests: Vec<_> = match work.shape {
        Shape::FanOut { .. } => vec![target.room_request(payload)],
        Shape::Peer(acks) => (0..PEERS).map(|user| target.user_request(user, payload, acks)).collect(),
    };
    let connections = match (work.load, work.shape) {
        (Load::Rate(_), _) => RATE_CONNECTIONS,
        (Load::Closed, Shape::FanOut { .. }) => OUTSTANDING,
        (Load::Closed, Shape::Peer(_)) => PEERS,
    };
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(HttpConnection::open(target.server.address).await?);
    }
    let mut publishers = JoinSet::new();
    let (tracker, stop) = (|| Rc::clone(tracker), || Rc::clone(stop));
    match work.load {
        Load::Rate(rate) => {
            publishers.spawn_local(fixed_rate(open, requests, rate, tracker(), stop()));
        }
        Load::Closed => {
            for (number, connection) in open.into_iter().enumerate() {
                let lane = number % requests.len();
                let request = requests[lane].clone();
                publishers.spawn_local(closed_loop(connection, request, lane as u64, tracker(), stop()));
            }
        }
    }
    Ok(publishers)
}
