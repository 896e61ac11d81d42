//! What can be set of the embedded store, and why it does not open.

use crate::migrate::MigrateError;
use rookery_engine::metrics::StoreMetrics;
use std::path::PathBuf;

/// Where the embedded store is and how much it may use.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The directory of the database, its write-ahead log and its lock; made when it is absent.
    pub dir: PathBuf,
    /// Reading threads, each with a connection of its own; at least 1.
    pub readers: usize,
    /// Writes that may wait for the committer; one more is refused.
    pub write_queue: usize,
    /// Reads that may wait for a reader; one more is refused.
    pub read_queue: usize,
    /// Searches that may wait for the thread that finds; one more is refused.
    pub search_queue: usize,
    /// How many times as long as it worked the search indexer rests after a batch, unless a search waits.
    pub index_rest: u32,
    /// Page cache of each connection, in bytes.
    pub cache_bytes: u64,
    /// Length of the write-ahead log at which it is copied into the database, in bytes.
    pub wal_bytes: u64,
    /// What commits are counted with.
    pub metrics: StoreMetrics,
}

impl SqliteOptions {
    /// Returns the defaults for a store in `dir`.
    ///
    /// - A reader a core, 2 to 4: a page of history is about 0.1 ms of CPU, so they hide one another's disk waits;
    ///   each more reads the same pages once more into a cache of its own.
    /// - 4096 waiting writes are below 100 ms of work at the measured 50,000 a second.
    /// - 4096 waiting reads are some 100 ms of work too: opening a room reads for about 25 µs.
    /// - 64 waiting searches are a fraction of a second of ordinary ones.
    /// - Resting 3 times as long bounds the indexer at a quarter of a core, which follows some 25,000 messages
    ///   a second; what a burst leaves behind is taken in after it, or at once when somebody searches.
    /// - 32 MiB of log are the commits of some 100,000 messages by many writers, so each page is copied
    ///   into the database once for many commits; opening after a crash reads them in a fraction of a second.
    pub fn in_dir(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            readers: std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4),
            write_queue: 4096,
            read_queue: 4096,
            search_queue: 64,
            index_rest: 3,
            cache_bytes: 32 << 20,
            wal_bytes: 32 << 20,
            metrics: StoreMetrics::none(),
        }
    }
}

/// Why an embedded store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made, or a file in it cannot be opened.
    #[error("prepare the directory {dir}: {source}")]
    Directory {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The write-ahead log has rotted: what was acknowledged cannot be read.
    #[error(
        "read the write-ahead log {path}: a part of it is damaged, and {commits} commits behind that are lost. \
         Restore a backup; or give them up by `sqlite3 rookery.db 'PRAGMA wal_checkpoint(TRUNCATE)'`"
    )]
    RottenLog {
        /// Which.
        path: PathBuf,
        /// How many, of which all but the last had been acknowledged.
        commits: usize,
    },
    /// Another process has it.
    #[error("lock {lock}: another process has this store open")]
    InUse {
        /// The lock file; it is free again as soon as that process ends, however it ends.
        lock: PathBuf,
    },
    /// The schema is not one that this version knows how to use.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// SQLite does not open the file.
    #[error("open the database {path}: {source}")]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The system gives no thread.
    #[error("start the store's threads: {0}")]
    Threads(std::io::Error),
}
