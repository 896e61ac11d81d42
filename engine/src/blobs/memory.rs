//! Blobs in memory: the reference, and the one that tests fill up and break.

use super::{BlobAnswer, BlobError, BlobKey, BlobStream, Blobs};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use rookery_protocol::FileId;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of one piece of what it gives.
const PIECE: usize = 64 * 1024;

/// Blobs in memory, with a capacity that a test can set.
#[derive(Debug)]
pub struct MemoryBlobs {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    blobs: BTreeMap<BlobKey, Bytes>,
    capacity: usize,
    failure: Option<BlobError>,
}

impl Default for MemoryBlobs {
    fn default() -> Self {
        let state = State { blobs: BTreeMap::new(), capacity: usize::MAX, failure: None };
        Self { state: Mutex::new(state) }
    }
}

impl MemoryBlobs {
    /// Returns an empty store without an end.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes no more than `bytes` of all blobs together from now on: a disk of that size.
    pub fn limit_to(&self, bytes: usize) {
        self.lock().capacity = bytes;
    }

    /// Has every call fail so from now on, or none.
    pub fn fail(&self, failure: Option<BlobError>) {
        self.lock().failure = failure;
    }

    /// Returns the names of all blobs.
    pub fn keys(&self) -> Vec<BlobKey> {
        self.lock().blobs.keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), BlobError> {
        self.lock().failure.clone().map_or(Ok(()), Err)
    }
}

impl State {
    /// Returns how many bytes are free for a blob under `key`.
    fn room_for(&self, key: BlobKey) -> usize {
        let others = self.blobs.iter().filter(|(other, _)| **other != key);
        self.capacity.saturating_sub(others.map(|(_, blob)| blob.len()).sum())
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, key: BlobKey, mut content: BlobStream) -> BlobAnswer<'_, u64> {
        Box::pin(async move {
            let mut whole = BytesMut::new();
            while let Some(piece) = content.next().await {
                self.check()?;
                whole.extend_from_slice(&piece?);
                if whole.len() > self.lock().room_for(key) {
                    return Err(BlobError::Refused("no space left".to_owned()));
                }
            }
            self.check()?;
            let length = whole.len() as u64;
            self.lock().blobs.insert(key, whole.freeze());
            Ok(length)
        })
    }

    fn get(&self, key: BlobKey, range: Range<u64>) -> BlobAnswer<'_, BlobStream> {
        Box::pin(async move {
            self.check()?;
            let blob = self.lock().blobs.get(&key).cloned().ok_or(BlobError::NotFound)?;
            let index = |at: u64| usize::try_from(at).map_or(blob.len(), |at| at.min(blob.len()));
            let rest = blob.slice(index(range.start)..index(range.end));
            let pieces = stream::unfold(rest, |mut rest| async move {
                let piece = rest.split_to(PIECE.min(rest.len()));
                (!piece.is_empty()).then_some((Ok(piece), rest))
            });
            Ok(Box::pin(pieces) as BlobStream)
        })
    }

    fn delete(&self, file: FileId) -> BlobAnswer<'_, ()> {
        Box::pin(async move {
            self.check()?;
            self.lock().blobs.retain(|key, _| key.file != file);
            Ok(())
        })
    }
}
