//! What became of each push: whether it was decided, what it said, to which devices it went and what the providers
//! answered. Also the memory by which nobody is told of a message twice.
//!
//! Entries stand under the day of their message: `day/user/message`, and the devices of an entry behind it, each with a
//! record of its own, so that senders write without reading.

use minicbor::{Decode, Encode};
use stentor_core::id::{AppId, MessageId, UserId};
use stentor_core::records::{Record, RecordKind, decode, encode};
use stentor_core::store::{Change, Scan, Store, StoreError};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Records that are deleted in one step.
const PAGE: usize = 512;

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DeviceState {
    /// The push waits to be sent, perhaps again.
    #[n(0)]
    Waiting,
    /// A provider has taken it.
    #[n(1)]
    Sent,
    /// The device was not told, and is not going to be.
    #[n(2)]
    LeftOut,
    /// The provider did not take it, and is not asked again.
    #[n(3)]
    Failed,
}

impl DeviceState {
    /// A stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::LeftOut => "left_out",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Entry {
    #[n(0)]
    pub(crate) from: String,
    #[n(1)]
    pub(crate) group: Option<String>,
    #[n(2)]
    pub(crate) at_ms: u64,
    #[n(3)]
    pub(crate) reason: Option<String>,
    #[n(4)]
    pub(crate) detail: Option<String>,
    #[n(5)]
    pub(crate) title: String,
    #[n(6)]
    pub(crate) content: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Device {
    #[n(0)]
    pub(crate) device: String,
    #[n(1)]
    pub(crate) notifier: String,
    #[n(2)]
    pub(crate) provider: Option<String>,
    #[n(3)]
    pub(crate) state: DeviceState,
    #[n(4)]
    pub(crate) reason: Option<String>,
    #[n(5)]
    pub(crate) sent_id: Option<String>,
    #[n(6)]
    pub(crate) attempts: u32,
    #[n(7)]
    pub(crate) at_ms: u64,
}

/// Both stand in one family: an entry comes right before its devices.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum LogRecord {
    #[n(0)]
    Entry(#[n(0)] Entry),
    #[n(1)]
    Device(#[n(0)] Device),
}

impl Record for LogRecord {
    const KIND: RecordKind = RecordKind::PushLog;
}

/// What became of the push of a message to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushLogEntry {
    /// The message.
    pub message: MessageId,
    /// The receiver.
    pub user: UserId,
    /// The sender; empty for a push that no message stands behind.
    pub from: String,
    /// The group.
    pub group: Option<String>,
    /// When it was decided: Unix time in milliseconds.
    pub at_ms: u64,
    /// Why it was held back, in the words of the documents; `None`: it was not.
    pub reason: Option<String>,
    /// The same in ours, more exactly.
    pub detail: Option<String>,
    /// What it says, if it was not held back.
    pub title: String,
    /// What it says, if it was not held back.
    pub content: String,
    /// The receiver's devices.
    pub devices: Vec<PushLogDevice>,
}

/// What became of it on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushLogDevice {
    /// The device, by its own word.
    pub device: String,
    /// The certificate it is bound with.
    pub notifier: String,
    /// The provider; none if there is no such certificate.
    pub provider: Option<String>,
    /// How it stands.
    pub state: DeviceState,
    /// Why: of the last try, or of its end.
    pub reason: Option<String>,
    /// The provider's own ID of it.
    pub sent_id: Option<String>,
    /// How often the provider was asked.
    pub attempts: u32,
    /// When that was written: Unix time in milliseconds.
    pub at_ms: u64,
}

fn day(message: MessageId) -> u64 {
    message.unix_ms() / DAY_MS
}

/// Where the entry of a message to a user stands.
pub(crate) fn entry_key(user: &str, message: MessageId) -> String {
    format!("{:06}/{user}/{:020}", day(message), message.0)
}

/// Where one of its devices stands.
fn device_key(user: &str, message: MessageId, number: u32) -> String {
    format!("{}/{number:04}", entry_key(user, message))
}

