//! What becomes of a message for each of its receivers, and of each push on the receiver's devices: put together here, written
//! in one step.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use stentor_core::id::{DeviceId, MessageId, RoomId, UserId};
use stentor_core::message::{Message, Target};
use stentor_core::push::decision::EXPIRES_AFTER_MS;
use stentor_core::push::{DeviceLeftOut, PreparedPush, PushBinding, PushRequest};
use stentor_core::records::{RecordKind, encode};
use stentor_core::store::{Change, InboxReader, StoreError};
use stentor_push::Line;

use crate::delivery::{Delivery, Told, write_extras};
use crate::keys::queue_of;
use crate::log::{self, Device, DeviceState, Entry};
use crate::queue::PushQueue;
use crate::sender::{FRESH_MS, HAS_COME};
use crate::translate::Asking;
use crate::words::{PushEnd, Wording};

/// Messages of an inbox that are looked at together.
const PAGE: usize = 100;

/// Why a device is left out that is bound with another certificate, too, which was bound later. Ours.
const OTHER_CERTIFICATE: &str = "told over another certificate";

/// Why a device is left out whose token another one has, too, which was bound later: it was installed anew. Ours.
const OTHER_DEVICE: &str = "told as another device";

/// The line over which a device is told, or why it is not.
pub type Reached = Result<Arc<Line>, String>;

/// What was decided, and is written in one step.
#[derive(Default)]
pub(crate) struct Decided {
    pub(crate) changes: Vec<Change>,
    /// The certificates of the deliveries among them.
    pub(crate) notifiers: HashSet<String>,
    pub(crate) deliveries: u64,
    /// Due records among the changes.
    pub(crate) due: u64,
    /// Counted when it is written.
    reasons: Vec<String>,
}

impl Decided {
    /// A decision to be counted: `pushed`, or why not.
    pub(crate) fn note(&mut self, reason: &str) {
        self.reasons.push(reason.to_owned());
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.notifiers.extend(other.notifiers);
        self.deliveries += other.deliveries;
        self.due += other.due;
        self.reasons.extend(other.reasons);
    }
}

impl PushQueue {
    /// Writes what was decided, in one step, and wakes who sends.
    pub(crate) async fn write(&self, decided: Decided) -> Result<(), StoreError> {
        let Decided { changes, notifiers, deliveries, due, reasons } = decided;
        let intake = &self.0.intake;
        self.0.store().change(self.0.app.id(), changes).await?;
        intake.metrics.waiting("deliveries", intake.deliveries.add(deliveries));
        intake.metrics.waiting("due", intake.due.add(due));
        for reason in reasons {
            intake.metrics.decided(&reason, 1);
        }
        self.wake_senders(&notifiers);
        Ok(())
    }

    /// Decides on a message for those who were away when it was taken. If that was a while ago, some have it by now.
    pub(crate) async fn decide_due(
        &self,
        message: &Message,
        users: &[UserId],
        translated: bool,
    ) -> Result<Decided, StoreError> {
        let (inner, now_ms) = (&self.0, self.0.now_ms());
        if now_ms.saturating_sub(message.id.unix_ms()) <= FRESH_MS {
            return self.decide_message(message, users, translated).await;
        }
        let looked = users.iter().map(|user| inner.node.is_undelivered(&inner.app, user, message.id));
        let looked = join_all(looked).await;
        // A store that fails now says nothing: rather once too often than not at all.
        let waits = |looked: &Result<bool, StoreError>| !matches!(looked, Ok(false));
        let of = |waiting: bool| {
            let pairs = users.iter().zip(&looked).filter(move |(_, looked)| waits(looked) == waiting);
            pairs.map(|(user, _)| user.clone()).collect::<Vec<_>>()
        };
        let mut decided = self.decide_message(message, &of(true), translated).await?;
        let about = About { message, extras: String::new(), now_ms };
        for user in self.undecided(message.id, &of(false)).await? {
            self.hold_back(&about, &user, (HAS_COME.to_owned(), "Gone".to_owned()), &mut decided);
        }
        Ok(decided)
    }

    /// Decides on a message for these receivers; `translated`: it has waited for translations.
    async fn decide_message(
        &self,
        message: &Message,
        users: &[UserId],
        translated: bool,
    ) -> Result<Decided, StoreError> {
        let (inner, mut decided) = (&self.0, Decided::default());
        let mut users = self.undecided(message.id, users).await?;
        if users.is_empty() {
            return Ok(decided);
        }
        let Some(mut wording) = inner.intake.words.read(message) else {
            tracing::error!(app = %inner.app.id(), message = %message.id, "a message is not pushed: it cannot be read");
            return Ok(decided);
        };
        wording.asked.sent_at_ms = message.sent_at_ms;
        let now_ms = inner.now_ms();
        let request = PushRequest {
            asked: &wording.asked,
            from: &message.from,
            group: group_of(message),
            said: wording.said(),
            translations: &wording.translations,
            sender: &wording.sender,
            template: wording.template.as_deref(),
            group_nickname: wording.group_nickname.as_deref(),
            language: inner.intake.words.language(),
        };
        let moment = inner.intake.words.moment(now_ms);
        let mut prepared = inner.node.prepare_pushes(&inner.app, &request, &users, moment).await?;
        let asking = Asking { message, request: &request, moment, waited: translated };
        self.translate(&asking, &mut users, &mut prepared, &mut decided).await?;
        let extras = write_extras(&wording.extensions, wording.custom.as_ref());
        let about = About { message, extras, now_ms };
        let each = users.iter().zip(&prepared);
        let badges = join_all(each.map(|(user, prepared)| self.badge(&wording, user, prepared.as_ref()))).await;
        for ((user, prepared), badge) in users.iter().zip(prepared).zip(badges) {
            self.decide_user(&about, user, prepared.map(|prepared| (prepared, badge)), &mut decided);
        }
        Ok(decided)
    }

