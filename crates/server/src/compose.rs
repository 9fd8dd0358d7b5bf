//! From the configuration's structs to those of the crates.

use stentor_api_chat::app::{Identity, app_key};

use stentor_api_chat::{ChatApp, ChatFeatures, ChatLimits, ChatRule, RoomSizes, any_user, high_types};
use stentor_api_rtm::{
    ChannelMessageType, Customer, EventFields, OfflineResult, RtmApp, RtmLimits, RtmOptions, policy,
};
use stentor_core::app::{
    AppPolicy, BroadcastPolicy, DirectoryPolicy, FilePolicy, HistoryPolicy, InboxPolicy, OverloadPolicy,
    RegisteredRooms, RoomPolicy, SessionPolicy,
};
use stentor_core::limits::Rule;
use stentor_core::push::PushLanguage;
use stentor_files::S3Options;
use stentor_http_kit::Secret;
use stentor_push_queue::PushBounds;

use crate::config::apps::{self, HistoryChannelType};
use crate::config::chat::LanguageWord;
use crate::config::{AppConfig, Config};

mod callbacks;
mod push;

pub(crate) use callbacks::{CallbackRules, callback_rules};
pub(crate) use push::{push_services, translator};

use callbacks::content_type;

/// The core's policy of an app.
pub(crate) fn app_policy(config: &Config, app: &AppConfig) -> AppPolicy {
    let documented = RtmLimits::default();
    let history = HistoryPolicy {
        retention_ms: app.app.history_retention_s.get() * 1000,
        max_bytes: app.app.history_bytes.get(),
    };
    let rates = app.limits.rates();
    let limits = RtmLimits {
        inbox: InboxPolicy { cap: app.app.inbox_messages.size(), retention_ms: app.app.inbox_retention_s.get() * 1000 },
        history: app.features.history.then_some(history),
        rooms: RoomPolicy { echo_to_sender: app.app.echo_channel_messages, ..documented.rooms },
        sessions: SessionPolicy {
            grace_ms: config.server.reconnect_grace_ms.get(),
            ack_timeout_ms: config.server.ack_timeout_ms.get(),
            mailbox_notices: config.gateway.mailbox_notices.size(),
            mailbox_bytes: config.gateway.mailbox_bytes.size(),
            ..documented.sessions
        },
        combined_sends: app.app.combined_send_limit,
        // A rule that is switched off is missing here, and lifted there.
        rates: Rule::ALL
            .iter()
            .map(|rule| (*rule, rates.iter().find(|(set, _)| set == rule).map(|(_, rate)| *rate)))
            .collect(),
        ..documented
    };
    policy(app.app_id(), &limits)
}

/// Where uploaded files are kept.
pub(crate) fn file_store(config: &Config) -> stentor_files::Options {
    let section = &config.files;
    let folder = || config.data_dir().join("files").to_string_lossy().into_owned();
    stentor_files::Options {
        url: section.url.as_ref().map_or_else(folder, |url| url.as_str().to_owned()),
        s3: S3Options {
            endpoint: section.s3_endpoint.clone(),
            region: section.s3_region.clone(),
            access_key_id: section.s3_access_key_id.clone(),
            secret_access_key: section.s3_secret_access_key.as_ref().map(|key| key.expose().to_owned()),
            virtual_hosted: section.s3_virtual_hosted,
        },
        uploads: section.uploads.size(),
    }
}

/// An app as the RTM dialect knows it.
pub(crate) fn rtm_app(app: &AppConfig) -> RtmApp {
    let customer = |customer: &crate::config::names::Customer| Customer {
        id: customer.id.clone(),
        secret: Secret::new(customer.secret.expose()),
    };
    RtmApp {
        app_id: app.app_id().to_owned(),
        certificate: app.app.app_certificate.as_ref().map(|certificate| Secret::new(certificate.expose())),
        customers: app.app.customers.iter().map(customer).collect(),
        options: rtm_options(app),
    }
}

/// The organisation and name of an app, if it has a Chat side.
pub(crate) fn chat_names(app: &AppConfig) -> Option<(&str, &str)> {
    Some((app.app.org_name.as_ref()?.as_str(), app.app.app_name.as_ref()?.as_str()))
}

