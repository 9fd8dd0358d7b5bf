//! Dynamic user tokens: the vectors (made by another program), boundary times, damage, and digits that move.

use crate::common::{number, text, vectors};
use base64::{Engine, prelude::BASE64_URL_SAFE};
use proptest::prelude::*;
use stentor_token::dynamic::{self, DynamicGrant, Issuer, MAX_SKEW_S, MAX_TTL_S};
use stentor_token::{BuildError, ChatRefusal};

const ISSUER: Issuer<'_> = Issuer {
    app_key: "easemob-demo#chatapp",
    client_id: "YXA6client-id",
    client_secret: "YXA6client-secret",
    max_ttl_s: MAX_TTL_S,
};
const NOW_S: u64 = 1_686_207_557;

fn verify(token: &str, now_s: u64) -> Result<(String, u64), ChatRefusal> {
    dynamic::verify(token, &ISSUER, now_s).map(|grant| (grant.user, grant.expires_at_s))
}

fn build(user: &str, now_s: u64, ttl_s: u64) -> String {
    dynamic::build(&ISSUER, user, now_s, ttl_s).expect("fits")
}

fn json(token: &str) -> String {
    let bytes = BASE64_URL_SAFE.decode(token).expect("base64");
    String::from_utf8(bytes).expect("text").split_off(3)
}

fn wrap(json: &str) -> String {
    BASE64_URL_SAFE.encode(format!("dt-{json}"))
}

#[test]
fn every_vector_verifies_from_its_first_second_to_its_last() {
    let all = vectors(include_str!("../vectors/dynamic.json"));
    assert_eq!(all.len(), 5);
    for vector in &all {
        let (token, user) = (text(vector, "token"), text(vector, "user"));
        assert!(token.starts_with(dynamic::PREFIX));
        let (made_s, ttl_s) = (u64::from(number(vector, "cur_time")), u64::from(number(vector, "ttl")));
        let end_s = made_s + ttl_s;
        let grant = DynamicGrant { user: user.to_owned(), issued_at_s: made_s, expires_at_s: end_s };
        for now_s in [made_s - MAX_SKEW_S, made_s, end_s - 1] {
            assert_eq!(dynamic::verify(token, &ISSUER, now_s), Ok(grant.clone()), "{}", vector["name"]);
        }
        for now_s in [end_s, end_s + 1, u64::MAX] {
            assert_eq!(verify(token, now_s), Err(ChatRefusal::Expired));
        }
        for now_s in [0, made_s - MAX_SKEW_S - 1] {
            assert_eq!(verify(token, now_s), Err(ChatRefusal::Malformed));
        }
    }
}

#[test]
fn the_ttl_at_the_limit_and_one_past_it() {
    for (ttl_s, good) in [(0, false), (1, true), (MAX_TTL_S, true), (MAX_TTL_S + 1, false), (u64::MAX, false)] {
        let token = build("alice", NOW_S, ttl_s);
        let verified = verify(&token, NOW_S);
        let expected = if good { Ok(("alice".to_owned(), NOW_S + ttl_s)) } else { Err(ChatRefusal::Malformed) };
        assert_eq!(verified, expected, "{ttl_s}");
    }
    let lenient = Issuer { max_ttl_s: 10 * MAX_TTL_S, ..ISSUER };
    let token = build("alice", NOW_S, 10 * MAX_TTL_S);
    assert!(dynamic::verify(&token, &lenient, NOW_S + 10 * MAX_TTL_S - 1).is_ok());
    let endless = Issuer { max_ttl_s: u64::MAX, ..ISSUER };
    assert!(dynamic::verify(&build("alice", NOW_S, u64::MAX), &endless, NOW_S).is_ok());
}

#[test]
fn other_apps_and_secrets() {
    let token = build("alice", NOW_S, 600);
    let check = |issuer: Issuer<'_>| dynamic::verify(&token, &issuer, NOW_S).err();
    assert_eq!(check(ISSUER), None);
    assert_eq!(check(Issuer { app_key: "easemob-demo#chat", ..ISSUER }), Some(ChatRefusal::OtherApp));
    assert_eq!(check(Issuer { app_key: "", ..ISSUER }), Some(ChatRefusal::OtherApp));
    assert_eq!(check(Issuer { client_id: "YXA6client-ie", ..ISSUER }), Some(ChatRefusal::ForeignIssuer));
    assert_eq!(check(Issuer { client_secret: "YXA6client-secreT", ..ISSUER }), Some(ChatRefusal::ForeignIssuer));
}

