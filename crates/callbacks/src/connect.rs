//! From a URL to a connection: names are looked up and every address is checked each time, so that a name that has
//! changed its address meanwhile leads nowhere it should not.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::address::is_public;
use crate::client::PostError;
use crate::endpoint::Endpoint;

/// The addresses of a name, when they are known.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Looks up names.
pub trait Resolve: Send + Sync + fmt::Debug {
    /// The addresses of a name.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// Names as the system knows them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }
}

/// How many addresses of a name are tried.
const ADDRESSES: usize = 4;

/// How long one address is tried before the next.
const PATIENCE: Duration = Duration::from_secs(3);

/// A connection to an endpoint, before TLS.
pub(crate) async fn connect(
    names: &dyn Resolve,
    endpoint: &Endpoint,
    allow_private: bool,
) -> Result<TcpStream, PostError> {
    let addresses = match endpoint.host().parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, endpoint.port())],
        Err(_name) => names.resolve(endpoint.host(), endpoint.port()).await.map_err(|_| PostError::Name)?,
    };
    if addresses.is_empty() {
        return Err(PostError::Name);
    }
    let allowed = addresses.into_iter().filter(|address| allow_private || is_public(address.ip()));
    let mut failure = PostError::Forbidden;
    for address in allowed.take(ADDRESSES) {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A request is written at once; a system that cannot do this only waits longer.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(_)) => failure = PostError::Connect,
            Err(_elapsed) => failure = PostError::Timeout,
        }
    }
    Err(failure)
}
