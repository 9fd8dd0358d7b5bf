//! Registered users.

use std::time::Duration;

use stentor_core::directory::DirectoryError;
use stentor_core::directory::users::{NewUser, UserChange};
use stentor_core::session::{Closing, LogoutReason};

use super::{register, world_of};
use crate::harness::{World, user_id, world_with};

async fn names(world: &World, after: Option<String>, limit: usize) -> (Vec<String>, Option<String>) {
    let page = world.node.users(&world.app, after, limit).await.expect("lists");
    (page.items.into_iter().map(|user| user.name).collect(), page.next)
}

#[tokio::test]
async fn users_are_listed_in_the_order_of_their_registration() {
    let world = world_of(&[]).await;
    for name in ["zoe", "bob", "alice"] {
        register(&world, name).await;
        world.clock.advance(Duration::from_millis(1));
    }
    let (first, next) = names(&world, None, 2).await;
    assert_eq!(first, ["zoe", "bob"]);
    assert_eq!(names(&world, next, 2).await, (vec!["alice".to_owned()], None));
    assert_eq!(names(&world, None, 3).await.1, None);
}

#[tokio::test]
async fn a_user_is_found_by_uuid_and_nobody_else_may_be() {
    let world = world_of(&[]).await;
    let bob = register(&world, "bob").await;
    let found = world.node.find_user_by_uuid(&world.app, &bob.uuid).await.expect("looks");
    assert_eq!(found.as_ref(), Some(&bob));
    assert_eq!(world.node.find_user_by_uuid(&world.app, "bob").await.expect("looks"), None);
    let new = NewUser { name: user_id(&bob.uuid), password_hash: None, nickname: None };
    let refused = world.node.register(&world.app, new).await;
    assert!(matches!(refused, Err(DirectoryError::UserExists(_))), "{refused:?}");
}

#[tokio::test]
async fn of_two_who_register_at_once_one_does() {
    let world = world_of(&[]).await;
    let new = || NewUser { name: user_id("bob"), password_hash: None, nickname: Some(String::new()) };
    let (one, two) = tokio::join!(world.node.register(&world.app, new()), world.node.register(&world.app, new()));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    assert_eq!(names(&world, None, 10).await.0, ["bob"]);
}

#[tokio::test]
async fn what_revokes_tokens_ends_sessions() {
    let changes = [
        (UserChange { password_hash: Some("h".into()), ..UserChange::default() }, LogoutReason::PasswordChanged),
        (UserChange { active: Some(false), ..UserChange::default() }, LogoutReason::Deactivated),
        (UserChange { revoke_tokens: true, ..UserChange::default() }, LogoutReason::Forced),
    ];
    for (change, why) in changes {
        let world = world_of(&[]).await;
        let before = register(&world, "bob").await;
        let client = world.login("bob").await;
        world.clock.advance(Duration::from_secs(1));
        let after = world.node.change_user(&world.app, &user_id("bob"), &change).await.expect("changes");
        assert_eq!(after.token_generation, before.token_generation + 1);
        assert_eq!(after.tokens_valid_from_ms, after.modified_ms);
        assert_eq!(after.modified_ms, before.modified_ms + 1000);
        assert_eq!(client.closed(), [Closing::LoggedOut(why)]);
    }
}

#[tokio::test]
async fn other_changes_do_not() {
    let world = world_of(&["bob"]).await;
    let client = world.login("bob").await;
    let change =
        |nickname: &str, active| UserChange { nickname: Some(nickname.to_owned()), active, ..Default::default() };
    let named = world.node.change_user(&world.app, &user_id("bob"), &change("Bob", Some(true))).await.expect("changes");
    assert_eq!(named.nickname.as_deref(), Some("Bob"));
    let bare = world.node.change_user(&world.app, &user_id("bob"), &change("", None)).await.expect("changes");
    assert_eq!((bare.nickname, bare.token_generation), (None, named.token_generation));
    assert_eq!(client.closed(), []);
    let nobody = world.node.change_user(&world.app, &user_id("nobody"), &UserChange::default()).await;
    assert!(matches!(nobody, Err(DirectoryError::NoUser(_))));
}

#[tokio::test]
async fn a_login_that_met_a_revocation_ends() {
    let world = world_of(&[]).await;
    let before = register(&world, "bob").await;
    let revoke = UserChange { revoke_tokens: true, ..UserChange::default() };
    let after = world.node.change_user(&world.app, &user_id("bob"), &revoke).await.expect("revokes");
    let client = world.login("bob").await;
    let confirm = async |generation| world.node.confirm(client.session(), generation).await.expect("looks");
    assert!(confirm(after.token_generation).await);
    assert_eq!(client.closed(), []);
    assert!(!confirm(before.token_generation).await);
    assert_eq!(client.closed(), [Closing::LoggedOut(LogoutReason::Forced)]);
    let nobody = world.login("nobody").await;
    assert!(!world.node.confirm(nobody.session(), 0).await.expect("looks"));
}

#[tokio::test]
async fn an_app_has_as_many_users_as_it_may_have() {
    let world = world_with(|policy| policy.directory.users = Some(2)).await;
    let add = async |world: &World, name: &str| {
        let new = NewUser { name: user_id(name), password_hash: None, nickname: None };
        world.node.register(&world.app, new).await
    };
    add(&world, "ann").await.expect("registers");
    assert!(matches!(add(&world, "ann").await, Err(DirectoryError::UserExists(_))), "takes no place");
    assert!(world.node.may_register(&world.app));
    add(&world, "bob").await.expect("registers");
    assert!(!world.node.may_register(&world.app));
    assert!(matches!(add(&world, "carol").await, Err(DirectoryError::TooManyUsers { max: 2 })));
    assert!(matches!(add(&world, "bob").await, Err(DirectoryError::UserExists(_))), "who is there is not one more");
    let world = world.restarted().await;
    assert!(matches!(add(&world, "carol").await, Err(DirectoryError::TooManyUsers { max: 2 })));
    world.node.delete_user(&world.app, &user_id("ann")).await.expect("deletes");
    assert!(world.node.delete_user(&world.app, &user_id("ann")).await.is_err(), "gives back no second place");
    add(&world, "carol").await.expect("registers");
    assert!(matches!(add(&world, "dave").await, Err(DirectoryError::TooManyUsers { max: 2 })));
}
