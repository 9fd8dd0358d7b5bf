//! Whether a message that found its receiver away is pushed, and to which of the receiver's devices: one function of the
//! message, of what the receiver has set, of the devices and of the time. The table of its cases is in `docs/push.md`.

use super::preferences::{ConversationPush, PushMode, PushPreferences};
use crate::directory::users::QuietHours;
use crate::id::UserId;

/// After a day nobody is told of a message any more (push callback documents), in milliseconds.
pub const EXPIRES_AFTER_MS: u64 = 86_400_000;

/// What of a message matters for its push.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushAsked {
    /// What sort of message it is.
    pub sort: PushSort,
    /// When it was sent: Unix time in milliseconds.
    pub sent_at_ms: u64,
    /// Whom it mentions.
    pub mentions: Mentions,
    /// Its sender wants no push, whatever the receiver has set.
    pub ignore: bool,
    /// Its sender wants the push also at a time at which the receiver wants none.
    pub force: bool,
    /// Which devices its sender means.
    pub filter: DeviceFilter,
}

/// Sorts of messages, as far as pushes tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PushSort {
    /// Something that a person says, to a user or a group.
    #[default]
    Said,
    /// A command for the app, which people do not see.
    Command,
    /// Anything to a room.
    ToRoom,
    /// A recall, an edit, a receipt or a notice.
    News,
}

/// Whom a message mentions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Mentions {
    /// These, perhaps nobody.
    Only(Vec<UserId>),
    /// Everybody.
    All,
    /// Nothing is said of it.
    #[default]
    Unsaid,
}

impl Mentions {
    fn has(&self, user: &UserId) -> bool {
        match self {
            Self::Only(users) => users.contains(user),
            Self::All => true,
            Self::Unsaid => false,
        }
    }
}

/// Which devices a sender means; an empty list of accepted ones means all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceFilter {
    /// Only these devices.
    pub accepted_devices: Vec<String>,
    /// Not these devices.
    pub ignored_devices: Vec<String>,
    /// Only over these certificates.
    pub accepted_notifiers: Vec<String>,
    /// Not over these certificates.
    pub ignored_notifiers: Vec<String>,
}

/// What the receiver has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReceiver {
    /// Who it is.
    pub user: UserId,
    /// For everything.
    pub general: PushPreferences,
    /// For the conversation that the message belongs to.
    pub conversation: ConversationPush,
    /// The hours without pushes, in the way of old.
    pub quiet_hours: Option<QuietHours>,
    /// The receiver ignores the message's group, in the way of old.
    pub ignores_group: bool,
    /// The receiver may not log in.
    pub deactivated: bool,
    /// The receiver does not want to hear from the sender.
    pub blocks_sender: bool,
}

/// When it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushMoment {
    /// Unix time in milliseconds.
    pub now_ms: u64,
    /// The minute of the day in the app's time zone.
    pub local_minute: u16,
    /// The minute of the day in UTC: the hours in the way of old are of UTC.
    pub utc_minute: u16,
}

/// Why a message is not pushed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotPushed {
    /// It is older than a day.
    #[error("expire message")]
    Expired,
    /// It is of a sort that is never pushed.
    #[error("message ignore push")]
    NeverPushed(PushSort),
    /// Its sender wants no push.
    #[error("message ignore push")]
    SenderIgnores,
    /// The receiver is deactivated: it cannot log in to read it. The word is ours.
    #[error("user deactivated")]
    Deactivated,
    /// The receiver does not want to hear from the sender.
    #[error("user ignore push")]
    SenderBlocked,
    /// The receiver wants no pushes, or none of the conversation.
    #[error("user ignore push")]
    ModeNothing,
    /// The receiver wants only what mentions it.
    #[error("user ignore push")]
    NotMentioned,
    /// The receiver wants no pushes at this time.
    #[error("user ignore push")]
    QuietTime,
    /// The receiver has no device that could be told.
    #[error("no push binding")]
    NoBinding,
    /// The sender means none of the receiver's devices.
    #[error("message ignore push")]
    NoDeviceMeant,
}

/// Why a device is not told of a message that is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DeviceLeftOut {
    /// The sender does not mean the device.
    #[error("ignore push device id")]
    Device,
    /// The sender does not mean the certificate.
    #[error("ignore push notifier name")]
    Notifier,
}

