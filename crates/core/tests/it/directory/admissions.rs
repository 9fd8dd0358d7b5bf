//! Users who wait to come into a group: who applied, and who was invited.

use std::time::Duration;

use stentor_core::app::RegisteredRooms;
use stentor_core::directory::admissions::{MAX_WAITING, TOLD_AGAIN_AFTER_MS};
use stentor_core::directory::room_error::RoomError;
use stentor_core::directory::rooms::{NewRoom, RoomKind};
use stentor_core::id::{RoomId, UserId};
use stentor_core::records::RecordKind;

use super::register;
use crate::harness::{World, room_id, user_id, world_with};

const FAMILIES: [RecordKind; 4] = [
    RecordKind::GroupApplication,
    RecordKind::GroupApplicationBy,
    RecordKind::GroupInvitation,
    RecordKind::GroupInvitationOf,
];

/// A group of ann and bob; carol and dave are not in it.
async fn world_with_group() -> (World, RoomId) {
    let world = world_with(|policy| {
        policy.rooms.registered = Some(RegisteredRooms { rooms_per_user: 9, groups_per_user: 2, rooms: 9, groups: 9 });
    })
    .await;
    for user in ["ann", "bob", "carol", "dave"] {
        register(&world, user).await;
    }
    let group = new_group(&world, "g").await;
    (world, group)
}

async fn new_group(world: &World, name: &str) -> RoomId {
    let new = NewRoom {
        kind: RoomKind::Group,
        name: name.to_owned(),
        description: String::new(),
        owner: user_id("ann"),
        max_users: 3,
        members: vec![user_id("bob")],
        custom: String::new(),
        public: true,
        members_only: true,
        allow_invites: false,
        invite_need_confirm: true,
        avatar: String::new(),
    };
    world.node.create_room(&world.app, new).await.expect("creates").room_id()
}

async fn is_in(world: &World, group: &RoomId, user: &UserId) -> bool {
    world.node.is_member(&world.app, group, user).await.expect("looks")
}

async fn waiting(world: &World) -> [u64; 4] {
    let mut counts = [0; 4];
    for (count, kind) in counts.iter_mut().zip(FAMILIES) {
        *count = world.node.store().count_records(world.app.id(), kind, "").await.expect("counts");
    }
    counts
}

#[tokio::test]
async fn who_applied_comes_in_or_not_and_once() {
    let (world, group) = world_with_group().await;
    let (node, app, carol) = (&world.node, &world.app, user_id("carol"));
    assert!(!node.accept_application(app, &group, &carol).await.expect("looks"), "nobody applied");
    assert!(!node.decline_application(app, &group, &carol).await.expect("looks"));
    assert!(node.apply_to_group(app, &group, &carol).await.expect("applies"));
    assert!(!node.apply_to_group(app, &group, &carol).await.expect("applies"), "they were told");
    world.clock.advance(Duration::from_millis(TOLD_AGAIN_AFTER_MS - 1));
    assert!(!node.apply_to_group(app, &group, &carol).await.expect("applies"));
    world.clock.advance(Duration::from_millis(1));
    assert!(node.apply_to_group(app, &group, &carol).await.expect("applies"), "that was long ago");
    assert_eq!(waiting(&world).await, [1, 1, 0, 0]);
    assert!(node.decline_application(app, &group, &carol).await.expect("declines"));
    assert_eq!(waiting(&world).await, [0; 4]);
    assert!(!node.accept_application(app, &group, &carol).await.expect("looks"), "it is answered");
    assert!(!is_in(&world, &group, &carol).await);

    node.apply_to_group(app, &group, &carol).await.expect("applies");
    assert!(node.accept_application(app, &group, &carol).await.expect("accepts"));
    assert!(is_in(&world, &group, &carol).await);
    assert!(!node.accept_application(app, &group, &carol).await.expect("looks"), "it is answered");
    assert_eq!(waiting(&world).await, [0; 4]);
}

