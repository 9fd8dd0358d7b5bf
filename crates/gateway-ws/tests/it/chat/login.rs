//! The first frame, the end of a token, and how the backend ends sessions.

use std::time::Duration;

use stentor_core::session::LogoutReason;
use stentor_gateway_ws::client::{ChatAppName, ChatClient, ChatCredential, ChatEvent, ChatLogin};

use super::{by_password, closed, code, event, gateway, on_device, user};
use crate::harness::{CHAT_APP, NOW_MS, soon};

fn by_token(token: &str) -> ChatLogin {
    ChatLogin { credential: ChatCredential::Token(token.to_owned()), ..by_password("bob") }
}

#[tokio::test]
async fn a_password_or_a_token_lets_in() {
    let gateway = gateway().await;
    let named = gateway.try_chat(by_password("Bob")).await.expect("logged in");
    let welcome = named.welcome();
    assert_eq!((welcome.user.as_str(), welcome.device.as_str(), welcome.resumed), ("bob", "web", false));
    assert_eq!(welcome.server_time, NOW_MS);
    let by_id = ChatLogin {
        app: ChatAppName::Id { app_id: CHAT_APP.to_owned() },
        device: Some("phone_1.a-b".to_owned()),
        ..by_token("good")
    };
    assert_eq!(gateway.try_chat(by_id).await.expect("logged in").welcome().device, "phone_1.a-b");
}

#[tokio::test]
async fn what_is_wrong_has_a_number() {
    let gateway = gateway().await;
    let wrong_password = ChatCredential::Password("other".to_owned());
    let elsewhere = ChatAppName::Names { org: "acme".to_owned(), app_name: "other".to_owned() };
    for (login, expected) in [
        (ChatLogin { app: elsewhere, ..by_password("bob") }, 100),
        (by_password("b b"), 101),
        (by_password(&"b".repeat(65)), 101),
        (by_token("bad"), 104),
        (by_token("expired"), 108),
        (ChatLogin { credential: wrong_password, ..by_password("bob") }, 202),
        (on_device("bob", "a/b"), 205),
        (on_device("bob", &"d".repeat(65)), 205),
        (by_token("unauthorized"), 305),
    ] {
        let shown = format!("{login:?}");
        assert_eq!(code(gateway.try_chat(login).await), expected, "{shown}");
    }
    assert_eq!(gateway.state.counters().refused_logins, 9);
}

#[tokio::test]
async fn the_first_frame_is_a_login_of_this_protocol() {
    let gateway = gateway().await;
    for (text, refused, close) in [
        (r#"{"type":"login","version":2,"app_id":"acme#demo","user":"bob","password":"pw"}"#, Some(508), 4001),
        (r#"{"type":"login","version":1,"app":"acme#demo","user":"bob","token":"good"}"#, None, 4004),
        (r#"{"type":"login","version":1,"app_id":"acme#demo","user":"bob","token":"a","password":"b"}"#, None, 4004),
        (r#"{"type":"rooms","id":1}"#, None, 4004),
        ("[]", None, 4004),
    ] {
        let mut raw = gateway.raw_at("/ws/chat").await;
        raw.send(text).await;
        if let Some(code) = refused {
            assert_eq!(raw.json().await["code"], code, "{text}");
        }
        assert_eq!(raw.close_code().await, Some(close), "{text}");
    }
}

#[tokio::test]
async fn silence_is_refused() {
    let gateway = super::chat_gateway(|setup| setup.config.login_timeout = Duration::from_millis(20)).await;
    let mut raw = gateway.raw_at("/ws/chat").await;
    assert_eq!(raw.json().await["code"], 301);
    assert_eq!(raw.close_code().await, Some(4005));
}

#[tokio::test]
async fn a_token_expires() {
    let gateway = gateway().await;
    let mut bob = gateway.try_chat(by_token(&format!("good-until:{}", NOW_MS + 60_000))).await.expect("logged in");
    for _ in 0..2 {
        gateway.pass(Duration::from_secs(20));
        bob.rooms().await.expect("answered");
    }
    assert_eq!(event(&mut bob).await, ChatEvent::TokenWillExpire { expires_at: NOW_MS + 60_000 });
    assert_eq!(code(bob.renew_token("bad").await), 104);
    assert_eq!(code(bob.renew_token("expired").await), 108);
    bob.renew_token(&format!("good-until:{}", NOW_MS + 90_000)).await.expect("renewed");
    gateway.pass(Duration::from_secs(21));
    assert_eq!(event(&mut bob).await, ChatEvent::TokenWillExpire { expires_at: NOW_MS + 90_000 });
    bob.rooms().await.expect("answered");
    gateway.pass(Duration::from_secs(29));
    assert_eq!(closed(&mut bob).await, Some(4003));
}

#[tokio::test]
async fn the_backend_ends_sessions() {
    let gateway = gateway().await;
    for (why, expected) in [
        (LogoutReason::Forced, 4010),
        (LogoutReason::PasswordChanged, 4011),
        (LogoutReason::Deactivated, 4012),
        (LogoutReason::Deleted, 4013),
    ] {
        let mut bob = gateway.chat("bob").await;
        assert_eq!(gateway.node.disconnect(&gateway.chat, &user("bob"), None, why).await, 1);
        assert_eq!(closed(&mut bob).await, Some(expected));
    }
}

#[tokio::test]
async fn logout() {
    let gateway = gateway().await;
    let mut bob: ChatClient = gateway.chat("bob").await;
    bob.logout().await.expect("logged out");
    assert_eq!(closed(&mut bob).await, Some(1000));
    assert_eq!(soon(bob.next()).await, None);
}

#[tokio::test]
async fn the_server_goes_down() {
    let gateway = gateway().await;
    let mut bob = gateway.chat("bob").await;
    gateway.node.drain(1000);
    let ChatEvent::Reconnect { after_ms } = event(&mut bob).await else { panic!("a notice") };
    assert!(after_ms <= 1000);
    assert_eq!(closed(&mut bob).await, Some(1012));
    assert_eq!(code(gateway.try_chat(by_password("bob")).await), 302);
}