/// Whether a message is pushed; to which devices is asked with [`chosen`].
///
/// # Errors
/// The first reason that speaks against it, in the order of the table.
pub fn decide(asked: &PushAsked, receiver: &PushReceiver, moment: PushMoment) -> Result<(), NotPushed> {
    if asked.sort != PushSort::Said {
        return Err(NotPushed::NeverPushed(asked.sort));
    }
    if moment.now_ms.saturating_sub(asked.sent_at_ms) > EXPIRES_AFTER_MS {
        return Err(NotPushed::Expired);
    }
    if receiver.deactivated {
        return Err(NotPushed::Deactivated);
    }
    if receiver.blocks_sender {
        return Err(NotPushed::SenderBlocked);
    }
    if asked.ignore {
        return Err(NotPushed::SenderIgnores);
    }
    match receiver.mode() {
        PushMode::All => {}
        PushMode::Mentions if asked.mentions.has(&receiver.user) => {}
        PushMode::Mentions => return Err(NotPushed::NotMentioned),
        PushMode::Nothing => return Err(NotPushed::ModeNothing),
    }
    if !asked.force && receiver.is_quiet(moment) {
        return Err(NotPushed::QuietTime);
    }
    Ok(())
}

/// Whether a device, bound with a certificate, is among those that the sender means.
///
/// # Errors
/// Why it is not.
pub fn chosen(filter: &DeviceFilter, device: &str, notifier: &str) -> Result<(), DeviceLeftOut> {
    let means = |accepted: &[String], ignored: &[String], name: &str| {
        let is = |other: &String| other == name;
        (accepted.is_empty() || accepted.iter().any(is)) && !ignored.iter().any(is)
    };
    if !means(&filter.accepted_devices, &filter.ignored_devices, device) {
        return Err(DeviceLeftOut::Device);
    }
    if !means(&filter.accepted_notifiers, &filter.ignored_notifiers, notifier) {
        return Err(DeviceLeftOut::Notifier);
    }
    Ok(())
}

impl PushReceiver {
    /// What is wanted of the conversation: its own mode, that of old, that of everything, all.
    fn mode(&self) -> PushMode {
        let of_old = self.ignores_group.then_some(PushMode::Nothing);
        self.conversation.mode.or(of_old).or(self.general.mode).unwrap_or(PushMode::All)
    }

    /// All times without pushes together: one is enough.
    fn is_quiet(&self, moment: PushMoment) -> bool {
        let lasts = |until_ms: Option<u64>| until_ms.is_some_and(|until_ms| until_ms > moment.now_ms);
        self.general.quiet.is_some_and(|quiet| quiet.contains(moment.local_minute))
            || lasts(self.general.quiet_until_ms)
            || lasts(self.conversation.quiet_until_ms)
            || self.quiet_hours.is_some_and(|hours| hours.contain(moment.utc_minute))
    }
}

