//! The same store in a bucket, against a server that speaks S3.

use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, poll};
use stentor_files::{FileStore, GetError, OpenError, Options, PutError, S3Options, Stored};

use crate::s3_server::{BUCKET, KEY_ID, S3Server};
use crate::world::{PLENTY, bytes, key, read, source, stalling, uuid};

/// What a bucket is sent at a time.
const PART: usize = 5 * 1024 * 1024;

fn open(server: &S3Server) -> FileStore {
    open_as(server, KEY_ID)
}

fn open_as(server: &S3Server, key_id: &str) -> FileStore {
    let s3 = S3Options {
        endpoint: Some(server.endpoint.clone()),
        region: Some("eu-central-1".to_owned()),
        access_key_id: Some(key_id.to_owned()),
        secret_access_key: Some("secret".to_owned()),
        virtual_hosted: false,
    };
    FileStore::open(&Options { s3, ..Options::new(format!("s3://{BUCKET}/chat/files")) }).unwrap()
}

fn name(n: u32) -> String {
    format!("chat/files/acme_23demo/{}", uuid(n))
}

/// All verbs once, whatever the server.
async fn put_get_list_delete(files: &FileStore) {
    for (n, size) in [0, 1, PART - 1, PART, PART + 1, 2 * PART + 17].into_iter().enumerate() {
        let (key, whole) = (key(u32::try_from(n).unwrap()), bytes(size));
        let stored = files.put(&key, source(&whole, 100_000), PLENTY).await.unwrap();
        assert_eq!(stored, Stored { size: size as u64, head: whole.slice(..size.min(64)) });
        assert_eq!(files.size(&key).await.unwrap(), size as u64);
        assert_eq!(read(files.get(&key, None).await.unwrap()).await, whole, "{size}");
    }
    let two_parts = bytes(PART + 1);
    for range in [0..1, PART - 1..PART + 1, PART..PART + 500] {
        let blob = files.get(&key(4), Some(range.start as u64..range.end as u64)).await.unwrap();
        let expected = range.start..range.end.min(PART + 1);
        assert_eq!((blob.size, blob.range.clone()), (PART as u64 + 1, expected.start as u64..expected.end as u64));
        assert_eq!(read(blob).await, two_parts.slice(expected));
    }
    for range in [PART as u64 + 1..u64::MAX, 5..5] {
        let beyond = files.get(&key(4), Some(range)).await;
        assert!(matches!(beyond, Err(GetError::OutOfRange { size }) if size == PART as u64 + 1), "{beyond:?}");
    }
    assert!(matches!(files.get(&key(0), Some(0..1)).await, Err(GetError::OutOfRange { size: 0 })));
    assert!(matches!(files.get(&key(99), None).await, Err(GetError::NotFound)));
    assert!(matches!(files.get(&key(99), Some(0..1)).await, Err(GetError::NotFound)));
    let mut listed: Vec<_> = files.list().try_collect().await.unwrap();
    listed.sort_by_key(|file| file.key.uuid().to_owned());
    assert_eq!(
        listed.iter().map(|file| file.size as usize).collect::<Vec<_>>(),
        [0, 1, PART - 1, PART, PART + 1, 2 * PART + 17]
    );
    for _ in 0..2 {
        for file in &listed {
            files.delete(&file.key).await.unwrap();
        }
    }
    assert_eq!(files.list().count().await, 0);
}

#[tokio::test]
async fn all_verbs() {
    let server = S3Server::start().await;
    let files = open(&server);
    put_get_list_delete(&files).await;
    files.close().await;
    assert_eq!((server.objects().len(), server.unfinished()), (0, 0));
    // What fits into one request is one; all other parts are as large as can be.
    assert_eq!(server.parts(), [PART, 1, PART, PART, 17]);
    // The server refuses smaller ones, however the bytes come.
    files.put(&key(1), source(&bytes(2 * PART), PART - 1), PLENTY).await.unwrap();
}

/// Against a server of your own: `STENTOR_TEST_S3=http://127.0.0.1:5000`, with a bucket named `bucket`.
#[tokio::test]
#[ignore = "needs a server that is not part of the project"]
async fn all_verbs_elsewhere() {
    let s3 = S3Options {
        endpoint: Some(std::env::var("STENTOR_TEST_S3").unwrap()),
        access_key_id: Some(std::env::var("STENTOR_TEST_S3_KEY_ID").unwrap_or_else(|_| KEY_ID.to_owned())),
        secret_access_key: Some(std::env::var("STENTOR_TEST_S3_KEY").unwrap_or_else(|_| "secret".to_owned())),
        ..S3Options::default()
    };
    let files = FileStore::open(&Options { s3, ..Options::new(format!("s3://{BUCKET}/chat/files")) }).unwrap();
    put_get_list_delete(&files).await;
    // And one that is dropped on its way.
    let key = key(1);
    let mut put = Box::pin(files.put(&key, source(&bytes(PART * 2), 1000), PLENTY));
    assert!(poll!(&mut put).is_pending());
    drop(put);
    files.close().await;
    assert_eq!(files.list().count().await, 0);
}