/// The core's policy of an app's Chat side.
pub(crate) fn chat_policy(config: &Config, app: &AppConfig) -> Option<AppPolicy> {
    let (org, name) = chat_names(app)?;
    let documented = ChatLimits::default();
    let section = &app.chat;
    let history = HistoryPolicy {
        retention_ms: section.history_retention_s.get() * 1000,
        max_bytes: section.history_bytes.get(),
    };
    let limits = ChatLimits {
        inbox: InboxPolicy { cap: section.inbox_messages.size(), retention_ms: section.inbox_retention_s.get() * 1000 },
        history: app.features.roaming.then_some(history),
        devices: section.devices.size(),
        recalls_within_ms: app.features.recall.then(|| section.recall_within_s.get() * 1000),
        edits: documented.edits.filter(|_| app.features.rewrite),
        directory: DirectoryPolicy {
            users: Some(section.users.get()).filter(|users| *users > 0),
            contacts: section.contacts.size(),
            blocks: section.user_blocks.size(),
            profile_bytes: section.attribute_bytes.get(),
            profiles_bytes: section.attribute_bytes_total.get(),
            statuses: app.features.presence,
            files: FilePolicy {
                file_bytes: section.file_bytes.get(),
                files_bytes: section.files_bytes.get(),
                retention_ms: section.file_retention_s.get() * 1000,
            },
            ..documented.directory
        },
        rooms: RoomPolicy {
            registered: Some(RegisteredRooms {
                rooms_per_user: section.rooms_per_user.size(),
                groups_per_user: section.groups_per_user.size(),
                rooms: section.rooms.get(),
                groups: section.groups.get(),
            }),
            // A session is in the rooms of its user.
            rooms_per_session: section.rooms_per_user.size(),
            replayed: section.room_replay.size(),
            ..documented.rooms
        },
        overload: OverloadPolicy {
            high_senders: section.high_senders.iter().map(|name| any_user(name)).collect(),
            high_content: high_types(section.high_types.iter().map(content_type).collect()),
            room_messages_per_second: section.room_budget_per_second.count(),
            ..documented.overload
        },
        broadcasts: documented.broadcasts.map(|broadcasts| BroadcastPolicy {
            per_second: section.broadcasts_per_second.count(),
            per_minute: section.broadcasts_per_minute.count(),
            per_day: section.broadcasts_per_day.count(),
            ..broadcasts
        }),
        rates: app.chat_limits.core_rates(),
        sessions: SessionPolicy {
            grace_ms: section.room_stay_ms.get(),
            ack_timeout_ms: config.server.ack_timeout_ms.get(),
            mailbox_notices: config.gateway.mailbox_notices.size(),
            mailbox_bytes: config.gateway.mailbox_bytes.size(),
            ..documented.sessions
        },
    };
    Some(stentor_api_chat::policy(&app_key(org, name), &limits))
}

/// An app as the Chat dialect knows it, if it has a Chat side.
pub(crate) fn chat_app(app: &AppConfig) -> Option<ChatApp> {
    let (org, name) = chat_names(app)?;
    let identity = Identity { org: org.to_owned(), name: name.to_owned(), app_id: app.app_id().to_owned() };
    let mut chat = ChatApp::new(identity);
    chat.certificate = app.app.app_certificate.as_ref().map(|certificate| Secret::new(certificate.expose()));
    let client = app.app.client_id.as_ref().zip(app.app.client_secret.as_ref());
    chat.client = client.map(|(id, secret)| (id.clone(), Secret::new(secret.expose())));
    chat.recall_within_ms = app.chat.recall_within_s.get() * 1000;
    chat.push_zone = app.chat.push_time_zone.zone().clone();
    chat.push_language = push_language(app);
    chat.broadcasts_roam = app.chat.broadcasts_roam;
    chat.push_midnight_clears = app.chat.push_midnight_clears;
    chat.history_download_ms = app.chat.history_download_s.get() * 1000;
    chat.features = ChatFeatures {
        broadcast: app.features.broadcast,
        recall: app.features.recall,
        rewrite: app.features.rewrite,
        roaming: app.features.roaming,
        presence: app.features.presence,
        metadata: app.features.metadata,
        open_registration: app.chat.open_registration,
    };
    chat.rooms = RoomSizes {
        room_users: app.chat.room_users.get(),
        room_users_default: app.chat.room_users_default.get().min(app.chat.room_users.get()),
        group_users: app.chat.group_users.get(),
        group_users_default: app.chat.group_users_default.get().min(app.chat.group_users.get()),
    };
    Some(ChatRule::ALL.into_iter().fold(chat, |chat, rule| chat.with_rate(rule, app.chat_limits.rate(rule))))
}

