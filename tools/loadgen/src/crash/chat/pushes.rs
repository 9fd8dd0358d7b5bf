//! Knows which pushes have to come, and sees which do.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::roster;
use crate::crash::counts::Pushes;
use crate::crash::oracle::{Mailbox, Number, Oracle, Place};

/// For so long after it was decided a push is sent without another look (`docs/push.md`, "In time"), and as long as that
/// it may be on its way: whoever has acked for longer must not be told.
const MAY_BE_LATE: Duration = Duration::from_millis(3000);

/// There is one push for each message and device.
type Key = (Number, Mailbox);

/// How a try was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    None,
    Taken,
    /// Another answer than 200, or the connection was cut.
    Failed,
}

/// A push that came.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    push: Push,
    answer: Answer,
    /// In which life of the server.
    life: u64,
}

/// What a push says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Push {
    /// The same for every try.
    id: String,
    token: String,
    title: String,
    content: String,
    message_id: u64,
    from: String,
    group: Option<String>,
}

/// A try, until it is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try {
    key: Key,
    pub(super) number: Number,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct PushLog {
    /// Those that have to come, with the message ID that they must have.
    owed: HashMap<Key, u64>,
    /// Of these, those that no answer of ours has taken yet.
    missing: HashSet<Key>,
    came: HashMap<Key, Came>,
    /// The lengths of the texts of messages behind their numbers, where that is not 0.
    lengths: HashMap<Number, usize>,
    /// Since when it is certain that a user has acked a message.
    acked: HashMap<(Number, &'static str), Instant>,
    /// How often the server was started again.
    life: u64,
    /// When the last one came.
    pub(super) last: Option<Instant>,
    pub(super) counts: Pushes,
    pub(super) violations: Vec<String>,
}

impl PushLog {
    /// A message is about to be sent, with so much behind its number and colon.
    pub(super) fn says(&mut self, number: Number, text: &str) {
        let length = text.split_once(':').map_or(0, |(_, padding)| padding.len());
        if length > 0 {
            self.lengths.insert(number, length);
        }
    }

    /// A message is durable, and with it what becomes a push to every device of a user who was away, or whose client
    /// does not ack.
    pub(super) fn owe(&mut self, number: Number, user: &str, message_id: u64, acks: bool) {
        if !roster::wants_pushes(user) {
            return;
        }
        for mailbox in roster::mailboxes_of(user) {
            let key = (number, mailbox);
            if self.owed.insert(key, message_id).is_some() {
                continue;
            }
            *if acks { &mut self.counts.owed } else { &mut self.counts.unacked } += 1;
            match self.came.get(&key) {
                None => drop(self.missing.insert(key)),
                Some(came) if came.push.message_id != message_id => {
                    self.violations.push(format!("{key:?} was told with {came:?}, its ID is {message_id}"));
                }
                Some(came) if came.answer != Answer::Taken => drop(self.missing.insert(key)),
                Some(_) => {}
            }
        }
    }

    /// A user has acked messages, durably.
    pub(super) fn acked(&mut self, user: &'static str, numbers: impl IntoIterator<Item = Number>) {
        let now = Instant::now();
        for number in numbers {
            self.acked.entry((number, user)).or_insert(now);
        }
    }

    /// The server is about to be started: what was written to us before comes from its earlier life.
    pub(super) fn starting(&mut self) {
        self.life += 1;
    }

    /// Which life of the server a connection that is accepted now is from.
    pub(super) fn life(&self) -> u64 {
        self.life
    }

    /// A try came over the certificate of this number. `oracle` knows what was sent, `group` is the ID of the group.
    pub(super) fn came(
        &mut self,
        certificate: usize,
        body: &[u8],
        life: u64,
        (oracle, group): (&Oracle, &str),
    ) -> Option<Try> {
        self.last = Some(Instant::now());
        self.counts.came += 1;
        match self.look(certificate, body, (oracle, group)) {
            Ok((key, push)) => {
                self.note(key, push, life);
                Some(Try { key, number: key.0 })
            }
            Err(error) => {
                let body = String::from_utf8_lossy(body);
                self.violations.push(format!("a push that does not make sense: {error:#}: {body}"));
                None
            }
        }
    }

    /// Reads a push and checks all that does not depend on others.
    fn look(&self, certificate: usize, body: &[u8], (oracle, group): (&Oracle, &str)) -> anyhow::Result<(Key, Push)> {
        let body: Value = serde_json::from_slice(body)?;
        let push = Push::read(&body).context("a field is missing")?;
        let user = body["custom"]["t"].as_str().context("no receiver")?;
        let device = push.id.rsplit(':').next().unwrap_or_default();
        let mailbox = roster::find(user, device).with_context(|| format!("{user} has no device {device:?}"))?;
        let (user, device) = roster::device(mailbox);
        ensure!(roster::wants_pushes(user), "{user} wants no pushes");
        ensure!(push.id == format!("{}:{user}:{device}", push.message_id), "the ID has another form");
        ensure!(push.token == token(user, device), "it is another device's token");
        ensure!(certificate == certificate_of(device), "it came over another certificate");
        let (named, text) = push.content.rsplit_once(": ").context("no name before the text")?;
        let number: Number = text.split(':').next().unwrap_or_default().parse().context("no number in the text")?;
        let padding = self.lengths.get(&number).copied().unwrap_or_default();
        ensure!(text == format!("{number}:{}", "p".repeat(padding)), "it says something else than the message");
        let place: Option<Place> = push.group.is_some().then_some(roster::GROUP);
        ensure!(push.group.as_deref().is_none_or(|told| told == group), "another group");
        ensure!(named == push.group.as_deref().unwrap_or(&push.from), "it is called {named}");
        oracle.tells(mailbox, place, &push.from, number, push.message_id)?;
        let acked = self.acked.get(&(number, user)).map(Instant::elapsed);
        if let Some(acked) = acked.filter(|acked| *acked > MAY_BE_LATE) {
            anyhow::bail!("{user} had acked message {number} {} ms ago", acked.as_millis());
        }
        let id = self.owed.get(&(number, mailbox)).copied().unwrap_or(push.message_id);
        ensure!(id == push.message_id, "the ID of the message is {id}");
        Ok(((number, mailbox), push))
    }

    /// Holds a try against those before it.
    fn note(&mut self, key: Key, push: Push, life: u64) {
        let Some(before) = self.came.get_mut(&key) else {
            self.came.insert(key, Came { push, answer: Answer::None, life });
            return;
        };
        if before.push != push {
            self.violations.push(format!("{key:?} came as {:?}, and again as {push:?}", before.push));
            return;
        }
        match before.answer {
            Answer::Failed => {}
            _ if before.life != life => self.counts.repeated += u64::from(before.answer == Answer::Taken),
            Answer::Taken => self.violations.push(format!("{key:?} came again though it was taken and nothing died")),
            Answer::None => self.violations.push(format!("{key:?} came again before it was answered")),
        }
        (before.answer, before.life) = (Answer::None, life);
    }

    /// A try was answered with 200, or not.
    pub(super) fn answered(&mut self, key: Try, taken: bool) {
        let Some(came) = self.came.get_mut(&key.key) else { return };
        came.answer = if taken { Answer::Taken } else { Answer::Failed };
        if taken {
            self.missing.remove(&key.key);
        }
        self.counts.failed += u64::from(!taken);
    }

    /// How many have to come still. Messages that newer ones may have replaced in a full inbox need not be told of.
    pub(super) fn missing(&self, oracle: &Oracle) -> usize {
        self.missing.iter().filter(|(number, mailbox)| !oracle.may_be_gone(*mailbox, *number)).count()
    }

    /// What did not come by now is lost.
    pub(super) fn settle(&mut self, oracle: &Oracle) {
        for (number, mailbox) in std::mem::take(&mut self.missing) {
            if oracle.may_be_gone(mailbox, number) {
                self.counts.replaced += 1;
                continue;
            }
            let (user, device) = roster::device(mailbox);
            let id = self.owed.get(&(number, mailbox)).copied().unwrap_or_default();
            let came = self.came.get(&(number, mailbox)).map(|came| came.answer);
            let what = format!("message {number}, ID {id}; tries came: {came:?}");
            self.violations.push(format!("{device} of {user} was never told of {what}"));
        }
    }
}

impl Push {
    fn read(body: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let custom = &body["custom"];
        Some(Self {
            id: text(&body["id"])?,
            token: text(&body["token"])?,
            title: text(&body["title"])?,
            content: text(&body["content"])?,
            message_id: custom["m"].as_str()?.parse().ok()?,
            from: text(&custom["f"])?,
            group: text(&custom["g"]),
        })
    }
}

/// What a device is known by.
pub(super) fn token(user: &str, device: &str) -> String {
    format!("token of {user}/{device}")
}

/// Which certificate a device is bound with.
pub(super) fn certificate_of(device: &str) -> usize {
    usize::from(device == "phone")
}

#[cfg(test)]
mod tests;
