//! One app as this dialect knows it: its names, its credentials, and what it has.

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use stentor_core::id::UserId;
use stentor_core::limits::{Rate, SlidingWindow, WindowsByKey};
use stentor_core::push::PushLanguage;
use stentor_http_kit::Secret;
use stentor_push_queue::PushQueue;
use stentor_push_queue::certificates::Certificates;

use crate::callbacks::Callbacks;
use crate::error::ChatError;
use crate::push::zone::PushZone;
use crate::rates::ChatRule;

/// For how long the history can be downloaded, in milliseconds: 3 days (history documents).
pub(crate) const HISTORY_DOWNLOAD_MS: u64 = 3 * 86_400_000;

/// One app of the Chat dialect.
#[derive(Debug)]
pub struct ChatApp {
    /// The organisation in the URLs.
    pub org: String,
    /// The app's name in the URLs.
    pub name: String,
    /// The App ID: the other name in the URLs, and that of AccessToken2.
    pub app_id: String,
    /// The App Certificate that AccessToken2 are signed with.
    pub certificate: Option<Secret>,
    /// `client_id` and `client_secret` of `POST token`. Without them nobody gets an app token that way.
    pub client: Option<(String, Secret)>,
    /// What it has.
    pub features: ChatFeatures,
    /// For how long the history can be downloaded, in milliseconds: 3 days (history documents).
    pub history_download_ms: u64,
    /// Its callbacks; `None` where they are not served.
    pub callbacks: Option<Callbacks>,
    /// The queue of its offline pushes; `None` where there is none.
    pub push: Option<PushQueue>,
    /// Its push certificates; `None` where they are not served.
    pub certificates: Option<Certificates>,
    /// Messages may be taken back for so long, in milliseconds: 2 minutes (message documents).
    pub recall_within_ms: u64,
    /// Whether broadcasts are part of the past of rooms: not by default (broadcast documents).
    pub broadcasts_roam: bool,
    /// Whether a user who wants no pushes from 00:00 to 00:00 means never instead of always: the documents say both.
    pub push_midnight_clears: bool,
    /// The time zone of the times at which users want no pushes: no document says which; UTC.
    pub push_zone: PushZone,
    /// The language of what pushes say beside the message, for receivers who have set none that is known.
    pub push_language: PushLanguage,
    /// How large rooms and groups are.
    pub rooms: RoomSizes,
    uuid: String,
    rates: [Option<Rate>; ChatRule::COUNT],
    windows: [Mutex<SlidingWindow>; ChatRule::COUNT],
    /// Of [`ChatRule::Conversations`], which counts for each user.
    conversations: Mutex<WindowsByKey<UserId>>,
}

/// What an app has. Switched off, the API answers as the vendor's does for a feature that was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatFeatures {
    /// Broadcasts to every active room.
    pub broadcast: bool,
    /// Taking messages back.
    pub recall: bool,
    /// Changing messages that were sent.
    pub rewrite: bool,
    /// Messages of the past for clients.
    pub roaming: bool,
    /// Published status, and who is told of it.
    pub presence: bool,
    /// User attributes.
    pub metadata: bool,
    /// Whether anybody may register a user without a token.
    pub open_registration: bool,
}

impl Default for ChatFeatures {
    /// Everything, apart from registration by anybody.
    fn default() -> Self {
        Self {
            broadcast: true,
            recall: true,
            rewrite: true,
            roaming: true,
            presence: true,
            metadata: true,
            open_registration: false,
        }
    }
}

/// How many members rooms and groups have, the owner included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomSizes {
    /// Of a room, at most.
    pub room_users: u64,
    /// Of a room, if its creator does not say.
    pub room_users_default: u64,
    /// Of a group, at most.
    pub group_users: u64,
    /// Of a group, if its creator does not say.
    pub group_users_default: u64,
}

impl Default for RoomSizes {
    /// Rooms 10 000 and 1 000, groups 3 000 and 200 (room and group documents).
    fn default() -> Self {
        Self { room_users: 10_000, room_users_default: 1000, group_users: 3000, group_users_default: 200 }
    }
}

/// Who an app is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The organisation in the URLs.
    pub org: String,
    /// The app's name in the URLs.
    pub name: String,
    /// The App ID.
    pub app_id: String,
}

impl ChatApp {
    /// An app without credentials and with every feature.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let Identity { org, name, app_id } = identity;
        let uuid = app_uuid(&app_key(&org, &name));
        Self {
            uuid,
            org,
            name,
            app_id,
            certificate: None,
            client: None,
            features: ChatFeatures::default(),
            history_download_ms: HISTORY_DOWNLOAD_MS,
            callbacks: None,
            push: None,
            certificates: None,
            recall_within_ms: 120_000,
            broadcasts_roam: false,
            push_midnight_clears: false,
            push_zone: PushZone::default(),
            push_language: PushLanguage::default(),
            rooms: RoomSizes::default(),
            rates: ChatRule::ALL.map(|rule| Some(rule.default_rate())),
            windows: std::array::from_fn(|_| Mutex::default()),
            conversations: Mutex::default(),
        }
    }

    /// The same with another rate; `None` lifts the rule.
    #[must_use]
    pub fn with_rate(mut self, rule: ChatRule, rate: Option<Rate>) -> Self {
        self.rates[rule as usize] = rate;
        self
    }

    /// The App Key, `org#app`: the core knows the app by it.
    #[must_use]
    pub fn key(&self) -> String {
        app_key(&self.org, &self.name)
    }

    /// The app's UUID in replies: made from the App Key, so that it stays.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Takes one call under a rule, at `now_us` (monotonic), or refuses it.
    ///
    /// # Errors
    /// 429, when the rate is used up.
    pub fn limit(&self, rule: ChatRule, now_us: u64) -> Result<(), ChatError> {
        match self.rates[rule as usize] {
            Some(rate) if !self.windows[rule as usize].lock().accept(rate, now_us) => Err(ChatError::reach_limit()),
            _ => Ok(()),
        }
    }

    /// Takes one deletion of a conversation of this user, at `now_us` (monotonic), or refuses it.
    ///
    /// # Errors
    /// 429, when the rate is used up.
    pub fn limit_conversations(&self, user: &UserId, now_us: u64) -> Result<(), ChatError> {
        match self.rates[ChatRule::Conversations as usize] {
            Some(rate) if !self.conversations.lock().accept(user, rate, now_us) => Err(ChatError::reach_limit()),
            _ => Ok(()),
        }
    }
}

/// `org#app`.
#[must_use]
pub fn app_key(org: &str, name: &str) -> String {
    format!("{org}#{name}")
}

fn app_uuid(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // Version 8 (custom), variant 1, as RFC 9562 has it for hashes of one's own.
    format!("{}-{}-8{}-9{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uuid_stays() {
        let uuid = app_uuid("easemob-demo#wang");
        assert_eq!(uuid, app_uuid("easemob-demo#wang"));
        assert_ne!(uuid, app_uuid("easemob-demo#wan"));
        assert_eq!(uuid.len(), 36);
        assert_eq!((&uuid[14..15], &uuid[19..20]), ("8", "9"));
    }
}
