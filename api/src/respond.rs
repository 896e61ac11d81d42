//! Answers: bodies, whole or streamed, and the headers that every answer carries.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde::Serialize;
use std::io;

/// The body of an answer, whole or streamed.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a handler gives.
pub(crate) type Answer = Response<Body>;

/// Names a request in answers and logs.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Which pages may load an answer.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers with `body` as JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).expect("what the server says can be encoded");
    typed(status, "application/json", body)
}

/// Returns a body that is there as a whole.
pub(crate) fn whole(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Answers with a body of a media type.
pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    with_body(status, media_type, whole(body))
}

/// Answers with a body that comes bit by bit.
pub(crate) fn streamed(
    status: StatusCode,
    media_type: &'static str,
    body: impl hyper::body::Body<Data = Bytes, Error = io::Error> + Send + 'static,
) -> Answer {
    with_body(status, media_type, body.boxed_unsync())
}

fn with_body(status: StatusCode, media_type: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// Answers without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(whole(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

/// Says that this host is reached by `https:` alone, for two years (ASVS 5.0, 3.4.1 asks for one at least).
pub(crate) fn only_tls(headers: &mut HeaderMap) {
    headers.insert(
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains"),
    );
}

/// Adds what every answer carries. An answer's own `Cache-Control` and `Content-Security-Policy` stay.
pub(crate) fn common_headers(headers: &mut HeaderMap, request_id: &HeaderValue) {
    headers.insert(REQUEST_ID, request_id.clone());
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}
