//! What becomes of a message for each of its receivers, and of each push on the receiver's devices: put together here.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use stentor_core::id::{DeviceId, MessageId, RoomId, UserId};
use stentor_core::message::{Message, Target};
use stentor_core::push::decision::EXPIRES_AFTER_MS;
use stentor_core::push::{DeviceLeftOut, PreparedPush, PushBinding, PushRequest};
use stentor_core::store::{Change, InboxReader, StoreError};
use stentor_push::Line;

use crate::claims::Claim;
use crate::delivery::{Delivery, Told, write_extras};
use crate::log::{self, Device, DeviceState, Entry};
use crate::parts::{Decided, Part};
use crate::queue::PushQueue;
use crate::standing::{FRESH_MS, HAS_COME, Standing};
use crate::translate::Asking;
use crate::words::{PushEnd, Wording};

/// Messages of an inbox that are looked at together.
const PAGE: usize = 100;

/// Messages of an inbox that are decided on together: others wait for the translator's time at most.
const SLICE: usize = 16;

/// Why a device is left out that is bound with another certificate, too, which was bound later. Ours.
const OTHER_CERTIFICATE: &str = "told over another certificate";

/// Why a device is left out whose token another one has, too, which was bound later: it was installed anew. Ours.
const OTHER_DEVICE: &str = "told as another device";

/// The line over which a device is told, or why it is not.
pub type Reached = Result<Arc<Line>, String>;

/// When a message is decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// For the first time: a translator may be asked.
    First,
    /// After it has waited for translations.
    Translated,
    /// It was edited since: what the translator said is of another text, and it is not asked again.
    Edited,
}

impl PushQueue {
    /// Decides on a message for those who were away when it was taken. If that was a while ago, some have it by now.
    pub(crate) async fn decide_due(
        &self,
        message: &Message,
        users: &[UserId],
        translated: bool,
    ) -> Result<Decided, StoreError> {
        let turn = if translated { Turn::Translated } else { Turn::First };
        let (inner, now_ms) = (&self.0, self.0.now_ms());
        if now_ms.saturating_sub(message.id.unix_ms()) <= FRESH_MS {
            return self.decide_message(message, users, turn).await;
        }
        let looked = join_all(users.iter().map(|user| inner.standing(user, message.id))).await;
        let (mut waits, mut gone, mut newest) = (Vec::new(), Vec::new(), None);
        for (user, standing) in users.iter().zip(looked) {
            match standing {
                Standing::Waits(message) => {
                    waits.push(user.clone());
                    newest = newest.or(message);
                }
                Standing::Gone(reason) => gone.push((user, reason)),
            }
        }
        let edited = newest.filter(|newest| newest.marks.edits != message.marks.edits);
        let mut decided = match edited {
            Some(newest) => self.decide_message(&newest, &waits, Turn::Edited).await?,
            None => self.decide_message(message, &waits, turn).await?,
        };
        let about = About { message, extras: String::new(), now_ms };
        let all: Vec<_> = gone.iter().map(|(user, _)| (*user).clone()).collect();
        let claim = self.undecided(message.id, &all).await?;
        for (user, reason) in gone.into_iter().filter(|(user, _)| claim.users.contains(user)) {
            let detail = if reason == HAS_COME { "Gone" } else { "InboxFull" };
            decided.parts.push(self.hold_back(&about, user, (reason.to_owned(), detail.to_owned())));
        }
        decided.claims.push(claim);
        Ok(decided)
    }

