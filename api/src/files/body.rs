//! The bytes of a file on their way to whoever asked for them.

use bytes::Bytes;
use futures_util::StreamExt;
use hyper::body::{Body, Frame, SizeHint};
use metrics::Counter;
use rookery_engine::blobs::{BlobError, BlobStream};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match ready!(self.content.poll_next_unpin(context)) {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => {
                tracing::warn!(%error, left = self.left, "a file was not sent to its end");
                return Poll::Ready(Some(Err(io::Error::other(error))));
            }
            None => {
                tracing::error!(left = self.left, "a file is shorter than it was stored");
                return Poll::Ready(Some(Err(io::Error::other(BlobError::Broken))));
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
