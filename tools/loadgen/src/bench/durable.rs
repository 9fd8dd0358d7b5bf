//! Messages for users who are not there: each is durable before it is answered. How many a second, and how many
//! for each time that the server asks the disk to be sure.

use std::cell::Cell;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::scenario::ACKED_PER_FSYNC;
use super::target::Target;
use super::{Figures, Plan};
use crate::histogram::Histogram;
use crate::stentor::request::{PeerFlags, peer_message};
use crate::usage::CpuTime;
use crate::wire::http::HttpConnection;

/// Receivers of each writer, in turn.
const RECEIVERS: u64 = 64;
const PAYLOAD: usize = 128;

/// The server's own estimate of its syncs, in `/metrics`: where strace is not to be had.
const REPORTED_SYNCS: &str = "store_fsyncs";

pub(super) async fn measure(plan: &Plan, target: &Target, writers: usize) -> anyhow::Result<Figures> {
    let (untraced, reported) = write(plan, target, writers, || reported_syncs(target)).await?;
    let seconds = untraced.seconds;
    let mut figures = Figures::from([
        ("acked_per_s", untraced.acked / seconds),
        ("cpu_us_per_write", untraced.cpu_us / untraced.acked),
        ("p50_ms", untraced.latency.quantile_ms(0.50).unwrap_or_default()),
        ("p99_ms", untraced.latency.quantile_ms(0.99).unwrap_or_default()),
    ]);
    if let Some(syncs) = reported {
        figures.insert("acked_per_reported_fsync", untraced.acked / syncs.max(1.0));
    }
    if strace_is_here() {
        // A second server, watched: counting costs a little at every sync, and must not touch the figures above.
        let trace = plan.out.join("syncs.txt");
        let traced = Target::start_stentor(plan, Some(&trace)).context("under strace")?;
        let (written, syncs) = write(plan, &traced, writers, || synced(&trace)).await?;
        let syncs = syncs.context("no trace")?;
        figures.insert(ACKED_PER_FSYNC, written.acked / syncs.max(1.0));
        figures.insert("fsyncs_per_s", syncs / written.seconds);
    }
    Ok(figures)
}

struct Written {
    acked: f64,
    seconds: f64,
    cpu_us: f64,
    latency: Histogram,
}

/// What the writers share.
#[derive(Default)]
struct Progress {
    acked: Cell<u64>,
    latency: Cell<Option<Histogram>>,
    stop: Cell<bool>,
}

/// Writes, and returns by how much `count` grew meanwhile.
async fn write<F: Future<Output = Option<f64>>>(
    plan: &Plan,
    target: &Target,
    writers: usize,
    count: impl Fn() -> F,
) -> anyhow::Result<(Written, Option<f64>)> {
    let progress = Rc::new(Progress::default());
    let mut running = JoinSet::new();
    for writer in 0..writers {
        let connection = HttpConnection::open(target.server.address).await?;
        running.spawn_local(keep_writing(connection, writer, Rc::clone(&progress)));
    }
    let measured = async {
        sleep(plan.warm_up).await;
        let (counted, cpu) = (count().await, CpuTime::of_process(target.server.pid())?);
        progress.latency.set(Some(Histogram::default()));
        let (acked, start) = (progress.acked.get(), Instant::now());
        sleep(plan.measure).await;
        let written = Written {
            acked: (progress.acked.get() - acked) as f64,
            seconds: start.elapsed().as_secs_f64(),
            cpu_us: CpuTime::of_process(target.server.pid())?.since(cpu),
            latency: progress.latency.take().unwrap_or_default(),
        };
        anyhow::ensure!(written.acked > 0.0, "nothing was written in the measured time");
        Ok((written, count().await.zip(counted).map(|(after, before)| after - before)))
    };
    let written = tokio::select! {
        written = measured => written?,
        Some(ended) = running.join_next() => return ended?.and(Err(anyhow::anyhow!("a writer ended"))),
    };
    progress.stop.set(true);
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(written)
}

async fn keep_writing(mut connection: HttpConnection, writer: usize, progress: Rc<Progress>) -> anyhow::Result<()> {
    let flags = PeerFlags { keep: true, ..PeerFlags::default() };
    let payload = "x".repeat(PAYLOAD);
    let requests: Vec<_> = (0..RECEIVERS)
        .map(|receiver| peer_message("backend", &format!("absent-{writer}-{receiver}"), &payload, flags))
        .collect();
    for request in requests.iter().cycle() {
        if progress.stop.get() {
            break;
        }
        let asked = Instant::now();
        connection.expect_ok(request).await?;
        progress.acked.set(progress.acked.get() + 1);
        if let Some(mut latency) = progress.latency.take() {
            latency.record(asked.elapsed());
            progress.latency.set(Some(latency));
        }
    }
    Ok(())
}

fn strace_is_here() -> bool {
    let tried = Command::new("strace").arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// How many syncs strace has written down. A call that was interrupted by another thread's takes two lines.
async fn synced(trace: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(trace).ok()?;
    Some(text.lines().filter(|line| line.contains("sync") && !line.contains("resumed>")).count() as f64)
}

/// The server's own count, if it has it.
async fn reported_syncs(target: &Target) -> Option<f64> {
    let mut connection = HttpConnection::open(target.server.address).await.ok()?;
    let body = connection.expect_ok(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.ok()?;
    let text = String::from_utf8(body).ok()?;
    let line = text.lines().find(|line| !line.starts_with('#') && line.contains(REPORTED_SYNCS))?;
    line.rsplit(' ').next()?.parse().ok()
}