impl QuietHours {
    /// Whether a minute of the day is in them. From an hour to the same is the whole day.
    #[must_use]
    pub fn contain(self, minute: u16) -> bool {
        let hours = super::DailyInterval::new(u16::from(self.from) * 60, u16::from(self.to) * 60);
        self.on && hours.is_some_and(|hours| hours.contains(minute))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::push::DailyInterval;

    const NOW_MS: u64 = 1_700_000_000_000;
    const NOON: PushMoment = PushMoment { now_ms: NOW_MS, local_minute: 720, utc_minute: 720 };

    fn user(name: &str) -> UserId {
        UserId::from_trusted(name)
    }

    fn receiver() -> PushReceiver {
        PushReceiver {
            user: user("bob"),
            general: PushPreferences::default(),
            conversation: ConversationPush::default(),
            quiet_hours: None,
            ignores_group: false,
            deactivated: false,
            blocks_sender: false,
        }
    }

    fn asked() -> PushAsked {
        PushAsked { sent_at_ms: NOW_MS, ..PushAsked::default() }
    }

    #[test]
    fn what_is_never_pushed() {
        for sort in [PushSort::Command, PushSort::ToRoom, PushSort::News] {
            let asked = PushAsked { sort, force: true, mentions: Mentions::All, ..asked() };
            assert_eq!(decide(&asked, &receiver(), NOON), Err(NotPushed::NeverPushed(sort)));
        }
        let ignored = PushAsked { ignore: true, force: true, ..asked() };
        assert_eq!(decide(&ignored, &receiver(), NOON), Err(NotPushed::SenderIgnores));
        let blocked = PushReceiver { blocks_sender: true, ..receiver() };
        assert_eq!(decide(&PushAsked { force: true, ..asked() }, &blocked, NOON), Err(NotPushed::SenderBlocked));
        let deactivated = PushReceiver { deactivated: true, ..blocked };
        let gone = decide(&PushAsked { force: true, ..asked() }, &deactivated, NOON);
        assert_eq!(gone, Err(NotPushed::Deactivated));
        let at = |age_ms: u64| PushAsked { sent_at_ms: NOW_MS - age_ms, ..asked() };
        assert_eq!(decide(&at(EXPIRES_AFTER_MS), &receiver(), NOON), Ok(()));
        assert_eq!(decide(&at(EXPIRES_AFTER_MS + 1), &receiver(), NOON), Err(NotPushed::Expired));
    }

    #[test]
    fn the_mode_of_the_conversation_comes_first() {
        use PushMode::{All, Mentions as Mentioned, Nothing};
        let not_mentioned = Err(NotPushed::NotMentioned);
        let nothing = Err(NotPushed::ModeNothing);
        for (general, own, of_old, expected) in [
            (None, None, false, Ok(())),
            (Some(All), None, false, Ok(())),
            (Some(Nothing), None, false, nothing),
            (Some(Nothing), Some(All), false, Ok(())),
            (Some(All), Some(Nothing), false, nothing),
            (Some(Mentioned), None, false, not_mentioned),
            (Some(All), Some(Mentioned), false, not_mentioned),
            (None, None, true, nothing),
            (Some(All), None, true, nothing),
            (None, Some(All), true, Ok(())),
        ] {
            let receiver = PushReceiver {
                general: PushPreferences { mode: general, ..PushPreferences::default() },
                conversation: ConversationPush { mode: own, ..ConversationPush::default() },
                ignores_group: of_old,
                ..receiver()
            };
            assert_eq!(decide(&asked(), &receiver, NOON), expected, "{general:?} {own:?} {of_old}");
        }
    }

    #[test]
    fn a_mention_is_of_the_user_or_of_all() {
        let receiver = PushReceiver {
            general: PushPreferences { mode: Some(PushMode::Mentions), ..PushPreferences::default() },
            ..receiver()
        };
        let with = |mentions| decide(&PushAsked { mentions, ..asked() }, &receiver, NOON).is_ok();
        assert!(with(Mentions::All) && with(Mentions::Only(vec![user("alice"), user("bob")])));
        assert!(!with(Mentions::Unsaid) && !with(Mentions::Only(vec![])) && !with(Mentions::Only(vec![user("bo")])));
    }

    #[test]
    fn every_quiet_time_counts_and_force_breaks_it() {
        let quiet = DailyInterval::parse("11:59-12:01");
        let hours = Some(QuietHours { on: true, from: 12, to: 13 });
        let later = Some(NOW_MS + 1);
        let receivers = [
            PushReceiver { general: PushPreferences { quiet, ..PushPreferences::default() }, ..receiver() },
            PushReceiver {
                general: PushPreferences { quiet_until_ms: later, ..PushPreferences::default() },
                ..receiver()
            },
            PushReceiver {
                conversation: ConversationPush { mode: Some(PushMode::All), quiet_until_ms: later },
                ..receiver()
            },
            PushReceiver { quiet_hours: hours, ..receiver() },
        ];
        for receiver in receivers {
            assert_eq!(decide(&asked(), &receiver, NOON), Err(NotPushed::QuietTime), "{receiver:?}");
            assert_eq!(decide(&PushAsked { force: true, ..asked() }, &receiver, NOON), Ok(()), "{receiver:?}");
            let afternoon = PushMoment { now_ms: NOW_MS + 1, local_minute: 780, utc_minute: 780 };
            let sent = PushAsked { sent_at_ms: NOW_MS + 1, ..asked() };
            assert_eq!(decide(&sent, &receiver, afternoon), Ok(()), "{receiver:?}");
        }
        let off = PushReceiver { quiet_hours: Some(QuietHours { on: false, from: 0, to: 0 }), ..receiver() };
        assert_eq!(decide(&asked(), &off, NOON), Ok(()));
    }

    #[test]
    fn a_filter_means_devices_and_certificates() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let filter = |accepted: &[&str], ignored: &[&str]| DeviceFilter {
            accepted_devices: list(accepted),
            ignored_devices: list(ignored),
            ..DeviceFilter::default()
        };
        assert_eq!(chosen(&DeviceFilter::default(), "d1", "n"), Ok(()));
        assert_eq!(chosen(&filter(&["d1"], &[]), "d1", "n"), Ok(()));
        assert_eq!(chosen(&filter(&["d1"], &[]), "d2", "n"), Err(DeviceLeftOut::Device));
        assert_eq!(
            chosen(&filter(&["d1"], &["d1"]), "d1", "n"),
            Err(DeviceLeftOut::Device),
            "what is ignored is not told"
        );
        assert_eq!(chosen(&filter(&[], &["d1"]), "d2", "n"), Ok(()));
        let notifiers = DeviceFilter { ignored_notifiers: list(&["n"]), ..filter(&["d1"], &[]) };
        assert_eq!(chosen(&notifiers, "d1", "n"), Err(DeviceLeftOut::Notifier));
        assert_eq!(chosen(&notifiers, "d1", "m"), Ok(()));
    }