pub(crate) fn put_entry(user: &str, message: MessageId, entry: Entry) -> Change {
    Change::Put { kind: RecordKind::PushLog, key: entry_key(user, message), value: encode(&LogRecord::Entry(entry)) }
}

pub(crate) fn put_device(user: &str, message: MessageId, number: u32, device: Device) -> Change {
    let key = device_key(user, message, number);
    Change::Put { kind: RecordKind::PushLog, key, value: encode(&LogRecord::Device(device)) }
}

/// Which of these were decided before, in the order asked.
pub(crate) async fn decided<'a>(
    store: &dyn Store,
    app: &AppId,
    asked: impl Iterator<Item = (&'a UserId, MessageId)>,
) -> Result<Vec<bool>, StoreError> {
    let keys = asked.map(|(user, message)| entry_key(user.as_str(), message)).collect();
    let found = store.read_records(app, RecordKind::PushLog, keys).await?;
    Ok(found.into_iter().map(|found| found.is_some()).collect())
}

/// The log of a message to a user, or of the user's newest messages, up to `limit` entries: the newest first.
pub(crate) async fn read(
    store: &dyn Store,
    app: &AppId,
    user: &UserId,
    message: Option<MessageId>,
    limit: usize,
) -> Result<Vec<PushLogEntry>, StoreError> {
    if let Some(message) = message {
        let found = store.scan_records(app, Scan::of(RecordKind::PushLog, entry_key(user.as_str(), message), PAGE));
        return collect(user, found.await?);
    }
    let mut entries = Vec::new();
    let mut before: Option<String> = None;
    // From the newest day to the oldest: a user is looked for in each.
    while entries.len() < limit {
        let newest = Scan { after: before, backwards: true, ..Scan::of(RecordKind::PushLog, "", 1) };
        let Some((key, _)) = store.scan_records(app, newest).await?.pop() else { break };
        let Some((day, _)) = key.split_once('/') else { break };
        let mut scan = Scan { backwards: true, ..Scan::of(RecordKind::PushLog, format!("{day}/{user}/"), PAGE) };
        loop {
            let mut page = store.scan_records(app, scan.clone()).await?;
            let more = page.len() == PAGE;
            page.reverse();
            if more {
                // What stands before the first entry of the page belongs to one that the next page begins.
                let first = page.iter().position(|(_, value)| matches!(decode(value), Ok(LogRecord::Entry(_))));
                page.drain(..first.unwrap_or(0));
            }
            scan.after = page.first().map(|(key, _)| key.clone());
            let mut found = collect(user, page)?;
            found.reverse();
            entries.append(&mut found);
            if !more || entries.len() >= limit {
                break;
            }
        }
        before = Some(format!("{day}/"));
    }
    entries.truncate(limit);
    Ok(entries)
}

/// Puts devices behind their entries; the records are in the order of their keys.
fn collect(user: &UserId, records: Vec<(String, bytes::Bytes)>) -> Result<Vec<PushLogEntry>, StoreError> {
    let mut entries: Vec<PushLogEntry> = Vec::new();
    for (key, value) in records {
        match decode::<LogRecord>(&value)? {
            LogRecord::Entry(entry) => {
                let Some(message) = key.rsplit('/').next().and_then(|number| number.parse().ok()) else { continue };
                let Entry { from, group, at_ms, reason, detail, title, content } = entry;
                let (message, user, devices) = (MessageId(message), user.clone(), Vec::new());
                entries.push(PushLogEntry {
                    message,
                    user,
                    from,
                    group,
                    at_ms,
                    reason,
                    detail,
                    title,
                    content,
                    devices,
                });
            }
            LogRecord::Device(device) => {
                let Device { device, notifier, provider, state, reason, sent_id, attempts, at_ms } = device;
                if let Some(entry) = entries.last_mut() {
                    let device = PushLogDevice { device, notifier, provider, state, reason, sent_id, attempts, at_ms };
                    entry.devices.push(device);
                }
            }
        }
    }
    Ok(entries)
}

