//! Contacts and blocks.

use std::time::Duration;

use stentor_core::directory::DirectoryError;
use stentor_core::directory::user_blocks::BlockError;
use stentor_core::records::RecordKind;

use super::world_of;
use crate::harness::{World, user_id};

async fn contacts(world: &World, user: &str) -> Vec<String> {
    let page = world.node.contacts(&world.app, &user_id(user), None, 10).await.expect("lists");
    page.items.into_iter().map(|contact| contact.user.to_string()).collect()
}

async fn add(world: &World, user: &str, contact: &str) -> Result<String, DirectoryError> {
    world.clock.advance(Duration::from_millis(1));
    world.node.add_contact(&world.app, &user_id(user), &user_id(contact)).await.map(|user| user.name)
}

#[tokio::test]
async fn contacts_are_of_each_other() {
    let world = world_of(&["a", "b", "c"]).await;
    assert_eq!(add(&world, "a", "b").await.expect("adds"), "b");
    add(&world, "a", "c").await.expect("adds");
    add(&world, "b", "a").await.expect("adds again");
    assert_eq!(contacts(&world, "a").await, ["c", "b"]);
    assert_eq!(contacts(&world, "b").await, ["a"]);
    assert!(world.node.are_contacts(&world.app, &user_id("c"), &user_id("a")).await.expect("looks"));
    for _ in 0..2 {
        world.node.remove_contact(&world.app, &user_id("b"), &user_id("a")).await.expect("removes");
    }
    assert_eq!(contacts(&world, "a").await, ["c"]);
    assert_eq!(contacts(&world, "b").await, [""; 0]);
}

#[tokio::test]
async fn contacts_are_users_and_not_too_many() {
    let world = world_of(&["a", "b", "c", "d", "e", "f"]).await;
    for contact in ["b", "c", "d", "e"] {
        add(&world, "a", contact).await.expect("adds");
    }
    assert!(matches!(add(&world, "a", "f").await, Err(DirectoryError::TooMany { max: 4 })));
    assert!(matches!(add(&world, "f", "a").await, Err(DirectoryError::TooMany { max: 4 })));
    add(&world, "a", "e").await.expect("is one already");
    assert_eq!(contacts(&world, "f").await, [""; 0]);
    for (user, contact) in [("a", "nobody"), ("nobody", "a")] {
        assert!(matches!(add(&world, user, contact).await, Err(DirectoryError::NoUser(name)) if name == "nobody"));
    }
}

#[tokio::test]
async fn a_contact_has_a_remark_and_lists_have_pages() {
    let world = world_of(&["a", "b", "c", "d"]).await;
    for contact in ["b", "c", "d"] {
        add(&world, "a", contact).await.expect("adds");
    }
    let name = async |contact: &str| {
        world.node.name_contact(&world.app, &user_id("a"), &user_id(contact), "friend").await.expect("names")
    };
    assert_eq!((name("c").await, name("a").await), (true, false));
    let a = user_id("a");
    let first = world.node.contacts(&world.app, &a, None, 2).await.expect("lists");
    let view = |page: &[stentor_core::directory::contacts::ContactView]| {
        page.iter().map(|contact| (contact.user.to_string(), contact.remark.clone())).collect::<Vec<_>>()
    };
    assert_eq!(view(&first.items), [("d".to_owned(), None), ("c".to_owned(), Some("friend".to_owned()))]);
    let rest = world.node.contacts(&world.app, &a, first.next.as_deref(), 2).await.expect("lists");
    assert_eq!((view(&rest.items), rest.next), (vec![("b".to_owned(), None)], None));
}

async fn block(world: &World, user: &str, blocked: &[&str]) -> Result<(), BlockError> {
    world.clock.advance(Duration::from_millis(1));
    let blocked: Vec<_> = blocked.iter().map(|user| user_id(user)).collect();
    world.node.block_users(&world.app, &user_id(user), &blocked).await
}

