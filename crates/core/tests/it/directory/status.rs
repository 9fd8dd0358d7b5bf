//! What users publish of themselves, and who is told.

use std::time::Duration;

use stentor_core::app::DevicePolicy;
use stentor_core::directory::DirectoryError;
use stentor_core::directory::status::PublishError;
use stentor_core::id::DeviceId;
use stentor_core::notice::Notice;

use super::{register, world_of};
use crate::harness::{Client, World, user_id, world_with};

async fn publish(world: &World, user: &str, device: &str, status: i32, ext: &str) -> Result<(), PublishError> {
    let device = DeviceId::from_trusted(device);
    world.node.publish_status(&world.app, &user_id(user), &device, status, ext).await
}

async fn watch(world: &World, watcher: &str, users: &[&str], seconds: u32) -> Result<Vec<String>, DirectoryError> {
    let users: Vec<_> = users.iter().map(|user| user_id(user)).collect();
    let (statuses, _) = world.node.watch_statuses(&world.app, &user_id(watcher), &users, seconds).await?;
    Ok(statuses.iter().map(|status| format!("{} {:?} {}", status.user, status.devices, status.ext)).collect())
}

async fn watched(world: &World, watcher: &str) -> Vec<String> {
    let watches = world.node.status_watches(&world.app, &user_id(watcher)).await.expect("lists");
    watches.iter().map(|watch| watch.user.to_string()).collect()
}

/// `device=status` of every notice, and the text.
fn told(client: &Client) -> Vec<String> {
    let view = |notice| match notice {
        Notice::Status(status) => {
            let devices: Vec<_> = status.devices.iter().map(|(device, status)| format!("{device}={status}")).collect();
            Some(format!("{} {} {}", status.user, devices.join(","), status.ext).trim().to_owned())
        }
        _ => None,
    };
    client.take().into_iter().filter_map(view).collect()
}

#[tokio::test]
async fn those_who_asked_are_told() {
    let world = world_of(&["alice", "bob", "carol"]).await;
    let alice = world.login("alice").await;
    let carol = world.login("carol").await;
    publish(&world, "bob", "web", 100, "busy").await.expect("publishes");
    assert_eq!(
        watch(&world, "alice", &["bob", "nobody"], 60).await.expect("watches"),
        ["bob [(\"web\", 100)] busy", "nobody [] ",]
    );
    publish(&world, "bob", "web", 101, "").await.expect("publishes");
    publish(&world, "bob", "phone", 1, "back").await.expect("publishes");
    assert_eq!(told(&alice), ["bob web=101", "bob web=101,phone=1 back"]);
    assert_eq!(told(&carol), [""; 0]);
    world.clock.advance(Duration::from_secs(60));
    publish(&world, "bob", "phone", 2, "").await.expect("publishes");
    assert_eq!(told(&alice), [""; 0], "the time is over");
    assert_eq!(watched(&world, "alice").await, ["nobody"; 0]);
}

#[tokio::test]
async fn coming_and_going_is_a_status() {
    let world = world_with(|policy| {
        policy.devices = DevicePolicy::Many { max: 3 };
        policy.directory.statuses = true;
    })
    .await;
    for user in ["alice", "bob"] {
        register(&world, user).await;
    }
    let alice = world.connect("alice", "web", None).await;
    watch(&world, "alice", &["bob"], 600).await.expect("watches");
    let phone = world.connect("bob", "phone", None).await;
    world.settle().await;
    assert_eq!(told(&alice), ["bob phone=1"]);
    publish(&world, "bob", "phone", 100, "busy").await.expect("publishes");
    let web = world.connect("bob", "web", None).await;
    world.settle().await;
    assert_eq!(told(&alice), ["bob phone=100 busy", "bob phone=100,web=1 busy"]);
    phone.cut();
    world.settle().await;
    assert_eq!(told(&alice), ["bob web=1,phone=0 busy"]);
    let back = world.connect("bob", "phone", phone.resume()).await;
    assert!(back.connected.resumed);
    world.settle().await;
    web.logout().await;
    world.settle().await;
    assert_eq!(told(&alice), ["bob web=1,phone=1 busy", "bob phone=1,web=0 busy"]);
}

#[tokio::test]
async fn a_status_needs_a_user_and_a_short_text() {
    let world = world_of(&["bob"]).await;
    publish(&world, "bob", "web", 1, &"x".repeat(16)).await.expect("at the limit");
    let long = publish(&world, "bob", "web", 1, &"x".repeat(17)).await;
    assert!(matches!(long, Err(PublishError::ExtTooLong { max: 16 })), "{long:?}");
    assert!(matches!(publish(&world, "nobody", "web", 1, "").await, Err(PublishError::Directory(_))));
    for device in 0..40 {
        publish(&world, "bob", &format!("d{device}"), 0, "").await.expect("publishes");
    }
    let status = world.node.statuses(&world.app, &[user_id("bob")]).await.expect("reads").remove(0);
    assert_eq!(status.devices.len(), 32);
    assert!(status.devices.iter().any(|(device, status)| device.as_str() == "web" && *status == 1), "{status:?}");
}

#[tokio::test]
async fn watches_are_counted_on_both_sides() {
    let world = world_of(&["a", "b", "c", "d"]).await;
    watch(&world, "a", &["b", "c", "x"], 60).await.expect("watches");
    watch(&world, "a", &["b", "c", "x"], 90).await.expect("watches again");
    assert!(matches!(watch(&world, "a", &["d"], 60).await, Err(DirectoryError::TooMany { max: 3 })));
    world.node.unwatch_statuses(&world.app, &user_id("a"), &["c", "nobody"].map(user_id)).await.expect("unwatches");
    watch(&world, "a", &["d"], 60).await.expect("watches");
    assert_eq!(watched(&world, "a").await, ["b", "d", "x"]);
    for watcher in ["b", "c"] {
        watch(&world, watcher, &["x"], 60).await.expect("watches");
    }
    assert!(matches!(watch(&world, "d", &["x"], 60).await, Err(DirectoryError::TooMany { max: 3 })));
    assert!(matches!(watch(&world, "nobody", &["a"], 60).await, Err(DirectoryError::NoUser(_))));
}
