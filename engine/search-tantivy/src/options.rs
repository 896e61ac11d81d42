//! What can be set of the index, and why it does not open.

use std::path::PathBuf;
use std::time::Duration;

/// Bytes that a writer has at least, which is the library's bound.
const WRITER_BYTES_MIN: usize = 15_000_000;

/// Where the index is and how much it may use.
#[derive(Clone, Debug)]
pub struct TantivyOptions {
    /// The folder of the index, of nothing else; made when it is absent.
    pub dir: PathBuf,
    /// Memory for what is not written yet, in bytes; taken for 15,000,000 where it is less.
    pub writer_bytes: usize,
    /// Bytes on the disk above which the rooms that were not searched for longest leave the index. What is
    /// waited for is taken in nevertheless, and a merge needs as much again as it merges.
    pub disk_bytes: u64,
    /// How long a room stays that nobody searches. What is deleted in it meanwhile stays in the files for
    /// as long, found by nobody.
    pub keep: Duration,
    /// How long a search waits for its rooms to be taken in, before it is behind.
    pub wait: Duration,
}

impl TantivyOptions {
    /// Returns the defaults for an index in `dir`.
    ///
    /// - 15 MB for the writer: a batch is a few megabytes, and more memory only makes segments larger that
    ///   are merged anyway.
    /// - 8 GiB hold some 40 million messages of 100 bytes.
    /// - 2 seconds: some thousands of events, or a first look at some hundreds of rooms.
    /// - 7 days: who searches a room every week does not wait for it.
    pub fn in_dir(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            writer_bytes: WRITER_BYTES_MIN,
            disk_bytes: 8 << 30,
            keep: Duration::from_secs(7 * 24 * 60 * 60),
            wait: Duration::from_secs(2),
        }
    }

    /// Returns the memory that the writer gets.
    pub(crate) fn writer_memory(&self) -> usize {
        self.writer_bytes.max(WRITER_BYTES_MIN)
    }
}

/// Why an index does not open. A damaged one is no reason: it is made anew.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made, or what is in it not be opened or removed.
    #[error("prepare the folder {dir}: {source}")]
    Folder {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("lock {lock}: another process has this index open")]
    InUse {
        /// The lock file; it is free again as soon as that process ends, however it ends.
        lock: PathBuf,
    },
    /// No index can be made there.
    #[error("make an index in {dir}: {source}")]
    Index {
        /// Where.
        dir: PathBuf,
        /// Why.
        source: tantivy::TantivyError,
    },
    /// The system gives no thread.
    #[error("start the index's thread: {0}")]
    Thread(std::io::Error),
}
