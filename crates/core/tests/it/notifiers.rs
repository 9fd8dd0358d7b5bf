//! Certificates of push services.

use stentor_core::push::notifiers::NOTIFIERS;
use stentor_core::push::{Notifier, NotifierChange, NotifierError, NotifierSetup};

use crate::harness::world;

fn notifier(uuid: &str, name: &str) -> Notifier {
    Notifier {
        uuid: uuid.into(),
        name: name.into(),
        provider: "APNS".into(),
        created_ms: 0,
        modified_ms: 0,
        disabled: false,
        open: vec![("packageName".into(), "com.example".into())],
        sealed: b"sealed".to_vec(),
    }
}

#[tokio::test]
async fn they_are_kept_changed_and_deleted() {
    let world = world().await;
    let made = world.node.create_notifier(&world.app, notifier("u1", "apns")).await.expect("made");
    assert_eq!((made.created_ms, made.modified_ms), (1_700_000_000_000, 1_700_000_000_000));
    world.clock.advance(std::time::Duration::from_secs(1));
    let change = NotifierChange { disabled: Some(true), setup: None };
    let changed = world.node.change_notifier(&world.app, "u1", &change).await.expect("changed").expect("there");
    assert_eq!(changed, Notifier { disabled: true, modified_ms: 1_700_000_001_000, ..made });
    let setup = Some(NotifierSetup { open: vec![("a".to_owned(), "b".to_owned())], sealed: b"other".to_vec() });
    let change = NotifierChange { disabled: None, setup };
    let changed = world.node.change_notifier(&world.app, "u1", &change).await.expect("changed").expect("there");
    assert_eq!((changed.disabled, changed.sealed.as_slice(), changed.open.len()), (true, &b"other"[..], 1));

    let after = world.restarted().await;
    assert_eq!(after.node.notifier(&after.app, "u1").await.expect("read"), Some(changed.clone()));
    assert_eq!(after.node.delete_notifier(&after.app, "u1").await.expect("deleted"), Some(changed));
    assert_eq!(after.node.delete_notifier(&after.app, "u1").await.expect("nothing"), None);
    assert_eq!(after.node.change_notifier(&after.app, "u1", &change).await.expect("nothing"), None);
    assert_eq!(after.node.notifiers(&after.app).await.expect("read"), []);
}

#[tokio::test]
async fn names_are_unique_also_among_those_that_are_made_at_once() {
    let world = world().await;
    let uuids: Vec<_> = (0..8).map(|number| number.to_string()).collect();
    let making = uuids.iter().map(|uuid| world.node.create_notifier(&world.app, notifier(uuid, "apns")));
    let made = futures_util::future::join_all(making).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    let refused = made.iter().filter(|made| matches!(made, Err(NotifierError::NameTaken(name)) if name == "apns"));
    assert_eq!(refused.count(), 7);
    world.node.create_notifier(&world.app, notifier("other", "Apns")).await.expect("case matters");
    let found = world.node.notifiers(&world.app).await.expect("read").into_iter().find(|one| one.name == "apns");
    let uuid = &found.expect("there").uuid;
    world.node.delete_notifier(&world.app, uuid).await.expect("deleted");
    world.node.create_notifier(&world.app, notifier("again", "apns")).await.expect("the name is free again");
}

#[tokio::test]
async fn an_app_has_so_many() {
    let world = world().await;
    for number in 0..NOTIFIERS {
        let name = number.to_string();
        world.node.create_notifier(&world.app, notifier(&name, &name)).await.expect("made");
    }
    let refused = world.node.create_notifier(&world.app, notifier("more", "more")).await;
    assert!(matches!(refused, Err(NotifierError::TooMany)), "{refused:?}");
    assert_eq!(world.node.notifiers(&world.app).await.expect("read").len(), NOTIFIERS);
    world.node.delete_notifier(&world.app, "0").await.expect("deleted");
    world.node.create_notifier(&world.app, notifier("more", "more")).await.expect("there is room again");
}
