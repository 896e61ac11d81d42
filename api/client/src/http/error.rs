//! What goes wrong with a request: no answer, or an answer that says no.

use super::Answer;
use rookery_protocol::ErrorCode;
use serde::Deserialize;

/// Why a request did not do what it asked.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody is there. Nothing was asked.
    #[error("connect to the server: {0}")]
    Connect(std::io::Error),
    /// The connection broke; what was asked may have been done.
    #[error("exchange with the server: {0}")]
    Exchange(#[from] hyper::Error),
    /// No answer came in time; what was asked may have been done.
    #[error("get an answer in time")]
    Late,
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] ApiError),
    /// The answer is not of the shape that was expected.
    #[error("read the answer: {0}")]
    Unreadable(String),
    /// The request is not one that can be made.
    #[error("write the request: {0}")]
    Unwritable(String),
}

/// A problem document (RFC 9457), as far as a program decides by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, where there is one that is known.
    pub code: Option<ErrorCode>,
    /// For people.
    pub message: String,
    /// Milliseconds to wait before the same again.
    pub retry_after_ms: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    retry_after_ms: Option<u64>,
}

impl ApiError {
    pub(super) fn read(answer: &Answer) -> Self {
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        let seconds =
            answer.head.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after =
            seconds.and_then(|seconds| seconds.parse::<u64>().ok()).map(|seconds| seconds * 1_000);
        let reason = answer.head.status.canonical_reason().unwrap_or("refused");
        Self {
            status: answer.head.status.as_u16(),
            code: problem.code.and_then(|code| serde_json::from_value(code.into()).ok()),
            message: problem.detail.unwrap_or_else(|| reason.to_owned()),
            retry_after_ms: problem.retry_after_ms.or(retry_after),
        }
    }
}
