//! Where a browser's request comes from: against cross-site sockets and forged requests.

use http::{HeaderMap, HeaderName, HeaderValue, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns whether the request's `Origin` is in `allowed`, or of the same host when `allowed` is
/// empty. A request without one is not a browser's and is let through.
pub(crate) fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    if allowed.is_empty() { is_same_host(origin, headers) } else { allowed.iter().any(|one| one == origin) }
}

/// Returns whether a request that a cookie speaks for was made by our own page: browsers say so in
/// `Sec-Fetch-Site`, older ones in `Origin`, and one that says neither is refused (OWASP, Cross-Site
/// Request Forgery Prevention Cheat Sheet, "Fetch Metadata").
pub(crate) fn is_own_page(headers: &HeaderMap, allowed: &[String]) -> bool {
    match headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin") => is_allowed(headers, allowed),
        // An allowed origin may be another site's.
        Some(b"same-site" | b"cross-site") | None => {
            headers.contains_key(header::ORIGIN) && is_allowed(headers, allowed)
        }
        Some(_) => false,
    }
}

/// Compares the origin's host and port with those of the `Host` header.
fn is_same_host(origin: &str, headers: &HeaderMap) -> bool {
    let (authority, default_port) = match origin.split_once("://") {
        Some(("https", authority)) => (authority, ":443"),
        Some(("http", authority)) => (authority, ":80"),
        _ => return false,
    };
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let plain = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_ascii_lowercase();
    plain(authority) == plain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_same_host_is_allowed_by_default() {
        let check = |origin, host| is_allowed(&headers(&[("origin", origin), ("host", host)]), &[]);
        assert!(check("https://chat.example.org", "chat.example.org"));
        assert!(check("https://chat.example.org", "chat.example.org:443"));
        assert!(check("http://127.0.0.1:7080", "127.0.0.1:7080"));
        assert!(!check("http://127.0.0.1:7081", "127.0.0.1:7080"));
        assert!(!check("https://evil.example", "chat.example.org"));
        assert!(!check("https://chat.example.org.evil.example", "chat.example.org"));
        assert!(!check("null", "chat.example.org"));
        assert!(is_allowed(&headers(&[("host", "chat.example.org")]), &[]));
    }

    #[test]
    fn a_list_replaces_the_same_host() {
        let allowed = ["https://app.example.org".to_owned()];
        let check =
            |origin| is_allowed(&headers(&[("origin", origin), ("host", "api.example.org")]), &allowed);
        assert!(check("https://app.example.org"));
        assert!(!check("https://api.example.org"));
        assert!(!check("https://app.example.org:8443"));
    }

    #[test]
    fn a_cookie_speaks_only_for_our_own_page() {
        let own = |pairs: &[(&'static str, &str)]| is_own_page(&headers(pairs), &[]);
        let host = ("host", "chat.example.org");
        assert!(own(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(own(&[host, ("origin", "https://chat.example.org")]));
        assert!(!own(&[host]));
        assert!(!own(&[host, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]));
        assert!(!own(&[host, ("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")]));
        assert!(!own(&[host, ("sec-fetch-site", "none")]));
    }
}
