//! The server goes down.

use std::time::Duration;

use stentor_gateway_ws::client::{ClientError, ClientEvent};

use crate::harness::{event, gateway, gateway_with, login, soon};
use crate::pressure::block;

#[tokio::test]
async fn clients_are_told_when_to_come_back() {
    let gateway = gateway().await;
    let mut bob = gateway.client("bob").await;
    let mut raw = gateway.raw().await;
    gateway.node.drain(1000);
    let ClientEvent::Reconnect { after_ms } = event(&mut bob).await else { panic!("a notice") };
    assert!(after_ms <= 1000, "{after_ms}");
    assert_eq!(event(&mut bob).await, ClientEvent::Closed { code: Some(1012) });
    let refused = gateway.try_client(login("carol")).await.expect_err("refused");
    assert!(matches!(refused, ClientError::LoginRefused { code: 1, .. }), "{refused}");
    gateway.state.close();
    assert_eq!(raw.close_code().await, Some(1012));
    soon(gateway.state.closed()).await;
    assert_eq!(gateway.state.counters().open, 0);
    let unavailable = gateway.try_client(login("carol")).await.expect_err("refused");
    assert!(matches!(unavailable, ClientError::Connect(_)), "{unavailable}");
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_hold_the_server_up() {
    let gateway = gateway_with(|setup| {
        setup.policy.sessions.mailbox_notices = 100_000;
        setup.policy.sessions.mailbox_bytes = 1 << 30;
        setup.config.close_timeout = Duration::from_millis(50);
    })
    .await;
    let mut deaf = gateway.raw_as("deaf").await;
    deaf.send(r#"{"type":"join","id":1,"channel":"lobby"}"#).await;
    deaf.json_of("reply").await;
    block(&gateway).await;
    gateway.node.drain(0);
    gateway.state.close();
    soon(gateway.state.closed()).await;
}
