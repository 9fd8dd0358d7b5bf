//! "007": the vectors, users, services, and the boundary times.

use std::collections::BTreeMap;

use crate::common::{APP, CERT, V007_A, number, reason, text, vectors};
use stentor_token::v007::{self, Issue, Privileges, Service, ServiceKind};
use stentor_token::{BuildError, ChatHolder, Refusal, verify_login};

const LATE: u32 = 4_070_908_800;

fn vector(name: &str) -> String {
    let all = vectors(include_str!("../vectors/v007.json"));
    let found = all.iter().find(|v| text(v, "name") == name);
    text(found.expect("vector"), "token").to_owned()
}

fn kind(kind: ServiceKind, privileges: &[(u16, u32)]) -> Service {
    Service { privileges: privileges.iter().copied().collect(), kind }
}

fn rtm2(user: &str, privileges: &[(u16, u32)]) -> Service {
    let user = user.to_owned();
    let permissions = BTreeMap::new();
    kind(ServiceKind::Rtm2 { user, permissions }, privileges)
}

/// The services of each vector, from the specification.
fn services(name: &str) -> Vec<Service> {
    let late = 3600;
    match name {
        "007-A" => vec![Service::rtm("test_user", 600)],
        "007-B" | "007-H" => vec![Service::rtm("userA", 86_400)],
        "007-C" => vec![
            Service::chat_user("u5", late),
            Service::rtm("a b!'~", late),
            kind(
                ServiceKind::Rtc { channel: "chan1".into(), uid: "2882341273".into() },
                &[(1, late), (2, late), (3, late), (4, late)],
            ),
        ],
        "007-D" => vec![Service::rtm("userB", 0)],
        "007-E" => vec![Service::chat_app(late)],
        "007-F" => vec![Service::chat_user("2882341273", late)],
        "007-G" => vec![kind(
            ServiceKind::Rtm2 {
                user: "test_user".into(),
                permissions: BTreeMap::from([
                    (0, BTreeMap::from([(0, vec!["message-a".into(), "message-b".into()])])),
                    (1, BTreeMap::from([(1, vec!["stream-a".into()])])),
                ]),
            },
            &[(1, 600)],
        )],
        other => panic!("no such vector: {other}"),
    }
}

fn build(issue_ts_s: u32, expire_s: u32, services: &[Service]) -> String {
    let issue = Issue { issue_ts_s, expire_s, salt: 1 };
    v007::build(APP, CERT, issue, services).expect("fits")
}

fn rtm(token: &str, user: Option<&str>, now_s: u64) -> Result<(String, u64), Refusal> {
    v007::verify_rtm(token, APP, CERT, user, now_s).map(|g| (g.user, g.expires_at_s))
}

#[test]
fn every_vector_parses_verifies_and_builds_to_the_same_bytes() {
    let all = vectors(include_str!("../vectors/v007.json"));
    assert_eq!(all.len(), 8);
    for vector in &all {
        let name = text(vector, "name");
        let token = v007::parse(text(vector, "token")).unwrap();
        assert_eq!(token.app_id, APP);
        assert_eq!(token.issue_ts_s, number(vector, "issueTs"));
        assert_eq!(token.expire_s, number(vector, "expire"));
        assert_eq!(token.salt, number(vector, "salt"));
        assert_eq!(token.verify_signature(CERT), Ok(()));
        assert_eq!(token.verify_signature(APP), Err(Refusal::Invalid));
        assert_eq!(token.verify_signature(""), Err(Refusal::Invalid));

        let issue = Issue { issue_ts_s: token.issue_ts_s, expire_s: token.expire_s, salt: token.salt };
        let expected = services(name);
        let built = v007::build(APP, CERT, issue, &expected).unwrap();
        let built = v007::parse(&built).unwrap();
        assert_eq!(built.info(), token.info(), "{name}");
        assert_eq!(built.signature(), token.signature(), "{name}");

        let mut found = token.services().unwrap();
        assert_eq!(found.stopped_at, None);
        assert_eq!(found.known.len(), expected.len());
        found.known.retain(|service| !expected.contains(service));
        assert_eq!(found.known, [], "{name}");
    }
}

