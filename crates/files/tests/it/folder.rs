//! Opening a folder: made, private, swept, shared.

use std::fs;
use std::process::{Command, Stdio};

use stentor_files::{FileStore, OpenError, Options};
use tokio::io::AsyncReadExt;

use crate::world::{PLENTY, bytes, key, names, open, read, source, stalling, uuid};

#[tokio::test]
async fn a_folder_is_made_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b");
    let url = format!("file://{}", folder.display());
    let files = FileStore::open(&Options::new(&url)).unwrap();
    files.put(&key(1), source(&bytes(100), 10), PLENTY).await.unwrap();
    drop(files);
    let files = FileStore::open(&Options::new(folder.to_str().unwrap())).unwrap();
    assert_eq!(read(files.get(&key(1), None).await.unwrap()).await, bytes(100));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn what_is_no_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = FileStore::open(&Options::new(file.to_str().unwrap()));
    assert!(matches!(refused, Err(OpenError::Folder { .. })), "{refused:?}");
}

#[test]
fn leftovers_are_swept_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let app = dir.path().join("app");
    fs::create_dir_all(app.join("deeper")).unwrap();
    let kept = [
        uuid(1),
        format!("{}.thumb", uuid(1)),
        "notes#1".to_owned(),
        format!("{}#", uuid(1)),
        format!("{}#x", uuid(1)),
    ];
    let swept = [format!("{}#1", uuid(1)), format!("{}#12", uuid(2)), format!("{}.thumb#1", uuid(1))];
    for name in kept.iter().chain(&swept) {
        fs::write(app.join(name), "x").unwrap();
    }
    fs::write(dir.path().join(format!("{}#1", uuid(1))), "not where we put files").unwrap();
    fs::write(app.join(format!("deeper/{}#1", uuid(1))), "nor there").unwrap();
    let before = names(dir.path()).len();
    open(dir.path());
    let after = names(dir.path());
    assert_eq!(after.len(), before - swept.len());
    assert!(swept.iter().all(|name| !after.contains(&format!("app/{name}"))), "{after:?}");
}

/// Two nodes may share a folder: the one that comes later leaves the other's uploads alone.
#[tokio::test]
async fn an_upload_survives_that_another_opens_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let staged = dir.path().join("app").join(format!("{}#1", uuid(1)));
    fs::create_dir(dir.path().join("app")).unwrap();
    fs::write(&staged, "an upload of the first").unwrap();
    let second = open(dir.path());
    assert!(staged.exists());
    drop(first);
    let third = open(dir.path());
    assert!(staged.exists(), "the second still has the folder");
    drop((second, third));
    open(dir.path());
    assert!(!staged.exists());
}

const KILLED: &str = "STENTOR_FILES_TEST_KILLED";

/// Run by the next test in a process of its own; alone it does nothing.
#[tokio::test]
async fn uploads_until_it_is_killed() {
    let Ok(dir) = std::env::var(KILLED) else { return };
    let files = open(dir.as_ref());
    files.put(&key(1), source(&bytes(1_000_000), 1000), PLENTY).await.unwrap();
    let key = key(2);
    let mut put = Box::pin(files.put(&key, stalling(&bytes(1_000_000), 1000), PLENTY));
    while names(dir.as_ref()).len() < 2 {
        assert!(futures_util::poll!(&mut put).is_pending());
        tokio::task::yield_now().await;
    }
    println!("killable");
    put.await.unwrap();
}

#[tokio::test]
async fn a_kill_leaves_what_was_acknowledged_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = tokio::process::Command::from(Command::new(std::env::current_exe().unwrap()))
        .args(["folder::uploads_until_it_is_killed", "--exact", "--nocapture"])
        .env(KILLED, dir.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (mut said, mut out) = (Vec::new(), child.stdout.take().unwrap());
    while !String::from_utf8_lossy(&said).contains("killable") {
        assert_ne!(out.read_buf(&mut said).await.unwrap(), 0, "{}", String::from_utf8_lossy(&said));
    }
    child.kill().await.unwrap();
    assert_eq!(names(dir.path()).len(), 2, "one file, and one on its way");
    let files = open(dir.path());
    assert_eq!(names(dir.path()), [format!("acme_23demo/{}", uuid(1))]);
    assert_eq!(read(files.get(&key(1), None).await.unwrap()).await, bytes(1_000_000));
}