#[tokio::test]
async fn who_is_invited_comes_in_or_not_and_once() {
    let (world, group) = world_with_group().await;
    let (node, app, carol, bob) = (&world.node, &world.app, user_id("carol"), user_id("bob"));
    assert_eq!(node.accept_invitation(app, &group, &carol).await.expect("looks"), None, "nobody invited");
    assert_eq!(node.decline_invitation(app, &group, &carol).await.expect("looks"), None);
    assert!(node.invite_to_group(app, &group, &carol, &user_id("ann")).await.expect("invites"));
    assert!(node.invite_to_group(app, &group, &carol, &bob).await.expect("invites"), "another one does");
    assert!(!node.invite_to_group(app, &group, &carol, &bob).await.expect("invites"), "it was told");
    assert_eq!(waiting(&world).await, [0, 0, 1, 1]);
    assert_eq!(node.decline_invitation(app, &group, &carol).await.expect("declines"), Some(bob.clone()));
    assert_eq!(node.accept_invitation(app, &group, &carol).await.expect("looks"), None, "it is answered");
    assert!(!is_in(&world, &group, &carol).await);

    node.invite_to_group(app, &group, &carol, &bob).await.expect("invites");
    node.apply_to_group(app, &group, &carol).await.expect("applies");
    assert_eq!(node.accept_invitation(app, &group, &carol).await.expect("accepts"), Some(bob));
    assert!(is_in(&world, &group, &carol).await);
    assert_eq!(waiting(&world).await, [0; 4], "the application went, too");
}

#[tokio::test]
async fn who_may_not_come_in_waits_for_nothing() {
    let (world, group) = world_with_group().await;
    let (node, app) = (&world.node, &world.app);
    let (ann, bob, carol, nobody) = (user_id("ann"), user_id("bob"), user_id("carol"), user_id("nobody"));
    let gone = room_id("gone");
    assert!(matches!(node.apply_to_group(app, &group, &bob).await, Err(RoomError::AlreadyMember(user)) if user == bob));
    assert!(matches!(node.apply_to_group(app, &group, &nobody).await, Err(RoomError::NoUser(user)) if user == nobody));
    assert!(matches!(node.apply_to_group(app, &gone, &carol).await, Err(RoomError::NoRoom(id)) if id == gone));
    assert!(matches!(node.invite_to_group(app, &group, &bob, &ann).await, Err(RoomError::AlreadyMember(_))));
    assert!(matches!(node.invite_to_group(app, &group, &nobody, &ann).await, Err(RoomError::NoUser(_))));
    assert!(matches!(node.invite_to_group(app, &gone, &carol, &ann).await, Err(RoomError::NoRoom(_))));
    node.add_members(app, RoomKind::Group, &group, std::slice::from_ref(&carol)).await.expect("adds");
    node.block_members(app, RoomKind::Group, &group, std::slice::from_ref(&carol)).await.expect("blocks");
    assert!(matches!(node.apply_to_group(app, &group, &carol).await, Err(RoomError::Blocked(_))));
    assert!(matches!(node.invite_to_group(app, &group, &carol, &ann).await, Err(RoomError::Blocked(_))));
    assert_eq!(waiting(&world).await, [0; 4]);
}

#[tokio::test]
async fn an_application_waits_on_while_there_is_no_place() {
    let (world, group) = world_with_group().await;
    let (node, app, carol, dave) = (&world.node, &world.app, user_id("carol"), user_id("dave"));
    for user in [&carol, &dave] {
        node.apply_to_group(app, &group, user).await.expect("applies");
    }
    assert!(node.accept_application(app, &group, &carol).await.expect("accepts"));
    assert!(matches!(node.accept_application(app, &group, &dave).await, Err(RoomError::Full)));
    node.remove_members(app, RoomKind::Group, &group, std::slice::from_ref(&carol)).await.expect("removes");
    assert!(node.accept_application(app, &group, &dave).await.expect("accepts"), "it is still there");
}

#[tokio::test]
async fn what_waits_goes_with_the_user_the_group_and_the_membership() {
    let (world, group) = world_with_group().await;
    let (node, app, ann) = (&world.node, &world.app, user_id("ann"));
    let other = new_group(&world, "h").await;
    for user in ["carol", "dave"] {
        for group in [&group, &other] {
            node.apply_to_group(app, group, &user_id(user)).await.expect("applies");
            node.invite_to_group(app, group, &user_id(user), &ann).await.expect("invites");
        }
    }
    assert_eq!(waiting(&world).await, [4; 4]);
    node.add_members(app, RoomKind::Group, &group, &[user_id("carol")]).await.expect("adds");
    assert_eq!(waiting(&world).await, [3; 4], "whoever put it in");
    node.delete_user(app, &user_id("dave")).await.expect("deletes");
    assert_eq!(waiting(&world).await, [1; 4]);
    node.delete_room(app, RoomKind::Group, &other).await.expect("deletes");
    assert_eq!(waiting(&world).await, [0; 4]);
}

