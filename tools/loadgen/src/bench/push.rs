//! Offline push: messages over REST to users who are away, each with a device, and what a push costs the server beyond
//! what the message costs. Beside it the bare HTTP client, sending the same bytes to the same counterpart.

pub(super) mod services;

use std::cell::Cell;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::services::{Service, ServiceName};
use super::target::{Kind, Target, user_name};
use super::{Figures, Plan};
use crate::push_client::recorded;
use crate::server::Server;
use crate::stentor::chat::Backend;
use crate::usage::CpuTime;
use crate::wire::http::HttpConnection;

/// Receivers, each with one device.
const USERS: usize = 500;

/// Receivers of one request.
const AT_ONCE: usize = 20;

/// Requests at once.
const WRITERS: usize = 4;

/// Pushes that have not come: no more is sent while there are so many, so that a queue does not grow.
const OUTSTANDING: usize = 400;

/// How long pushes may be on their way when nothing is sent any more.
const LATE: Duration = Duration::from_secs(20);

const TEXT: usize = 128;

/// CPU of a push, in microseconds: of the server, what it costs more than the message without push.
const CPU_PER_PUSH: &str = "cpu_us_per_push";

pub(super) async fn measure(plan: &Plan, name: ServiceName, kind: Kind) -> anyhow::Result<Figures> {
    let service = Rc::new(Service::start(name).await?);
    let figures = match kind {
        Kind::Plain => bare(plan, &service).await,
        _ => stentor(plan, &service).await,
    };
    let problems = service.counterpart().problems();
    if let Some(problem) = problems.first() {
        bail!("{} requests were not as they should be: {problem}", problems.len());
    }
    figures
}

/// The client alone, with a request of the server's.
async fn bare(plan: &Plan, service: &Service) -> anyhow::Result<Figures> {
    let counterpart = service.counterpart();
    let request = {
        let (target, backend) = start(plan, service, true, 1).await?;
        let mut connection = HttpConnection::open(target.server.address).await?;
        connection.expect_ok(&backend.token().post("messages/users", &message(0, 1))).await?;
        let came = counterpart.wait_for(1, LATE).await.context("no push came")?;
        // Access tokens are asked for first, where there are any.
        let came = came.into_iter().rfind(|one| service.is_push(one));
        match came {
            Some(came) => came,
            None => {
                let all = counterpart.wait_for(2, LATE).await.context("no push came")?;
                all.into_iter().rfind(|one| service.is_push(one)).context("no push came")?
            }
        }
    };
    let file = plan.out.join("push.json");
    std::fs::write(&file, recorded(&counterpart.url(), counterpart.certificate(), &request).to_string())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("push-client").arg(&file);
    let log = plan.out.join("push-client.log");
    // The counterpart has to answer while it starts.
    let cores = plan.cores;
    let started = tokio::task::spawn_blocking(move || cores.on_server_core(|| Server::start(&mut command, &log)));
    let client = started.await??;
    let window = window(plan, client.pid(), || counterpart.count()).await?;
    let bytes = request.body.len() as f64;
    Ok(Figures::from([
        (CPU_PER_PUSH, window.cpu_us / window.count),
        ("pushes_per_s", window.count / window.seconds),
        ("body_bytes", bytes),
    ]))
}

async fn stentor(plan: &Plan, service: &Rc<Service>) -> anyhow::Result<Figures> {
    let without = {
        let (target, backend) = start(plan, service, false, USERS).await?;
        let sent = Rc::new(Cell::new(0));
        let done = Rc::clone(&sent);
        load(plan, &target, &backend, &sent, move || done.get()).await?
    };
    let (target, backend) = start(plan, service, true, USERS).await?;
    let sent = Rc::new(Cell::new(0));
    let came = Rc::clone(service);
    let with = load(plan, &target, &backend, &sent, move || came.counterpart().count()).await?;
    let all_came = async {
        while service.pushes() < sent.get() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LATE, all_came).await.with_context(|| format!("{} of {} pushes came", service.pushes(), sent.get()))?;
    sleep(Duration::from_millis(100)).await;
    ensure!(service.pushes() == sent.get(), "{} pushes came, {} were due", service.pushes(), sent.get());
    let (total, message) = (with.cpu_us / with.count, without.cpu_us / without.count);
    Ok(Figures::from([
        (CPU_PER_PUSH, total - message),
        ("cpu_us_with_message", total),
        ("cpu_us_per_message", message),
        ("pushes_per_s", with.count / with.seconds),
        ("server_cpu_percent", with.cpu_us / with.seconds / 1e4),
    ]))
}

/// A server with users who are away, each with a device if there is push.
async fn start(plan: &Plan, service: &Service, push: bool, users: usize) -> anyhow::Result<(Target, Backend)> {
    let lines = service.config(&plan.out)?;
    let target = Target::start_with_push(plan, None, push.then_some(lines.as_str()))?;
    let mut backend = Backend::open(target.server.address).await?;
    let made = if push { Some(backend.post("notifiers", &service.certificate()).await?) } else { None };
    for number in 0..users {
        let user = user_name(number);
        backend.user_token(&user).await?;
        if let Some(made) = &made {
            let token = service.token(number, made)?;
            backend.bind(&user, "phone", service.name, &token).await?;
        }
        // What the message says is in the push.
        backend.put(&format!("users/{user}"), &json!({"notification_display_style": 1})).await?;
    }
    Ok((target, backend))
}

/// A text to `many` users from this one on.
fn message(from: usize, many: usize) -> serde_json::Value {
    let users: Vec<_> = (0..many).map(|number| user_name((from + number) % USERS)).collect();
    json!({"from": "backend", "to": users, "type": "txt", "body": {"msg": "x".repeat(TEXT)}})
}

/// Sends as fast as things are done, and measures meanwhile.
async fn load(
    plan: &Plan,
    target: &Target,
    backend: &Backend,
    sent: &Rc<Cell<usize>>,
    done: impl Fn() -> usize + Clone + 'static,
) -> anyhow::Result<Window> {
    let stop = Rc::new(Cell::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let mut connection = HttpConnection::open(target.server.address).await?;
        let (token, sent, done, stop) = (backend.token().clone(), Rc::clone(sent), done.clone(), Rc::clone(&stop));
        writers.spawn_local(async move {
            let mut next = writer * USERS / WRITERS;
            while !stop.get() {
                if sent.get() > done() + OUTSTANDING {
                    sleep(Duration::from_millis(1)).await;
                    continue;
                }
                connection.expect_ok(&token.post("messages/users", &message(next, AT_ONCE))).await?;
                sent.set(sent.get() + AT_ONCE);
                next += AT_ONCE;
            }
            anyhow::Ok(())
        });
    }
    let window = tokio::select! {
        window = window(plan, target.server.pid(), &done) => window?,
        Some(ended) = writers.join_next() => return ended?.and(Err(anyhow::anyhow!("a writer ended"))),
    };
    stop.set(true);
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    Ok(window)
}

/// What was measured between two instants.
struct Window {
    count: f64,
    seconds: f64,
    cpu_us: f64,
}

async fn window(plan: &Plan, pid: u32, done: impl Fn() -> usize) -> anyhow::Result<Window> {
    sleep(plan.warm_up).await;
    let (cpu, start, before) = (CpuTime::of_process(pid)?, Instant::now(), done());
    sleep(plan.measure).await;
    let count = (done() - before) as f64;
    ensure!(count > 0.0, "nothing came in the measured time");
    Ok(Window { count, seconds: start.elapsed().as_secs_f64(), cpu_us: CpuTime::of_process(pid)?.since(cpu) })
}
