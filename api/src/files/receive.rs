//! The bytes of an upload as they come: counted, hashed, looked at, and given up on when they stop.

use super::FileError;
use super::sniff::{HEAD_BYTES, TextCheck};
use aws_lc_rs::digest::{Context, SHA256};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use metrics::Counter;
use rookery_engine::Tasks;
use rookery_engine::blobs::BlobError;
use rookery_engine::store::FileHash;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Bytes a second that an upload makes on the whole at least, after [`HEAD_START`].
///
/// An edge connection of 2G; whoever is slower holds one of few places for hours.
const LEAST_RATE: u64 = 16 * 1024;

/// How long an upload may take whatever its size.
const HEAD_START: Duration = Duration::from_secs(60);

/// A body, read up to the announced size.
pub(super) struct Received<'a> {
    body: Incoming,
    announced: u64,
    so_far: u64,
    /// Read ahead, to see what it is.
    ahead: Bytes,
    hash: Context,
    text: TextCheck,
    stall: Duration,
    until: Instant,
    tasks: &'a Tasks,
    counter: Counter,
}

/// What was received.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) hash: FileHash,
    pub(super) is_text: bool,
}

impl<'a> Received<'a> {
    /// Takes a body of which `announced` bytes are to come, each piece within `stall`.
    ///
    /// # Errors
    /// [`FileError::OtherSize`] where the body says already that it has another size.
    pub(super) fn new(
        body: Incoming,
        announced: u64,
        stall: Duration,
        (tasks, counter): (&'a Tasks, Counter),
    ) -> Result<Self, FileError> {
        if body.size_hint().exact().is_some_and(|exact| exact != announced) {
            return Err(FileError::OtherSize { announced });
        }
        Ok(Self {
            body,
            announced,
            so_far: 0,
            ahead: Bytes::new(),
            hash: Context::new(&SHA256),
            text: TextCheck::new(),
            stall,
            until: Instant::now() + HEAD_START + Duration::from_secs(announced / LEAST_RATE),
            tasks,
            counter,
        })
    }

    /// Reads the beginning, which is given again by what reads on.
    pub(super) async fn head(&mut self) -> Result<Bytes, FileError> {
        let mut head = BytesMut::new();
        while head.len() < HEAD_BYTES {
            let Some(piece) = self.piece().await? else { break };
            head.extend_from_slice(&piece);
        }
        self.ahead = head.freeze();
        Ok(self.ahead.clone())
    }

    /// Hands all of it to `into`, no faster than it is taken there. Ends early, as if all was well, where
    /// nobody takes it any more: whoever took it says why.
    pub(super) async fn forward(
        mut self,
        into: mpsc::Sender<Result<Bytes, BlobError>>,
    ) -> Result<Summary, FileError> {
        let ahead = std::mem::take(&mut self.ahead);
        if !ahead.is_empty() && into.send(Ok(ahead)).await.is_err() {
            return Ok(self.summary());
        }
        loop {
            match self.piece().await {
                Ok(Some(piece)) => {
                    if into.send(Ok(piece)).await.is_err() {
                        return Ok(self.summary());
                    }
                }
                Ok(None) => return Ok(self.summary()),
                Err(error) => {
                    // Somebody who has gone needs no word.
                    drop(into.send(Err(BlobError::Broken)).await);
                    return Err(error);
                }
            }
        }
    }

    /// Reads all of it and keeps nothing.
    pub(super) async fn drain(mut self) -> Result<Summary, FileError> {
        while self.piece().await?.is_some() {}
        Ok(self.summary())
    }

    /// Returns the next piece; `None` once all that was announced has come, and nothing more.
    async fn piece(&mut self) -> Result<Option<Bytes>, FileError> {
        loop {
            let until = self.until.min(Instant::now() + self.stall);
            let frame = tokio::select! {
                frame = tokio::time::timeout_at(until, self.body.frame()) => frame,
                () = self.tasks.stopped() => return Err(FileError::Stopping),
            };
            let piece = match frame.map_err(|_| FileError::Stalled)? {
                // Trailers say nothing of the file.
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(_)) => return Err(FileError::Cut),
                None if self.so_far == self.announced => return Ok(None),
                // The end of a body of unknown length, or of its connection: the two look the same.
                None => return Err(FileError::OtherSize { announced: self.announced }),
            };
            if piece.is_empty() {
                continue;
            }
            self.counter.increment(piece.len() as u64);
            self.so_far += piece.len() as u64;
            if self.so_far > self.announced {
                return Err(FileError::OtherSize { announced: self.announced });
            }
            self.hash.update(&piece);
            self.text.feed(&piece);
            return Ok(Some(piece));
        }
    }

    fn summary(self) -> Summary {
        let mut hash = FileHash::default();
        hash.copy_from_slice(self.hash.finish().as_ref());
        Summary { hash, is_text: self.text.is_text() }
    }
}
