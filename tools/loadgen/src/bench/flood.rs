//! What a flood of low messages into a large room does to the high ones: how much later they come, and that none is
//! lost. High messages go to the room at a steady rate, at first alone, then together with low ones, sent on several
//! connections as fast as they are answered.

mod ledger;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_local};
use tokio::time::sleep;

use super::publisher::wait_until;
use super::receiver::{connect_all, keep_present, refuse};
use super::target::{Role, Subscription, Target};
use super::{Figures, Plan};
use crate::stentor::chat::Backend;
use crate::stentor::notice;
use crate::stentor::request::Template;
use crate::usage::CpuTime;
use crate::wire::frame;
use crate::wire::http::HttpConnection;
use ledger::{LOW, Ledger, Phase};

/// High messages in a second: the room's whole budget.
const HIGH_RATE: u32 = 20;

/// Connections that send low ones.
const FLOODERS: usize = 16;

/// Bytes of the text.
const TEXT: usize = 128;

/// After the last client is there the server still tells the number of members, once in 3 s in a large room.
const SETTLE: Duration = Duration::from_millis(3200);

/// How long messages may be on their way when nothing is sent any more.
const LATE: Duration = Duration::from_secs(20);

/// High messages that did not reach somebody. Must be none.
pub(super) const HIGH_LOST: &str = "high_lost";
/// The 99th percentile of the high ones in the flood, as a multiple of that without.
const P99_IN_FLOOD: &str = "high_p99_flood_over_calm";

pub(super) async fn measure(plan: &Plan, target: &Rc<Target>, members: usize) -> anyhow::Result<Figures> {
    let address = target.server.address;
    target.use_chat(members, Role::Member).await?;
    let ledger = Ledger::new(members);
    let (faults, mut fault) = mpsc::channel(1);
    receive(target, members, &ledger, &faults).await?;

    let ((high, room), (low, _)) = (target.level_request("high", TEXT)?, target.level_request("low", TEXT)?);
    let run = async {
        let stop = Rc::new(Cell::new(false));
        let mut senders = JoinSet::new();
        senders.spawn_local(steady(HttpConnection::open(address).await?, high, Rc::clone(&ledger), Rc::clone(&stop)));
        let calm = window(plan, target, &ledger, &mut senders).await?;
        for _ in 0..FLOODERS {
            let connection = HttpConnection::open(address).await?;
            senders.spawn_local(flood(connection, low.clone(), Rc::clone(&ledger), Rc::clone(&stop)));
        }
        let flooded = window(plan, target, &ledger, &mut senders).await?;
        stop.set(true);
        while let Some(sender) = senders.join_next().await {
            sender??;
        }
        // What is missing after that is lost, and said to be.
        let _ = tokio::time::timeout(LATE, ledger.all_high_received()).await;
        sleep(Duration::from_millis(500)).await;
        anyhow::Ok((calm, flooded))
    };
    let (calm, flooded) = tokio::select! {
        windows = run => windows?,
        Some(fault) = fault.recv() => return Err(fault),
    };
    let told = Backend::open(address).await?.delivery(room).await?;
    figures(members, &ledger, &told, &calm, &flooded)
}

/// What was measured between two instants.
struct Window {
    phase: Phase,
    seconds: f64,
    cpu_us: f64,
}