#[tokio::test]
async fn those_who_wait_are_not_too_many() {
    let (world, group) = world_with_group().await;
    let (node, app, ann) = (&world.node, &world.app, user_id("ann"));
    for number in 0..=MAX_WAITING {
        register(&world, &format!("u{number}")).await;
    }
    for number in 0..MAX_WAITING {
        let user = user_id(&format!("u{number}"));
        node.apply_to_group(app, &group, &user).await.expect("applies");
        node.invite_to_group(app, &group, &user, &ann).await.expect("invites");
    }
    let last = user_id(&format!("u{MAX_WAITING}"));
    let full = |max| max == MAX_WAITING;
    assert!(matches!(node.apply_to_group(app, &group, &last).await, Err(RoomError::TooMany { max }) if full(max)));
    let invited = node.invite_to_group(app, &group, &last, &ann).await;
    assert!(matches!(invited, Err(RoomError::TooMany { max }) if full(max)));
    node.apply_to_group(app, &group, &user_id("u0")).await.expect("waits already");
    node.decline_application(app, &group, &user_id("u0")).await.expect("declines");
    node.apply_to_group(app, &group, &last).await.expect("there is a place again");
}

#[tokio::test]
async fn owner_and_admins_decide() {
    let (world, group) = world_with_group().await;
    let (node, app) = (&world.node, &world.app);
    node.make_admin(app, RoomKind::Group, &group, &user_id("bob"), true).await.expect("makes");
    let (ann, bob, carol) = (user_id("ann"), user_id("bob"), user_id("carol"));
    assert_eq!(node.group_managers(app, &group, &carol).await.expect("lists"), [ann.clone(), bob.clone()]);
    assert!(matches!(node.group_managers(app, &room_id("gone"), &carol).await, Err(RoomError::NoRoom(_))));
    node.block_users(app, &ann, std::slice::from_ref(&carol)).await.expect("blocks");
    assert_eq!(node.group_managers(app, &group, &carol).await.expect("lists"), [bob]);
    // Who does not want to hear from somebody is invited by nobody it can see.
    node.block_users(app, &carol, std::slice::from_ref(&ann)).await.expect("blocks");
    assert!(!node.invite_to_group(app, &group, &carol, &ann).await.expect("is not told"));
    assert_eq!(node.accept_invitation(app, &group, &carol).await.expect("looks"), None);
}

#[tokio::test]
async fn an_application_is_answered_once() {
    let (world, group) = world_with_group().await;
    let (node, app, carol) = (&world.node, &world.app, user_id("carol"));
    for _ in 0..20 {
        node.apply_to_group(app, &group, &carol).await.expect("applies");
        let (accepted, declined, again) = tokio::join!(
            node.accept_application(app, &group, &carol),
            node.decline_application(app, &group, &carol),
            node.accept_application(app, &group, &carol),
        );
        let answers = [accepted.expect("answers"), declined.expect("answers"), again.expect("answers")];
        assert_eq!(answers.iter().filter(|answered| **answered).count(), 1, "{answers:?}");
        if is_in(&world, &group, &carol).await {
            let users = std::slice::from_ref(&carol);
            node.remove_members(app, RoomKind::Group, &group, users).await.expect("removes");
        }
    }
}

#[tokio::test]
async fn an_invitation_of_somebody_who_is_out_lets_nobody_in() {
    let (world, group) = world_with_group().await;
    let (node, app, carol, bob) = (&world.node, &world.app, user_id("carol"), user_id("bob"));
    node.invite_to_group(app, &group, &carol, &bob).await.expect("invites");
    node.remove_members(app, RoomKind::Group, &group, &[bob]).await.expect("removes");
    assert_eq!(node.accept_invitation(app, &group, &carol).await.expect("looks"), None);
    assert_eq!((is_in(&world, &group, &carol).await, waiting(&world).await), (false, [0; 4]));
}
