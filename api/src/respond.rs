//! Answers: JSON bodies, streamed ones, and the headers that every answer carries.

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, SizeHint};
use metrics::Counter;
use rookery_engine::blobs::{BlobError, BlobStream};
use serde::Serialize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What a handler gives: a whole body for all but files, which are streamed.
pub(crate) type Answer = Response<Either<Full<Bytes>, FileBody>>;

/// Names a request in answers and logs.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Which pages may load an answer.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers with `body` as JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).expect("what the server says can be encoded");
    typed(status, "application/json", body)
}

/// Answers with a body of a media type.
pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body.into())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// Answers without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// Answers with the bytes of a file.
pub(crate) fn streamed(status: StatusCode, body: FileBody) -> Answer {
    let mut answer = Response::new(Either::Right(body));
    *answer.status_mut() = status;
    answer
}

/// Adds what every answer carries. What an answer says itself of caching and of what a browser may do
/// with it stays.
pub(crate) fn common_headers(headers: &mut HeaderMap, request_id: &HeaderValue) {
    headers.insert(REQUEST_ID, request_id.clone());
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}

/// The bytes of a file as they come from their place.
pub(crate) struct FileBody {
    content: BlobStream,
    left: u64,
    counter: Counter,
}

impl FileBody {
    /// Returns a body of exactly `length` bytes. Where `content` ends earlier, so does the connection.
    pub(crate) fn new(content: BlobStream, length: u64, counter: Counter) -> Self {
        Self { content, left: length, counter }
    }
}

impl std::fmt::Debug for FileBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileBody").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = BlobError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BlobError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match ready!(self.content.poll_next_unpin(context)) {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => {
                tracing::warn!(%error, left = self.left, "a file was not sent to its end");
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                tracing::error!(left = self.left, "a file is shorter than it was stored");
                return Poll::Ready(Some(Err(BlobError::Broken)));
            }
        };
        self.left = self.left.saturating_sub(piece.len() as u64);
        self.counter.increment(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