#[test]
fn the_official_go_text_is_the_same_token_as_007_a() {
    let go = "007eJxSYOCdJftjyTM2zxW6Xhm/5T0j5LdcUt/xYVt48fb5Mp3PX9coMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhmaGpgZJhkbu38RYIhgYmBgZABhJgZGBkYwn5OhJLW4JL60OLUIEAAA//9ZVh6A";
    assert_ne!(go, V007_A);
    assert_eq!(v007::parse(go), v007::parse(V007_A));
    assert!(rtm(go, Some("test_user"), 1_111_111).is_ok());
}

#[test]
fn rtm_times_have_exact_boundaries() {
    let cases = [
        ("007-A", "test_user", 1_111_711),
        ("007-B", "userA", 1_700_086_400),
        ("007-C", "a b!'~", u64::from(LATE) + 3600),
        ("007-D", "userB", 4_070_995_200),
        ("007-G", "test_user", 1_111_711),
        ("007-H", "userA", 4_070_995_200),
    ];
    for (name, user, end_s) in cases {
        let token = vector(name);
        let issue_s = u64::from(v007::parse(&token).unwrap().issue_ts_s);
        let good = Ok((user.to_owned(), end_s));
        for now_s in [issue_s - 300, issue_s, end_s - 1] {
            assert_eq!(rtm(&token, Some(user), now_s), good, "{name} {now_s}");
            assert_eq!(rtm(&token, None, now_s), good, "{name} {now_s}");
            assert!(verify_login(&token, APP, CERT, user, now_s).is_ok());
        }
        for now_s in [0, issue_s - 301] {
            assert_eq!(rtm(&token, Some(user), now_s), Err(Refusal::Invalid));
        }
        for now_s in [end_s, end_s + 1, u64::MAX] {
            assert_eq!(rtm(&token, Some(user), now_s), Err(Refusal::Expired));
        }
    }
}

#[test]
fn the_smaller_life_wins_and_24_hours_is_the_most() {
    let day = 86_400;
    let cases = [
        (600, 60, 60),
        (60, 600, 60),
        (0, 60, 60),
        (60, 0, 60),
        (0, 0, day),
        (day, day, day),
        (day + 1, day + 1, day),
        (day - 1, day + 1, day - 1),
        (u32::MAX, u32::MAX, day),
    ];
    for (token_s, login_s, life_s) in cases {
        for issue_s in [0, 1_700_000_000, u32::MAX] {
            let token = build(issue_s, token_s, &[Service::rtm("u", login_s)]);
            let end_s = u64::from(issue_s) + u64::from(life_s);
            assert_eq!(rtm(&token, Some("u"), end_s - 1), Ok(("u".into(), end_s)));
            assert_eq!(rtm(&token, Some("u"), end_s), Err(Refusal::Expired));
        }
    }
}

#[test]
fn other_app_certificate_or_user() {
    let check = |app, cert, user| reason(v007::verify_rtm(V007_A, app, cert, user, 1_111_111));
    assert_eq!(check(APP, CERT, Some("test_user")), None);
    assert_eq!(check(CERT, CERT, Some("test_user")), Some(Refusal::AppId));
    assert_eq!(check("", CERT, Some("test_user")), Some(Refusal::AppId));
    assert_eq!(check(APP, APP, None), Some(Refusal::Invalid));
    assert_eq!(check(APP, "", None), Some(Refusal::Invalid));
    for user in ["", "test_use", "test_user ", "TEST_USER"] {
        assert_eq!(check(APP, CERT, Some(user)), Some(Refusal::Invalid), "{user:?}");
    }
}

#[test]
fn an_empty_user_is_no_wildcard() {
    for service in [Service::rtm("", 600), rtm2("", &[(1, 600)])] {
        let token = build(1000, 600, &[service]);
        for user in [None, Some(""), Some("anyone")] {
            assert_eq!(rtm(&token, user, 1000), Err(Refusal::Invalid), "{user:?}");
        }
    }
}

#[test]
fn an_empty_certificate_signs_nothing() {
    let issue = Issue { issue_ts_s: 1000, expire_s: 600, salt: 1 };
    let token = v007::build(APP, "", issue, &[Service::rtm("u", 600)]).unwrap();
    let refused = v007::verify_rtm(&token, APP, "", Some("u"), 1000);
    assert_eq!(refused, Err(Refusal::Invalid));
}

