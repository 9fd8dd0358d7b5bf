//! Properties: what is built verifies, and no input panics.

use crate::common::{APP, CERT};
use proptest::prelude::*;
use stentor_token::v007::{self, Issue, Service};
use stentor_token::{ChatHolder, Grant, Refusal, v006, verify_login};

const DAY: u32 = 86_400;

fn ttl(written: u32) -> u32 {
    if written == 0 || written > DAY { DAY } else { written }
}

fn seconds() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 0..=2 * DAY, any::<u32>()]
}

proptest! {
    #[test]
    fn v006_round_trip(user in ".{1,64}", other in ".{1,64}", salt: u32, ts: u32, privilege: u32) {
        let token = v006::build(APP, CERT, &user, salt, ts, privilege);
        let ts = u64::from(ts);
        let grant = Grant { user: user.clone(), expires_at_s: ts + 1 };
        prop_assert_eq!(verify_login(&token, APP, CERT, &user, ts), Ok(grant));
        prop_assert_eq!(verify_login(&token, APP, CERT, &user, ts + 1), Err(Refusal::Expired));
        prop_assert_eq!(verify_login(&token, APP, APP, &user, ts), Err(Refusal::Invalid));
        if other != user {
            prop_assert_eq!(verify_login(&token, APP, CERT, &other, ts), Err(Refusal::Invalid));
        }
    }

    #[test]
    fn v007_rtm_round_trip(
        user in ".{1,64}", other in ".{1,64}", salt: u32, issue_ts_s: u32,
        expire_s in seconds(), login_s in seconds(),
    ) {
        let issue = Issue { issue_ts_s, expire_s, salt };
        let token = v007::build(APP, CERT, issue, &[Service::rtm(&user, login_s)]).unwrap();
        let end_s = u64::from(issue_ts_s) + u64::from(ttl(expire_s).min(ttl(login_s)));
        let grant = Grant { user: user.clone(), expires_at_s: end_s };
        prop_assert_eq!(verify_login(&token, APP, CERT, &user, end_s - 1), Ok(grant));
        prop_assert_eq!(verify_login(&token, APP, CERT, &user, end_s), Err(Refusal::Expired));
        prop_assert_eq!(verify_login(&token, APP, APP, &user, end_s), Err(Refusal::Invalid));
        if other != user {
            let refused = verify_login(&token, APP, CERT, &other, end_s);
            prop_assert_eq!(refused, Err(Refusal::Invalid));
        }
    }

    #[test]
    fn v007_chat_round_trip(
        user in ".{1,64}", issue_ts_s: u32, expire_s in 1_u32.., chat_s in 1_u32..,
    ) {
        let issue = Issue { issue_ts_s, expire_s, salt: 1 };
        let end_s = u64::from(issue_ts_s) + u64::from(expire_s.min(chat_s).min(DAY));
        let cases = [
            (Service::chat_user(&user, chat_s), ChatHolder::User(user)),
            (Service::chat_app(chat_s), ChatHolder::App),
        ];
        for (service, holder) in cases {
            let token = v007::build(APP, CERT, issue, &[service]).unwrap();
            let grant = v007::verify_chat(&token, APP, CERT, end_s - 1).unwrap();
            prop_assert_eq!((grant.holder, grant.expires_at_s), (holder, end_s));
            let refused = v007::verify_chat(&token, APP, CERT, end_s);
            prop_assert_eq!(refused, Err(Refusal::Expired));
        }
    }

    #[test]
    fn services_round_trip(bytes in prop::collection::vec(0_u8..12, 0..200)) {
        if let Ok(services) = v007::parse_services(&bytes) {
            let again = v007::encode_services(&services.known).unwrap();
            let mut known = services.known;
            known.sort_by_key(|service| service.kind.number());
            prop_assert_eq!(v007::parse_services(&again).unwrap().known, known);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(
        prefix in prop::sample::select(vec!["", "006", "007", "006970CA35de60c44645bbae8a215061b33", "007eJx"]),
        rest in prop_oneof![".{0,200}", "[A-Za-z0-9+/]{0,200}={0,2}"],
        user in ".{0,20}", app in ".{0,40}", certificate in ".{0,40}", now_s: u64,
    ) {
        let token = format!("{prefix}{rest}");
        prop_assert!(verify_login(&token, &app, &certificate, &user, now_s).is_err());
        prop_assert!(verify_login(&token, APP, CERT, &user, now_s).is_err());
        prop_assert!(v007::verify_chat(&token, APP, CERT, now_s).is_err());
    }

    #[test]
    fn arbitrary_services_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = v007::parse_services(&bytes);
    }
}
