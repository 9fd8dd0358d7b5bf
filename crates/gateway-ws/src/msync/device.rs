//! What a device is called. Apps name theirs as they like; the server may answer with another name, which the SDKs take
//! for theirs from then on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha1::{Digest, Sha1};
use stentor_core::id::DeviceId;

use crate::chat;

/// So much is left of a name that cannot be kept, before what tells it from others.
const KEPT: usize = 36;

/// The device of a name: itself, if it may be; else one that is always the same for this name, and for no other.
pub(super) fn name(asked: Option<&str>) -> DeviceId {
    let asked = asked.unwrap_or(chat::DEFAULT_DEVICE);
    DeviceId::parse(asked, &chat::DEVICE_NAMES).unwrap_or_else(|_| {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
        let kept: String = asked.chars().take(KEPT).map(allowed).collect();
        DeviceId::from_trusted(&format!("{kept}-{}", BASE64.encode(Sha1::digest(asked))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_where_they_can_be() {
        assert_eq!(name(None).as_str(), "web");
        assert_eq!(name(Some("webim_web_1.a-b")).as_str(), "webim_web_1.a-b");
        let long = "d".repeat(65);
        for odd in ["my phone", "我的手机", "a/b", "a\\b", "", &long] {
            let device = name(Some(odd));
            assert_eq!(DeviceId::parse(device.as_str(), &chat::DEVICE_NAMES).as_ref(), Ok(&device), "{odd}");
            assert_eq!(device, name(Some(odd)));
        }
        assert_ne!(name(Some("a/b")), name(Some("a_b")));
        assert_ne!(name(Some("a/b")), name(Some("a b")));
    }
}
