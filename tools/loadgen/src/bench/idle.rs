//! Connections that are logged in and idle: what each costs.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::receiver::{Acks, connect_all, keep_present, spawn};
use super::scenario::KIB_PER_CONNECTION;
use super::target::{Role, Target};
use super::tracker::Tracker;
use super::{Figures, Plan};
use crate::usage::{CpuTime, resident_kib};

/// Until the server has done what a start needs.
const START: Duration = Duration::from_millis(300);

/// Rounds of pings before memory is measured: buffers have then been used.
const PINGS: u32 = 2;

pub(super) async fn measure(plan: &Plan, target: &Rc<Target>, connections: usize) -> anyhow::Result<Figures> {
    let pid = target.server.pid();
    sleep(START).await;
    let before = resident_kib(pid)?;
    let start = Instant::now();
    let clients = connect_all(target, connections, |_| Role::User).await?;
    let connecting_s = start.elapsed().as_secs_f64();

    let (faults, mut fault) = mpsc::channel(1);
    let mut settle = plan.warm_up;
    if let Some(interval) = clients.first().and_then(|client| client.ping_interval) {
        let sinks = clients.iter().map(|client| Rc::clone(&client.sink)).collect();
        keep_present(sinks, interval, faults.clone());
        settle = settle.max(interval * PINGS);
    }
    // Nothing is published: whatever carries a number is a fault.
    let tracker = Tracker::new(connections, 1);
    for (number, client) in clients.into_iter().enumerate() {
        spawn(client, number, Acks::Never, Rc::clone(&tracker), faults.clone());
    }
    let idle = async {
        sleep(settle).await;
        let (cpu, start) = (CpuTime::of_process(pid)?, Instant::now());
        sleep(plan.measure).await;
        let cpu_us = CpuTime::of_process(pid)?.since(cpu);
        anyhow::Ok(Figures::from([
            (KIB_PER_CONNECTION, (resident_kib(pid)? - before) / connections as f64),
            ("server_cpu_percent", cpu_us / start.elapsed().as_secs_f64() / 1e4),
            ("logins_per_s", connections as f64 / connecting_s),
        ]))
    };
    tokio::select! {
        figures = idle => figures,
        Some(fault) = fault.recv() => Err(fault),
    }
}
