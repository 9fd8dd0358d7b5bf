//! Files that are shared with groups, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use stentor_core::app::RegisteredRooms;
use stentor_core::directory::files::{Blobs, File, FileError, NewFile};
use stentor_core::directory::room_error::RoomError;
use stentor_core::directory::rooms::{NewRoom, RoomKind};
use stentor_core::directory::shared_files::{MAX_SHARED_FILES, ShareError, SharedFile};
use stentor_core::id::RoomId;
use stentor_core::records::{RecordKind, encode};
use stentor_core::store::{Change, RecordStore};

use super::register;
use crate::harness::{World, room_id, user_id, world_with};

/// Takes note of what is deleted.
#[derive(Debug, Default)]
struct Deleted(Mutex<Vec<String>>);

#[async_trait]
impl Blobs for Deleted {
    async fn delete(&self, uuid: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.0.lock().push(uuid.to_owned());
        Ok(())
    }
}

impl Deleted {
    fn in_order(&self) -> Vec<String> {
        let mut uuids = std::mem::take(&mut *self.0.lock());
        uuids.sort();
        uuids
    }
}

/// A group of ann and bob; carol is not in it.
async fn world_with_group() -> (World, RoomId, Arc<Deleted>) {
    let world = world_with(|policy| {
        policy.rooms.registered = Some(RegisteredRooms { rooms_per_user: 9, groups_per_user: 9, rooms: 9, groups: 9 });
        policy.directory.files.files_bytes = 1000;
    })
    .await;
    for user in ["ann", "bob", "carol"] {
        register(&world, user).await;
    }
    let deleted = Arc::new(Deleted::default());
    assert!(world.node.keep_files_in(&world.app, deleted.clone()));
    let group = new_group(&world).await;
    (world, group, deleted)
}