#[test]
fn an_empty_id_or_secret_signs_nothing() {
    for issuer in [Issuer { client_id: "", ..ISSUER }, Issuer { client_secret: "", ..ISSUER }] {
        let token = dynamic::build(&issuer, "alice", NOW_S, 600).unwrap();
        assert_eq!(dynamic::verify(&token, &issuer, NOW_S), Err(ChatRefusal::ForeignIssuer));
    }
    assert!(matches!(dynamic::build(&ISSUER, "", NOW_S, 600), Err(BuildError::NoName)));
    let nameless = Issuer { app_key: "", ..ISSUER };
    assert!(matches!(dynamic::build(&nameless, "alice", NOW_S, 600), Err(BuildError::NoName)));
    // Nobody is let in as nobody, though the signature be right.
    let signed_for_nobody = json(&build("1", 686_207_557, 600)).replace("\"1\"", "\"\"").replace(":686", ":1686");
    assert_eq!(verify(&wrap(&signed_for_nobody), NOW_S), Err(ChatRefusal::Malformed));
}

#[test]
fn fields_are_required_and_typed() {
    let good = json(&build("alice", NOW_S, 600));
    assert!(verify(&wrap(&good), NOW_S).is_ok());
    for (from, to) in [
        ("\"signature\"", "\"Signature\""),
        ("\"appkey\"", "\"appKey\""),
        ("\"userId\"", "\"username\""),
        ("\"curTime\"", "\"time\""),
        ("\"ttl\"", "\"TTL\""),
        ("\"alice\"", "null"),
        ("\"alice\"", "7"),
        ("\"alice\"", "\"alice\",\"userId\":\"bob\""),
        (":600", ":600.0"),
        (":600", ":6e2"),
        (":600", ":-600"),
        (":600", ":0600"),
        (":600", ":\"0600\""),
        (":600", ":\"+600\""),
        (":600", ":\" 600\""),
        (":600", ":\"\""),
        (":600", ":null"),
        (":600", ":[600]"),
        (":600", ":18446744073709551616"),
        ("{", "[{"),
        ("}", "}x"),
        ("}", ""),
    ] {
        assert!(good.contains(from));
        let changed = good.replace(from, to);
        assert_eq!(verify(&wrap(&changed), NOW_S), Err(ChatRefusal::Malformed), "{changed}");
    }
    let fields = ["signature", "appkey", "userId"].map(|name| good.split(&format!("\"{name}\":")).nth(1).unwrap());
    let values = fields.map(|rest| rest.split(',').next().unwrap());
    let array = format!("[{},{},{},{NOW_S},600]", values[0], values[1], values[2]);
    assert_eq!(verify(&wrap(&array), NOW_S), Err(ChatRefusal::Malformed));
    for signature in [String::new(), "0".repeat(63), "0".repeat(65), "g".repeat(64), "é".repeat(32)] {
        let changed = good.replace(values[0], &format!("\"{signature}\""));
        assert_eq!(verify(&wrap(&changed), NOW_S), Err(ChatRefusal::Malformed), "{signature}");
    }
    let changed = good.replace(values[0], &format!("\"{}\"", "0".repeat(64)));
    assert_eq!(verify(&wrap(&changed), NOW_S), Err(ChatRefusal::ForeignIssuer));
}

#[test]
fn what_is_no_token_is_malformed() {
    let deep = wrap(&"[".repeat(1000));
    let deep_inside = wrap(&format!("{{\"x\":{}", "[".repeat(1000)));
    for text in ["", "ZHQt", "ZHQte30", "ZHQt=", "YWMtU1Qx", "007eJx", "ZHQt\u{e9}", "ZHQteyJ9\n", &deep, &deep_inside]
    {
        assert_eq!(verify(text, NOW_S), Err(ChatRefusal::Malformed), "{text}");
    }
    let other_type = BASE64_URL_SAFE.encode(json(&build("alice", NOW_S, 600)));
    assert_eq!(verify(&other_type, NOW_S), Err(ChatRefusal::Malformed));
}

#[test]
fn texts_at_the_limit_and_one_past_it() {
    let fixed = json(&build("x", NOW_S, 600)).len() - 1;
    let room = dynamic::MAX_LEN / 4 * 3 - 3 - fixed;
    let fits = build(&"x".repeat(room), NOW_S, 600);
    assert_eq!(fits.len(), dynamic::MAX_LEN);
    assert!(verify(&fits, NOW_S).is_ok());
    let exceeds = dynamic::build(&ISSUER, &"x".repeat(room + 1), NOW_S, 600);
    assert!(matches!(exceeds, Err(BuildError::TooLong)));
    // A text that would be good, were it not for the spaces.
    let padded = wrap(&format!("{} ", json(&fits)));
    assert_eq!(verify(&padded, NOW_S), Err(ChatRefusal::Malformed));
}