    /// Decides on a message for these receivers.
    async fn decide_message(&self, message: &Message, users: &[UserId], turn: Turn) -> Result<Decided, StoreError> {
        let (inner, mut decided) = (&self.0, Decided::default());
        let claim = self.undecided(message.id, users).await?;
        let mut users = claim.users.clone();
        decided.claims.push(claim);
        if users.is_empty() {
            return Ok(decided);
        }
        let Some(wording) = self.read(message) else { return Ok(decided) };
        let (now_ms, request) = (inner.now_ms(), self.request(message, &wording));
        let moment = inner.intake.words.moment(now_ms);
        let mut prepared = inner.node.prepare_pushes(&inner.app, &request, &users, moment).await?;
        if turn != Turn::Edited {
            let asking = Asking { message, request: &request, moment, waited: turn == Turn::Translated };
            self.translate(&asking, &mut users, &mut prepared, &mut decided).await?;
        }
        let extras = write_extras(&wording.extensions, wording.custom.as_ref());
        let about = About { message, extras, now_ms };
        let each = users.iter().zip(&prepared);
        let badges = join_all(each.map(|(user, prepared)| self.badge(&wording, user, prepared.as_ref()))).await;
        for ((user, prepared), badge) in users.iter().zip(prepared).zip(badges) {
            decided.parts.push(self.decide_user(&about, user, prepared.map(|prepared| (prepared, badge))));
        }
        Ok(decided)
    }

    fn read(&self, message: &Message) -> Option<Wording> {
        let Some(mut wording) = self.0.intake.words.read(message) else {
            let app = self.0.app.id();
            tracing::error!(%app, message = %message.id, "a message is not pushed: it cannot be read");
            return None;
        };
        wording.asked.sent_at_ms = message.sent_at_ms;
        Some(wording)
    }

    fn request<'a>(&self, message: &'a Message, wording: &'a Wording) -> PushRequest<'a> {
        PushRequest {
            asked: &wording.asked,
            from: &message.from,
            group: group_of(message),
            said: wording.said(),
            translations: &wording.translations,
            sender: &wording.sender,
            template: wording.template.as_deref(),
            group_nickname: wording.group_nickname.as_deref(),
            language: self.0.intake.words.language(),
        }
    }

    /// Words a push anew that waits to be sent: its message was edited. Whether it could be read.
    pub(crate) async fn word_again(
        &self,
        message: &Message,
        user: &UserId,
        delivery: &mut Delivery,
    ) -> Result<bool, String> {
        let (inner, users) = (&self.0, std::slice::from_ref(user));
        let Some(wording) = self.read(message) else { return Ok(false) };
        let (request, moment) = (self.request(message, &wording), inner.intake.words.moment(inner.now_ms()));
        // A store that fails now says nothing: the old text goes then, rather than none. No translator is asked again.
        let Ok(mut prepared) = inner.node.prepare_pushes(&inner.app, &request, users, moment).await else {
            return Ok(false);
        };
        let Some(PreparedPush { decision, text, .. }) = prepared.pop().flatten() else { return Ok(false) };
        decision.map_err(|why| why.to_string())?;
        (delivery.title, delivery.content, delivery.edits) = (text.title, text.content, message.marks.edits);
        delivery.extras = write_extras(&wording.extensions, wording.custom.as_ref());
        Ok(true)
    }

    /// Those of the users for whom it was not decided before, and is not now: a look into an inbox may come before the
    /// message's own record.
    async fn undecided(&self, message: MessageId, users: &[UserId]) -> Result<Claim, StoreError> {
        let mut claim = self.0.deciding.claim(message, users);
        let asked = claim.users.iter().map(|user| (user, message));
        let decided = log::decided(self.0.store(), self.0.app.id(), asked).await?;
        claim.keep(decided.into_iter().map(|decided| !decided));
        Ok(claim)
    }

    /// What stands at the app's icon: what the sender says, or how many messages wait for the user (push documents: the
    /// number of offline messages). Nothing if the user is not told, or the store does not say.
    async fn badge(&self, wording: &Wording, user: &UserId, prepared: Option<&PreparedPush>) -> Option<u32> {
        prepared.filter(|prepared| prepared.decision.is_ok())?;
        if wording.badge.is_some() {
            return wording.badge;
        }
        let waiting = self.0.node.offline_messages(&self.0.app, user).await.ok()?;
        u32::try_from(waiting).ok()
    }

