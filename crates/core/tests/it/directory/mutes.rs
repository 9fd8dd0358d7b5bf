//! Users who may not send.

use std::time::Duration;

use stentor_core::directory::DirectoryError;
use stentor_core::directory::mutes::{MuteScope, MuteTime};
use stentor_core::records::RecordKind;
use stentor_core::store::RecordStore;

use super::world_of;
use crate::harness::{World, user_id};

async fn mute(world: &World, user: &str, changes: &[(MuteScope, MuteTime)]) -> Result<(), DirectoryError> {
    world.node.mute_user(&world.app, &user_id(user), changes).await
}

async fn muted(world: &World) -> Vec<String> {
    let muted = world.node.mutes(&world.app, 0, 10).await.expect("lists");
    muted.iter().map(|(user, _)| user.to_string()).collect()
}

#[tokio::test]
async fn a_mute_is_of_a_scope_and_ends() {
    let world = world_of(&["bob"]).await;
    let seconds = |count| [(MuteScope::Users, MuteTime::Seconds(count)), (MuteScope::Rooms, MuteTime::Forever)];
    mute(&world, "bob", &seconds(100)).await.expect("mutes");
    let is = async |scope| world.node.is_muted(&world.app, &user_id("bob"), scope).await.expect("looks");
    assert!(is(MuteScope::Users).await && is(MuteScope::Rooms).await && !is(MuteScope::Groups).await);
    world.clock.advance(Duration::from_millis(99_001));
    let left = world.node.mute(&world.app, &user_id("bob")).await.expect("reads");
    let now_ms = 1_700_000_000_000 + 99_001;
    assert_eq!(left.left(MuteScope::Users, now_ms), MuteTime::Seconds(1));
    assert_eq!(left.left(MuteScope::Groups, now_ms), MuteTime::None);
    assert_eq!(left.left(MuteScope::Rooms, now_ms), MuteTime::Forever);
    world.clock.advance(Duration::from_millis(999));
    assert!(!is(MuteScope::Users).await && is(MuteScope::Rooms).await);
    mute(&world, "bob", &[(MuteScope::Rooms, MuteTime::None)]).await.expect("lifts");
    assert!(!is(MuteScope::Rooms).await);
    assert_eq!(muted(&world).await, [""; 0]);
}

#[tokio::test]
async fn only_users_are_muted_and_listed_as_long_as_they_are() {
    let world = world_of(&["a", "b", "c"]).await;
    assert!(matches!(mute(&world, "nobody", &[]).await, Err(DirectoryError::NoUser(_))));
    assert!(!world.node.is_muted(&world.app, &user_id("nobody"), MuteScope::Users).await.expect("looks"));
    for (user, time) in [("c", MuteTime::Seconds(10)), ("a", MuteTime::Forever), ("b", MuteTime::Seconds(5))] {
        mute(&world, user, &[(MuteScope::Groups, time)]).await.expect("mutes");
    }
    assert_eq!(muted(&world).await, ["a", "b", "c"]);
    let second = world.node.mutes(&world.app, 1, 1).await.expect("lists");
    assert_eq!(second[0].0, user_id("b"));
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(muted(&world).await, ["a", "c"]);
    let records = world.store.count_records(world.app.id(), RecordKind::Mute, "").await.expect("counts");
    assert_eq!(records, 2, "what is over is forgotten");
}
