//! `[files]`: where uploaded files are kept.

use super::names::SecretText;
use super::section::section;
use super::value::{Bounded, Invalid, Setting, Shape, quoted};

section! {
    /// Uploaded files of the Chat API. How large they may be and how long they are kept is in [apps.chat].
    pub struct FilesSection {
        /// A folder (a path or file:///path), or a bucket that speaks S3: "s3://bucket/prefix". Without one, the folder
        /// "files" in the data directory.
        url: Option<FilesUrl> = None, example "\"s3://stentor-files/production\"";
        /// The address of the bucket's server. Without one, Amazon's.
        s3_endpoint: Option<String> = None, example "\"https://minio.example.com:9000\"";
        /// The bucket's region.
        s3_region: Option<String> = None, example "\"eu-central-1\"";
        /// The ID of the access key. Without one, that of the AWS_… variables or of the machine's role.
        s3_access_key_id: Option<String> = None, example "\"AKIA…\"";
        /// The access key.
        s3_secret_access_key: Option<SecretText> = None, example "\"…\"";
        /// Whether s3_endpoint names the bucket already (`https://bucket.example.com`).
        s3_virtual_hosted: bool = false;
        /// Uploads at a time; one more gets 503. Each holds up to 256 KiB in memory with a folder, 5 MiB with a bucket.
        uploads: Bounded<1, 10_000> = Bounded::clamped(64);
        /// An upload that brings nothing for this time gets 408. So does one that is slower than 1 KiB a second.
        upload_idle_timeout_ms: Bounded<100, 600_000> = Bounded::clamped(15_000);
    }
}

/// Where files are kept: a folder or a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesUrl(String);

impl FilesUrl {
    /// As the file writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for FilesUrl {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        stentor_files::check_url(text).map(|()| Self(text.to_owned())).map_err(|why| Invalid(why.to_owned()))
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}
