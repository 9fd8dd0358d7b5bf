//! How often each endpoint may be called, per app (chat-api documents, "interface call rate limits"). The table is
//! here once; the configuration and `docs/limits.md` are made from it.

use stentor_core::limits::Rate;

macro_rules! rules {
    ($($(#[doc = $counts:literal])+ $rule:ident $name:ident: $count:literal / $window_ms:literal, $source:literal;)+) => {
        /// A rate of this dialect: calls of one endpoint or of several together, per app.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ChatRule {$(
            $(#[doc = $counts])+
            $rule,
        )+}

        impl ChatRule {
            /// Every rule, in the order of the enum.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$rule),+];

            /// How many there are.
            pub const COUNT: usize = [$(stringify!($rule)),+].len();

            /// Its name in `[apps.chat_limits]`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$rule => stringify!($name),)+}
            }

            /// What it counts.
            #[must_use]
            pub const fn counts(self) -> &'static str {
                match self {$(Self::$rule => concat!($($counts),+),)+}
            }

            /// What the documents allow.
            #[must_use]
            pub const fn default_rate(self) -> Rate {
                match self {$(Self::$rule => Rate { count: $count, window_ms: $window_ms },)+}
            }

            /// Where the number comes from.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self {$(Self::$rule => $source,)+}
            }
        }
    };
}

