//! Names that lead to public addresses only: for URLs that somebody else may choose. Every connection looks again, so that
//! a name that has changed its address meanwhile leads nowhere it should not.

use std::net::IpAddr;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use stentor_callbacks::address::is_public;
use tokio::net::lookup_host;

/// All addresses of a name are private.
#[derive(Debug, thiserror::Error)]
#[error("the address is private")]
pub(crate) struct PrivateAddress;

/// Resolves names as the system does, and leaves private addresses out.
#[derive(Debug)]
pub(crate) struct OpenNames;

impl Resolve for OpenNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let open: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if open.is_empty() {
                return Err(PrivateAddress.into());
            }
            let open: Addrs = Box::new(open.into_iter());
            Ok(open)
        })
    }
}

/// Whether a URL holds no private address. One with a name is looked at when the name is resolved.
pub(crate) fn is_open(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    !host.is_empty() && host.parse::<IpAddr>().map_or(true, is_public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_urls_are_looked_at() {
        // The URL parser reads other ways of writing an address too.
        for private in
            ["http://127.0.0.1/", "https://10.1.2.3:8443/a", "http://[::1]/", "http://0x7f.1/", "http://2130706433/"]
        {
            assert!(!is_open(&Url::parse(private).expect("a URL")), "{private}");
        }
        for open in ["https://1.1.1.1/", "https://[2606:4700:4700::1111]/", "https://push.example.com/"] {
            assert!(is_open(&Url::parse(open).expect("a URL")), "{open}");
        }
    }
}