    fn decide_user(&self, about: &About<'_>, user: &UserId, prepared: Option<(PreparedPush, Option<u32>)>) -> Part {
        let why = match prepared {
            Some((prepared, badge)) => match prepared.decision {
                Ok(()) => return self.tell_devices(about, user, (prepared, badge)),
                Err(why) => (why.to_string(), format!("{why:?}")),
            },
            None => ("no user exist".to_owned(), "NoUser".to_owned()),
        };
        self.hold_back(about, user, why)
    }

    /// Nobody is told: for this reason, in the documents' words and in ours.
    fn hold_back(&self, about: &About<'_>, user: &UserId, (reason, detail): (String, String)) -> Part {
        let mut part = Part { reason: Some(reason.clone()), ..Part::default() };
        let told = about.told(user, "", "");
        // Who has come needs no push: that is no failure.
        if reason != HAS_COME {
            part.changes.extend(self.held_back(&told, None, &reason, about.now_ms));
        }
        let entry = Entry { reason: Some(reason), detail: Some(detail), ..about.entry() };
        part.changes.push(log::put_entry(user.as_str(), about.message.id, entry));
        part
    }

    /// A push for each device that can be reached. If there is none, nobody is told after all.
    fn tell_devices(&self, about: &About<'_>, user: &UserId, (prepared, badge): (PreparedPush, Option<u32>)) -> Part {
        let PreparedPush { text, devices, .. } = prepared;
        let told = Told { badge, edits: about.message.marks.edits, ..about.told(user, &text.title, &text.content) };
        let devices = self.reach(devices);
        let reason = match devices.iter().find_map(|(_, reached)| reached.as_ref().err()) {
            Some(reason) if devices.iter().all(|(_, reached)| reached.is_err()) => Some(reason.clone()),
            _ => None,
        };
        let mut part = Part { reason: Some(reason.clone().unwrap_or_else(|| "pushed".to_owned())), ..Part::default() };
        let detail = reason.as_ref().map(|_| "NoDeviceReached".to_owned());
        let entry = Entry { reason, detail, title: text.title.clone(), content: text.content.clone(), ..about.entry() };
        part.changes.push(log::put_entry(user.as_str(), about.message.id, entry));
        self.deliver(&told, devices, about.now_ms, &mut part);
        part
    }

    /// Over which line each device is reached, or why it is not, in the order of the bindings. A device is told once,
    /// however many certificates it is bound with, and so is a token: over the one that was bound last of those that are
    /// there.
    #[must_use]
    pub fn reach(&self, devices: Vec<(PushBinding, Result<(), DeviceLeftOut>)>) -> Vec<(PushBinding, Reached)> {
        let (mut told, mut tokens) = (HashSet::new(), HashSet::new());
        let mut reach = |(binding, meant): (PushBinding, Result<(), DeviceLeftOut>)| {
            let PushBinding { device, notifier, token, .. } = &binding;
            let token = (notifier.clone(), token.clone());
            let reached = match meant {
                Ok(()) if told.contains(device) => Err(OTHER_CERTIFICATE.to_owned()),
                Ok(()) if tokens.contains(&token) => Err(OTHER_DEVICE.to_owned()),
                Ok(()) => self.0.routes.route(notifier).line().map_err(str::to_owned),
                Err(left_out) => Err(left_out.to_string()),
            };
            if reached.is_ok() {
                told.insert(device.clone());
                tokens.insert(token);
            }
            (binding, reached)
        };
        // What was bound last comes last, and goes first.
        let mut devices: Vec<_> = devices.into_iter().rev().map(&mut reach).collect();
        devices.reverse();
        devices
    }