/// The language of what pushes say beside the message.
pub(crate) fn push_language(app: &AppConfig) -> PushLanguage {
    match app.chat.push_language {
        LanguageWord::English => PushLanguage::English,
        LanguageWord::Chinese => PushLanguage::Chinese,
    }
}

/// How much waits in an app's push queue.
pub(crate) fn push_bounds(app: &AppConfig) -> PushBounds {
    PushBounds {
        due: app.chat.push_undecided.get(),
        deliveries: app.chat.push_unsent.get(),
        ack_wait_ms: app.chat.push_ack_wait_ms.get(),
        log_kept_ms: app.chat.push_log_s.get() * 1000,
    }
}

fn rtm_options(app: &AppConfig) -> RtmOptions {
    RtmOptions {
        event_fields: match app.app.event_fields {
            apps::EventFields::Both => EventFields::Both,
            apps::EventFields::Seed => EventFields::Seed,
            apps::EventFields::Current => EventFields::Current,
        },
        offline_result: match app.app.offline_result {
            apps::OfflineResult::Omit => OfflineResult::Omit,
            apps::OfflineResult::Success => OfflineResult::Success,
            apps::OfflineResult::Failed => OfflineResult::Failed,
        },
        channel_message_type: match app.app.history_channel_type {
            HistoryChannelType::GroupMessage => ChannelMessageType::GroupMessage,
            HistoryChannelType::ChannelMessage => ChannelMessageType::ChannelMessage,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::limits::LimitsSection;
    use stentor_core::limits::Rate;

    fn policy_of(text: &str) -> AppPolicy {
        let text = format!("[[apps]]\napp_id = \"970CA35de60c44645bbae8a215061b33\"\n{text}");
        let config = Config::parse("c.toml", &text).unwrap();
        app_policy(&config, &config.apps[0])
    }

    #[test]
    fn the_defaults_are_those_of_the_documents() {
        let ours = policy_of("");
        let documented = policy("970CA35de60c44645bbae8a215061b33", &RtmLimits::default());
        assert_eq!(format!("{ours:?}"), format!("{documented:?}"));
        assert_eq!(LimitsSection::docs().len(), stentor_api_rtm::policy::rules().count());
    }

    #[test]
    fn what_is_set_arrives() {
        let policy = policy_of(
            "inbox_messages = 3\n[apps.limits]\nrtm_peer_messages_per_second = 7\nrtm_channel_messages_per_second = 0\n\
             [apps.features]\nhistory = false\n",
        );
        assert_eq!(policy.inbox.cap, 3);
        assert!(policy.history.is_none());
        assert!(policy.rates.contains(&(Rule::PeerSends, Rate { count: 7, window_ms: 1000 })));
        assert!(policy.rates.iter().all(|(rule, _)| *rule != Rule::RoomSends));
    }

    #[test]
    fn levels_and_message_rates_of_the_chat_side_arrive() {
        let app = "[[apps]]\napp_id = \"970CA35de60c44645bbae8a215061b33\"\norg_name = \"o\"\napp_name = \"a\"\n";
        let policy = |chat: &str| {
            let config = Config::parse("c.toml", &format!("{app}[apps.chat]\n{chat}")).unwrap();
            chat_policy(&config, &config.apps[0]).unwrap()
        };
        let documented = stentor_api_chat::policy("o#a", &ChatLimits::default());
        assert_eq!(policy("").rates, documented.rates, "the defaults are those of the documents");
        assert_eq!(policy("").broadcasts, documented.broadcasts);
        let changed = policy(
            "high_senders = [\"Boss\"]\nhigh_types = [\"custom\"]\nroom_budget_per_second = 7\n\
             broadcasts_per_day = 5\n[apps.chat_limits]\nchat_messages_to_rooms_per_second = 0\n",
        );
        let overload = changed.overload.unwrap();
        assert!(overload.high_senders.contains("boss") && overload.high_content.is_some());
        assert_eq!((overload.room_messages_per_second, changed.broadcasts.unwrap().per_day), (7, 5));
        assert!(changed.rates.iter().all(|(rule, _)| *rule != Rule::RoomSends));
    }
}
