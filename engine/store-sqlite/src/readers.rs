//! The readers: a few threads, each with its own connection, that answer reads.
//!
//! Reads never wait for the committer and the committer never waits for them: each sees the newest
//! commit there was when it started. Those that wait together are answered from one snapshot, since taking one costs
//! as much as a small read.

use crate::health::SharedHealth;
use crate::{failure, priority};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use rookery_engine::store::{Answer, StoreError};
use rusqlite::Connection;
use std::fmt;
use std::sync::{PoisonError, RwLock};
use tokio::sync::oneshot;

/// Reads from one snapshot, at most. It holds up a checkpoint for no longer than they take.
const TOGETHER: usize = 16;

/// One read: it answers by itself.
pub(crate) struct Read(Box<dyn FnOnce(&mut Connection) + Send>);

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read").finish_non_exhaustive()
    }
}

/// The way to the readers; closing it lets them finish.
#[derive(Debug)]
pub(crate) struct ReadQueue {
    sender: RwLock<Option<Sender<Read>>>,
    health: SharedHealth,
}

impl ReadQueue {
    pub(crate) fn new(sender: Sender<Read>, health: SharedHealth) -> Self {
        Self { sender: RwLock::new(Some(sender)), health }
    }

    /// Has a reader do `work`, on a snapshot not older than this call, and waits for its answer.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.send(Read(Box::new(move |connection| {
                // A caller that has gone does not hear the answer.
                drop(reply.send(work(connection)));
            })))?;
            match answer.await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(self.failed(&error)),
                Err(_) => Err(StoreError::Refused("the reader has ended".to_owned())),
            }
        })
    }

    /// Ends the queue: what is in it is still answered, nothing more comes in. Idempotent.
    pub(crate) fn close(&self) {
        *self.sender.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn send(&self, read: Read) -> Result<(), StoreError> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else {
            return Err(StoreError::Refused("the store is closed".to_owned()));
        };
        sender.try_send(read).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Refused("the read queue is full".to_owned()),
            TrySendError::Disconnected(_) => StoreError::Refused("the readers have ended".to_owned()),
        })
    }

    fn failed(&self, error: &rusqlite::Error) -> StoreError {
        let error = failure::at_read(error);
        if let StoreError::Fatal(_) = error {
            self.health.note(&error);
        }
        error
    }
}

/// Answers reads until the queue is closed and empty. A read that panics takes only itself along.
pub(crate) fn run(mut connection: Connection, queue: &Receiver<Read>) {
    priority::give_way(priority::READER);
    for first in queue {
        // All of them were sent before the snapshot is taken. The rest is left to the other readers.
        let others = (queue.len() / 2).min(TOGETHER - 1);
        let reads: Vec<Read> = std::iter::once(first).chain(queue.try_iter().take(others)).collect();
        for Read(work) in reads {
            // An error may have ended the snapshot. A read that gets none meets the same error itself.
            if connection.is_autocommit() {
                execute(&connection, "BEGIN");
            }
            let work = std::panic::AssertUnwindSafe(|| work(&mut connection));
            if std::panic::catch_unwind(work).is_err() {
                tracing::error!("a read has panicked");
            }
        }
        if !connection.is_autocommit() {
            execute(&connection, "COMMIT");
        }
    }
}

fn execute(connection: &Connection, statement: &str) {
    if let Err(error) = connection.prepare_cached(statement).and_then(|mut statement| statement.execute([])) {
        tracing::warn!(%error, statement, "a snapshot of the store");
    }
}
