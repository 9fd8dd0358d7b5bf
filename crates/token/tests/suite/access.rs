//! Our own access tokens: the vectors (made by another program), boundary times, damage, other keys and apps.

use crate::common::{text, vectors};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use stentor_token::access::{self, AccessKey, AccessToken};
use stentor_token::{BuildError, ChatHolder, ChatRefusal};

const APP: &str = "easemob-demo#chatapp";
const DAY_MS: u64 = 86_400_000;
const NOW_MS: u64 = 1_657_254_052_191;

fn key() -> AccessKey {
    AccessKey::new(std::array::from_fn(|at| u8::try_from(at).expect("32")))
}

fn token(user: Option<&str>, expires_at_ms: Option<u64>) -> AccessToken {
    let holder = user.map_or(ChatHolder::App, |user| ChatHolder::User(user.to_owned()));
    AccessToken { app_key: APP.to_owned(), holder, issued_at_ms: NOW_MS, expires_at_ms, nonce: 7 }
}

fn issued(token: &AccessToken) -> String {
    access::issue(token, &key()).expect("fits")
}

fn verify(text: &str, now_ms: u64) -> Result<AccessToken, ChatRefusal> {
    access::verify(text, &key(), APP, now_ms)
}

/// Any bytes, rightly signed.
fn signed(content: &[u8]) -> String {
    let bytes = [b"ac-ST1", content].concat();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&std::array::from_fn::<u8, 32, _>(|at| at as u8)).expect("key");
    mac.update(&bytes);
    BASE64_URL_SAFE_NO_PAD.encode([&*bytes, &mac.finalize().into_bytes()].concat())
}

#[test]
fn every_vector_is_issued_letter_for_letter_and_verifies() {
    let all = vectors(include_str!("../vectors/access.json"));
    assert_eq!(all.len(), 4);
    for vector in &all {
        let text = text(vector, "token");
        assert!(text.starts_with(access::PREFIX));
        let holder = vector["user"].as_str().map_or(ChatHolder::App, |user| ChatHolder::User(user.to_owned()));
        let token = AccessToken {
            app_key: vector["app_key"].as_str().unwrap().to_owned(),
            holder,
            issued_at_ms: vector["issued_at_ms"].as_u64().unwrap(),
            expires_at_ms: vector["expires_at_ms"].as_u64(),
            nonce: vector["nonce"].as_str().unwrap().parse().unwrap(),
        };
        assert_eq!(issued(&token), text, "{}", vector["name"]);
        assert_eq!(access::verify(text, &key(), &token.app_key, NOW_MS), Ok(token));
    }
}

#[test]
fn times_have_exact_boundaries() {
    let day = token(Some("alice"), Some(NOW_MS + DAY_MS));
    // Clocks of nodes differ: what we signed is good even before it was issued.
    for now_ms in [0, NOW_MS - 1, NOW_MS, NOW_MS + DAY_MS - 1] {
        assert_eq!(verify(&issued(&day), now_ms), Ok(day.clone()));
    }
    for now_ms in [NOW_MS + DAY_MS, NOW_MS + DAY_MS + 1, u64::MAX] {
        assert_eq!(verify(&issued(&day), now_ms), Err(ChatRefusal::Expired));
    }
    let never = token(None, None);
    assert_eq!(verify(&issued(&never), u64::MAX), Ok(never.clone()));
    // An end at 0 is no token without end.
    assert_eq!(verify(&issued(&token(None, Some(0))), 0), Err(ChatRefusal::Expired));
}

#[test]
fn other_keys_and_apps() {
    let text = issued(&token(Some("alice"), Some(NOW_MS + 1)));
    let other = AccessKey::new([0; 32]);
    assert_eq!(access::verify(&text, &other, APP, NOW_MS), Err(ChatRefusal::ForeignIssuer));
    for app in ["", "easemob-demo#chatap", "easemob-demo#chatapp2", "Easemob-demo#chatapp"] {
        assert_eq!(access::verify(&text, &key(), app, NOW_MS), Err(ChatRefusal::OtherApp), "{app}");
        // The reason that helps most comes first.
        assert_eq!(access::verify(&text, &key(), app, u64::MAX), Err(ChatRefusal::OtherApp));
        assert_eq!(access::verify(&text, &other, app, NOW_MS), Err(ChatRefusal::ForeignIssuer));
    }
}

#[test]
fn the_vendors_tokens_are_foreign() {
    let vendor = "YWMthyeiFhbyEe2eMGeYZSLlT7sMrFep3U6BvVj7KSnNonUiDB-wFvIR7a5Ttx2-01MYAwMAAAGCfIeryQAPoAAsuveDfkUrePkEM2Hgy6SaOTeTx3ETgh5cnXcP_HfBPg";
    assert_eq!(verify(vendor, NOW_MS), Err(ChatRefusal::ForeignIssuer));
    assert_eq!(verify("YWMt", NOW_MS), Err(ChatRefusal::ForeignIssuer));
}

