//! Problems: errors as HTTP clients read them (RFC 9457), with the codes of the WebSocket.

use crate::accounts::{BadField, PoolFull};
use crate::respond::{self, Answer};
use http::{HeaderName, HeaderValue, StatusCode, header};
use rookery_engine::{Rule, Throttled};
use rookery_protocol::{ErrorCode, SchemaOf, WireError};
use schemars::JsonSchema;
use serde::Serialize;

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    error: WireError,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Makes the schema of an error's body.
pub const PROBLEM: SchemaOf = |generator| generator.subschema_for::<Body<'static>>();

/// Why a request was refused (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct Body<'a> {
    /// `about:blank`: the code says more than an address would.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// Why, for people.
    detail: &'a str,
    /// The path that was asked for.
    instance: &'a str,
    /// Why, for programs.
    #[schemars(with = "ErrorCode")]
    code: &'a str,
    /// What the server's log knows the request by.
    request_id: &'a str,
    /// Milliseconds to wait before the same again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u32>,
    /// The fields at fault.
    errors: Vec<FieldError<'a>>,
}

/// A field at fault.
#[derive(Serialize, JsonSchema)]
struct FieldError<'a> {
    /// Which, as a path with dots.
    field: &'a str,
    /// Why.
    detail: &'a str,
}

impl Problem {
    /// Returns a problem whose status follows from its code.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        WireError::new(code, detail).into()
    }

    /// Returns the problem of a bad field.
    pub(crate) fn field(field: &'static str, detail: impl Into<String>) -> Self {
        WireError::new(ErrorCode::Invalid, detail).field(field).into()
    }

    /// Replaces the status, where HTTP has a closer word for it than the code.
    pub(crate) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Ends the connection after this answer, because what follows on it cannot be trusted or is
    /// not waited for.
    pub(crate) fn closing(self) -> Self {
        self.header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// Adds what `rule` says, where the user was too often there and nothing says yet by which rule.
    pub(crate) fn under(self, rule: Rule) -> Self {
        match (self.error.code, self.error.retry_after_ms) {
            (ErrorCode::RateLimited, Some(retry_after_ms)) if self.headers.is_empty() => {
                Throttled { rule, retry_after_ms }.into()
            }
            _ => self,
        }
    }

    pub(crate) const fn code(&self) -> ErrorCode {
        self.error.code
    }

    /// Renders the answer to the request `request_id` for `path`.
    pub(crate) fn into_answer(self, path: &str, request_id: &str) -> Answer {
        let Self { status, error, headers } = self;
        let field = error.details.as_ref().and_then(|details| details.field.as_deref());
        let body = Body {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: &error.message,
            instance: path,
            code: error.code.as_str(),
            request_id,
            retry_after_ms: error.retry_after_ms,
            errors: field.map(|field| FieldError { field, detail: &error.message }).into_iter().collect(),
        };
        let body = serde_json::to_vec(&body).expect("a problem can be encoded");
        let mut answer = respond::typed(status, "application/problem+json", body);
        if let Some(millis) = error.retry_after_ms {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(millis.div_ceil(1000)));
        }
        if status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer.headers_mut().extend(headers);
        answer
    }
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        let status =
            StatusCode::from_u16(error.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, error, headers: Vec::new() }
    }
}

impl From<Throttled> for Problem {
    /// With the headers of draft-ietf-httpapi-ratelimit-headers-10.
    fn from(refused: Throttled) -> Self {
        let Throttled { rule, retry_after_ms } = refused;
        let window = (u64::from(rule.burst) * u64::from(rule.every_ms)).div_ceil(1000);
        let policy = format!("\"{}\";q={};w={window}", rule.name, rule.burst);
        let state = format!("\"{}\";r=0;t={}", rule.name, retry_after_ms.div_ceil(1000));
        let value = |text: String| HeaderValue::try_from(text).expect("names and numbers are a header value");
        Self::from(WireError::from(refused))
            .header(HeaderName::from_static("ratelimit-policy"), value(policy))
            .header(HeaderName::from_static("ratelimit"), value(state))
    }
}

impl From<BadField> for Problem {
    fn from(bad: BadField) -> Self {
        Self::field(bad.field, bad.rule)
    }
}

impl From<PoolFull> for Problem {
    fn from(_: PoolFull) -> Self {
        WireError::new(ErrorCode::Busy, "too many logins at once")
            .retry_after(PoolFull::RETRY_AFTER_MS)
            .into()
    }
}
