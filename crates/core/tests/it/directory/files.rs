//! Uploaded files: their quota, and how they go.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use stentor_core::directory::files::{Blobs, File, FileError, NewFile};

use crate::harness::{World, world};

const DAYS_30: Duration = Duration::from_secs(30 * 86_400);

/// Takes note of what is deleted.
#[derive(Debug, Default)]
struct Deleted {
    uuids: Mutex<Vec<String>>,
    /// This one cannot be deleted.
    stuck: Mutex<Option<&'static str>>,
}

#[async_trait]
impl Blobs for Deleted {
    async fn delete(&self, uuid: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if *self.stuck.lock() == Some(uuid) {
            return Err("stuck".into());
        }
        self.uuids.lock().push(uuid.to_owned());
        Ok(())
    }
}

impl Deleted {
    fn in_order(&self) -> Vec<String> {
        let mut uuids = std::mem::take(&mut *self.uuids.lock());
        uuids.sort();
        uuids
    }
}

fn keep_files(world: &World) -> Arc<Deleted> {
    let deleted = Arc::new(Deleted::default());
    assert!(world.node.keep_files_in(&world.app, deleted.clone()));
    assert!(!world.node.keep_files_in(&world.app, deleted.clone()), "the place is said once");
    deleted
}

async fn add(world: &World, uuid: &str, bytes: u64) -> Result<File, FileError> {
    let digest = Some(vec![1, 2, 255]);
    let new = NewFile { uuid: uuid.to_owned(), bytes, secret_digest: digest, ..NewFile::default() };
    world.node.add_file(&world.app, new).await
}

async fn find(world: &World, uuid: &str) -> Option<File> {
    world.node.find_file(&world.app, uuid).await.expect("reads")
}

async fn bytes(world: &World) -> u64 {
    world.node.file_bytes(&world.app).await.expect("sums")
}

#[tokio::test]
async fn the_quota_is_used_up_and_given_back() {
    let world = world().await;
    let deleted = keep_files(&world);
    let file = add(&world, "a1", 60).await.expect("taken");
    assert_eq!(find(&world, "a1").await.as_ref(), Some(&file));
    assert!(matches!(add(&world, "b1", 41).await, Err(FileError::QuotaUsedUp { max: 100 })));
    assert_eq!(find(&world, "b1").await, None);
    add(&world, "b2", 40).await.expect("up to the limit");
    add(&world, "b3", 0).await.expect("an empty file takes nothing");
    let world = world.restarted().await;
    let deleted_after = keep_files(&world);
    assert_eq!(bytes(&world).await, 100);
    assert!(world.node.delete_file(&world.app, "a1").await.expect("deletes"));
    assert!(!world.node.delete_file(&world.app, "a1").await.expect("there is none any more"));
    assert_eq!((find(&world, "a1").await, bytes(&world).await), (None, 40));
    assert_eq!((deleted.in_order().len(), deleted_after.in_order()), (0, vec!["a1".to_owned()]));
    add(&world, "c1", 60).await.expect("there is room again");
}

#[tokio::test]
async fn what_has_expired_goes_and_is_remembered_for_a_while() {
    let world = world().await;
    let deleted = keep_files(&world);
    // More than one step, in every part of the count.
    for number in 0..70 {
        add(&world, &format!("{:x}-{number:02}", number % 16), 1).await.expect("taken");
    }
    world.clock.advance(Duration::from_millis(999));
    let late = add(&world, "late", 7).await.expect("taken");
    assert!(!late.has_expired(late.created_ms) && late.has_expired(late.created_ms + 1000));
    world.clock.advance(Duration::from_millis(1));
    world.pass(Duration::from_secs(61)).await;
    assert_eq!(deleted.in_order().len(), 71);
    assert_eq!(bytes(&world).await, 0);
    assert!(find(&world, "late").await.is_some_and(|file| file.is_gone));
    let kept = world.node.files_kept(&world.app, vec!["late".into(), "never".into()]).await.expect("reads");
    assert_eq!(kept, [false, false]);
    assert!(!world.node.delete_file(&world.app, "late").await.expect("reads"), "its bytes were counted back");
    world.clock.advance(DAYS_30);
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(find(&world, "late").await, None);
    assert_eq!(find(&world, "0-00").await, None);
}

#[tokio::test]
async fn what_cannot_be_deleted_stays_and_does_not_keep_the_others() {
    let world = world().await;
    let deleted = keep_files(&world);
    for uuid in ["a", "b", "c"] {
        add(&world, uuid, 10).await.expect("taken");
    }
    *deleted.stuck.lock() = Some("a");
    world.pass(Duration::from_secs(62)).await;
    assert_eq!(deleted.in_order(), ["b", "c"]);
    assert_eq!(bytes(&world).await, 10);
    assert_eq!(world.node.files_kept(&world.app, vec!["a".into(), "b".into()]).await.expect("reads"), [true, false]);
    *deleted.stuck.lock() = None;
    world.pass(Duration::from_secs(62)).await;
    assert_eq!(deleted.in_order(), ["a"]);
    assert_eq!(bytes(&world).await, 0);
}

#[tokio::test]
async fn what_expired_while_the_process_was_away_goes_after_the_start() {
    let world = world().await;
    drop(keep_files(&world));
    add(&world, "a", 10).await.expect("taken");
    world.clock.advance(Duration::from_secs(5));
    let world = world.restarted().await;
    let deleted = keep_files(&world);
    world.pass(Duration::from_secs(62)).await;
    assert_eq!(deleted.in_order(), ["a"]);
}