#[test]
fn what_is_no_token_is_malformed() {
    for text in ["", "YWM", "YWMtU1Qx", "YWMtU1Qy====", "007eJx", "ZHQteyJ9", "ywmtu1qx", "YWMt.U1Qx", "YWMt\n"] {
        assert_eq!(verify(text, NOW_MS), Err(ChatRefusal::Malformed), "{text}");
    }
    let good = issued(&token(Some("alice"), None));
    for extra in ["A", "AA", "AAAA", "=", " ", "\n"] {
        assert_eq!(verify(&format!("{good}{extra}"), NOW_MS), Err(ChatRefusal::Malformed), "{extra:?}");
        assert_eq!(verify(&format!("{extra}{good}"), NOW_MS), Err(ChatRefusal::Malformed), "{extra:?}");
    }
    for end in 0..good.len() {
        let refused = verify(&good[..end], NOW_MS);
        assert!(matches!(refused, Err(ChatRefusal::Malformed | ChatRefusal::ForeignIssuer)), "{end}");
    }
}

#[test]
fn a_right_signature_does_not_excuse_the_content() {
    let content = |flags: u8, rest: &[u8]| [&[flags], &[0; 16][..], rest].concat();
    assert!(access::verify(&signed(&content(0, b"\x01\0a")), &key(), "a", 0).is_ok());
    assert!(access::verify(&signed(&content(1, b"\x01\0a\x01\0u")), &key(), "a", 0).is_ok());
    let cases: [(u8, &[u8]); 8] = [
        (4, b"\x01\0a"),
        (128, b"\x01\0a"),
        (0, b"\0\0"),
        (0, b"\x02\0a"),
        (0, b"\x01\0a\x01\0u"),
        (1, b"\x01\0a\0\0"),
        (1, b"\x01\0a\x01\0\xff"),
        (2, b"\x01\0a"),
    ];
    for (flags, rest) in cases {
        let refused = access::verify(&signed(&content(flags, rest)), &key(), "a", 0);
        assert_eq!(refused, Err(ChatRefusal::Malformed), "{flags} {rest:?}");
    }
}

#[test]
fn names_at_the_limit_and_one_past_it() {
    let with = |len: usize| AccessToken { app_key: "x".repeat(len), ..token(None, None) };
    // 6 type and version, 1 flags, 16 numbers, 2 length, 32 signature: 711 bytes are left of 768.
    let (fits, exceeds) = (with(711), with(712));
    let text = issued(&fits);
    assert_eq!(text.len(), access::MAX_LEN);
    assert_eq!(access::verify(&text, &key(), &fits.app_key, 0), Ok(fits));
    assert!(matches!(access::issue(&exceeds, &key()), Err(BuildError::TooLong)));
    assert!(matches!(access::issue(&with(65_536), &key()), Err(BuildError::TooLong)));
    let content = [&[0; 17], &712_u16.to_le_bytes()[..], &[b'x'; 712]].concat();
    assert_eq!(access::verify(&signed(&content), &key(), &exceeds.app_key, 0), Err(ChatRefusal::Malformed));

    assert!(matches!(access::issue(&with(0), &key()), Err(BuildError::NoName)));
    assert!(matches!(access::issue(&token(Some(""), None), &key()), Err(BuildError::NoName)));
}

#[test]
fn the_key_is_not_shown() {
    assert_eq!(format!("{:?}", key()), "AccessKey(…)");
}

proptest! {
    #[test]
    fn round_trip(
        user in prop::option::of(".{1,64}"), app in ".{1,64}", issued_at_ms: u64,
        expires_at_ms in prop::option::of(1_u64..), nonce: u64,
    ) {
        let token = AccessToken { app_key: app, issued_at_ms, nonce, ..token(user.as_deref(), expires_at_ms) };
        let text = issued(&token);
        let verified = access::verify(&text, &key(), &token.app_key, 0);
        prop_assert_eq!(verified.as_ref(), Ok(&token));
        if let Some(end_ms) = expires_at_ms {
            let refused = access::verify(&text, &key(), &token.app_key, end_ms);
            prop_assert_eq!(refused, Err(ChatRefusal::Expired));
        }
    }

    #[test]
    fn two_nonces_make_two_tokens(one: u64, two: u64) {
        let text = |nonce| issued(&AccessToken { nonce, ..token(None, None) });
        prop_assert_eq!(one == two, text(one) == text(two));
    }

    #[test]
    fn every_flipped_bit_is_refused(user in prop::option::of("[a-z]{1,20}"), end_ms in prop::option::of(NOW_MS + 1..)) {
        let text = issued(&token(user.as_deref(), end_ms));
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let refused = verify(&BASE64_URL_SAFE_NO_PAD.encode(changed), NOW_MS);
            let refused = matches!(refused, Err(ChatRefusal::Malformed | ChatRefusal::ForeignIssuer));
            prop_assert!(refused, "bit {}", bit);
        }
        // Of the text as well, where base64 has bits that mean nothing.
        for bit in 0..text.len() * 8 {
            let mut changed = text.clone().into_bytes();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(changed) = String::from_utf8(changed) {
                prop_assert!(verify(&changed, NOW_MS).is_err(), "bit {}", bit);
            }
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "(YWMt|YWMtU1Qx)?[A-Za-z0-9_-]{0,300}={0,2}", now_ms: u64) {
        prop_assert!(verify(&text, now_ms).is_err());
    }
}

#[test]
fn other_things_are_signed_for_a_purpose() {
    let signature = key().sign("a", "text");
    assert!(key().verify("a", "text", &signature));
    assert!(!key().verify("b", "text", &signature));
    assert!(!key().verify("a", "texts", &signature));
    assert!(!key().verify("a", "text", &signature[..31]));
    assert!(!key().verify("a", "text", b""));
    assert!(!AccessKey::new([8; 32]).verify("a", "text", &signature));
}