#[test]
fn services_and_privileges_are_required() {
    let e = |services: &[Service]| reason(rtm(&build(1000, 600, services), Some("u"), 1000));
    let no_privilege = kind(ServiceKind::Rtm { user: "u".into() }, &[]);
    let other_privilege = kind(ServiceKind::Rtm { user: "u".into() }, &[(2, 600)]);
    assert_eq!(e(&[]), Some(Refusal::NotAuthorized));
    assert_eq!(e(std::slice::from_ref(&no_privilege)), Some(Refusal::NotAuthorized));
    assert_eq!(e(&[other_privilege]), Some(Refusal::NotAuthorized));
    assert_eq!(e(&[rtm2("u", &[(2, 600)])]), Some(Refusal::NotAuthorized));
    assert_eq!(e(&[Service::chat_user("u", 600)]), Some(Refusal::NotAuthorized));
    // Another user's privilege is of no use.
    let refused = e(&[no_privilege.clone(), Service::rtm("v", 600)]);
    assert_eq!(refused, Some(Refusal::NotAuthorized));
    // One of several services of the same user is enough.
    assert_eq!(e(&[no_privilege, rtm2("u", &[(1, 600)])]), None);
    for name in ["007-E", "007-F"] {
        let refused = rtm(&vector(name), Some("2882341273"), u64::from(LATE));
        assert_eq!(refused, Err(Refusal::NotAuthorized), "{name}");
    }
}

#[test]
fn a_token_for_two_users_needs_a_claim() {
    let token = build(1000, 600, &[Service::rtm("u", 60), Service::rtm("v", 600)]);
    assert_eq!(rtm(&token, Some("u"), 1000), Ok(("u".into(), 1060)));
    assert_eq!(rtm(&token, Some("v"), 1000), Ok(("v".into(), 1600)));
    assert_eq!(rtm(&token, Some("w"), 1000), Err(Refusal::Invalid));
    assert_eq!(rtm(&token, None, 1000), Err(Refusal::Invalid));
    let twice = build(1000, 600, &[Service::rtm("u", 60), rtm2("u", &[(1, 600)])]);
    assert_eq!(rtm(&twice, None, 1000), Ok(("u".into(), 1600)));
}

#[test]
fn an_unknown_service_ends_the_reading() {
    let known = v007::encode_services(&[Service::rtm("u", 1)]).unwrap();
    let mut bytes = vec![3, 0];
    bytes.extend_from_slice(&known[2..]);
    bytes.extend_from_slice(&[11, 0, 0xff, 0xff, 0xff]);
    let services = v007::parse_services(&bytes).unwrap();
    assert_eq!(services.known, [Service::rtm("u", 1)]);
    assert_eq!(services.stopped_at, Some(11));
    for number in [0, 11, u8::MAX] {
        let services = v007::parse_services(&[1, 0, number, 0]).unwrap();
        assert_eq!(services.stopped_at, Some(number.into()));
    }
}

#[test]
fn every_service_type_round_trips_in_order_of_type() {
    let text = String::from;
    let kinds = [
        ServiceKind::Stt,
        ServiceKind::ConvoAi,
        rtm2("u", &[]).kind,
        ServiceKind::Apaas { room: text("r"), user: text("u"), role: -2 },
        ServiceKind::Fcdn { channel: text("c"), account: text("a") },
        ServiceKind::Chat { user: text("u") },
        ServiceKind::Fpa,
        ServiceKind::Streaming { channel: text("c"), account: text("a") },
        ServiceKind::Rtm { user: text("\u{e9}") },
        ServiceKind::Rtc { channel: text("c"), uid: String::new() },
    ];
    let mut all: Vec<_> = kinds.map(|k| kind(k, &[(1, 2), (3, 4)])).into();
    let bytes = v007::encode_services(&all).unwrap();
    let read = v007::parse_services(&bytes).unwrap();
    all.reverse();
    assert_eq!(read.known, all);
    let numbers: Vec<_> = read.known.iter().map(|s| s.kind.number()).collect();
    assert_eq!(numbers, Vec::from_iter(1..=10));
    for end in 0..bytes.len() {
        let refused = v007::parse_services(&bytes[..end]);
        assert_eq!(refused, Err(Refusal::Invalid), "{end}");
    }
}

#[test]
fn repeated_privileges_last_one_counts_and_text_is_utf8() {
    let twice = [1, 0, 2, 0, 2, 0, 1, 0, 9, 0, 0, 0, 1, 0, 8, 0, 0, 0, 1, 0, b'u'];
    let services = v007::parse_services(&twice).unwrap();
    assert_eq!(services.known[0].privileges, Privileges::from([(1, 8)]));
    let mut latin1 = twice;
    latin1[20] = 0xe9;
    assert_eq!(v007::parse_services(&latin1), Err(Refusal::Invalid));
}

