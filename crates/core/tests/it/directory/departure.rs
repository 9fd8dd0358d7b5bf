//! Users who are deleted.

use std::time::Duration;

use stentor_core::app::RegisteredRooms;
use stentor_core::directory::DirectoryError;
use stentor_core::directory::mutes::{MuteScope, MuteTime};
use stentor_core::directory::rooms::{NewRoom, RoomKind};
use stentor_core::id::DeviceId;
use stentor_core::push::Binding;
use stentor_core::records::RecordKind;
use stentor_core::session::{Closing, LogoutReason};
use stentor_core::store::{RecordStore, Scan};

use super::{register, world_of};
use crate::harness::{World, user_id, world_with};

/// Bob, with something of everything that can be of a user.
async fn world_with_bob() -> World {
    let world = world_with(|policy| {
        policy.rooms.registered = Some(RegisteredRooms { rooms_per_user: 9, groups_per_user: 9, rooms: 9, groups: 9 });
    })
    .await;
    for user in ["alice", "bob", "carol", "dave"] {
        register(&world, user).await;
    }
    let (node, app) = (&world.node, &world.app);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(user_id);
    node.add_contact(app, &bob, &alice).await.expect("adds");
    node.add_contact(app, &carol, &bob).await.expect("adds");
    node.block_users(app, &bob, std::slice::from_ref(&alice)).await.expect("blocks");
    node.block_users(app, &carol, std::slice::from_ref(&bob)).await.expect("blocks");
    node.mute_user(app, &bob, &[(MuteScope::Users, MuteTime::Forever)]).await.expect("mutes");
    node.set_profile(app, &bob, &[("a".to_owned(), "b".to_owned())].into()).await.expect("sets");
    node.publish_status(app, &bob, &DeviceId::from_trusted("web"), 100, "busy").await.expect("publishes");
    node.watch_statuses(app, &bob, &[alice], 60).await.expect("watches");
    node.watch_statuses(app, &carol, &[bob], 60).await.expect("watches");
    world.keep("alice", "bob", "hello").await;
    for (kind, owner, member) in [(RoomKind::Room, "bob", "alice"), (RoomKind::Group, "carol", "bob")] {
        world.node.create_room(&world.app, room(kind, owner, member)).await.expect("creates");
    }
    let [bob, dave] = ["bob", "dave"].map(user_id);
    let other = node.create_room(app, room(RoomKind::Group, "carol", "dave")).await.expect("creates").room_id();
    node.apply_to_group(app, &other, &bob).await.expect("applies");
    node.invite_to_group(app, &other, &bob, &dave).await.expect("invites");
    node.request_contact(app, &bob, &dave, "").await.expect("asks");
    node.request_contact(app, &dave, &bob, "").await.expect("asks");
    node.add_super_admin(app, &bob).await.expect("makes");
    node.set_push_language(app, &bob, "DE").await.expect("sets");
    let bind = Binding::Bind { device: "d", notifier: "n", token: "t" };
    node.change_push_bindings(app, &bob, &bind).await.expect("binds");
    node.create_push_label(app, "l", "").await.expect("makes");
    assert_eq!(node.add_push_label_users(app, "l", &[bob]).await.expect("adds"), [true]);
    world
}

