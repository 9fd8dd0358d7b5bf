//! PROVISION, and how a connection ends.

use std::time::Duration;

use stentor_core::session::LogoutReason;
use stentor_msync::{
    Command, Logout, MSync, Message as _, NameSpace, Provision, StatisticsBody, StatisticsOperation, decode,
};
use tokio_tungstenite::tungstenite::Message;

use super::{Sdk, frame, login, provision};
use crate::chat::{chat_gateway, gateway, user};
use crate::harness::{NOW_MS, limit, soon, until};

#[tokio::test]
async fn a_token_or_a_password_lets_in_whatever_the_age_of_the_sdk() {
    let gateway = gateway().await;
    let until = NOW_MS + 60_000;
    let (_, answer) = gateway.try_sdk(provision("Bob", "webim_web_1", &format!("good-until:{until}"))).await;
    assert_eq!(answer.status.expect("a status").error_code, Some(0));
    assert_eq!(
        (answer.resource.as_deref(), answer.session_id.as_deref()),
        (Some("webim_web_1"), Some("1700000000000:"))
    );
    assert_eq!(answer.auth_token.as_deref(), Some(format!(r#"{{"expires_in":{until}}}"#).as_str()));
    let in_provision = Provision { auth: Some("$t$good".to_owned()), ..Provision::default() };
    let in_frame = MSync { auth: Some("$t$good".to_owned()), ..login("bob", &Provision::default()) };
    let by_password = Provision { password: Some("pw".to_owned()), ..Provision::default() };
    let beside_none = Provision { auth_token: Some(r#"{"token":""}"#.to_owned()), ..in_provision.clone() };
    for login in [login("bob", &in_provision), in_frame, login("bob", &by_password), login("bob", &beside_none)] {
        let (_, answer) = gateway.try_sdk(login).await;
        assert_eq!(answer.status.expect("a status").error_code, Some(0));
        // A client that names no device is called something, and that is what it is.
        assert_eq!((answer.resource.as_deref(), answer.auth_token), (Some("web"), None));
    }
    // A device's name that cannot be kept becomes another, by which it is known from then on.
    let (_, answer) = gateway.try_sdk(provision("bob", "my phone", "good")).await;
    let given = answer.resource.expect("a name");
    assert!(given.starts_with("my_phone-"), "{given}");
    let (_, answer) = gateway.try_sdk(provision("bob", &given, "good")).await;
    assert_eq!(answer.resource.as_deref(), Some(given.as_str()));
}

#[tokio::test]
async fn refusals_have_the_numbers_and_texts_that_the_sdks_know() {
    let gateway = gateway().await;
    let no_match = "Sorry, token or password does not match login info";
    let wrong_password = Provision { password: Some("other".to_owned()), ..Provision::default() };
    let mut elsewhere = provision("bob", "web", "good");
    elsewhere.guid.as_mut().expect("a guid").app_key = Some("acme#other".to_owned());
    for (login, code, reason) in [
        (provision("bob", "web", "bad"), 1, no_match),
        (provision("bob", "web", "revoked-meanwhile"), 1, no_match),
        (login("bob", &wrong_password), 1, no_match),
        (provision("bob", "web", "expired"), 1, "Sorry, token expired"),
        (provision("b b", "web", "good"), 1, "Sorry, user not found"),
        (provision("bob", "web", "unauthorized"), 12, "Sorry, the user is deactivated"),
        (elsewhere, 4, "invalid app id"),
    ] {
        let (mut sdk, answer) = gateway.try_sdk(login).await;
        let status = answer.status.expect("a status");
        assert_eq!((status.error_code, status.reason.as_deref()), (Some(code), Some(reason)));
        assert_eq!(sdk.raw.close_code().await, Some(4001));
    }
    assert_eq!(gateway.state.counters().refused_logins, 7);
}

#[tokio::test]
async fn what_is_no_login_or_no_frame_closes() {
    let gateway = gateway().await;
    for first in [&b"\x40\x01"[..], b"\xff", b"", b"\x40\x03\x4a\x01\xff"] {
        let mut sdk = raw(&gateway).await;
        sdk.bytes(first.to_vec()).await;
        assert_eq!(sdk.raw.close_code().await, Some(4004), "{first:?}");
    }
    let mut sdk = raw(&gateway).await;
    soon(futures_util::SinkExt::send(&mut sdk.raw.0, Message::text("{}"))).await.expect("sent");
    assert_eq!(sdk.raw.close_code().await, Some(1003));
    // A client that is logged in is told, too.
    for malformed in [&b"\x40\x00\x4a\x01\xff"[..], b"\x40\x00\x4a\x06\x0a\x04\x32\x01\xff\x28", b"\xff"] {
        let mut sdk = gateway.sdk("bob").await;
        sdk.bytes(malformed.to_vec()).await;
        assert_eq!(super::status(&sdk.down(|_| true).await), (10, "malformed protobuf"));
        assert_eq!(sdk.raw.close_code().await, Some(4004), "{malformed:?}");
    }
    let mut sdk = gateway.sdk("bob").await;
    sdk.say(&provision("bob", "web", "good")).await;
    assert_eq!(sdk.raw.close_code().await, Some(4004));
    // What is not known, and what nobody asks for, is nothing.
    let mut sdk = gateway.sdk("bob").await;
    for command in [2, 9] {
        sdk.say(&MSync { command: Some(command), ..MSync::default() }).await;
    }
    sdk.say(&frame(Command::Sync, &stentor_msync::SyncUp::default())).await;
    sdk.heard_nothing_else().await;
}

async fn raw(gateway: &crate::harness::Gateway) -> Sdk {
    gateway.stranger(stentor_gateway_ws::Carrier::WebSocket).await
}

/// The operation that a client is told before it is cut off.
async fn last_word(sdk: &mut Sdk) -> Option<i32> {
    last_words(sdk).await.operation
}

async fn last_words(sdk: &mut Sdk) -> StatisticsBody {
    let down = sdk.down(|down| down.metas.iter().any(|meta| meta.ns == Some(NameSpace::Statistic as i32))).await;
    assert_eq!((down.is_last, down.next_key), (Some(true), None));
    decode(down.metas[0].payload.clone().expect("a payload")).expect("a body")
}

#[tokio::test]
async fn who_is_put_out_is_told_why() {
    let gateway = gateway().await;
    for (why, operation, close) in [
        (LogoutReason::Forced, StatisticsOperation::UserKickedByOtherDevice, 4010),
        (LogoutReason::PasswordChanged, StatisticsOperation::UserKickedByChangePassword, 4011),
        (LogoutReason::Deactivated, StatisticsOperation::UserKickedByOtherDevice, 4012),
        (LogoutReason::Deleted, StatisticsOperation::UserRemoved, 4013),
    ] {
        let mut bob = gateway.sdk("bob").await;
        gateway.node.disconnect(&gateway.chat, &user("bob"), None, why).await;
        assert_eq!(last_word(&mut bob).await, Some(operation as i32));
        assert_eq!(bob.raw.close_code().await, Some(close));
    }
    // The same device once more: the first gives way, and does not come back.
    let mut first = gateway.sdk("bob").await;
    let mut second = gateway.sdk("bob").await;
    assert_eq!(last_word(&mut first).await, Some(StatisticsOperation::UserLoginAnotherDevice as i32));
    assert_eq!(first.raw.close_code().await, Some(4002));
    second.heard_nothing_else().await;
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_with_a_logout() {
    let gateway = gateway().await;
    let (mut bob, _) = gateway.try_sdk(provision("bob", "web", &format!("good-until:{}", NOW_MS + 1_000))).await;
    gateway.pass(Duration::from_secs(1));
    assert_eq!(bob.raw.close_code().await, Some(4003));
    let mut bob = gateway.sdk("bob").await;
    let logout = Logout { session_id: Some("s".to_owned()), reason: Some("inner:logout".to_owned()), status: None };
    bob.say(&frame(Command::Logout, &logout)).await;
    let answer: Logout = decode(bob.of(Command::Logout).await.payload.expect("a payload")).expect("a logout");
    assert_eq!((answer.session_id.as_deref(), answer.status.expect("a status").error_code), (Some("s"), Some(0)));
    assert_eq!(bob.raw.close_code().await, Some(1000));
    until(|| gateway.node.census().attached + gateway.node.census().detached == 0).await;
}

#[tokio::test]
async fn too_many_logins_are_refused() {
    let gateway = chat_gateway(|setup| {
        limit(setup, stentor_core::limits::Rule::Logins, 1);
        setup.chat.rates = setup.policy.rates.clone();
    })
    .await;
    drop(gateway.sdk("bob").await);
    let (_, answer) = gateway.try_sdk(provision("bob", "web", "good")).await;
    let status = answer.status.expect("a status");
    assert_eq!(status.error_code, Some(1));
    assert!(status.encoded_len() > 2, "it says why");
}

/// A client may say something to the one whose place it takes: on its device, or because there are too many.
#[tokio::test]
async fn who_gives_way_hears_what_the_other_says() {
    let gateway = gateway().await;
    let saying = |device: &str, words: &str| {
        let provision = Provision {
            auth: Some("$t$good".to_owned()),
            resource: Some(device.to_owned()),
            reason: Some(words.to_owned()),
            ..Provision::default()
        };
        login("bob", &provision)
    };
    let longest = "é".repeat(1024);
    for (words, heard) in [
        ("phone of Bob", Some("phone of Bob")),
        ("", None),
        (&longest, Some(&*longest)),
        (&format!("{longest}x"), None),
    ] {
        let mut first = gateway.sdk("bob").await;
        let (_second, _) = gateway.try_sdk(saying("web", words)).await;
        let told = last_words(&mut first).await;
        assert_eq!(told.operation, Some(StatisticsOperation::UserLoginAnotherDevice as i32));
        assert_eq!(told.reason.as_deref(), heard);
    }
    let mut web = gateway.sdk("bob").await;
    let _phone = gateway.sdk_on("bob", "phone").await;
    let _tablet = gateway.try_sdk(saying("tablet", "one too many")).await;
    assert_eq!(last_words(&mut web).await.reason.as_deref(), Some("one too many"));
    // Nobody else's words.
    gateway.node.disconnect(&gateway.chat, &user("bob"), None, LogoutReason::Forced).await;
    let mut web = gateway.sdk("bob").await;
    gateway.node.disconnect(&gateway.chat, &user("bob"), None, LogoutReason::Forced).await;
    assert_eq!(last_words(&mut web).await.reason, None);
}
