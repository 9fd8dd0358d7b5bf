//! The suite that every engine of the store passes. An engine's tests invoke [`crate::store_conformance_suite!`]
//! with an expression that makes a fresh, empty store, and feed [`random::same_answers`] with random numbers.
//!
//! IDs are unique across apps in every case, as [`crate::id::MessageIds`] makes them.

use std::sync::Arc;

use bytes::Bytes;

use super::{Arrival, Cancelled, InboxReader, Keep, KeepInHistory, KeepInInbox, Store, StoreError};
use crate::id::{AppId, DeviceId, MessageId, RoomId, UserId};
use crate::message::{Marks, Message, Target};

pub mod changing;
pub mod devices;
pub mod events;
pub mod history;
pub mod inbox;
pub mod lifecycle;
pub mod random;
pub mod records;

/// Makes one test of every case of the suite. `$make` is a function without arguments that makes a fresh store:
/// something that dereferences to a [`Store`] and keeps it open until it is dropped.
#[macro_export]
macro_rules! store_conformance_suite {
    ($make:path) => {
        $crate::store_conformance_suite! { @cases $make, inbox:
            pages_are_ordered_by_id, cap_keeps_the_newest_by_id, cap_is_exact_after_scattered_acks,
            cap_refuses_what_is_older_than_all, a_smaller_cap_trims_at_once, users_and_apps_are_apart,
            expired_messages_are_not_read, expire_removes_only_what_is_too_old, a_cancelled_keep_stays_in_the_history,
            keeping_twice_changes_nothing, acks_of_unknown_messages_are_ignored, pages_end_where_they_should,
            a_read_sees_the_writes_before_it, one_message_in_two_inboxes, messages_come_back_unchanged,
            a_list_is_kept_as_one_step, one_step_for_many_inboxes, records_are_kept_with_the_message,
            a_message_for_nobody_is_not_kept,
        }
        $crate::store_conformance_suite! { @cases $make, devices:
            each_device_acks_for_itself, a_new_device_does_not_get_what_was_acked, a_device_that_acks_is_open,
            what_waits_is_what_no_device_has, the_device_that_sent_it_has_it, a_forgotten_device_holds_nothing_up,
            what_a_forgotten_device_had_stays_acked, a_whole_inbox_is_forgotten, the_device_idle_longest_is_forgotten,
            devices_that_are_there_are_not_forgotten, a_new_device_knows_the_acks_of_those_it_replaces,
            devices_of_users_and_apps_are_apart,
        }
        $crate::store_conformance_suite! { @cases $make, events:
            a_transition_brings_its_records,
            a_session_logs_in_and_out_once, a_room_is_joined_and_left_once, a_logout_ends_the_memberships,
            only_open_sessions_join, open_sessions_are_listed_with_their_rooms, transitions_apply_in_order,
            a_pull_takes_at_most_max, queues_are_apart, queues_keep_the_newest, no_event_is_pulled_twice,
        }
        $crate::store_conformance_suite! { @cases $make, history:
            filters_by_sender_and_target, pages_by_offset_limit_and_order, times_are_inclusive,
            old_messages_are_not_found, the_newest_bytes_are_kept, a_keep_without_history_is_not_found,
            inbox_and_history_do_not_depend_on_each_other, apps_have_their_own_history,
            a_conversation_is_found_both_ways, a_target_is_of_one_kind, pages_by_message, hidden_messages_are_not_found,
            hiding_goes_step_by_step, marks_come_back,
        }
        $crate::store_conformance_suite! { @cases $make, changing:
            a_message_is_found_by_its_number, a_withdrawn_message_is_nowhere, what_is_withdrawn_makes_room,
            a_new_payload_is_everywhere, a_message_is_amended_so_often, an_amended_message_counts_its_bytes,
            a_withdrawal_is_kept_with_its_news, an_edit_is_kept_with_its_news,
        }
        $crate::store_conformance_suite! { @cases $make, records:
            a_record_is_written_read_and_removed, several_records_in_the_order_asked, scans_follow_the_bytes,
            scans_go_on_behind_a_key, a_prefix_is_removed_and_counted, what_is_not_as_expected_changes_nothing,
            a_list_of_changes_applies_in_order, apps_and_families_are_apart, records_come_back_unchanged,
        }
        $crate::store_conformance_suite! { @cases $make, lifecycle:
            the_newest_message_never_goes_down, an_empty_store_answers, writes_fail_after_close,
        }
    };
    (@cases $make:path, $module:ident: $($case:ident),+ $(,)?) => {
        mod $module {
            $(#[test]
            fn $case() {
                let store = $make();
                $crate::store::conformance::block_on($crate::store::conformance::$module::$case(&*store));
            })+
        }
    };
}

