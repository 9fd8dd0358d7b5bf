//! After the restart, without load: looks into the inboxes of all devices, and of new ones.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;

use super::client::{Client, Resume, Who};
use super::roster::{self, Habit};
use crate::crash::World;
use crate::crash::oracle::{Mailbox, Number};
use crate::crash::verify::{QUIET, QUIET_FOR_SURE};

/// Looks into the inboxes of a user's devices, one after the other; before them into that of a device never seen
/// before, if it has a name.
pub(super) async fn look(
    world: Rc<World>,
    user: &'static str,
    new_device: Option<String>,
    peek: bool,
) -> anyhow::Result<()> {
    let several = roster::mailboxes_of(user).count() > 1;
    if let Some(device) = new_device {
        look_anew(&world, user, device).await?;
    }
    for mailbox in roster::mailboxes_of(user) {
        let idle = matches!(roster::habit(mailbox), Habit::Away | Habit::Mute);
        let acks = !(peek && idle);
        // A session may be continued across the restart, or not: either is fine.
        let session = world.chat.sessions.borrow_mut().remove(&mailbox);
        let mut inbox = look_once(&world, Who::of(mailbox), acks, session, QUIET).await?;
        if acks {
            // What was acked before an orderly logout does not count as missing, but something may have come late.
            let mut late = look_once(&world, Who::of(mailbox), true, None, QUIET).await?;
            world.chat.pushes.borrow_mut().acked(user, inbox.difference(&late).copied());
            inbox.append(&mut late);
        }
        if !world.chat.oracle.borrow().missing(mailbox, &inbox).is_empty() {
            inbox.append(&mut look_once(&world, Who::of(mailbox), acks, None, QUIET_FOR_SURE).await?);
        }
        // What other devices lack fills the inbox, too.
        world.chat.oracle.borrow_mut().settle(mailbox, &inbox, !idle || several);
    }
    Ok(())
}

/// Looks into the inbox of a new device. It acks nothing and does not come back.
async fn look_anew(world: &Rc<World>, user: &'static str, device: String) -> anyhow::Result<()> {
    let others: Vec<Mailbox> = roster::mailboxes_of(user).collect();
    let mailbox = world.chat.oracle.borrow_mut().new_device(format!("{user}/{device}"), &others);
    let who = Who { mailbox, user, device };
    let mut inbox = look_once(world, who.clone(), false, None, QUIET).await?;
    if !world.chat.oracle.borrow().missing(mailbox, &inbox).is_empty() {
        inbox.append(&mut look_once(world, who, false, None, QUIET_FOR_SURE).await?);
    }
    world.chat.oracle.borrow_mut().settle(mailbox, &inbox, true);
    Ok(())
}

/// Logs in, takes what comes, and logs out.
pub(super) async fn look_once(
    world: &Rc<World>,
    who: Who,
    acks: bool,
    session: Option<Resume>,
    quiet: Duration,
) -> anyhow::Result<BTreeSet<Number>> {
    let name = format!("{}/{}", who.user, who.device);
    let client = Client::log_in(world, who, acks, session).await.with_context(|| format!("login of {name}"))?;
    world.chat.oracle.borrow_mut().counts.resumed_across_kill += u64::from(client.resumed());
    client.quiet_for(quiet).await?;
    client.log_out().await?;
    let (received, from_inbox) = client.received();
    if from_inbox != received.len() {
        let what = format!("{name} got {} messages, {from_inbox} of them from the inbox", received.len());
        world.chat.oracle.borrow_mut().violations.push(what);
    }
    Ok(received)
}
