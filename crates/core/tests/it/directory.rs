//! What is kept by name: users, and what ties them to each other.

mod admissions;
mod contacts;
mod departure;
mod files;
mod mutes;
mod profiles;
mod shared_files;
mod status;
mod users;

use stentor_core::directory::users::{NewUser, User};

use crate::harness::{World, user_id};

async fn register(world: &World, name: &str) -> User {
    let new = NewUser { name: user_id(name), password_hash: None, nickname: None };
    world.node.register(&world.app, new).await.expect("registers")
}

/// A world with these users.
async fn world_of(users: &[&str]) -> World {
    let world = crate::harness::world().await;
    for user in users {
        register(&world, user).await;
    }
    world
}