#[test]
fn chat_tokens() {
    let now_s = u64::from(LATE);
    let chat = |token: &str, now_s| v007::verify_chat(token, APP, CERT, now_s).map(|g| (g.holder, g.expires_at_s));
    let user = |name: &str| ChatHolder::User(name.to_owned());
    let end_s = now_s + 3600;
    let cases = [("007-C", user("u5")), ("007-E", ChatHolder::App), ("007-F", user("2882341273"))];
    for (name, holder) in cases {
        let token = vector(name);
        assert_eq!(chat(&token, end_s - 1), Ok((holder, end_s)), "{name}");
        assert_eq!(chat(&token, end_s), Err(Refusal::Expired));
        assert_eq!(chat(&token, now_s - 301), Err(Refusal::Invalid));
        let other = v007::verify_chat(&token, CERT, CERT, now_s);
        assert_eq!(other, Err(Refusal::AppId));
        let other = v007::verify_chat(&token, APP, APP, now_s);
        assert_eq!(other, Err(Refusal::Invalid));
    }
    assert_eq!(chat(&vector("007-H"), now_s), Err(Refusal::NotAuthorized));
}

#[test]
fn a_chat_token_lives_for_24_hours_at_most() {
    let day = v007::MAX_CHAT_TTL_S;
    let cases = [(600, 60, 60), (60, 600, 60), (day, day, day), (day + 1, u32::MAX, day), (u32::MAX, day - 1, day - 1)];
    for (token_s, chat_s, life_s) in cases {
        for service in [Service::chat_user("u", chat_s), Service::chat_app(chat_s)] {
            let token = build(1000, token_s, &[service]);
            let end_s = 1000 + u64::from(life_s);
            let verified = v007::verify_chat(&token, APP, CERT, end_s - 1).map(|grant| grant.expires_at_s);
            assert_eq!(verified, Ok(end_s));
            assert_eq!(v007::verify_chat(&token, APP, CERT, end_s), Err(Refusal::Expired));
        }
    }
    for (token_s, chat_s) in [(0, 600), (600, 0), (0, 0)] {
        let token = build(1000, token_s, &[Service::chat_user("u", chat_s)]);
        assert_eq!(v007::verify_chat(&token, APP, CERT, 1000), Err(Refusal::Expired));
    }
}

#[test]
fn chat_holders() {
    let chat = |services: &[Service]| v007::verify_chat(&build(1000, 600, services), APP, CERT, 1000).map(|g| g.holder);
    let of = |user: &str, privilege| {
        let user = user.to_owned();
        kind(ServiceKind::Chat { user }, &[(privilege, 600)])
    };
    assert_eq!(chat(&[of("", 1)]), Err(Refusal::NotAuthorized));
    assert_eq!(chat(&[of("u", 2)]), Err(Refusal::NotAuthorized));
    assert_eq!(chat(&[of("u", 1), of("v", 1)]), Err(Refusal::Invalid));
    assert_eq!(chat(&[of("u", 1), of("", 2)]), Ok(ChatHolder::App));
}

#[test]
fn what_no_one_would_accept_is_not_built() {
    let issue = Issue { issue_ts_s: 1, expire_s: 1, salt: 1 };
    let too_long = |services: &[Service]| {
        let built = v007::build(APP, CERT, issue, services);
        matches!(built, Err(BuildError::TooLong))
    };
    assert!(too_long(&[Service::rtm(&"x".repeat(65_536), 1)]));
    assert!(too_long(&[Service::rtm(&"x".repeat(65_500), 1)]));
    assert!(!too_long(&[Service::rtm(&"x".repeat(65_000), 1)]));
    assert!(too_long(&vec![Service::chat_app(1); 65_536]));
    // What does not compress fits the body but not the text.
    let mut state = 1_u64;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + (state >> 58) as u8)
    })
    .take(20_000)
    .collect();
    assert!(too_long(&[Service::rtm(&noise, 1)]));
}

#[test]
fn debug_output_is_no_credential() {
    let shown = format!("{:?}", v007::parse(V007_A).unwrap());
    assert!(shown.contains(APP));
    for secret in ["signature", "info", "salt"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