    /// Those of the users for whom it was not decided before: a look into an inbox may come before the message's own
    /// record.
    async fn undecided(&self, message: MessageId, users: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let asked = users.iter().map(|user| (user, message));
        let decided = log::decided(self.0.store(), self.0.app.id(), asked).await?;
        Ok(users.iter().zip(decided).filter(|(_, decided)| !decided).map(|(user, _)| user.clone()).collect())
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

    fn decide_user(
        &self,
        about: &About<'_>,
        user: &UserId,
        prepared: Option<(PreparedPush, Option<u32>)>,
        into: &mut Decided,
    ) {
        let why = match prepared {
            Some((prepared, badge)) => match prepared.decision {
                Ok(()) => return self.tell_devices(about, user, (prepared, badge), into),
                Err(why) => (why.to_string(), format!("{why:?}")),
            },
            None => ("no user exist".to_owned(), "NoUser".to_owned()),
        };
        self.hold_back(about, user, why, into);
    }

    /// Nobody is told: for this reason, in the documents' words and in ours.
    fn hold_back(&self, about: &About<'_>, user: &UserId, (reason, detail): (String, String), into: &mut Decided) {
        into.note(&reason);
        let told = about.told(user, "", "");
        // Who has come needs no push: that is no failure.
        if reason != HAS_COME {
            into.changes.extend(self.held_back(&told, None, &reason, about.now_ms));
        }
        let entry = Entry { reason: Some(reason), detail: Some(detail), ..about.entry() };
        into.changes.push(log::put_entry(user.as_str(), about.message.id, entry));
    }

    /// A push for each device that can be reached. If there is none, nobody is told after all.
    fn tell_devices(
        &self,
        about: &About<'_>,
        user: &UserId,
        (prepared, badge): (PreparedPush, Option<u32>),
        into: &mut Decided,
    ) {
        let PreparedPush { text, devices, .. } = prepared;
        let told = Told { badge, ..about.told(user, &text.title, &text.content) };
        let devices = self.reach(devices);
        let reason = match devices.iter().find_map(|(_, reached)| reached.as_ref().err()) {
            Some(reason) if devices.iter().all(|(_, reached)| reached.is_err()) => Some(reason.clone()),
            _ => None,
        };
        into.note(reason.as_deref().unwrap_or("pushed"));
        let detail = reason.as_ref().map(|_| "NoDeviceReached".to_owned());
        let entry = Entry { reason, detail, title: text.title.clone(), content: text.content.clone(), ..about.entry() };
        into.changes.push(log::put_entry(user.as_str(), about.message.id, entry));
        self.deliver(&told, devices, about.now_ms, into);
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
        into: &mut Decided,
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
                    let delivery = Delivery::new(told, &binding, number, now_ms);
                    let key = format!("{}{}", queue_of(&binding.notifier), self.0.intake.numbers.key(now_ms));
                    into.changes.push(Change::Put { kind: RecordKind::PushDelivery, key, value: encode(&delivery) });
                    into.deliveries += 1;
                    into.notifiers.insert(binding.notifier.clone());
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

    /// Decides on what waits in a user's inbox, acked by no device, and was not decided on before.
    pub(crate) async fn decide_inbox(&self, user: &UserId, up_to: MessageId) -> Result<(), StoreError> {
        let (inner, now_ms) = (&self.0, self.0.now_ms());
        // A device that never opened the inbox finds what nobody has acked.
        let reader = InboxReader { app: inner.app.id().clone(), user: user.clone(), device: DeviceId::only() };
        let mut after = MessageId::first_of(now_ms.saturating_sub(EXPIRES_AFTER_MS));
        loop {
            let page = inner.store().inbox_page(&reader, after, up_to, PAGE, now_ms).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let full = page.len() == PAGE;
            let told = |message: &Message| message.from != *user && inner.intake.words.tells(message);
            let messages: Vec<_> = page.into_iter().filter(|message| told(message)).collect();
            let mut all = Decided::default();
            for message in messages {
                all.add(self.decide_message(&message, std::slice::from_ref(user), false).await?);
            }
            if !all.changes.is_empty() {
                self.write(all).await?;
            }
            if !full {
                return Ok(());
            }
        }
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
