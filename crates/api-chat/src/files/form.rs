//! The form of an upload: its file goes straight to the blob store, part by part, its other fields are few and short.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, HeaderName};
use futures_util::StreamExt;
use multer::{Field, Multipart};
use stentor_files::{FileKey, PutError, Stored};

use super::Files;
use super::paced::{Allowance, BodyEnd, Paced};
use super::refusal::{no_file, quota_used_up, too_large, too_slow};
use crate::error::ChatError;

/// Bytes of a form beside its file; also what is read and thrown away beyond the limit, so that a client that is still
/// writing gets to read the refusal.
const AROUND_BYTES: u64 = 1024 * 1024;

/// Parts of a form.
pub(super) const MAX_PARTS: usize = 32;

/// Bytes of a field that is not the file.
const MAX_FIELD_BYTES: usize = 1024;

/// Bytes of a file's name or type.
const MAX_NAME_BYTES: usize = 1024;

/// How much may come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Bytes of one file.
    pub(super) file: u64,
    /// Bytes that the app may still keep.
    pub(super) quota: u64,
}

/// A file that is in the blob store, and what else the form says.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub(super) stored: Stored,
    pub(super) content_type: Option<String>,
    pub(super) name: Option<String>,
    pub(super) fields: Fields,
}

/// The fields of a form that mean something; each may also be a header.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) restrict_access: bool,
    pub(super) thumbnail_width: Option<u32>,
    pub(super) thumbnail_height: Option<u32>,
    name: Option<String>,
}

impl Fields {
    /// What the headers say.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        let mut fields = Self::default();
        for name in ["restrict-access", "thumbnail-width", "thumbnail-height"] {
            let value = headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok());
            if let Some(value) = value {
                fields.set(name, value);
            }
        }
        fields
    }

    /// A field that cannot be read is not there.
    fn set(&mut self, name: &str, value: &str) {
        let value = value.trim();
        match name {
            // Once it is restricted, nothing opens it again.
            "restrict-access" => self.restrict_access |= value.eq_ignore_ascii_case("true"),
            "thumbnail-width" => self.thumbnail_width = value.parse().ok().or(self.thumbnail_width),
            "thumbnail-height" => self.thumbnail_height = value.parse().ok().or(self.thumbnail_height),
            "filename" => self.name = some_text(value),
            _ => {}
        }
    }
}

fn some_text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text[..text.floor_char_boundary(MAX_NAME_BYTES)].to_owned())
}

/// Reads a form, and puts its file into the store under `key`. If it fails, nothing stays in the store.
///
/// # Errors
/// 400 without a file, 403 and 413 if it is too large, 408 if it does not arrive.
pub(super) async fn receive(
    files: &Files,
    key: &FileKey,
    headers: &HeaderMap,
    body: Body,
    room: Room,
) -> Result<Uploaded, ChatError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|_| no_file())?;
    if is_hopeless(headers, room) {
        return Err(too_large());
    }
    let max_bytes = room.file.saturating_add(AROUND_BYTES);
    let body = Paced::new(body.into_data_stream(), max_bytes, files.idle_timeout);
    let allowance = body.allowance();
    let mut reader = Reader { form: Multipart::new(body, boundary), allowance, files, key, room, stored: false };
    let received = reader.read(Fields::of_headers(headers)).await;
    if let Err(refused) = &received {
        reader.give_up(refused).await;
    }
    received
}

/// Whether the form is refused without looking at it: it says that it is larger than what would be thrown away, or its
/// client asks before it sends it.
fn is_hopeless(headers: &HeaderMap, room: Room) -> bool {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let around = if headers.contains_key(EXPECT) { AROUND_BYTES / 16 } else { AROUND_BYTES };
    declared.is_some_and(|declared| declared > room.file.saturating_add(around))
}

struct Reader<'a> {
    form: Multipart<'static>,
    allowance: Allowance,
    files: &'a Files,
    key: &'a FileKey,
    room: Room,
    stored: bool,
}