rules! {
    /// Tokens asked for.
    Tokens chat_tokens_per_second: 300 / 1000, "Chat limits";
    /// Registrations, nicknames and display styles together.
    Registrations chat_registrations_per_second: 100 / 1000, "push settings documents, 2023 (S2)";
    /// Users read, one at a time.
    UserReads chat_user_reads_per_second: 100 / 1000, "Chat limits";
    /// Users listed.
    UserLists chat_user_lists_per_second: 100 / 1000, "Chat limits";
    /// Users deleted, one at a time.
    UserDeletions chat_user_deletions_per_second: 100 / 1000, "Chat limits";
    /// Users deleted, many at a time.
    UserBatchDeletions chat_user_batch_deletions_per_second: 30 / 1000, "Chat limits";
    /// Passwords changed.
    Passwords chat_passwords_per_second: 100 / 1000, "Chat limits";
    /// Users deactivated.
    Deactivations chat_deactivations_per_second: 100 / 1000, "Chat limits";
    /// Users activated.
    Activations chat_activations_per_second: 100 / 1000, "Chat limits";
    /// Users logged out, on every device.
    Disconnects chat_disconnects_per_second: 100 / 1000, "Chat limits";
    /// Users logged out on one device.
    DeviceDisconnects chat_device_disconnects_per_second: 100 / 1000, "Chat limits";
    /// Status of a user.
    UserStatus chat_user_status_per_second: 100 / 1000, "Chat limits";
    /// Counts of the messages that wait for a user.
    OfflineCounts chat_offline_counts_per_second: 100 / 1000, "Chat limits";
    /// Questions whether a message waits for a user.
    OfflineStatus chat_offline_status_per_second: 100 / 1000, "Chat limits";
    /// Lists of a user's devices.
    Resources chat_resources_per_second: 100 / 1000, "Chat limits";
    /// Status of many users.
    UserBatchStatus chat_user_batch_status_per_second: 50 / 1000, "Chat limits";
    /// Global mutes.
    Mutes chat_mutes_per_second: 100 / 1000, "Chat limits";
    /// Contacts.
    Contacts chat_contacts_per_second: 100 / 1000, "Chat limits";
    /// Blocks of users.
    UserBlocks chat_user_blocks_per_second: 50 / 1000, "Chat limits";
    /// User attributes.
    Metadata chat_metadata_per_second: 100 / 1000, "Chat limits";
    /// Presence.
    Presence chat_presence_per_second: 50 / 1000, "Chat limits";
    /// Messages to users: calls.
    UserMessages chat_user_messages_per_second: 100 / 1000, "Chat limits";
    /// Messages to groups: calls.
    GroupMessages chat_group_messages_per_second: 20 / 1000, "Chat limits";
    /// Messages to named members of a group: calls.
    GroupTargeted chat_group_targeted_per_second: 100 / 1000, "Chat limits";
    /// Messages to rooms: calls.
    RoomMessages chat_room_messages_per_second: 20 / 1000, "room message documents (S3)";
    /// Messages taken back: calls.
    Recalls chat_recalls_per_second: 100 / 1000, "Chat limits";
    /// Messages edited.
    Rewrites chat_rewrites_per_second: 100 / 1000, "Chat limits";
    /// Deletions of roaming messages and of conversations, of all users.
    RoamingDeletions chat_roaming_deletions_per_second: 100 / 1000, "Chat limits";
    /// Conversations deleted, by or for each user.
    Conversations chat_conversation_deletions_per_minute: 5 / 60_000, "Chat limits";
    /// Messages of the past, page by page.
    RoamingReads chat_roaming_reads_per_second: 100 / 1000, "our choice";
    /// Downloads of the message history.
    HistoryDownloads chat_history_downloads_per_minute: 10 / 60_000, "Chat limits";
    /// Imported messages.
    Imports chat_imports_per_second: 100 / 1000, "Chat limits";
    /// Files uploaded.
    FileUploads chat_file_uploads_per_second: 100 / 1000, "Chat limits";
    /// Files downloaded.
    FileDownloads chat_file_downloads_per_second: 100 / 1000, "Chat limits";
    /// Rooms listed.
    RoomLists chat_room_lists_per_second: 50 / 1000, "Chat limits";
    /// Rooms created.
    RoomCreations chat_room_creations_per_second: 50 / 1000, "Chat limits";
    /// Lists of the rooms that a user is in.
    JoinedRooms chat_joined_rooms_per_second: 50 / 1000, "Chat limits";
    /// Everything else about rooms.
    Rooms chat_rooms_per_second: 100 / 1000, "Chat limits";
    /// Lists of joined groups.
    GroupLists chat_group_lists_per_second: 50 / 1000, "Chat limits";
    /// Everything else about groups.
    Groups chat_groups_per_second: 100 / 1000, "Chat limits";
    /// Push settings changed.
    PushSettingChanges chat_push_setting_changes_per_second: 100 / 1000, "push settings documents (S2)";
    /// Push settings read.
    PushSettingReads chat_push_setting_reads_per_second: 100 / 1000, "push settings documents (S2)";
    /// Languages of pushes set.
    PushLanguageChanges chat_push_language_changes_per_second: 100 / 1000, "push settings documents (S2)";
    /// Languages of pushes read.
    PushLanguageReads chat_push_language_reads_per_second: 100 / 1000, "push settings documents (S2)";
    /// Templates of pushes made and changed.
    PushTemplateCreations chat_push_template_creations_per_second: 100 / 1000, "push settings documents (S2)";
    /// Templates of pushes read and listed.
    PushTemplateReads chat_push_template_reads_per_second: 100 / 1000, "push settings documents (S2)";
    /// Templates of pushes deleted.
    PushTemplateDeletions chat_push_template_deletions_per_second: 100 / 1000, "push settings documents (S2)";
    /// Templates that users choose for themselves, chosen and read.
    PushTemplateChoices chat_push_template_choices_per_second: 100 / 1000, "push documents";
    /// Devices bound for pushes, and listed.
    PushBindings chat_push_bindings_per_second: 100 / 1000, "push documents";
    /// Nicknames of many users set.
    PushNicknames chat_push_nicknames_per_second: 100 / 1000, "push documents";
    /// Pushes previewed.
    PushPreviews chat_push_previews_per_second: 100 / 1000, "our choice";
    /// The log of pushes read.
    PushLogReads chat_push_log_reads_per_second: 100 / 1000, "our choice";
    /// Direct pushes that wait for what the provider says.
    PushSync chat_push_sync_per_second: 1 / 1000, "instant push documents";
    /// Direct pushes to one user.
    PushAsync chat_push_async_per_second: 200 / 1000, "instant push documents";
    /// Direct pushes to several users: calls.
    PushSingle chat_push_single_per_second: 10 / 1000, "instant push documents";
    /// Direct pushes to the users of labels: calls.
    PushToLabels chat_push_to_labels_per_second: 10 / 1000, "instant push documents";
    /// Direct pushes to everybody: calls.
    PushTasks chat_push_tasks_per_second: 1 / 1000, "instant push documents";
    /// Labels of direct pushes made, read and deleted.
    PushLabels chat_push_labels_per_second: 10 / 1000, "instant push documents";
    /// Users of labels changed and read.
    PushLabelUsers chat_push_label_users_per_second: 30 / 1000, "instant push documents";
    /// Push certificates made, read, changed and deleted.
    Notifiers chat_notifiers_per_second: 100 / 1000, "our choice";
    /// Callbacks listed and sent again.
    Callbacks chat_callbacks_per_second: 100 / 1000, "our choice";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_their_window_and_differ() {
        let mut names = std::collections::BTreeSet::new();
        for rule in ChatRule::ALL {
            let ending = if rule.default_rate().window_ms == 1000 { "per_second" } else { "per_minute" };
            assert!(rule.name().ends_with(ending), "{}", rule.name());
            assert!(names.insert(rule.name()), "{}", rule.name());
            assert_eq!(ChatRule::ALL[rule as usize], rule);
        }
    }
}
