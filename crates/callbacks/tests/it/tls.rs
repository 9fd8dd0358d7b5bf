//! TLS: the certificate must be of an authority that is trusted, and of the name that was asked for.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls_pki_types::PrivateKeyDer;
use stentor_callbacks::metrics::Outcome;
use stentor_callbacks::receiver::Receiver;
use stentor_callbacks::{Client, Endpoint, Rule, SystemNames, system_trust};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::kit::{QUICK, SECRET, Setup, came, rule};

/// Speaks TLS in front of a receiver, with a certificate for `name`. Returns its port and whom to trust.
async fn in_front_of(receiver: SocketAddr, name: &str) -> (u16, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(stream).await else { return };
                let Ok(mut plain) = TcpStream::connect(receiver).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut tls, &mut plain).await;
            });
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (port, Arc::new(client.with_root_certificates(roots).with_no_client_auth()))
}

fn over_tls(receiver: &Receiver, host: &str, port: u16) -> Rule {
    let endpoint = Endpoint::parse(&format!("https://{host}:{port}/callback")).unwrap();
    Rule { endpoint, schedule: QUICK, ..rule("audit", receiver) }
}

#[tokio::test]
async fn a_trusted_certificate_of_the_name_is_taken() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let (port, trust) = in_front_of(receiver.address(), "localhost").await;
    let client = Client::new(Arc::new(SystemNames), trust);
    let kit = Setup { client, ..Setup::new(vec![over_tls(&receiver, "localhost", port)]) }.start().await;
    kit.queue(0..10).await;
    came(&receiver, 10).await;
    kit.emptied().await;
    assert_eq!(receiver.problems(), [""; 0]);
}

#[tokio::test]
async fn others_are_not() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let (port, _) = in_front_of(receiver.address(), "localhost").await;
    let (other_port, other_trust) = in_front_of(receiver.address(), "hooks.example.com").await;
    for (port, trust) in [(port, system_trust().unwrap()), (other_port, other_trust)] {
        let client = Client::new(Arc::new(SystemNames), trust);
        let kit = Setup { client, ..Setup::new(vec![over_tls(&receiver, "localhost", port)]) }.start().await;
        kit.queue([1]).await;
        kit.died(1).await;
        assert_eq!(kit.outbox.counted("audit", Outcome::Failed), 2);
    }
    assert_eq!(receiver.received().len(), 0);
}