    fn modes() -> impl Strategy<Value = Option<PushMode>> {
        prop::option::of(prop::sample::select(vec![PushMode::All, PushMode::Mentions, PushMode::Nothing]))
    }

    prop_compose! {
        fn any_asked()(
            sort in prop::sample::select(vec![PushSort::Said, PushSort::Said, PushSort::Command, PushSort::ToRoom, PushSort::News]),
            age_ms in prop::sample::select(vec![0, EXPIRES_AFTER_MS, EXPIRES_AFTER_MS + 1]),
            mentioned in any::<bool>(), ignore in any::<bool>(), force in any::<bool>(),
        ) -> PushAsked {
            let mentions = if mentioned { Mentions::Only(vec![user("bob")]) } else { Mentions::Unsaid };
            let sent_at_ms = NOW_MS - age_ms;
            PushAsked { sort, sent_at_ms, mentions, ignore, force, filter: DeviceFilter::default() }
        }
    }

    prop_compose! {
        fn any_receiver()(
            general in modes(), own in modes(),
            from in 0..1440_u16, to in 0..1440_u16, interval in any::<bool>(),
            general_until in prop::option::of(NOW_MS - 2..NOW_MS + 2),
            own_until in prop::option::of(NOW_MS - 2..NOW_MS + 2),
            ignores_group in any::<bool>(), blocks_sender in any::<bool>(), deactivated in prop::bool::weighted(0.1),
        ) -> PushReceiver {
            PushReceiver {
                general: PushPreferences {
                    mode: general,
                    quiet: DailyInterval::new(from, to).filter(|_| interval),
                    quiet_until_ms: general_until,
                    ..PushPreferences::default()
                },
                conversation: ConversationPush { mode: own, quiet_until_ms: own_until },
                ignores_group,
                blocks_sender,
                deactivated,
                ..receiver()
            }
        }
    }

    /// The same as prose has it: pushed if every sentence of the documents allows it.
    fn allowed(asked: &PushAsked, receiver: &PushReceiver, minute: u16) -> bool {
        let mode = match (receiver.conversation.mode, receiver.ignores_group, receiver.general.mode) {
            (Some(own), ..) => own,
            (None, true, _) => PushMode::Nothing,
            (None, false, general) => general.unwrap_or(PushMode::All),
        };
        let wanted = match mode {
            PushMode::All => true,
            PushMode::Nothing => false,
            PushMode::Mentions => asked.mentions == Mentions::Only(vec![user("bob")]),
        };
        let in_interval = receiver.general.quiet.is_some_and(|quiet| {
            let text = quiet.to_string();
            let at = |part: &str| part[..2].parse::<u16>().unwrap() * 60 + part[3..].parse::<u16>().unwrap();
            let (from, to) = (at(&text[..5]), at(&text[6..]));
            // Minute by minute from the beginning to the end, at least a day if they are one.
            let mut minutes = std::iter::successors(Some(from), |minute| Some((minute + 1) % 1440));
            let length = if to > from { to - from } else { 1440 - from + to };
            minutes.by_ref().take(usize::from(length)).any(|other| other == minute)
        });
        let lasts = |until: Option<u64>| until.is_some_and(|until| NOW_MS < until);
        let quiet =
            in_interval || lasts(receiver.general.quiet_until_ms) || lasts(receiver.conversation.quiet_until_ms);
        asked.sort == PushSort::Said
            && NOW_MS - asked.sent_at_ms <= EXPIRES_AFTER_MS
            && !asked.ignore
            && !receiver.blocks_sender
            && !receiver.deactivated
            && wanted
            && (asked.force || !quiet)
    }

    proptest! {
        #[test]
        fn it_is_pushed_if_every_sentence_allows_it(
            asked in any_asked(), receiver in any_receiver(), minute in 0..1440_u16,
        ) {
            let moment = PushMoment { now_ms: NOW_MS, local_minute: minute, utc_minute: minute };
            prop_assert_eq!(decide(&asked, &receiver, moment).is_ok(), allowed(&asked, &receiver, minute));
        }
    }
}
