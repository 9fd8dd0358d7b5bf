//! What the fuzz targets run, shared with `tests/fuzz_corpus.rs`, which runs it on stable.

use base64::{Engine, prelude::BASE64_STANDARD};
use stentor_token::{Refusal, v007, verify_login};

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
        let _ = v007::verify_chat(token, APP, CERT, now_s);
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