async fn new_group(world: &World) -> RoomId {
    let new = NewRoom {
        kind: RoomKind::Group,
        name: "name".to_owned(),
        description: String::new(),
        owner: user_id("ann"),
        max_users: 10,
        members: vec![user_id("bob")],
        custom: String::new(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: true,
        avatar: String::new(),
    };
    world.node.create_room(&world.app, new).await.expect("creates").room_id()
}

fn new(uuid: &str, owner: Option<&str>) -> NewFile {
    let name = Some(format!("{uuid}.txt"));
    NewFile { uuid: uuid.to_owned(), bytes: 10, name, owner: owner.map(str::to_owned), ..NewFile::default() }
}

async fn share(world: &World, group: &RoomId, uuid: &str, owner: Option<&str>) -> Result<File, ShareError> {
    world.node.share_file(&world.app, group, new(uuid, owner)).await
}

async fn listed(world: &World, group: &RoomId) -> Vec<String> {
    let found = world.node.shared_files(&world.app, group, 0, MAX_SHARED_FILES).await.expect("reads");
    found.into_iter().map(|(uuid, _)| uuid).collect()
}

async fn bytes(world: &World) -> u64 {
    world.node.file_bytes(&world.app).await.expect("sums")
}

#[tokio::test]
async fn files_are_listed_found_and_deleted_once() {
    let (world, group, deleted) = world_with_group().await;
    for (uuid, owner) in [("a", Some("bob")), ("b", None), ("c", Some("ann"))] {
        share(&world, &group, uuid, owner).await.expect("shared");
        world.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(listed(&world, &group).await, ["c", "b", "a"]);
    let page = world.node.shared_files(&world.app, &group, 1, 1).await.expect("reads");
    let file = SharedFile { name: Some("b.txt".to_owned()), ..page[0].1.clone() };
    assert_eq!((page.len(), &page[0]), (1, &("b".to_owned(), file)));
    let found = world.node.find_shared_file(&world.app, &group, "a").await.expect("reads").expect("is there");
    assert_eq!((found.group.as_deref(), found.owner.as_deref()), (Some(group.as_str()), Some("bob")));
    let other = new_group(&world).await;
    assert_eq!(world.node.find_shared_file(&world.app, &other, "a").await.expect("reads"), None);
    let elsewhere = world.node.unshare_file(&world.app, &other, "a", None).await;
    assert!(matches!(elsewhere, Err(RoomError::NoFile)), "{elsewhere:?}");
    world.node.unshare_file(&world.app, &group, "a", None).await.expect("deleted");
    let again = world.node.unshare_file(&world.app, &group, "a", None).await;
    assert!(matches!(again, Err(RoomError::NoFile)), "{again:?}");
    assert_eq!((listed(&world, &group).await, bytes(&world).await), (vec!["c".to_owned(), "b".to_owned()], 20));
    assert_eq!(deleted.in_order(), ["a"]);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let (world, group, deleted) = world_with_group().await;
    let stranger = share(&world, &group, "a", Some("carol")).await;
    assert!(matches!(stranger, Err(ShareError::Group(RoomError::NotMembers(_)))), "{stranger:?}");
    let nowhere = share(&world, &room_id("1"), "b", Some("ann")).await;
    assert!(matches!(nowhere, Err(ShareError::Group(RoomError::NoRoom(_)))), "{nowhere:?}");
    assert_eq!((bytes(&world).await, deleted.in_order()), (0, vec!["a".to_owned(), "b".to_owned()]));
    let large = NewFile { bytes: 1001, ..new("c", None) };
    let large = world.node.share_file(&world.app, &group, large).await;
    assert!(matches!(large, Err(ShareError::File(FileError::QuotaUsedUp { max: 1000 }))), "{large:?}");
    assert_eq!(listed(&world, &group).await, [""; 0]);
}

#[tokio::test]
async fn a_group_has_ten_thousand_and_no_more() {
    let (world, group, _) = world_with_group().await;
    let file = SharedFile { name: None, owner: None, bytes: 0, created_ms: 7, expires_ms: u64::MAX };
    let key = |number| format!("{group}/{:013}/f{number}", 7);
    let put = |number| Change::Put { kind: RecordKind::SharedFile, key: key(number), value: encode(&file) };
    let changes = (1..MAX_SHARED_FILES).map(put).collect();
    world.store.change(world.app.id(), changes).await.expect("written");
    world.node.may_share(&world.app, &group).await.expect("one more");
    // Of several at once, one.
    let (one, other) = tokio::join!(share(&world, &group, "a", None), share(&world, &group, "b", None));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let refused = |outcome: &Result<File, ShareError>| {
        matches!(outcome, Err(ShareError::Group(RoomError::TooMany { max: MAX_SHARED_FILES })))
    };
    assert!(refused(&one) || refused(&other));
    assert!(matches!(world.node.may_share(&world.app, &group).await, Err(RoomError::TooMany { .. })));
    let there = if one.is_ok() { "a" } else { "b" };
    world.node.unshare_file(&world.app, &group, there, None).await.expect("deleted");
    share(&world, &group, "c", None).await.expect("there is room again");
}

#[tokio::test]
async fn they_expire_and_leave_the_list() {
    let (world, group, deleted) = world_with_group().await;
    share(&world, &group, "a", None).await.expect("shared");
    world.clock.advance(Duration::from_millis(999));
    assert_eq!(listed(&world, &group).await, ["a"]);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(listed(&world, &group).await, [""; 0], "at once, and not when it is swept");
    world.pass(Duration::from_secs(61)).await;
    assert_eq!((deleted.in_order(), bytes(&world).await), (vec!["a".to_owned()], 0));
    let left = world.store.count_records(world.app.id(), RecordKind::SharedFile, "").await.expect("counts");
    let found = world.node.find_shared_file(&world.app, &group, "a").await.expect("reads");
    assert_eq!((left, found.is_some_and(|file| file.is_gone)), (0, true));
}

#[tokio::test]
async fn they_go_with_their_group() {
    let (world, group, deleted) = world_with_group().await;
    let other = new_group(&world).await;
    share(&world, &other, "other", None).await.expect("shared");
    // More than one step.
    for number in 0..70 {
        share(&world, &group, &format!("{number:02}"), None).await.expect("shared");
    }
    world.node.delete_room(&world.app, RoomKind::Group, &group).await.expect("deleted");
    world.settle().await;
    assert_eq!((deleted.in_order().len(), bytes(&world).await), (70, 10));
    let left = world.store.count_records(world.app.id(), RecordKind::SharedFile, "").await.expect("counts");
    assert_eq!((left, listed(&world, &other).await), (1, vec!["other".to_owned()]));
}

#[tokio::test]
async fn what_a_crash_left_is_found_by_nobody_and_goes() {
    let (world, group, deleted) = world_with_group().await;
    // Recorded, and not on the list yet.
    let unlisted = NewFile { group: Some(group.clone()), ..new("a", Some("bob")) };
    world.node.add_file(&world.app, unlisted.clone()).await.expect("taken");
    assert_eq!(world.node.find_shared_file(&world.app, &group, "a").await.expect("reads"), None);
    let again = world.node.unshare_file(&world.app, &group, "a", None).await;
    assert!(matches!(again, Err(RoomError::NoFile)), "{again:?}");
    assert_eq!((deleted.in_order(), bytes(&world).await), (vec!["a".to_owned()], 0), "who deletes it gets rid of it");
    world.node.add_file(&world.app, NewFile { uuid: "b".to_owned(), ..unlisted }).await.expect("taken");
    world.clock.advance(Duration::from_secs(1));
    world.pass(Duration::from_secs(61)).await;
    assert_eq!((deleted.in_order(), bytes(&world).await), (vec!["b".to_owned()], 0));
}