async fn window(
    plan: &Plan,
    target: &Target,
    ledger: &Ledger,
    senders: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Window> {
    let measured = async {
        sleep(plan.warm_up).await;
        let (cpu, start) = (CpuTime::of_process(target.server.pid())?, Instant::now());
        ledger.begin();
        sleep(plan.measure).await;
        let phase = ledger.end();
        let cpu_us = CpuTime::of_process(target.server.pid())?.since(cpu);
        anyhow::Ok(Window { phase, seconds: start.elapsed().as_secs_f64(), cpu_us })
    };
    tokio::select! {
        window = measured => window,
        // Senders only end by themselves when they fail.
        ended = senders.join_next() => {
            ended.context("no sender")???;
            anyhow::bail!("a sender ended")
        }
    }
}

fn figures(
    members: usize,
    ledger: &Ledger,
    told: &serde_json::Value,
    calm: &Window,
    flooded: &Window,
) -> anyhow::Result<Figures> {
    let totals = ledger.totals();
    let due = |sent: u64| sent * members as u64;
    let counted = |level: &str, what: &str| told[level][what].as_u64().context("no account of the room");
    // The server's own account says the same as the clients do.
    for (level, sent, received) in
        [("high", totals.high_sent, totals.high_received), ("low", totals.low_sent, totals.low_received)]
    {
        ensure!(counted(level, "accepted")? == sent, "{level}: {sent} were sent, {told}");
        ensure!(counted(level, "offered")? == received, "{level}: {received} were received, {told}");
        ensure!(counted(level, "dropped")? == due(sent) - received, "{level}: {received} were received, {told}");
    }
    let quantile = |window: &Window, q| window.phase.high_latency.quantile_ms(q).context("no high message");
    let (calm_p99, flooded_p99) = (quantile(calm, 0.99)?, quantile(flooded, 0.99)?);
    Ok(Figures::from([
        ("high_p50_ms_calm", quantile(calm, 0.50)?),
        ("high_p99_ms_calm", calm_p99),
        ("high_p50_ms_flood", quantile(flooded, 0.50)?),
        ("high_p99_ms_flood", flooded_p99),
        (P99_IN_FLOOD, flooded_p99 / calm_p99),
        (HIGH_LOST, (due(totals.high_sent) - totals.high_received) as f64),
        ("low_sent_per_s", flooded.phase.low_sent as f64 / flooded.seconds),
        ("low_dropped_percent", 100.0 * (1.0 - totals.low_received as f64 / due(totals.low_sent).max(1) as f64)),
        ("deliveries_per_s_flood", flooded.phase.deliveries as f64 / flooded.seconds),
        ("server_cpu_percent_calm", calm.cpu_us / calm.seconds / 1e4),
        ("server_cpu_percent_flood", flooded.cpu_us / flooded.seconds / 1e4),
    ]))
}

/// Connects the members and lets them read.
async fn receive(
    target: &Rc<Target>,
    members: usize,
    ledger: &Rc<Ledger>,
    faults: &mpsc::Sender<anyhow::Error>,
) -> anyhow::Result<()> {
    let clients = connect_all(target, members, |_| Role::Member).await?;
    let interval = clients.first().and_then(|client| client.ping_interval).context("no member")?;
    keep_present(clients.iter().map(|client| Rc::clone(&client.sink)).collect(), interval, faults.clone());
    for (number, client) in clients.into_iter().enumerate() {
        let (ledger, faults) = (Rc::clone(ledger), faults.clone());
        spawn_local(async move {
            if let Err(error) = read(client, number, &ledger).await {
                // The first fault decides.
                let _ = faults.try_send(error.context(format!("client {number}")));
            }
        });
    }
    sleep(SETTLE).await;
    Ok(())
}

async fn read(client: Subscription, number: usize, ledger: &Ledger) -> anyhow::Result<()> {
    // Whoever lets go of the writing side closes it.
    let Subscription { mut source, sink: _sink, .. } = client;
    loop {
        let read = source.read(|opcode, payload| {
            if opcode != frame::TEXT {
                return refuse(opcode, payload);
            }
            match notice::sequence(payload) {
                Some(sequence) => ledger.received(number, sequence, Instant::now()),
                None => Ok(()),
            }
        });
        ensure!(read.await?, "the server closed the connection");
    }
}

/// Sends high messages at a steady rate, stamped with the instant at which they were due.
async fn steady(
    mut connection: HttpConnection,
    mut request: Template,
    ledger: Rc<Ledger>,
    stop: Rc<Cell<bool>>,
) -> anyhow::Result<()> {
    let start = Instant::now();
    for message in 0u32.. {
        let due = start + Duration::from_secs(1) * message / HIGH_RATE;
        wait_until(due).await;
        if stop.get() {
            break;
        }
        let sequence = ledger.send_high(due);
        connection.expect_ok(request.with(sequence)).await?;
    }
    Ok(())
}

/// Sends low messages, the next when the one before was answered.
async fn flood(
    mut connection: HttpConnection,
    mut request: Template,
    ledger: Rc<Ledger>,
    stop: Rc<Cell<bool>>,
) -> anyhow::Result<()> {
    while !stop.get() {
        let sequence = LOW + ledger.send_low();
        connection.expect_ok(request.with(sequence)).await?;
    }
    Ok(())
}
