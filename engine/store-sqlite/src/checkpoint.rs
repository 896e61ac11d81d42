//! Checkpoints: copying the write-ahead log into the database, off the way of commits.
//!
//! A thread with its own connection does the bulk of the copying while commits go on (a PASSIVE
//! checkpoint waits for nobody). Under load it never gets to the end, because commits go on; so the
//! committer then does the small rest between two groups, after which SQLite writes its log from
//! the beginning again. The file is kept at its length: overwriting blocks that a file has already
//! makes an fsync about a third cheaper than growing it.

use crate::failure;
use crate::health::SharedHealth;
use rookery_engine::store::StoreError;
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use tokio::time::Instant;

/// Groups between two looks at the log's length; a look is some 5 µs.
const GROUPS_BETWEEN_LOOKS: u32 = 4;

/// How long nothing must have been due before the log is copied although it is short, so that an idle
/// database is whole in its one file.
const IDLE: Duration = Duration::from_secs(5);

/// How long a checkpoint that failed is not tried again; a full disk is not mended faster.
const RETRY: Duration = Duration::from_secs(1);

/// The committer's side.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    due: SyncSender<()>,
    /// Set by the thread once only the newest part of the log is left to copy.
    nearly_done: Arc<AtomicBool>,
    groups: u32,
    threshold: i64,
    /// Length in frames at which the next one is due: the threshold, or more after a reader was in
    /// the way, so that commits are not held up for it again and again.
    next: i64,
}

/// The thread's side.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    connection: Connection,
    due: Receiver<()>,
    nearly_done: Arc<AtomicBool>,
    health: SharedHealth,
}

/// Returns both sides; a checkpoint is due every `frames` pages of log.
pub(crate) fn checkpoints(
    connection: Connection,
    frames: i64,
    health: SharedHealth,
) -> (Checkpoints, Checkpointer) {
    let (sender, due) = sync_channel(1);
    let nearly_done = Arc::new(AtomicBool::new(false));
    let committer = Checkpoints {
        due: sender,
        nearly_done: nearly_done.clone(),
        groups: 0,
        threshold: frames,
        next: frames,
    };
    (committer, Checkpointer { connection, due, nearly_done, health })
}

impl Checkpoints {
    /// Asks for a checkpoint when one is due, and ends one that is nearly done.
    pub(crate) fn after_commit(&mut self, connection: &Connection, health: &SharedHealth) {
        if self.nearly_done.swap(false, Ordering::AcqRel) {
            self.finish(connection, health);
        }
        self.groups += 1;
        if self.groups >= GROUPS_BETWEEN_LOOKS {
            self.groups = 0;
            if Progress::of(connection, "NOOP").is_ok_and(|progress| progress.frames >= self.next) {
                // Full means that it was asked already.
                let _ = self.due.try_send(());
            }
        }
    }

    /// Copies what is left and starts the log from its beginning; waits for readers at most as long
    /// as the connection's busy timeout.
    fn finish(&mut self, connection: &Connection, health: &SharedHealth) {
        match Progress::of(connection, "RESTART") {
            Ok(progress) if progress.is_blocked => self.next = progress.frames.saturating_mul(2),
            Ok(_) => self.next = self.threshold,
            Err(error) => note(&error, health),
        }
    }
}

impl Checkpointer {
    /// Runs until the committer has ended; [`at_close`](Self::at_close) is for after it.
    pub(crate) fn run(self) -> Self {
        loop {
            let due = match self.due.recv_timeout(IDLE) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return self,
            };
            if self.health.failure().is_some() {
                continue;
            }
            match Progress::of(&self.connection, "PASSIVE") {
                Ok(_) if due => self.nearly_done.store(true, Ordering::Release),
                Ok(_) => {}
                Err(error) => {
                    note(&error, &self.health);
                    self.rest();
                }
            }
        }
    }

    /// Lets [`RETRY`] pass, or less when the committer ends.
    fn rest(&self) {
        let end = Instant::now() + RETRY;
        while self.due.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
    }

    /// Leaves the database whole in its one file, once no other thread of the store has it open. Somebody
    /// else who reads it is in the way, and leaves it as safe as before.
    pub(crate) fn at_close(self) {
        if self.health.failure().is_some() {
            return;
        }
        match Progress::of(&self.connection, "TRUNCATE") {
            Ok(progress) if progress.is_blocked => tracing::warn!("a reader held up the last checkpoint"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the last checkpoint was not made"),
        }
    }
}

/// A checkpoint that failed for want of space, of memory or of its turn is tried again when the next one
/// is due; the log keeps everything meanwhile. One that failed at I/O may have been an fsync, so the
/// store fails.
fn note(error: &rusqlite::Error, health: &SharedHealth) {
    match (error.sqlite_error_code(), failure::at_commit(error)) {
        (Some(ErrorCode::DatabaseBusy), _) => {}
        (Some(ErrorCode::OutOfMemory), _) | (_, StoreError::Refused(_)) => {
            tracing::warn!(%error, "a checkpoint was not made");
        }
        (_, fatal) => health.note(&fatal),
    }
}

/// What `PRAGMA wal_checkpoint` answers.
#[derive(Debug)]
struct Progress {
    is_blocked: bool,
    frames: i64,
}

impl Progress {
    fn of(connection: &Connection, mode: &str) -> rusqlite::Result<Self> {
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            Ok(Self { is_blocked: row.get::<_, i64>(0)? != 0, frames: row.get(1)? })
        })
    }
}
