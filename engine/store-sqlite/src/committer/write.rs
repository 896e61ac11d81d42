//! A write on its way to the committer and its answer on the way back.

use super::{Database, Queue};
use rookery_engine::store::{Answer, StoreError};
use rookery_protocol::RoomId;
use std::fmt;
use std::sync::Arc;
use tokio::sync::oneshot;

/// One write of any kind.
pub(crate) trait Write: Send {
    /// Returns the room that it appends to, if it does.
    fn room(&self) -> Option<RoomId> {
        None
    }

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
    room: Option<RoomId>,
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
    fn room(&self) -> Option<RoomId> {
        self.room
    }

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
pub(crate) struct WriteQueue(Arc<Queue>);

impl WriteQueue {
    pub(crate) const fn new(queue: Arc<Queue>) -> Self {
        Self(queue)
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
        self.queue(None, bytes, work)
    }

    /// Does the same for an append to `room`.
    pub(crate) fn append<T>(
        &self,
        room: RoomId,
        bytes: usize,
        work: impl FnMut(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T>
    where
        T: Send + 'static,
    {
        self.queue(Some(room), bytes, work)
    }

    /// Ends the queue: what is in it is still done, nothing more comes in. Idempotent.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    fn queue<T>(
        &self,
        room: Option<RoomId>,
        bytes: usize,
        work: impl FnMut(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T>
    where
        T: Send + 'static,
    {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.0.put(Box::new(Job { room, bytes, work, result: None, reply }))?;
            answer.await.unwrap_or_else(|_| Err(StoreError::Fatal("the committer has ended".to_owned())))
        })
    }
}
