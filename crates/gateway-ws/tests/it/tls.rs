//! The same over TLS.

use std::sync::Arc;

use stentor_gateway_ws::client::{Client, ClientEvent, ClientOptions, PeerResult};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::harness::{Gateway, event, gateway_with, login, soon};
use crate::pressure::{block, payload};

async fn tls_gateway() -> (Gateway, ClientOptions) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let server = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.clone()], key);
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let trust = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let gateway = gateway_with(|setup| {
        setup.tls = Some(TlsAcceptor::from(Arc::new(server.expect("a configuration"))));
        setup.policy.sessions.mailbox_notices = 100_000;
        setup.policy.sessions.mailbox_bytes = 1 << 30;
    })
    .await;
    (gateway, ClientOptions { tls: Some(Arc::new(trust)), event_queue: 4, ..ClientOptions::default() })
}

async fn client(gateway: &Gateway, user: &str, options: &ClientOptions) -> Client {
    soon(Client::connect_with(&gateway.url(), login(user), options.clone())).await.expect("logged in")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_messages() {
    let (gateway, options) = tls_gateway().await;
    let alice = client(&gateway, "alice", &options).await;
    let mut bob = client(&gateway, "bob", &options).await;
    assert_eq!(alice.send_peer("bob", "hi", false, false).await.expect("sent").result, PeerResult::Delivered);
    assert!(matches!(event(&mut bob).await, ClientEvent::PeerMessage(message) if message.payload == "hi"));
    // Larger than a TLS record.
    let large = "y".repeat(32_000);
    assert_eq!(alice.send_peer("bob", &large, false, false).await.expect("sent").result, PeerResult::Delivered);
    assert!(matches!(event(&mut bob).await, ClientEvent::PeerMessage(message) if message.payload == large));
    alice.logout().await.expect("logged out");
    bob.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_go_out_in_pieces_arrive_whole() {
    let (gateway, options) = tls_gateway().await;
    let mut late = client(&gateway, "late", &options).await;
    late.join("lobby").await.expect("joined");
    let sent = block(&gateway).await;
    for number in 0..sent {
        let ClientEvent::ChannelMessage(message) = event(&mut late).await else { panic!("a message") };
        assert_eq!(message.payload, payload(number));
    }
    assert_eq!(late.member_counts(&["lobby"]).await.expect("counted"), [1]);
}
