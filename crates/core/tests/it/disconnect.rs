//! Sessions that the backend looks at and ends.

use stentor_core::app::DevicePolicy;
use stentor_core::id::DeviceId;
use stentor_core::session::{Closing, LogoutReason};

use crate::harness::{World, user_id, world_with};

async fn several_devices() -> World {
    world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await
}

fn devices(world: &World, user: &str) -> Vec<String> {
    world.node.devices(&world.app, &user_id(user)).iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn who_has_a_connection_is_online() {
    let world = several_devices().await;
    let bob = user_id("bob");
    assert!(!world.node.is_online(&world.app, &bob));
    let phone = world.connect("bob", "phone", None).await;
    let web = world.connect("bob", "web", None).await;
    assert_eq!(devices(&world, "bob"), ["phone", "web"]);
    phone.cut();
    assert_eq!(devices(&world, "bob"), ["web"]);
    assert!(world.node.is_online(&world.app, &bob));
    web.cut();
    assert!(!world.node.is_online(&world.app, &bob));
    assert_eq!(devices(&world, "bob"), [""; 0]);
}

#[tokio::test]
async fn one_device_or_all_are_disconnected() {
    let world = several_devices().await;
    let bob = user_id("bob");
    let [phone, web, alice] = [
        world.connect("bob", "phone", None).await,
        world.connect("bob", "web", None).await,
        world.connect("alice", "phone", None).await,
    ];
    web.join("lobby").await;
    let device = DeviceId::from_trusted("phone");
    let disconnect = async |device: Option<&DeviceId>, why| world.node.disconnect(&world.app, &bob, device, why).await;
    assert_eq!(disconnect(Some(&device), LogoutReason::Forced).await, 1);
    assert_eq!(disconnect(Some(&device), LogoutReason::Forced).await, 0);
    assert_eq!(phone.closed(), [Closing::LoggedOut(LogoutReason::Forced)]);
    assert_eq!((web.closed(), devices(&world, "bob")), (Vec::new(), vec!["web".to_owned()]));
    assert_eq!(disconnect(None, LogoutReason::PasswordChanged).await, 1);
    assert_eq!(web.closed(), [Closing::LoggedOut(LogoutReason::PasswordChanged)]);
    assert_eq!(disconnect(None, LogoutReason::PasswordChanged).await, 0);
    assert_eq!(alice.closed(), []);
    world.settle().await;
    let events = world.room_events().await;
    assert_eq!(events, ["Join bob lobby", "Leave bob lobby"]);
}

#[tokio::test]
async fn a_session_whose_connection_is_lost_is_ended_too() {
    let world = several_devices().await;
    let bob = world.connect("bob", "phone", None).await;
    bob.cut();
    assert_eq!(world.node.disconnect(&world.app, &user_id("bob"), None, LogoutReason::Deactivated).await, 1);
    let back = world.connect("bob", "phone", bob.resume()).await;
    assert!(!back.connected.resumed);
}
