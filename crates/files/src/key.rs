//! What a blob is known by. Parsing is validating: no key can name anything outside the store.

use std::fmt;

use object_store::path::Path;

/// Three times as many bytes when every one of them is escaped, and a name of a folder has at most 255.
const MAX_APP_BYTES: usize = 80;

const UUID_BYTES: usize = 36;

/// What stands behind the UUID in the name of a thumbnail.
const THUMBNAIL: &str = ".thumb";

/// An app and a UUID. Its blob is kept as `{app}/{uuid}`, its thumbnail beside it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FileKey {
    /// As a folder's name: letters, digits and `-` as they are, every other byte as `_23`. No disk, URL or signature
    /// has a second way to write such a name.
    folder: String,
    uuid: String,
}

/// Why a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The app's ID has no bytes, or more than 80.
    #[error("an app's ID has 1 to 80 bytes")]
    App,
    /// It is not a UUID as we write them: `8-4-4-4-12` hex digits, lower case.
    #[error("not a UUID in lower case")]
    Uuid,
}

impl FileKey {
    /// The key of a file. The app may have any ID of 1 to 80 bytes; the UUID must be written in lower case.
    ///
    /// # Errors
    /// When one of them is not so. A handler answers a UUID that is none like a file that is not there.
    pub fn new(app: &str, uuid: &str) -> Result<Self, KeyError> {
        if app.is_empty() || app.len() > MAX_APP_BYTES {
            return Err(KeyError::App);
        }
        if !is_uuid(uuid) {
            return Err(KeyError::Uuid);
        }
        Ok(Self { folder: folder_name(app), uuid: uuid.to_owned() })
    }

    /// The UUID.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// The app's ID.
    #[must_use]
    pub fn app(&self) -> String {
        app_id(&self.folder).unwrap_or_default()
    }

    pub(crate) fn blob(&self, prefix: &Path) -> Path {
        prefix.clone().join(self.folder.as_str()).join(self.uuid.as_str())
    }

    pub(crate) fn thumbnail(&self, prefix: &Path) -> Path {
        prefix.clone().join(self.folder.as_str()).join(format!("{}{THUMBNAIL}", self.uuid))
    }

    /// Back from a path to the key, and whether it is that of the thumbnail. `None` for what is not ours.
    pub(crate) fn of(path: &Path, prefix: &Path) -> Option<(Self, bool)> {
        let mut parts = path.prefix_match(prefix)?;
        let (folder, file) = (parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let (uuid, is_thumbnail) = file_name(file.as_ref())?;
        let key = Self::new(&app_id(folder.as_ref())?, uuid).ok()?;
        Some((key, is_thumbnail))
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.folder, self.uuid)
    }
}

/// The UUID in a file's name, and whether the file is a thumbnail.
pub(crate) fn file_name(name: &str) -> Option<(&str, bool)> {
    let (uuid, is_thumbnail) = match name.strip_suffix(THUMBNAIL) {
        Some(uuid) => (uuid, true),
        None => (name, false),
    };
    is_uuid(uuid).then_some((uuid, is_thumbnail))
}

fn is_uuid(text: &str) -> bool {
    text.len() == UUID_BYTES
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn folder_name(app: &str) -> String {
    let mut name = String::with_capacity(app.len());
    for byte in app.bytes() {
        if is_plain(byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("_{byte:02x}"));
        }
    }
    name
}

fn app_id(folder: &str) -> Option<String> {
    let mut app = Vec::with_capacity(folder.len());
    let mut rest = folder.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if is_plain(byte) {
            app.push(byte);
            rest = tail;
        } else {
            let digits = tail.get(..2).filter(|_| byte == b'_')?;
            app.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = &tail[2..];
        }
    }
    String::from_utf8(app).ok()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: &str = "55f12940-64af-11e4-8a5b-ff2336f03252";

    #[test]
    fn an_apps_name_stays_readable() {
        let key = FileKey::new("acme#demo", UUID).unwrap();
        assert_eq!(key.blob(&Path::from("x")).as_ref(), format!("x/acme_23demo/{UUID}"));
        assert_eq!(key.thumbnail(&Path::default()).as_ref(), format!("acme_23demo/{UUID}.thumb"));
        assert_eq!(key.app(), "acme#demo");
        assert_eq!(key.uuid(), UUID);
    }

    #[test]
    fn lengths_at_the_limit_and_one_past_it() {
        assert!(FileKey::new(&"#".repeat(80), UUID).is_ok());
        assert_eq!(FileKey::new(&"#".repeat(81), UUID), Err(KeyError::App));
        assert_eq!(FileKey::new("", UUID), Err(KeyError::App));
    }

    #[test]
    fn only_uuids_in_our_spelling() {
        for uuid in [
            "",
            ".",
            "..",
            "../../../../etc/passwd",
            "55F12940-64AF-11E4-8A5B-FF2336F03252",
            "55f1294064af11e48a5bff2336f03252",
            "55f12940-64af-11e4-8a5b-ff2336f0325",
            "55f12940-64af-11e4-8a5b-ff2336f032522",
            "55f12940/64af-11e4-8a5b-ff2336f03252",
            "55f12940-64af-11e4-8a5b-ff2336f0325#",
            "55f12940-64af-11e4-8a5b-ff2336f0325\0",
            "55f12940-64af-11e4-8a5b-ff2336f0325ä",
        ] {
            assert_eq!(FileKey::new("app", uuid), Err(KeyError::Uuid), "{uuid:?}");
        }
    }

    proptest! {
        #[test]
        fn every_app_has_one_folder_and_no_way_out_of_it(app in "\\PC{1,20}|[./\\\\%#=\0]{1,20}|[a-z0-9.#_]{1,20}") {
            let key = FileKey::new(&app, UUID).unwrap();
            let prefix = Path::from("files");
            let path = key.blob(&prefix);
            prop_assert_eq!(path.parts().count(), 3, "{}", path);
            prop_assert!(!path.as_ref().contains(['.', '\\', '#', '%', '\0']), "{}", path);
            prop_assert_eq!(key.app(), app);
            prop_assert_eq!(FileKey::of(&path, &prefix), Some((key.clone(), false)));
            prop_assert_eq!(FileKey::of(&key.thumbnail(&prefix), &prefix), Some((key, true)));
        }
    }

    #[test]
    fn what_is_not_ours_is_not_a_key() {
        for path in [".lock", "app/readme.txt", &format!("app/x/{UUID}"), &format!("a_2/{UUID}"), UUID] {
            assert_eq!(FileKey::of(&Path::from(path), &Path::default()), None, "{path}");
        }
    }
}
