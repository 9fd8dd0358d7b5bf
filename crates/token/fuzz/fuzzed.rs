//! What the fuzz targets run, shared with `tests/fuzz_corpus.rs`, which runs it on stable.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stentor_token::access::{self, AccessKey};
use stentor_token::dynamic::{self, Issuer};
use stentor_token::{ChatRefusal, Refusal, v007, verify_login};

const APP: &str = "970CA35de60c44645bbae8a215061b33";
const CERT: &str = "5CFd2fd1755d40ecb72977518be15d3b";

/// `data` as token text: nothing panics, and every path agrees on what is accepted.
pub(crate) fn login(data: &[u8]) {
    let Ok(token) = str::from_utf8(data) else {
        return;
    };
    for now_s in [0, 1_111_111, 1_700_000_000, 4_070_908_800, u64::MAX] {
        for user in ["test_user", "userA", ""] {
            let Ok(grant) = verify_login(token, APP, CERT, user, now_s) else {
                continue;
            };
            assert_eq!(grant.user, user);
            assert!(!user.is_empty() && now_s < grant.expires_at_s);
            let after = verify_login(token, APP, CERT, user, grant.expires_at_s);
            assert_eq!(after, Err(Refusal::Expired));
        }
        if let Ok(grant) = v007::verify_rtm(token, APP, CERT, None, now_s) {
            let claimed = verify_login(token, APP, CERT, &grant.user, now_s);
            assert_eq!(claimed, Ok(grant));
        }
        if let Ok(grant) = v007::verify_chat(token, APP, CERT, now_s) {
            assert_ne!(grant.holder.user(), Some(""));
            let after = v007::verify_chat(token, APP, CERT, grant.expires_at_s);
            assert_eq!(after, Err(Refusal::Expired));
        }
    }
}

/// `data` as the compressed part of a "007" token: the output stays within its limit.
pub(crate) fn zlib(data: &[u8]) {
    let token = format!("007{}", BASE64_STANDARD.encode(data));
    if let Ok(token) = v007::parse(&token) {
        assert!(token.signature().len() + token.info().len() < v007::MAX_BODY_LEN);
        let _ = token.verify_signature(CERT);
        let _ = token.services();
    }
}

/// `data` as the text of an access token, and as the content of one that is rightly signed: what is accepted is what
/// would be issued, letter for letter.
pub(crate) fn access(data: &[u8]) {
    const KEY: [u8; 32] = [7; 32];
    const APP_KEY: &str = "org#app";
    let key = AccessKey::new(KEY);
    let bytes = [b"ac-ST1", data].concat();
    let mac = Hmac::<Sha256>::new_from_slice(&KEY).map(|mac| mac.chain_update(&bytes).finalize().into_bytes());
    let signed = BASE64_URL_SAFE_NO_PAD.encode([&*bytes, &mac.unwrap_or_default()].concat());
    for token in str::from_utf8(data).ok().into_iter().chain([&*signed]) {
        match access::verify(token, &key, APP_KEY, 0) {
            Ok(content) => {
                assert_eq!(content.app_key, APP_KEY);
                assert!(access::issue(&content, &key).is_ok_and(|text| text == token));
                let other = AccessKey::new([8; 32]);
                assert_eq!(access::verify(token, &other, APP_KEY, 0), Err(ChatRefusal::ForeignIssuer));
                if let Some(end_ms) = content.expires_at_ms {
                    assert_eq!(access::verify(token, &key, APP_KEY, end_ms), Err(ChatRefusal::Expired));
                }
            }
            Err(refusal) => assert!(token != signed || refusal != ChatRefusal::ForeignIssuer),
        }
    }
}

/// `data` as the text of a dynamic token, and as its JSON: nothing panics, and what is accepted is somebody's, now.
pub(crate) fn dynamic(data: &[u8]) {
    const NOW_S: u64 = 1_686_207_557;
    let issuer = Issuer { app_key: "org#app", client_id: "id", client_secret: "secret", max_ttl_s: dynamic::MAX_TTL_S };
    let wrapped = BASE64_URL_SAFE.encode([b"dt-", data].concat());
    for token in str::from_utf8(data).ok().into_iter().chain([&*wrapped]) {
        let Ok(grant) = dynamic::verify(token, &issuer, NOW_S) else {
            continue;
        };
        let life_s = grant.expires_at_s - grant.issued_at_s;
        assert!(!grant.user.is_empty() && (1..=dynamic::MAX_TTL_S).contains(&life_s) && NOW_S < grant.expires_at_s);
        let again = dynamic::build(&issuer, &grant.user, grant.issued_at_s, life_s);
        assert!(again.is_ok_and(|text| dynamic::verify(&text, &issuer, NOW_S) == Ok(grant)));
    }
}

/// `data` as a list of services: what was read can be written and read again.
pub(crate) fn services(data: &[u8]) {
    let Ok(read) = v007::parse_services(data) else {
        return;
    };
    let mut known = read.known;
    let Ok(written) = v007::encode_services(&known) else {
        panic!("what fitted once must fit again");
    };
    known.sort_by_key(|service| service.kind.number());
    let again = v007::parse_services(&written).map(|list| list.known);
    assert_eq!(again, Ok(known));
}
