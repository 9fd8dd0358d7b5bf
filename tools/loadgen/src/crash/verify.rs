//! After the restart, without load: look into every inbox, count the history, wait until everybody is gone, and
//! read all events.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::World;
use super::client::Client;
use super::load::pull_once;
use super::oracle::Number;
use super::roster::{self, Habit, REST_SENDERS, USERS, name, rest_name, users};
use crate::stentor::request::{Events, history_count};
use crate::wire::http::HttpConnection;

/// An inbox from which nothing came for so long is taken to be empty; for much longer, if something is missing.
pub(super) const QUIET: Duration = Duration::from_millis(100);
pub(super) const QUIET_FOR_SURE: Duration = Duration::from_secs(3);

/// How long after its grace a user's Logout may take to appear.
const SLOW: Duration = Duration::from_secs(5);

/// What should not come would come by then.
const AFTERWARDS: Duration = Duration::from_millis(30);

pub(super) async fn verify(world: &Rc<World>, rng: &mut Rng) -> anyhow::Result<()> {
    let restarted = Instant::now();
    // Users come back when their old session is over, or in its grace.
    if rng.bool() {
        sleep(world.grace + AFTERWARDS).await;
    }
    // Now and then those who do not ack do not ack here either: their inboxes stay for the next round.
    let peek = rng.u8(..3) == 0;
    let mut looking = JoinSet::new();
    for user in users() {
        looking.spawn_local(look(Rc::clone(world), user, peek));
    }
    while let Some(looked) = looking.join_next().await {
        looked??;
    }
    let mut connection = HttpConnection::open(world.address.get()).await?;
    check_history(world, &mut connection).await?;
    read_events(world, &mut connection, restarted).await
}

/// Looks into a user's inbox until it is understood.
async fn look(world: Rc<World>, user: usize, peek: bool) -> anyhow::Result<()> {
    let habit = USERS[user].1;
    let idle = matches!(habit, Habit::Away | Habit::Mute);
    let acks = !(peek && idle);
    // A session may be continued across the restart, or be gone: either is fine, as long as nothing else is.
    let session = world.sessions.borrow_mut().remove(&user);
    let mut inbox = login_and_look(&world, user, acks, session, QUIET).await?;
    if acks {
        // What was acked before an orderly logout does not count as missing, but something may have come late.
        inbox.append(&mut login_and_look(&world, user, true, None, QUIET).await?);
    }
    if !world.oracle.borrow().missing(user, &inbox).is_empty() {
        inbox.append(&mut login_and_look(&world, user, acks, None, QUIET_FOR_SURE).await?);
    }
    world.oracle.borrow_mut().settle(user, &inbox, !idle);
    Ok(())
}

async fn login_and_look(
    world: &Rc<World>,
    user: usize,
    acks: bool,
    session: Option<Value>,
    quiet: Duration,
) -> anyhow::Result<BTreeSet<Number>> {
    let client =
        Client::log_in(world, user, acks, session).await.with_context(|| format!("login of {}", name(user)))?;
    // Without load, only a session from before the kill is there to be resumed.
    world.oracle.borrow_mut().counts.resumed_across_kill += u64::from(client.resumed());
    client.quiet_for(quiet).await?;
    client.log_out().await?;
    let received = client.received();
    let from_inbox = client.count_from_inbox();
    if from_inbox != received.len() {
        let what = format!("{} got {} messages, {from_inbox} of them from the inbox", name(user), received.len());
        world.oracle.borrow_mut().violations.push(what);
    }
    Ok(received)
}

/// The history holds what was acknowledged, and not more than was sent.
async fn check_history(world: &World, connection: &mut HttpConnection) -> anyhow::Result<()> {
    for number in 0..REST_SENDERS {
        let (sender, name) = (roster::rest(number), rest_name(number));
        let body = connection.expect_ok(&history_count(&name, "")).await.context("counting the history")?;
        let count = serde_json::from_slice::<Value>(&body)?["count"].as_u64().context("no count")?;
        let (least, most) = world.oracle.borrow().history_of(sender);
        if !(least..=most).contains(&count) {
            let what = format!("the history has {count} messages of {name}; {least} to {most} were sent");
            world.oracle.borrow_mut().violations.push(what);
        }
    }
    Ok(())
}

/// Reads events until they say that everybody is gone, and then that nothing more happens.
async fn read_events(world: &World, connection: &mut HttpConnection, restarted: Instant) -> anyhow::Result<()> {
    let grace_over = restarted + world.grace;
    loop {
        pull_all(world, connection).await?;
        let now = Instant::now();
        let (waiting, torn) = {
            let events = world.events.borrow();
            (!events.present().is_empty(), events.is_torn())
        };
        // Once events were lost, only the clock says when all are gone.
        let settled = if torn { now > grace_over + Duration::from_secs(1) } else { !waiting };
        if (settled && now > grace_over) || now > grace_over + SLOW {
            break;
        }
        sleep(AFTERWARDS).await;
    }
    sleep(AFTERWARDS).await;
    pull_all(world, connection).await?;
    world.events.borrow_mut().settle();
    Ok(())
}

async fn pull_all(world: &World, connection: &mut HttpConnection) -> anyhow::Result<()> {
    for kind in [Events::User, Events::Channel] {
        while pull_once(world, connection, kind).await? > 0 {}
    }
    Ok(())
}
