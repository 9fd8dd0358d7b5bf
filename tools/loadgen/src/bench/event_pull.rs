//! Pulling full event queues. Clients join and leave until the queue of channel events holds all it can, then two
//! pulls empty it; only the pulls are measured.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::receiver::connect_all;
use super::target::{Role, Subscription, Target};
use super::{Figures, Plan};
use crate::histogram::Histogram;
use crate::stentor::login::read_text;
use crate::stentor::request::{Events, events};
use crate::usage::CpuTime;
use crate::wire::http::HttpConnection;

/// 50 clients that join and leave 20 channels each make the 2000 events that a queue keeps.
const CLIENTS: usize = 50;
const CHANNELS: usize = 20;
const PER_PULL: usize = 1000;
const PULLS: usize = 2;

/// Until the server has done what follows from the joins and leaves.
const SETTLE: Duration = Duration::from_millis(30);

pub(super) async fn measure(plan: &Plan, target: &Rc<Target>) -> anyhow::Result<Figures> {
    let mut clients = connect_all(target, CLIENTS, |_| Role::User).await?;
    let pid = target.server.pid();
    let (mut cpu_us, mut spent, mut pulls) = (0.0, Duration::ZERO, 0u32);
    let mut latency = Histogram::default();
    let start = Instant::now();
    while start.elapsed() < plan.warm_up + plan.measure || pulls == 0 {
        clients = fill(clients).await?;
        sleep(SETTLE).await;
        // A new connection, lest it be cut for having been idle.
        let mut connection = HttpConnection::open(target.server.address).await?;
        let before = CpuTime::of_threads(pid)?;
        for _ in 0..PULLS {
            let asked = Instant::now();
            let body = connection.expect_ok(&events(Events::Channel)).await?;
            spent += asked.elapsed();
            latency.record(asked.elapsed());
            let count = serde_json::from_slice::<Value>(&body)?["events"].as_array().context("no events")?.len();
            ensure!(count == PER_PULL, "a pull from a full queue returned {count} events");
            pulls += 1;
        }
        cpu_us += CpuTime::of_threads(pid)?.since(before);
    }
    Ok(Figures::from([
        ("cpu_us_per_pull_of_1000", cpu_us / f64::from(pulls)),
        ("events_pulled_per_s", f64::from(pulls) * PER_PULL as f64 / spent.as_secs_f64()),
        ("p50_ms", latency.quantile_ms(0.50).unwrap_or_default()),
        ("p99_ms", latency.quantile_ms(0.99).unwrap_or_default()),
    ]))
}

/// Every client joins all its channels, then leaves them.
async fn fill(clients: Vec<Subscription>) -> anyhow::Result<Vec<Subscription>> {
    let mut filling = JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        filling.spawn_local(async move {
            for request in ["join", "leave"] {
                for channel in 0..CHANNELS {
                    let text =
                        format!(r#"{{"type":"{request}","id":{channel},"channel":"events-{number}-{channel}"}}"#);
                    client.sink.send_text(&text)?;
                }
                replies(&mut client).await.context(request)?;
            }
            anyhow::Ok(client)
        });
    }
    let mut filled = Vec::new();
    while let Some(client) = filling.join_next().await {
        filled.push(client??);
    }
    Ok(filled)
}

/// Waits until every request was answered; notices in between do not matter.
async fn replies(client: &mut Subscription) -> anyhow::Result<()> {
    let mut missing = CHANNELS;
    while missing > 0 {
        let read = client.source.read(|opcode, payload| {
            let frame = read_text(opcode, payload)?;
            if frame["type"] == "reply" {
                ensure!(frame["ok"] == true, "refused: {frame}");
                missing -= 1;
            }
            Ok(())
        });
        ensure!(read.await?, "the server closed the connection");
    }
    Ok(())
}
