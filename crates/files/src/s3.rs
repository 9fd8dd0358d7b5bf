//! A bucket that speaks S3. Small files are one request; others go in parts, which the bucket joins at the end.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{ClientOptions, RetryConfig};

use crate::failure::StoreFailure;
use crate::open::{OpenError, Options, S3Options};
use crate::store::{Backend, FileStore};

/// The smallest part that S3 takes, except for the last.
const PART_BYTES: usize = 5 * 1024 * 1024;

const CONNECT: Duration = Duration::from_secs(5);

/// How long the bucket may be silent. There is no limit for a whole request: a client that downloads slowly makes the
/// bucket wait.
const SILENCE: Duration = Duration::from_secs(60);

pub(crate) fn open(bucket: &str, prefix: &str, options: &Options) -> Result<FileStore, OpenError> {
    let prefix = Path::parse(prefix).map_err(|_| OpenError::Url("the prefix of the bucket for files is not one"))?;
    if options.s3.access_key_id.is_some() != options.s3.secret_access_key.is_some() {
        return Err(OpenError::Url("the access key of the bucket for files and its ID go together"));
    }
    let objects = builder(&options.s3)
        .with_bucket_name(bucket)
        .build()
        .map_err(|error| OpenError::Bucket(StoreFailure::from(error)))?;
    let backend = Backend { objects: Arc::new(objects), prefix, part_bytes: PART_BYTES, folder: None };
    Ok(FileStore::new(backend, options.uploads))
}

fn builder(options: &S3Options) -> AmazonS3Builder {
    let mut builder = match (&options.access_key_id, &options.secret_access_key) {
        // A session's token from the environment would not belong to the key that was given.
        (Some(id), Some(key)) => AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(key),
        _ => AmazonS3Builder::from_env(),
    };
    if let Some(endpoint) = &options.endpoint {
        // The one that is stronger than all others.
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    if let Some(region) = &options.region {
        builder = builder.with_region(region);
    }
    if options.virtual_hosted {
        builder = builder.with_virtual_hosted_style_request(true);
    }
    let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    let endpoint = endpoint.iter().find_map(|key| builder.get_config_value(key));
    builder
        .with_client_options(client(endpoint.is_some_and(|url| url.starts_with("http://"))))
        .with_retry(RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() })
        // Not every server knows the request that deletes many at once.
        .with_disable_bulk_delete(true)
}

fn client(plain: bool) -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE)
        .with_allow_http(plain)
        // A machine without certificate authorities can still speak to a server without TLS.
        .with_no_system_certificates(plain)
}
