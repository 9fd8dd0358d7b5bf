//! "006": the vectors, the boundary times and everything that must be refused.

use crate::common::{APP, CERT, V006_B, V007_A, number, reason, text, vectors};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use stentor_token::{Grant, Refusal, v006, verify_login};

const TS: u64 = 4_102_444_800;

fn check(token: &str) -> Option<Refusal> {
    reason(v006::verify(token, APP, CERT, "userA", TS))
}

/// A token around any message, rightly signed for `user`.
fn signed(user: &str, uid: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(CERT.as_bytes()).expect("key");
    for part in [APP.as_bytes(), user.as_bytes(), uid.as_bytes(), message] {
        mac.update(part);
    }
    packed(&mac.finalize().into_bytes(), user, uid, message)
}

fn packed(signature: &[u8], user: &str, uid: &str, message: &[u8]) -> String {
    let mut content = vec![u8::try_from(signature.len()).expect("short"), 0];
    content.extend_from_slice(signature);
    content.extend_from_slice(&crc32fast::hash(user.as_bytes()).to_le_bytes());
    content.extend_from_slice(&crc32fast::hash(uid.as_bytes()).to_le_bytes());
    content.extend_from_slice(&u16::try_from(message.len()).expect("short").to_le_bytes());
    content.extend_from_slice(message);
    format!("006{APP}{}", BASE64_STANDARD.encode(content))
}

fn message(salt: u32, ts: u32, privileges: &[(u16, u32)]) -> Vec<u8> {
    let mut bytes = [salt.to_le_bytes(), ts.to_le_bytes()].concat();
    bytes.extend_from_slice(&u16::try_from(privileges.len()).expect("few").to_le_bytes());
    for (privilege, expire) in privileges {
        bytes.extend_from_slice(&privilege.to_le_bytes());
        bytes.extend_from_slice(&expire.to_le_bytes());
    }
    bytes
}

#[test]
fn every_vector_builds_byte_for_byte_and_verifies_to_its_last_second() {
    let all = vectors(include_str!("../vectors/v006.json"));
    assert_eq!(all.len(), 4);
    for vector in &all {
        let (user, token) = (text(vector, "account"), text(vector, "token"));
        let (salt, ts) = (number(vector, "salt"), number(vector, "ts"));
        let built = v006::build(APP, CERT, user, salt, ts, number(vector, "priv"));
        assert_eq!(built, token);
        assert_eq!(token.len(), 115);

        let ts = u64::from(ts);
        let grant = Grant { user: user.to_owned(), expires_at_s: ts + 1 };
        for now_s in [0, ts - 1, ts] {
            assert_eq!(v006::verify(token, APP, CERT, user, now_s), Ok(grant.clone()));
            assert_eq!(verify_login(token, APP, CERT, user, now_s), Ok(grant.clone()));
        }
        for now_s in [ts + 1, u64::MAX] {
            let refused = v006::verify(token, APP, CERT, user, now_s);
            assert_eq!(refused, Err(Refusal::Expired));
        }
    }
}

#[test]
fn other_app_certificate_or_user() {
    let other_app = "970CA35de60c44645bbae8a215061b34";
    let check = |app: &str, cert: &str, user: &str| reason(v006::verify(V006_B, app, cert, user, TS));
    assert_eq!(check(APP, CERT, "userA"), None);
    assert_eq!(check(other_app, CERT, "userA"), Some(Refusal::AppId));
    assert_eq!(check("", CERT, "userA"), Some(Refusal::AppId));
    assert_eq!(check(&APP[..31], CERT, "userA"), Some(Refusal::AppId));
    assert_eq!(check(APP, other_app, "userA"), Some(Refusal::Invalid));
    assert_eq!(check(APP, &CERT.to_lowercase(), "userA"), Some(Refusal::Invalid));
    for user in ["", "usera", "userA ", "userB"] {
        assert_eq!(check(APP, CERT, user), Some(Refusal::Invalid), "{user:?}");
    }
}

#[test]
fn an_empty_user_or_certificate_opens_nothing() {
    let nobody = v006::build(APP, CERT, "", 1, u32::MAX, 0);
    assert_eq!(reason(v006::verify(&nobody, APP, CERT, "", 0)), Some(Refusal::Invalid));
    let unsigned = v006::build(APP, "", "userA", 1, u32::MAX, 0);
    let refused = v006::verify(&unsigned, APP, "", "userA", 0);
    assert_eq!(refused, Err(Refusal::Invalid));
}

