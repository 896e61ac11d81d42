//! A write on its way to the committer and its answer on the way back.

use super::Database;
use rookery_engine::store::{Answer, StoreError};
use std::fmt;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{PoisonError, RwLock};
use tokio::sync::oneshot;

/// One write of any kind.
pub(crate) trait Write: Send {
    /// Returns about how many bytes it writes.
    fn bytes(&self) -> usize;

    /// Does it inside the open transaction; again from the start when that is rolled back.
    fn apply(&mut self, database: &mut Database) -> rusqlite::Result<()>;

    /// Tells the caller what came of it. `Ok` means that the transaction is durable.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

impl fmt::Debug for dyn Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

/// A write whose work is a closure.
struct Job<T, W> {
    bytes: usize,
    work: W,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Write for Job<T, W>
where
    T: Send,
    W: FnMut(&mut Database) -> rusqlite::Result<T> + Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn apply(&mut self, database: &mut Database) -> rusqlite::Result<()> {
        self.result = Some((self.work)(database)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        let answer = outcome.map(|()| result.expect("a committed write was applied"));
        // A caller that has gone does not hear the answer; the write stands all the same.
        drop(reply.send(answer));
    }
}

/// The way to the committer; closing it lets the committer finish.
#[derive(Debug)]
pub(crate) struct WriteQueue(RwLock<Option<SyncSender<Box<dyn Write>>>>);

impl WriteQueue {
    pub(crate) fn new(sender: SyncSender<Box<dyn Write>>) -> Self {
        Self(RwLock::new(Some(sender)))
    }

    /// Queues `work`, about `bytes` long, and waits for its transaction to be durable.
    pub(crate) fn write<T>(
        &self,
        bytes: usize,
        work: impl FnMut(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T>
    where
        T: Send + 'static,
    {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.send(Box::new(Job { bytes, work, result: None, reply }))?;
            answer.await.unwrap_or_else(|_| Err(StoreError::Fatal("the committer has ended".to_owned())))
        })
    }

    /// Ends the queue: what is in it is still done, nothing more comes in. Idempotent.
    pub(crate) fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn send(&self, write: Box<dyn Write>) -> Result<(), StoreError> {
        let sender = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else {
            return Err(StoreError::Refused("the store is closed".to_owned()));
        };
        sender.try_send(write).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Refused("the write queue is full".to_owned()),
            TrySendError::Disconnected(_) => StoreError::Fatal("the committer has ended".to_owned()),
        })
    }
}
