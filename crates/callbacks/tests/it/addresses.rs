//! Private addresses are refused, whatever leads to them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use stentor_callbacks::metrics::Outcome;
use stentor_callbacks::receiver::Receiver;
use stentor_callbacks::{Endpoint, Resolve, Resolving, Rule};

use crate::kit::{QUICK, SECRET, Setup, came, client, rule};

/// Names of a test.
#[derive(Debug)]
struct Names(Mutex<Vec<SocketAddr>>);

impl Names {
    fn new(addresses: &[SocketAddr]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(addresses.to_vec())))
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, _port: u16) -> Resolving<'a> {
        let known = (host == "hooks.example.com").then(|| self.0.lock().clone());
        Box::pin(async move { known.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

/// A rule whose URL has another host, with the receiver's port.
fn to_host(host: &str, receiver: &Receiver) -> Rule {
    let endpoint = Endpoint::parse(&format!("http://{host}:{}/callback", receiver.address().port())).unwrap();
    Rule { endpoint, schedule: QUICK, ..rule("audit", receiver) }
}

#[tokio::test]
async fn this_machine_is_refused_under_every_name() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0.0.0.0"] {
        let forbidden = Rule { allow_private: false, ..to_host(host, &receiver) };
        let kit = Setup::new(vec![forbidden]).start().await;
        kit.queue([1]).await;
        kit.died(1).await;
        assert_eq!(kit.outbox.counted("audit", Outcome::Failed), 2, "{host}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_rule_may_allow_it() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    for (number, host) in ["127.0.0.1", "localhost"].into_iter().enumerate() {
        let kit = Setup::new(vec![to_host(host, &receiver)]).start().await;
        kit.queue([number as u64]).await;
        came(&receiver, number + 1).await;
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_on_every_connect() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let names = Names::new(&[receiver.address()]);
    let allowed = to_host("hooks.example.com", &receiver);
    let kit = Setup { client: client(names.clone()), ..Setup::new(vec![allowed.clone()]) }.start().await;
    kit.queue([1]).await;
    came(&receiver, 1).await;
    kit.emptied().await;

    let forbidden = Rule { allow_private: false, ..allowed };
    let kit = Setup { client: client(names.clone()), ..Setup::new(vec![forbidden]) }.start().await;
    kit.queue([2]).await;
    kit.died(1).await;
    // A name with several addresses: none of them.
    names.0.lock().push(([10, 0, 0, 1], 80).into());
    names.0.lock().push(([169, 254, 169, 254], 80).into());
    kit.queue([3]).await;
    kit.died(2).await;
    names.0.lock().clear();
    kit.queue([4]).await;
    kit.died(3).await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(receiver.connections(), 1);
}