    /// Makes deliveries for those devices that are reached, and notes why the others are not. Returns the former.
    pub(crate) fn deliver(
        &self,
        told: &Told<'_>,
        devices: Vec<(PushBinding, Reached)>,
        now_ms: u64,
        into: &mut Part,
    ) -> Vec<String> {
        let mut reached_devices = Vec::new();
        for (number, (binding, reached)) in devices.into_iter().enumerate() {
            let mut device = Device {
                device: binding.device.clone(),
                notifier: binding.notifier.clone(),
                provider: None,
                state: DeviceState::LeftOut,
                reason: None,
                sent_id: None,
                attempts: 0,
                at_ms: now_ms,
            };
            match reached {
                Ok(line) => {
                    device.state = DeviceState::Waiting;
                    device.provider = Some(line.name().to_owned());
                    into.deliveries.push(Delivery::new(told, &binding, number, now_ms));
                    reached_devices.push(binding.device);
                }
                Err(reason) => {
                    if reason != OTHER_CERTIFICATE && reason != OTHER_DEVICE {
                        into.changes.extend(self.held_back(told, Some(&binding), &reason, now_ms));
                    }
                    device.reason = Some(reason);
                }
            }
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            into.changes.push(log::put_device(told.user, told.message, number, device));
        }
        reached_devices
    }

    pub(crate) fn held_back(
        &self,
        told: &Told<'_>,
        binding: Option<&PushBinding>,
        reason: &str,
        now_ms: u64,
    ) -> Vec<Change> {
        self.0.intake.words.ended(&told.result(binding, PushEnd::HeldBack, reason, now_ms))
    }

    /// Decides on some of what waits in a user's inbox behind `after`, acked by no device, and was not decided on before:
    /// at most [`SLICE`] messages. Also returns where to go on; `None` at the end.
    pub(crate) async fn decide_slice(
        &self,
        user: &UserId,
        after: MessageId,
        up_to: MessageId,
    ) -> Result<(Decided, Option<MessageId>), StoreError> {
        let (inner, now_ms) = (&self.0, self.0.now_ms());
        // A device that never opened the inbox finds what nobody has acked.
        let reader = InboxReader { app: inner.app.id().clone(), user: user.clone(), device: DeviceId::only() };
        let after = after.max(MessageId::first_of(now_ms.saturating_sub(EXPIRES_AFTER_MS)));
        let page = inner.store().inbox_page(&reader, after, up_to, PAGE, now_ms).await?;
        let mut go_on = page.last().filter(|_| page.len() == PAGE).map(|last| last.id);
        let told = |message: &Arc<Message>| message.from != *user && inner.intake.words.tells(message);
        let mut messages: Vec<_> = page.into_iter().filter(told).collect();
        let asked = messages.iter().map(|message| (user, message.id));
        let mut decided = log::decided(inner.store(), inner.app.id(), asked).await?.into_iter();
        messages.retain(|_| !decided.next().unwrap_or_default());
        if messages.len() > SLICE {
            messages.truncate(SLICE);
            go_on = messages.last().map(|last| last.id);
        }
        let users = std::slice::from_ref(user);
        let mut all = Decided::default();
        for decided in join_all(messages.iter().map(|message| self.decide_message(message, users, Turn::First))).await {
            all.add(decided?);
        }
        Ok((all, go_on))
    }
}

fn group_of(message: &Message) -> Option<&RoomId> {
    match &message.to {
        Target::Group(group) | Target::Room(group) => Some(group),
        Target::User(_) => None,
    }
}

/// The message that is decided on.
struct About<'a> {
    message: &'a Message,
    extras: String,
    now_ms: u64,
}

impl About<'_> {
    fn told<'a>(&'a self, user: &'a UserId, title: &'a str, content: &'a str) -> Told<'a> {
        Told {
            user: user.as_str(),
            message: self.message.id,
            from: self.message.from.as_str(),
            group: group_of(self.message).map(RoomId::as_str),
            title,
            content,
            extras: &self.extras,
            sent_at_ms: self.message.sent_at_ms,
            badge: None,
            edits: 0,
            direct: false,
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            from: self.message.from.as_str().to_owned(),
            group: group_of(self.message).map(|group| group.as_str().to_owned()),
            at_ms: self.now_ms,
            reason: None,
            detail: None,
            title: String::new(),
            content: String::new(),
        }
    }
}