/// Runs a future on this thread: the suite needs no runtime of the engine's.
///
/// # Panics
/// When the runtime cannot be built.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("no runtime: {error}"),
    }
}

/// Far away: nothing that expires then expires in a test that does not want it.
const NEVER: u64 = 4_000_000_000_000;

/// The time of most reads.
const NOW: u64 = 1_700_000_000_000;

fn app(name: &str) -> AppId {
    AppId::from_trusted(name)
}

fn user(name: &str) -> UserId {
    UserId::from_trusted(name)
}

fn reader(device: &str) -> InboxReader {
    InboxReader { app: app("app"), user: user("reader"), device: DeviceId::from_trusted(device) }
}

fn to_user(id: u64, from: &str, to: &str) -> Arc<Message> {
    message(id, from, Target::User(user(to)))
}

fn to_room(id: u64, from: &str, to: &str) -> Arc<Message> {
    message(id, from, Target::Room(RoomId::from_trusted(to)))
}

fn message(id: u64, from: &str, to: Target) -> Arc<Message> {
    let payload = Bytes::from(format!("payload {id}"));
    Arc::new(Message {
        id: MessageId(id),
        from: user(from),
        to,
        payload,
        sent_at_ms: NOW + id,
        marks: Marks::default(),
    })
}

fn in_inbox(owner: &str, cap: usize, expires_at_ms: u64) -> Option<KeepInInbox> {
    Some(KeepInInbox { users: vec![user(owner)], cap, expires_at_ms, cancelled: Cancelled::default(), had_by: None })
}

/// A keep in the inbox of [`reader`].
fn kept(id: u64, cap: usize) -> Keep {
    let message = to_user(id, "sender", "reader");
    Keep { app: app("app"), message, inbox: in_inbox("reader", cap, NEVER), history: None, changes: Vec::new() }
}

/// A keep in the history of "app".
fn recorded(message: &Arc<Message>) -> Keep {
    let history = Some(KeepInHistory { expires_at_ms: NEVER, max_bytes: u64::MAX, hidden_from: Vec::new() });
    Keep { app: app("app"), message: message.clone(), inbox: None, history, changes: Vec::new() }
}

#[track_caller]
fn ok<T>(outcome: Result<T, StoreError>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("the store failed: {error:?}"),
    }
}

fn ids(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|m| m.id.0).collect()
}

/// The IDs of everything the device has not acked.
async fn unread(store: &dyn Store, device: &str) -> Vec<u64> {
    let page = store.inbox_page(&reader(device), MessageId::ZERO, MessageId::MAX, usize::MAX, NOW);
    ids(&ok(page.await))
}

/// Keeps messages without waiting for each, then waits for all.
async fn keep_all(store: &dyn Store, keeps: impl IntoIterator<Item = Keep>) {
    let queued: Vec<_> = keeps.into_iter().map(|keep| store.keep(keep)).collect();
    for keep in queued {
        ok(keep.await);
    }
}

/// Registers a device that has room.
async fn open(store: &dyn Store, device: &str) {
    let arrival = Arrival { at_ms: NOW, max: usize::MAX, present: Vec::new() };
    ok(store.inbox_open(&reader(device), &arrival).await);
}

/// How many messages wait for the reader.
async fn waiting(store: &dyn Store) -> usize {
    ok(store.inbox_count(&app("app"), &user("reader"), NOW).await)
}

async fn ack(store: &dyn Store, device: &str, acked: impl IntoIterator<Item = u64>) {
    let acked: Vec<_> = acked.into_iter().map(MessageId).collect();
    ok(store.inbox_ack(&reader(device), &acked).await);
}

#[cfg(test)]
mod memory {
    use proptest::prelude::*;

    use crate::store::memory::MemoryStore;

    fn make() -> Box<MemoryStore> {
        Box::default()
    }

    store_conformance_suite!(super::make);

    proptest! {
        #[test]
        fn random_operations_replay(numbers in prop::collection::vec(any::<[u8; 8]>(), 0..80)) {
            let outcome = super::block_on(super::random::same_answers(&*make(), &numbers));
            prop_assert_eq!(outcome, Ok(()));
        }
    }
}