fn room(kind: RoomKind, owner: &str, member: &str) -> NewRoom {
    NewRoom {
        kind,
        name: "name".to_owned(),
        description: String::new(),
        owner: user_id(owner),
        max_users: 10,
        members: vec![user_id(member)],
        custom: String::new(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: true,
        avatar: String::new(),
    }
}

/// Every record that speaks of bob, but the note of the deletion.
async fn traces(world: &World) -> Vec<String> {
    let kinds = [
        RecordKind::User,
        RecordKind::UserByTime,
        RecordKind::Contact,
        RecordKind::UserBlock,
        RecordKind::BlockedBy,
        RecordKind::Mute,
        RecordKind::Profile,
        RecordKind::Status,
        RecordKind::StatusWatch,
        RecordKind::StatusWatched,
        RecordKind::Member,
        RecordKind::Membership,
        RecordKind::Departing,
        RecordKind::ContactRequest,
        RecordKind::ContactRequestBy,
        RecordKind::SuperAdmin,
        RecordKind::PushPreferences,
        RecordKind::PushBindings,
        RecordKind::PushLabelUser,
        RecordKind::GroupApplication,
        RecordKind::GroupApplicationBy,
        RecordKind::GroupInvitation,
        RecordKind::GroupInvitationOf,
    ];
    let mut traces = Vec::new();
    for kind in kinds {
        let found = world.store.scan_records(world.app.id(), Scan::of(kind, "", 100)).await.expect("scans");
        let of_bob = found.into_iter().filter(|(key, _)| key.split('/').any(|name| name == "bob"));
        traces.extend(of_bob.map(|(key, _)| format!("{kind:?} {key}")));
    }
    traces
}

async fn assert_gone(world: &World) {
    assert_eq!(traces(world).await, [""; 0]);
    let kept = world.node.offline_messages(&world.app, &user_id("bob")).await.expect("counts");
    assert_eq!((kept, world.node.profile_bytes(&world.app).await.expect("sums")), (0, 0));
    let mut left = Vec::new();
    for kind in [RoomKind::Room, RoomKind::Group] {
        let page = world.node.rooms(&world.app, kind, None, 10).await.expect("lists");
        left.extend(page.items.into_iter().map(|detail| (kind, detail.room.owner, detail.members)));
    }
    let carols = |members| (RoomKind::Group, "carol".to_owned(), members);
    assert_eq!(left, [carols(2), carols(1)]);
}

#[tokio::test]
async fn nothing_of_a_deleted_user_stays() {
    let world = world_with_bob().await;
    let client = world.login("bob").await;
    let kinds = traces(&world).await;
    assert!(kinds.len() >= 28, "{kinds:?}");
    let was = world.node.delete_user(&world.app, &user_id("bob")).await.expect("deletes");
    assert_eq!((was.name.as_str(), was.active), ("bob", true));
    assert_eq!(client.closed(), [Closing::LoggedOut(LogoutReason::Deleted)]);
    world.settle().await;
    assert_gone(&world).await;
    let again = world.node.delete_user(&world.app, &user_id("bob")).await;
    assert!(matches!(again, Err(DirectoryError::NoUser(_))), "{again:?}");
    let others = world.node.users(&world.app, None, 10).await.expect("lists");
    assert_eq!(others.items.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["alice", "carol", "dave"]);
}

#[tokio::test]
async fn a_deletion_that_a_crash_cut_short_is_finished_at_the_start() {
    for writes in 0.. {
        let world = world_with_bob().await;
        world.store.refuse_writes_after(Some(writes));
        let deleted = world.node.delete_user(&world.app, &user_id("bob")).await;
        world.store.refuse_writes(false);
        if deleted.is_ok() {
            assert!(writes > 7, "it takes {writes} steps");
            return;
        }
        let restarted = world.restarted().await;
        if writes == 0 {
            assert!(traces(&restarted).await.len() >= 16);
        } else {
            assert_gone(&restarted).await;
        }
    }
}

#[tokio::test]
async fn doing_it_again_or_registering_the_name_finishes_it_too() {
    for again in [true, false] {
        let world = world_with_bob().await;
        world.store.refuse_writes_after(Some(3));
        assert!(world.node.delete_user(&world.app, &user_id("bob")).await.is_err());
        world.store.refuse_writes(false);
        if again {
            let was = world.node.delete_user(&world.app, &user_id("bob")).await.expect("finishes");
            assert_eq!(was.name, "bob");
            assert_gone(&world).await;
        } else {
            let anew = register(&world, "bob").await;
            assert_eq!(
                traces(&world).await,
                [format!("User {}", anew.name), format!("UserByTime {:013}/bob", anew.created_ms)]
            );
        }
    }
}

#[tokio::test]
async fn the_next_user_of_the_name_is_somebody_else() {
    let world = world_of(&[]).await;
    let before = register(&world, "bob").await;
    assert_eq!(before.tokens_valid_from_ms, 0);
    world.clock.advance(Duration::from_secs(5));
    world.node.delete_user(&world.app, &user_id("bob")).await.expect("deletes");
    let anew = register(&world, "bob").await;
    assert_ne!((anew.token_generation, &anew.uuid), (before.token_generation, &before.uuid));
    assert_eq!(anew.tokens_valid_from_ms, before.created_ms + 5000);
    assert_eq!(world.node.find_user_by_uuid(&world.app, &before.uuid).await.expect("looks"), None);
}

#[tokio::test]
async fn old_notes_of_deletions_are_swept() {
    let world = world_of(&[]).await;
    for number in 0..40 {
        register(&world, &format!("user{number:02}")).await;
        world.node.delete_user(&world.app, &user_id(&format!("user{number:02}"))).await.expect("deletes");
    }
    // As long as messages are kept, which is longer than any token is good.
    let history = world.app.policy().history.expect("the app keeps messages");
    world.clock.advance(Duration::from_millis(history.retention_ms.max(2 * 86_400_000) + 1));
    for _ in 0..5 {
        register(&world, "bob").await;
        world.node.delete_user(&world.app, &user_id("bob")).await.expect("deletes");
    }
    let notes = world.store.count_records(world.app.id(), RecordKind::Departed, "").await.expect("counts");
    assert_eq!(notes, 1);
    let hidden = world.store.count_records(world.app.id(), RecordKind::HiddenUntil, "").await.expect("counts");
    assert_eq!(hidden, 1);
}

#[tokio::test]
async fn many_are_deleted_the_eldest_first() {
    let world = world_of(&[]).await;
    for name in ["zoe", "bob", "alice"] {
        register(&world, name).await;
        world.clock.advance(Duration::from_millis(1));
    }
    let page = world.node.delete_users(&world.app, None, 2).await.expect("deletes");
    assert_eq!(page.items.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["zoe", "bob"]);
    let rest = world.node.delete_users(&world.app, page.next, 2).await.expect("deletes");
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert!(world.node.users(&world.app, None, 1).await.expect("lists").items.is_empty());
}
