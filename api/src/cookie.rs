//! The refresh token's cookie, for browsers: scripts cannot read it, other sites cannot send it.

use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// `__Host-`: only this host, only over TLS, for every path (RFC 6265bis, section 4.1.3.2).
const NAME: &str = "__Host-rookery-refresh";

const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure; SameSite=Strict";

/// Finds the refresh token among the request's cookies.
pub(crate) fn find(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(name, _)| *name == NAME).map(|(_, value)| value)
}

/// Makes the header that keeps `token` for as long as it may be good.
pub(crate) fn keep(token: &SecretString, lasts: Duration) -> HeaderValue {
    let text = format!("{NAME}={}; Max-Age={}; {ATTRIBUTES}", token.expose_secret(), lasts.as_secs());
    let mut value = HeaderValue::try_from(text).expect("a base64url token is a header value");
    value.set_sensitive(true);
    value
}

/// Makes the header that takes the cookie away.
pub(crate) fn forget() -> HeaderValue {
    HeaderValue::from_static("__Host-rookery-refresh=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers
            .append(header::COOKIE, HeaderValue::from_static("theme=dark; __Host-rookery-refresh=abc; x=y"));
        assert_eq!(find(&headers), Some("abc"));
        headers.insert(header::COOKIE, HeaderValue::from_static("rookery-refresh=abc"));
        assert_eq!(find(&headers), None);
    }

    #[test]
    fn keeping_and_forgetting_name_the_same_cookie() {
        let kept = keep(&SecretString::from("abc"), Duration::from_secs(60));
        assert_eq!(kept, "__Host-rookery-refresh=abc; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Strict");
        let forgotten = forget();
        let text = forgotten.to_str().unwrap();
        assert!(text.starts_with(&format!("{NAME}=;")) && text.ends_with(ATTRIBUTES));
    }
}