async fn blocked(world: &World, user: &str) -> Vec<String> {
    let page = world.node.blocked_users(&world.app, &user_id(user), None, 10).await.expect("lists");
    page.items.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn blocks_are_of_one_side() {
    let world = world_of(&["a", "b", "c"]).await;
    block(&world, "a", &["b", "b"]).await.expect("blocks");
    block(&world, "a", &["c", "b"]).await.expect("blocks");
    assert_eq!(blocked(&world, "a").await, ["c", "b"]);
    assert_eq!(blocked(&world, "b").await, [""; 0]);
    let blocks =
        async |user, other| world.node.blocks(&world.app, &user_id(user), &user_id(other)).await.expect("looks");
    assert!(blocks("a", "b").await && !blocks("b", "a").await);
    for _ in 0..2 {
        world.node.unblock_user(&world.app, &user_id("a"), &user_id("b")).await.expect("unblocks");
    }
    assert!(!blocks("a", "b").await);
    assert_eq!(blocked(&world, "a").await, ["c"]);
}

#[tokio::test]
async fn blocks_are_users_and_not_too_many() {
    let world = world_of(&["a", "b", "c", "d", "e"]).await;
    let refused = block(&world, "a", &["b", "nobody"]).await;
    assert!(matches!(refused, Err(BlockError::NoBlocked(name)) if name == "nobody"));
    assert_eq!(blocked(&world, "a").await, [""; 0]);
    let refused = block(&world, "nobody", &["a"]).await;
    assert!(matches!(refused, Err(BlockError::Directory(DirectoryError::NoUser(_)))));
    block(&world, "a", &["b", "c", "d"]).await.expect("blocks");
    block(&world, "a", &["d"]).await.expect("is blocked already");
    let refused = block(&world, "a", &["e"]).await;
    assert!(matches!(refused, Err(BlockError::Directory(DirectoryError::TooMany { max: 3 }))));
}

#[tokio::test]
async fn who_is_asked_decides() {
    use stentor_core::directory::contact_requests::Requested;
    let world = world_of(&["a", "b", "c"]).await;
    let (a, b, c, nobody) = (user_id("a"), user_id("b"), user_id("c"), user_id("nobody"));
    let ask = async |asker, asked| world.node.request_contact(&world.app, asker, asked, "hello").await;
    assert!(!world.node.accept_contact(&world.app, &b, &a).await.expect("looks"), "nobody asked");
    assert!(!world.node.decline_contact(&world.app, &b, &a).await.expect("looks"), "nobody asked");
    for _ in 0..2 {
        assert_eq!(ask(&a, &b).await.expect("asks"), Requested::Waits);
    }
    assert!(!world.node.accept_contact(&world.app, &a, &b).await.expect("looks"), "who asks does not answer");
    assert_eq!(contacts(&world, "a").await, [""; 0]);
    for _ in 0..2 {
        assert!(world.node.accept_contact(&world.app, &b, &a).await.expect("accepts"));
    }
    assert_eq!((contacts(&world, "a").await, contacts(&world, "b").await), (vec!["b".into()], vec!["a".into()]));
    assert_eq!(ask(&b, &a).await.expect("asks"), Requested::Contacts);

    assert_eq!(ask(&a, &c).await.expect("asks"), Requested::Waits);
    assert!(world.node.decline_contact(&world.app, &c, &a).await.expect("declines"));
    assert!(!world.node.accept_contact(&world.app, &c, &a).await.expect("looks"), "it is answered");
    world.node.block_users(&world.app, &c, std::slice::from_ref(&b)).await.expect("blocks");
    assert_eq!(ask(&b, &c).await.expect("asks"), Requested::Unheard);
    assert!(matches!(ask(&a, &nobody).await, Err(DirectoryError::NoUser(_))));
    assert!(matches!(ask(&nobody, &a).await, Err(DirectoryError::NoUser(_))));
}

#[tokio::test]
async fn requests_end_with_their_users_and_are_not_too_many() {
    let world = world_of(&["a", "b", "c", "d", "e", "f"]).await;
    let a = user_id("a");
    for asker in ["b", "c", "d", "e"] {
        world.node.request_contact(&world.app, &user_id(asker), &a, "").await.expect("asks");
    }
    let asked = world.node.request_contact(&world.app, &user_id("f"), &a, "").await;
    assert!(matches!(asked, Err(DirectoryError::TooMany { max: 4 })));
    world.node.delete_user(&world.app, &user_id("b")).await.expect("deletes");
    world.node.request_contact(&world.app, &user_id("f"), &a, "").await.expect("there is room again");
    world.node.delete_user(&world.app, &a).await.expect("deletes");
    for kind in [RecordKind::ContactRequest, RecordKind::ContactRequestBy] {
        assert_eq!(world.node.store().count_records(world.app.id(), kind, "").await.expect("counts"), 0);
    }
}
