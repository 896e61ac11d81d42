//! Which servers are never asked on behalf of a user: those inside, which trust whoever reaches them (SSRF; OWASP,
//! Server-Side Request Forgery Prevention Cheat Sheet, case 2).
//!
//! An address in a URL is looked at before it is asked. A name is resolved here, all its addresses are looked at, and
//! exactly these are connected to, so that no second answer of a name server can lead elsewhere. What an
//! operator has set is asked as it is.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// It is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Inside {
    /// It is no `https:` URL with nothing but a host and a path.
    #[error("ask an `https:` URL without a user or a password")]
    NotHttps,
    /// The host is, or has, an address that is not for everybody.
    #[error("ask a server that everybody can reach")]
    Address,
}

/// Looks at a URL that a user has named, before it is asked by a client that resolves with [`PublicOnly`].
///
/// # Errors
/// [`Inside`].
pub(crate) fn may_be_asked(url: &Url) -> Result<(), Inside> {
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return Err(Inside::NotHttps);
    }
    let host = url.host_str().ok_or(Inside::NotHttps)?;
    // The parser of URLs has made one form of what is an address in any notation.
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(Inside::Address),
        _ => Ok(()),
    }
}

/// Resolves names of which every address is for everybody.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().any(|address| !is_public(address.ip())) {
                return Err(Inside::Address.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether packets to an address go to the internet: neither inside, nor to this machine, nor to many at once (IANA
/// special-purpose address registries of RFC 6890).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    // The metadata of clouds is link-local: 169.254.169.254.
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 240..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special && !address.is_multicast()
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only global unicast is given out; of it not what holds an IPv4 address or is for examples.
    (a & 0xe000) == 0x2000
        && !matches!((a, b), (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_everybody_reaches_is_asked() {
        let check = |text: &str| may_be_asked(&Url::parse(text).unwrap());
        for open in ["https://example.org/a?b", "https://93.184.215.14:8443/", "https://[2606:4700::1111]/"] {
            assert_eq!(check(open), Ok(()), "{open}");
        }
        for inside in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://[2002:7f00:1::]/",
        ] {
            assert_eq!(check(inside), Err(Inside::Address), "{inside}");
        }
        for odd in [
            "http://example.org/",
            "ftp://example.org/",
            "https://u@example.org/",
            "https://u:p@example.org/",
        ] {
            assert_eq!(check(odd), Err(Inside::NotHttps), "{odd}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        let inside = PublicOnly.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert_eq!(inside.downcast_ref(), Some(&Inside::Address));
    }

    #[tokio::test]
    async fn a_client_that_resolves_so_reaches_nothing_inside() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let client = reqwest::Client::builder().no_proxy().dns_resolver(std::sync::Arc::new(PublicOnly));
        let refused = client.build().unwrap().get(url).send().await.unwrap_err();
        assert!(refused.is_connect(), "{refused:?}");
        let nobody = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "somebody came");
    }
}
