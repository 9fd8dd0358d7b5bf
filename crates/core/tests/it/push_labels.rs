//! Labels for direct pushes.

use std::time::Duration;

use stentor_core::directory::users::NewUser;
use stentor_core::push::LabelError;
use stentor_core::push::labels::LABELS;
use stentor_core::records::RecordKind;
use stentor_core::store::{Change, RecordStore};

use crate::harness::{World, user_id, world};

async fn register(world: &World, users: &[&str]) {
    for user in users {
        let new = NewUser { name: user_id(user), password_hash: None, nickname: None };
        world.node.register(&world.app, new).await.expect("registered");
    }
}

#[tokio::test]
async fn labels_have_users() {
    let world = world().await;
    register(&world, &["a", "b", "c"]).await;
    let (node, app) = (&world.node, &world.app);
    let label = node.create_push_label(app, "l", "d").await.expect("made");
    assert!(matches!(node.create_push_label(app, "l", "x").await, Err(LabelError::Exists(name)) if name == "l"));
    node.create_push_label(app, "l2", "").await.expect("made");
    let users = ["a", "b", "nobody", "c"].map(user_id);
    assert_eq!(node.add_push_label_users(app, "l", &users).await.expect("added"), [true, true, false, true]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(node.add_push_label_users(app, "l", &users).await.expect("twice"), [true, true, false, true]);
    node.add_push_label_users(app, "l2", &users[..1]).await.expect("added");
    assert_eq!(node.push_label(app, "l").await.expect("read"), Some((label.clone(), 3)));
    assert_eq!(node.push_label_user(app, "l", &users[0]).await.expect("read"), Some(label.created_ms));
    assert_eq!(node.push_label_user(app, "l", &users[2]).await.expect("read"), None);
    let names =
        |page: &[(stentor_core::id::UserId, u64)]| page.iter().map(|(user, _)| user.to_string()).collect::<Vec<_>>();
    let page = node.push_label_users(app, "l", None, 2).await.expect("read");
    assert_eq!((names(&page.items), page.next.as_deref()), (vec!["a".to_owned(), "b".to_owned()], Some("b")));
    let page = node.push_label_users(app, "l", Some("b"), 2).await.expect("read");
    assert_eq!((names(&page.items), page.next), (vec!["c".to_owned()], None));
    let page = node.push_labels(app, None, 1).await.expect("read");
    assert_eq!((page.items, page.next.as_deref()), (vec![(label, 3)], Some("l")));

    assert_eq!(node.remove_push_label_users(app, "l", &users[1..3]).await.expect("removed"), [true, false]);
    assert!(node.delete_push_label(app, "l").await.expect("deleted"));
    assert!(!node.delete_push_label(app, "l").await.expect("not there"));
    assert_eq!(node.push_label_users(app, "l", None, 9).await.expect("read").items, []);
    assert_eq!(node.push_label(app, "l2").await.expect("read").expect("there").1, 1, "its users stay");
    for refused in [
        node.add_push_label_users(app, "l", &users).await.expect_err("gone"),
        node.remove_push_label_users(app, "l", &users).await.expect_err("gone"),
    ] {
        assert!(matches!(refused, LabelError::NoLabel(_)), "{refused}");
    }
}

#[tokio::test]
async fn there_are_so_many() {
    let world = world().await;
    register(&world, &["a", "b"]).await;
    for number in 0..LABELS {
        world.node.create_push_label(&world.app, &number.to_string(), "").await.expect("made");
    }
    let refused = world.node.create_push_label(&world.app, "more", "").await;
    assert!(matches!(refused, Err(LabelError::TooMany { max: LABELS })));
    let value = || bytes::Bytes::from_static(b"\x81\x00");
    let user =
        |number: usize| Change::Put { kind: RecordKind::PushLabelUser, key: format!("0/u{number}"), value: value() };
    let users = (0..stentor_core::push::labels::LABEL_USERS - 1).map(user).collect();
    world.store.change(world.app.id(), users).await.expect("kept");
    world.node.add_push_label_users(&world.app, "0", &[user_id("a")]).await.expect("the last");
    world.node.add_push_label_users(&world.app, "0", &[user_id("a")]).await.expect("it has it");
    let refused = world.node.add_push_label_users(&world.app, "0", &[user_id("b")]).await;
    assert!(matches!(refused, Err(LabelError::TooMany { .. })));
}