/// Deletes what is of days before `from_ms` (Unix time), in small steps. Resolves to how many records went.
pub(crate) async fn expire(store: &dyn Store, app: &AppId, from_ms: u64) -> Result<u64, StoreError> {
    let first = format!("{:06}/", from_ms / DAY_MS);
    let mut gone = 0;
    loop {
        let page = store.scan_records(app, Scan::of(RecordKind::PushLog, "", PAGE)).await?;
        let old: Vec<_> = page.into_iter().map(|(key, _)| key).take_while(|key| *key < first).collect();
        let count = old.len();
        if count > 0 {
            let delete = |key| Change::Delete { kind: RecordKind::PushLog, key };
            store.change(app, old.into_iter().map(delete).collect()).await?;
            gone += count as u64;
        }
        if count < PAGE {
            return Ok(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use stentor_core::store::RecordStore;
    use stentor_core::store::memory::MemoryStore;

    use super::*;

    fn entry(from: &str) -> Entry {
        Entry {
            from: from.to_owned(),
            group: None,
            at_ms: 5,
            reason: None,
            detail: None,
            title: "t".to_owned(),
            content: "c".to_owned(),
        }
    }

    fn device(name: &str) -> Device {
        Device {
            device: name.to_owned(),
            notifier: "n".to_owned(),
            provider: None,
            state: DeviceState::Sent,
            reason: None,
            sent_id: Some("1".to_owned()),
            attempts: 1,
            at_ms: 6,
        }
    }

    async fn filled(messages: &[(&str, MessageId)], devices: u32) -> (MemoryStore, AppId) {
        let (store, app) = (MemoryStore::default(), AppId::from_trusted("app"));
        for (user, message) in messages {
            let mut changes = vec![put_entry(user, *message, entry("alice"))];
            changes.extend((0..devices).map(|number| put_device(user, *message, number, device(&number.to_string()))));
            store.change(&app, changes).await.expect("written");
        }
        (store, app)
    }

    fn at(day: u64, number: u64) -> MessageId {
        MessageId(MessageId::first_of(1_760_000_000_000 + day * DAY_MS).0 + number)
    }

    #[tokio::test]
    async fn entries_come_newest_first_over_days_and_pages() {
        let bob = UserId::from_trusted("bob");
        let of_bob: Vec<_> = (0..3).flat_map(|day| (0..200).map(move |number| ("bob", at(day, number)))).collect();
        let others = [("boba", at(0, 0)), ("bo", at(1, 1)), ("bob", at(1, 999))];
        let all: Vec<_> = of_bob.iter().chain(&others).copied().collect();
        let (store, app) = filled(&all, 4).await;
        let found = read(&store, &app, &bob, None, 1000).await.expect("reads");
        let mut expected: Vec<_> = of_bob.iter().map(|(_, message)| *message).chain([at(1, 999)]).collect();
        expected.sort();
        expected.reverse();
        assert_eq!(found.iter().map(|entry| entry.message).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|entry| entry.devices.len() == 4 && entry.devices[3].device == "3"));
        assert_eq!(read(&store, &app, &bob, None, 7).await.expect("reads"), found[..7]);

        let one = read(&store, &app, &bob, Some(at(1, 999)), 1).await.expect("reads");
        assert_eq!((one.len(), one[0].devices.len()), (1, 4));
        assert_eq!(read(&store, &app, &bob, Some(at(9, 9)), 1).await.expect("reads"), []);
        let asked = [at(0, 0), at(0, 999), at(2, 199)];
        assert_eq!(
            decided(&store, &app, asked.iter().map(|message| (&bob, *message))).await.expect("reads"),
            [true, false, true]
        );
    }

    #[tokio::test]
    async fn old_days_go_whole() {
        let messages: Vec<_> = (0..3).flat_map(|day| (0..300).map(move |number| ("bob", at(day, number)))).collect();
        let (store, app) = filled(&messages, 1).await;
        let keep_from = at(2, 0).unix_ms();
        assert_eq!(expire(&store, &app, keep_from).await.expect("expires"), 1200);
        assert_eq!(expire(&store, &app, keep_from).await.expect("expires"), 0);
        let bob = UserId::from_trusted("bob");
        assert_eq!(read(&store, &app, &bob, None, 1000).await.expect("reads").len(), 300);
    }
}
