//! What users say of themselves.

use stentor_core::directory::profiles::{Attributes, ProfileError};

use super::world_of;
use crate::harness::{World, user_id};

async fn set(world: &World, user: &str, name: &str, value: &str) -> Result<(), ProfileError> {
    let attributes = [(name.to_owned(), value.to_owned())].into();
    world.node.set_profile(&world.app, &user_id(user), &attributes).await
}

async fn get(world: &World, user: &str) -> Attributes {
    world.node.profile(&world.app, &user_id(user)).await.expect("reads")
}

async fn bytes(world: &World) -> u64 {
    world.node.profile_bytes(&world.app).await.expect("sums")
}

#[tokio::test]
async fn attributes_are_set_one_by_one_and_cleared_together() {
    let world = world_of(&["a", "b"]).await;
    set(&world, "a", "nickname", "Al").await.expect("sets");
    set(&world, "a", "sign", "x").await.expect("sets");
    set(&world, "a", "nickname", "Alice").await.expect("sets");
    assert_eq!(
        get(&world, "a").await,
        [("nickname", "Alice"), ("sign", "x")].map(|(k, v)| (k.into(), v.into())).into()
    );
    set(&world, "b", "sign", "y").await.expect("sets");
    assert_eq!(bytes(&world).await, 8 + 5 + 4 + 1 + 4 + 1);
    let both = world.node.profiles(&world.app, &["b", "nobody", "a"].map(user_id)).await.expect("reads");
    assert_eq!(both.iter().map(Attributes::len).collect::<Vec<_>>(), [1, 0, 2]);
    for _ in 0..2 {
        world.node.clear_profile(&world.app, &user_id("a")).await.expect("clears");
    }
    assert_eq!((get(&world, "a").await.len(), bytes(&world).await), (0, 5));
}

#[tokio::test]
async fn attributes_have_limits_of_user_and_app() {
    let world = world_of(&["a", "b"]).await;
    set(&world, "a", "k", &"x".repeat(63)).await.expect("at the limit");
    let over = set(&world, "a", "l", "").await;
    assert!(matches!(over, Err(ProfileError::UserFull { max: 64 })), "{over:?}");
    set(&world, "b", "k", &"x".repeat(35)).await.expect("at the limit of the app");
    let over = set(&world, "b", "k", &"x".repeat(36)).await;
    assert!(matches!(over, Err(ProfileError::AppFull { max: 100 })), "{over:?}");
    set(&world, "b", "k", "x").await.expect("less is always allowed");
    assert!(matches!(set(&world, "nobody", "k", "v").await, Err(ProfileError::Directory(_))));
}
