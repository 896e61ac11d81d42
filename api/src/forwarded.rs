//! Where a request comes from when proxies stand in front of the server.

use http::{HeaderMap, HeaderName};
use std::net::IpAddr;

/// What proxies say it in: each one appends the address that it heard from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns the address of the client behind `peer`.
///
/// The list is read from its end, and no further than what `trusted` proxies have written: what stands
/// before that is the client's own claim.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let lines = headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or_default());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    let mut from = peer.to_canonical();
    for hop in hops.into_iter().rev() {
        let (true, Ok(before)) = (trusted.contains(&from), hop.trim().parse::<IpAddr>()) else { break };
        from = before.to_canonical();
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let headers = lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap())).collect();
        let trusted: Vec<_> = trusted.iter().map(|address| address.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], &["127.0.0.1"]), "192.0.2.1");
        assert_eq!(from("127.0.0.1", &["198.51.100.7"], &["127.0.0.1"]), "198.51.100.7");
        assert_eq!(from("::ffff:127.0.0.1", &["2001:db8::1"], &["127.0.0.1"]), "2001:db8::1");
        assert_eq!(from("127.0.0.1", &[], &["127.0.0.1"]), "127.0.0.1");
    }

    #[test]
    fn what_the_client_claims_of_itself_does_not_count() {
        let trusted = ["127.0.0.1", "192.0.2.9"];
        assert_eq!(from("127.0.0.1", &["10.9.9.9, 198.51.100.7"], &trusted), "198.51.100.7");
        assert_eq!(from("127.0.0.1", &["10.9.9.9, 198.51.100.7, 192.0.2.9"], &trusted), "198.51.100.7");
        assert_eq!(from("127.0.0.1", &["10.9.9.9", "198.51.100.7"], &trusted), "198.51.100.7");
        assert_eq!(from("127.0.0.1", &["198.51.100.7, nonsense"], &trusted), "127.0.0.1");
    }
}