#[tokio::test]
async fn names_in_the_bucket() {
    let server = S3Server::start().await;
    open(&server).put(&key(1), source(&bytes(10), 10), PLENTY).await.unwrap();
    assert_eq!(server.objects(), [name(1)]);
}

#[tokio::test]
async fn refused_and_broken_uploads_are_aborted() {
    let server = S3Server::start().await;
    let files = open(&server);
    let too_large = files.put(&key(1), source(&bytes(PART + 9000), 1000), PART as u64 + 5000).await;
    assert!(matches!(too_large, Err(PutError::TooLarge { .. })));
    let broken =
        source(&bytes(PART + 9000), 1000).chain(futures_util::stream::iter([Err(std::io::Error::other("gone"))]));
    assert!(matches!(files.put(&key(1), broken, PLENTY).await, Err(PutError::Source(_))));
    files.close().await;
    assert_eq!(server.parts(), [PART, PART]);
    assert_eq!((server.objects().len(), server.unfinished()), (0, 0));
}

#[tokio::test]
async fn an_abandoned_upload_is_aborted() {
    let server = S3Server::start().await;
    let files = open(&server);
    let key = key(1);
    let mut put = Box::pin(files.put(&key, stalling(&bytes(PART + 1), 1000), PLENTY));
    while server.parts().is_empty() {
        assert!(poll!(&mut put).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(server.unfinished(), 1);
    drop(put);
    files.close().await;
    assert_eq!((server.objects().len(), server.unfinished()), (0, 0));
}

/// The bucket makes the object, and nobody is left to be told so.
#[tokio::test]
async fn abandoned_in_the_last_step() {
    for size in [10, PART + 1] {
        let server = S3Server::start().await;
        let files = open(&server);
        server.hold_last_steps();
        let key = key(1);
        let mut put = Box::pin(files.put(&key, source(&bytes(size), 1000), PLENTY));
        tokio::select! {
            done = &mut put => panic!("{done:?}"),
            () = server.last_step() => {}
        }
        drop(put);
        server.release_last_steps();
        files.close().await;
        assert_eq!((server.objects(), server.unfinished()), (Vec::new(), 0), "{size} bytes");
    }
}

#[tokio::test]
async fn a_full_bucket_and_a_failing_one() {
    let server = S3Server::start().await;
    let files = open(&server);
    for size in [10, PART + 1] {
        server.answer(Some(StatusCode::INSUFFICIENT_STORAGE));
        let full = files.put(&key(1), source(&bytes(size), 1000), PLENTY).await;
        assert!(matches!(full, Err(PutError::Full)), "{full:?}");
        server.answer(Some(StatusCode::BAD_REQUEST));
        let failed = files.put(&key(1), source(&bytes(size), 1000), PLENTY).await;
        assert!(matches!(failed, Err(PutError::Store(_))), "{failed:?}");
        server.answer(None);
        files.put(&key(1), source(&bytes(size), 1000), PLENTY).await.unwrap();
    }
}

#[tokio::test]
async fn wrong_credentials_show_and_are_not_shown() {
    let server = S3Server::start().await;
    let failed = open_as(&server, "AKIAOTHER").put(&key(1), source(&bytes(10), 10), PLENTY).await;
    let Err(PutError::Store(failure)) = failed else { panic!("{failed:?}") };
    let text = format!("{failure:?}");
    assert!(text.contains("403") || text.contains("PermissionDenied"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn options_that_cannot_be() {
    let one_half = S3Options { access_key_id: Some("id".to_owned()), ..S3Options::default() };
    let opened = FileStore::open(&Options { s3: one_half, ..Options::new("s3://bucket") });
    assert!(matches!(opened, Err(OpenError::Url(_))), "{opened:?}");
    let opened = FileStore::open(&Options::new("s3://bucket/a/../b"));
    assert!(matches!(opened, Err(OpenError::Url(_))), "{opened:?}");
}

#[tokio::test]
async fn a_small_file_is_one_request() {
    let server = S3Server::start().await;
    open(&server).put(&key(1), source(&Bytes::from_static(b"x"), 1), PLENTY).await.unwrap();
    assert!(server.parts().is_empty());
}