/// The format lets digits move; a short life is what makes that useless.
#[test]
fn digits_that_move_make_no_token_that_is_good_today() {
    const TODAY_S: u64 = 1_764_117_641;
    let forged = |user: &str, cur_time_s: u64, ttl_s: u64, from: &str| {
        json(from)
            .replace("\"alice1763\"", &format!("\"{user}\""))
            .replace("\"curTime\":1764117641", &format!("\"curTime\":{cur_time_s}"))
            .replace("\"ttl\":600", &format!("\"ttl\":{ttl_s}"))
    };
    let own = build("alice1763", TODAY_S, 600);
    assert!(verify(&own, TODAY_S).is_ok());
    let theft = wrap(&forged("alice", 1_763_176_411, 7_641_600, &own));
    assert_eq!(verify(&theft, TODAY_S), Err(ChatRefusal::Malformed));
    // This is what a long life would let through.
    let lenient = Issuer { max_ttl_s: 100 * MAX_TTL_S, ..ISSUER };
    assert_eq!(dynamic::verify(&theft, &lenient, TODAY_S).map(|grant| grant.user), Ok("alice".to_owned()));

    let mut readings = 0;
    for ttl_s in ["100", "600", "3600", "7200", "86400"] {
        // Five digits would make the ttl longer than any that is accepted.
        for suffix in 0..10_000_u64 {
            let signed = format!("{suffix}{TODAY_S}{ttl_s}");
            let own_start = suffix.to_string().len();
            // The user loses digits, or gains some. Only a length of ten is anywhere near today.
            for start in (0..signed.len() - 10).filter(|start| *start != own_start) {
                let (made_s, ttl_s) = (&signed[start..start + 10], &signed[start + 10..]);
                if made_s.starts_with('0') || ttl_s.starts_with('0') {
                    continue;
                }
                let (made_s, ttl_s): (u64, u64) = (made_s.parse().unwrap(), ttl_s.parse().unwrap());
                let good_soon = made_s + ttl_s > TODAY_S && made_s < TODAY_S + 30 * MAX_TTL_S;
                readings += u32::from(ttl_s <= MAX_TTL_S && good_soon);
            }
        }
    }
    assert_eq!(readings, 0);
}

#[test]
fn the_secret_is_not_shown() {
    let shown = format!("{ISSUER:?}");
    assert!(shown.contains("chatapp") && !shown.contains("secret"), "{shown}");
}

proptest! {
    #[test]
    fn round_trip(user in ".{1,64}", other in ".{1,64}", made_s in 0..u64::MAX / 2, ttl_s in 1..=MAX_TTL_S) {
        let token = build(&user, made_s, ttl_s);
        let end_s = made_s + ttl_s;
        prop_assert_eq!(verify(&token, end_s - 1), Ok((user.clone(), end_s)));
        prop_assert_eq!(verify(token.trim_end_matches('='), end_s - 1), Ok((user.clone(), end_s)));
        prop_assert_eq!(verify(&token, end_s), Err(ChatRefusal::Expired));
        let quoted = |user: &str| serde_json::to_string(user).unwrap();
        let changed = json(&token).replace(&format!(":{}", quoted(&user)), &format!(":{}", quoted(&other)));
        if other != user {
            prop_assert_eq!(verify(&wrap(&changed), end_s - 1), Err(ChatRefusal::ForeignIssuer));
        }
    }

    #[test]
    fn every_flipped_bit_is_refused_or_without_meaning(user in "[a-z]{1,20}", ttl_s in 1..=MAX_TTL_S) {
        let token = build(&user, NOW_S, ttl_s);
        let bytes = BASE64_URL_SAFE.decode(&token).unwrap();
        let good = dynamic::verify(&token, &ISSUER, NOW_S).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let verified = dynamic::verify(&BASE64_URL_SAFE.encode(changed), &ISSUER, NOW_S);
            // The case of a hexadecimal digit means nothing.
            prop_assert!(verified.is_err() || (bit % 8 == 5 && verified == Ok(good.clone())), "bit {}", bit);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "(ZHQt|ZHQteyJ)?[A-Za-z0-9_-]{0,300}={0,2}", json in ".{0,300}", now_s: u64) {
        prop_assert!(verify(&text, now_s).is_err());
        prop_assert!(verify(&wrap(&json), now_s).is_err());
    }
}
