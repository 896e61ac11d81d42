//! Pages of other origins: those that an operator has named may call and read, with their cookies; no other may
//! change anything (WHATWG Fetch, "HTTP-network-or-cache fetch" and "CORS protocol"; OWASP, Cross-Site Request
//! Forgery Prevention).

use crate::origin;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rookery_protocol::ErrorCode;

/// What a page may send beside what every page may.
const HEADERS: &str =
    "authorization, content-type, idempotency-key, if-none-match, last-event-id, range, x-request-id";

/// What a page may read beside what every page may.
const EXPOSED: &str =
    "accept-ranges, content-range, etag, ratelimit, ratelimit-policy, retry-after, x-request-id";

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// Seconds for which a browser remembers what it may; the least that browsers agree on is 5, the most 7200.
const REMEMBERED: &str = "600";

/// What a request's page may do.
#[derive(Clone, Debug)]
pub(crate) struct Cors {
    /// The page's origin, where it is named in the configuration.
    named: Option<HeaderValue>,
    /// Whether any is, so that the answer depends on who asks.
    varies: bool,
}

impl Cors {
    /// Finds out from where a request comes. `allowed` is what is configured.
    pub(crate) fn of(headers: &HeaderMap, allowed: &[String]) -> Self {
        let origin = headers.get(header::ORIGIN);
        let is_named = |origin: &&HeaderValue| {
            !allowed.is_empty() && origin.to_str().is_ok() && origin::is_allowed(headers, allowed)
        };
        Self { named: origin.filter(is_named).cloned(), varies: !allowed.is_empty() }
    }

    /// Answers a browser that asks before it sends; `None` where this is no such question, or not for us to
    /// answer.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Answer> {
        let asks = *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || self.named.is_none() {
            return None;
        }
        let mut answer = respond::empty(StatusCode::NO_CONTENT);
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ] {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(answer)
    }

    /// Says on an answer whose page may read it.
    pub(crate) fn mark(&self, answer: &mut HeaderMap) {
        if self.varies {
            answer.append(header::VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = &self.named else { return };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

/// Refuses what would change something for a page of another site. Who sends no origin is no browser.
pub(crate) fn refuse_forgery(
    method: &Method,
    headers: &HeaderMap,
    allowed: &[String],
) -> Result<(), Problem> {
    if method.is_safe() || origin::is_allowed(headers, allowed) {
        return Ok(());
    }
    Err(Problem::new(ErrorCode::Forbidden, "a page of this origin may not do that"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    const APP: &str = "https://app.example.org";

    #[test]
    fn only_a_named_origin_is_answered_and_it_is_never_a_star() {
        let asks = (header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let check = |origin: &'static str, allowed: &[String]| {
            let headers =
                headers(&[(header::ORIGIN, origin), (header::HOST, "app.example.org"), asks.clone()]);
            let cors = Cors::of(&headers, allowed);
            let mut marked = HeaderMap::new();
            cors.mark(&mut marked);
            let origin = marked.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
            (cors.preflight(&Method::OPTIONS, &headers).is_some(), origin)
        };
        let named = [APP.to_owned()];
        assert_eq!(check(APP, &named), (true, Some(HeaderValue::from_static(APP))));
        for other in ["https://evil.example", "null", "https://app.example.org.evil.example"] {
            assert_eq!(check(other, &named), (false, None), "{other}");
        }
        assert_eq!(check(APP, &[]), (false, None), "one's own page needs no leave");
    }

    #[test]
    fn what_changes_something_comes_from_our_pages_or_from_no_page() {
        let check = |method: Method, origin: &'static str| {
            let headers = headers(&[(header::ORIGIN, origin), (header::HOST, "chat.example.org")]);
            refuse_forgery(&method, &headers, &[]).is_ok()
        };
        assert!(check(Method::POST, "https://chat.example.org"));
        assert!(check(Method::GET, "https://evil.example"));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!check(method, "https://evil.example"));
        }
        assert!(refuse_forgery(&Method::POST, &HeaderMap::new(), &[]).is_ok());
    }
}