#[test]
fn every_truncation_extension_and_changed_character_is_refused() {
    for end in 0..V006_B.len() {
        assert_eq!(check(&V006_B[..end]), Some(Refusal::Invalid), "{end}");
    }
    for extra in ["A", "=", "====", "AAAA", " ", "\n", "\0"] {
        assert_eq!(check(&format!("{V006_B}{extra}")), Some(Refusal::Invalid), "{extra:?}");
        assert!(check(&format!("{extra}{V006_B}")).is_some(), "{extra:?}");
    }
    for at in 0..V006_B.len() {
        for byte in 0..128_u8 {
            let mut bytes = V006_B.as_bytes().to_vec();
            if bytes[at] == byte {
                continue;
            }
            bytes[at] = byte;
            let refusal = check(&String::from_utf8(bytes).unwrap());
            let expected = if (3..35).contains(&at) { Refusal::AppId } else { Refusal::Invalid };
            assert_eq!(refusal, Some(expected), "{at} {byte}");
        }
    }
}

#[test]
fn every_flipped_bit_of_the_content_is_refused() {
    let content = BASE64_STANDARD.decode(&V006_B[35..]).unwrap();
    for bit in 0..content.len() * 8 {
        let mut changed = content.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let token = format!("006{APP}{}", BASE64_STANDARD.encode(changed));
        assert_eq!(check(&token), Some(Refusal::Invalid), "bit {bit}");
    }
    for end in 0..content.len() {
        let token = format!("006{APP}{}", BASE64_STANDARD.encode(&content[..end]));
        assert_eq!(check(&token), Some(Refusal::Invalid), "{end} bytes");
    }
}

#[test]
fn privileges_other_than_login_alone() {
    let check = |privileges: &[_]| check(&signed("userA", "", &message(1, u32::MAX, privileges)));
    assert_eq!(check(&[(1000, 0)]), None);
    assert_eq!(check(&[]), Some(Refusal::NotAuthorized));
    assert_eq!(check(&[(1, 0)]), Some(Refusal::NotAuthorized));
    assert_eq!(check(&[(1, 0), (2, 0)]), Some(Refusal::NotAuthorized));
    assert_eq!(check(&[(1, 0), (1000, 0)]), Some(Refusal::Invalid));
}

#[test]
fn a_signed_message_of_the_wrong_length_is_refused() {
    let mut longer = message(1, u32::MAX, &[(1000, 0)]);
    longer.push(0);
    assert_eq!(check(&signed("userA", "", &longer)), Some(Refusal::Invalid));
    for end in 0..16 {
        let token = signed("userA", "", &longer[..end]);
        assert_eq!(check(&token), Some(Refusal::Invalid), "{end}");
    }
}

#[test]
fn an_rtc_token_with_a_uid_is_refused() {
    let token = signed("userA", "7", &message(1, u32::MAX, &[(1000, 0)]));
    assert_eq!(check(&token), Some(Refusal::Invalid));
}

#[test]
fn bytes_cannot_move_between_account_and_message() {
    // Salt and ts chosen so that "123456" ‖ m reads as a message of two privileges, the second
    // of them the login. The signature stays good: it covers the same bytes.
    let own = message(0x0002_1111, 0x0077_0001, &[(1000, 0)]);
    let token = signed("mallory123456", "", &own);
    assert_eq!(reason(v006::verify(&token, APP, CERT, "mallory123456", 0)), None);

    let content = BASE64_STANDARD.decode(&token[35..]).unwrap();
    let moved = [b"123456", own.as_slice()].concat();
    let forged = packed(&content[2..34], "mallory", "", &moved);
    let refused = v006::verify(&forged, APP, CERT, "mallory", 0);
    assert_eq!(refused, Err(Refusal::Invalid));
}

#[test]
fn oversized_and_foreign_formats_are_invalid() {
    let huge = format!("{V006_B}{}", "A".repeat(1 << 20));
    assert_eq!(check(&huge), Some(Refusal::Invalid));
    // Too long comes before any look at the content.
    let other_app = verify_login(&huge, CERT, CERT, "userA", TS);
    assert_eq!(other_app, Err(Refusal::Invalid));
    let legacy = format!("1:{APP}:4102444800:0123456789abcdef0123456789abcdef");
    let other = V006_B.replacen("006", "005", 1);
    let multibyte = format!("006{}\u{e9}", "a".repeat(31));
    for token in ["", "0", "006", "007", "008", &legacy, &other, V007_A, &huge, &multibyte] {
        let refused = verify_login(token, APP, CERT, "userA", TS);
        assert!(refused.is_err(), "{token}");
    }
    assert_eq!(check(V007_A), Some(Refusal::Invalid));
}

#[test]
fn refusals_have_the_documented_numbers() {
    let codes = [(Refusal::AppId, 4), (Refusal::Invalid, 5), (Refusal::Expired, 6), (Refusal::NotAuthorized, 7)];
    for (refusal, code) in codes {
        assert_eq!(refusal.code(), code);
    }
}