impl Reader<'_> {
    async fn read(&mut self, mut fields: Fields) -> Result<Uploaded, ChatError> {
        let mut file = None;
        for _ in 0..MAX_PARTS {
            let Some(mut field) = self.form.next_field().await.map_err(of_form)? else {
                let (stored, content_type, name) = file.ok_or_else(no_file)?;
                let name = Option::or(name, fields.name.take());
                return Ok(Uploaded { stored, content_type, name, fields });
            };
            self.allowance.renew();
            if field.name() == Some("file") && file.is_none() {
                file = self.store(field).await?;
            } else {
                let name = field.name().unwrap_or_default().to_owned();
                if let Some(value) = self.text(&mut field).await? {
                    fields.set(&name, &value);
                }
            }
        }
        Err(invalid())
    }

    /// The file's part. `None` if it is what a browser sends for no file.
    async fn store(
        &mut self,
        mut field: Field<'static>,
    ) -> Result<Option<(Stored, Option<String>, Option<String>)>, ChatError> {
        let content_type = field.content_type().and_then(|mime| some_text(mime.as_ref()));
        let chosen = field.file_name() != Some("");
        let name = field.file_name().and_then(some_text);
        let allowance = self.allowance.clone();
        let max = self.room.file.min(self.room.quota);
        let source = field.by_ref().inspect(|_| allowance.renew());
        let stored = match self.files.store.put(self.key, source, max).await {
            Ok(stored) => stored,
            Err(error) => {
                let refused = self.of_put(error);
                self.skip(&mut field).await;
                return Err(refused);
            }
        };
        self.stored = true;
        if stored.size == 0 && !chosen {
            self.discard().await;
            return Ok(None);
        }
        Ok(Some((stored, content_type, name)))
    }

    /// A short field's value; `None` if it is long, or no text.
    async fn text(&self, field: &mut Field<'static>) -> Result<Option<String>, ChatError> {
        let mut value = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(of_form)? {
            self.allowance.renew();
            let room = (MAX_FIELD_BYTES + 1).saturating_sub(value.len());
            value.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(String::from_utf8(value).ok().filter(|value| value.len() <= MAX_FIELD_BYTES))
    }

    /// Reads the rest of a part and forgets it.
    async fn skip(&self, field: &mut Field<'static>) {
        while let Ok(Some(_)) = field.chunk().await {
            self.allowance.renew();
        }
    }

    /// Takes what was stored back, and lets the client finish, so that it reads the refusal.
    async fn give_up(&mut self, refused: &ChatError) {
        self.discard().await;
        if refused.status == axum::http::StatusCode::REQUEST_TIMEOUT {
            return;
        }
        while let Ok(Some(mut field)) = self.form.next_field().await {
            self.allowance.renew();
            self.skip(&mut field).await;
        }
    }

    async fn discard(&mut self) {
        if std::mem::take(&mut self.stored) {
            super::blobs::discard(&self.files.store, self.key).await;
        }
    }

    fn of_put(&self, error: PutError<multer::Error>) -> ChatError {
        match error {
            PutError::TooLarge { .. } if self.room.quota < self.room.file => quota_used_up(),
            PutError::TooLarge { .. } => too_large(),
            PutError::Source(error) => of_form(error),
            PutError::Full | PutError::Busy => ChatError::unavailable(),
            PutError::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a file could not be stored");
                ChatError::internal()
            }
        }
    }
}

fn invalid() -> ChatError {
    ChatError::illegal_argument("this is an invalid request.")
}

/// Why a form cannot be read.
fn of_form(error: multer::Error) -> ChatError {
    let multer::Error::StreamReadFailed(source) = error else { return invalid() };
    match source.downcast_ref::<BodyEnd>() {
        Some(BodyEnd::Slow) => too_slow(),
        Some(BodyEnd::TooLarge) => too_large(),
        Some(BodyEnd::Shapeless | BodyEnd::Broken) | None => invalid(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_cannot_be_read_are_not_there() {
        let mut fields = Fields::default();
        for (name, value) in [
            ("thumbnail-width", "180"),
            ("thumbnail-width", "wide"),
            ("thumbnail-height", "-1"),
            ("restrict-access", "TRUE"),
            ("restrict-access", "false"),
            ("other", "1"),
            ("filename", "  "),
        ] {
            fields.set(name, value);
        }
        let expected = Fields { restrict_access: true, thumbnail_width: Some(180), ..Fields::default() };
        assert_eq!(fields, expected);
    }

    #[test]
    fn only_what_says_that_it_is_far_too_large_is_refused_unread() {
        let room = Room { file: 10, quota: 10 };
        let headers = |length: u64, asks: bool| {
            let mut headers = HeaderMap::from_iter([(CONTENT_LENGTH, length.into())]);
            if asks {
                headers.insert(EXPECT, axum::http::HeaderValue::from_static("100-continue"));
            }
            headers
        };
        assert!(!is_hopeless(&HeaderMap::new(), room));
        assert!(!is_hopeless(&headers(10 + AROUND_BYTES, false), room));
        assert!(is_hopeless(&headers(11 + AROUND_BYTES, false), room));
        assert!(!is_hopeless(&headers(10 + AROUND_BYTES / 16, true), room));
        assert!(is_hopeless(&headers(11 + AROUND_BYTES / 16, true), room));
    }
}
