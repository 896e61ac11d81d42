//! The logs of all rooms: the port's methods over them, and their statements.
//!
//! | module | what |
//! |---|---|
//! | `position` | where a log stands: finding its head, and putting what an interrupted append has left |
//! | `append` | compare-and-append |
//! | `read` | reading events back |

mod append;
mod position;
mod read;

pub(crate) use position::Lanes;
pub(crate) use read::{bucket_of_message, entries, entries_at, ord_at};

use crate::columns::{count, integer, seq};
use crate::cql::{Conditional, Cql, Read, Write};
use crate::{CqlStore, messages};
use rookery_engine::store::{Answer, Append, AppendError, Batch, Log, Range, Receipt, StoreError};
use rookery_protocol::{ClientId, Event, Head, Message, RoomId, Seq, Timestamp, UserId};
use scylla::errors::PrepareError;

/// The statements of logs and of what follows from them.
#[derive(Debug)]
pub(crate) struct LogStatements {
    head: Read,
    move_head: Conditional,
    insert: Write,
    attempt: Read,
    after: Read,
    before: Read,
    at: Read,
    ord: Read,
    names: Read,
    pub(crate) edits: Read,
    pub(crate) empty: Conditional,
    pub(crate) finish: Conditional,
    pub(crate) put_standing: Write,
    pub(crate) put_name: Write,
    pub(crate) put_mention: Write,
    pub(crate) put_state: Write,
    pub(crate) put_reaction: Write,
    pub(crate) put_edit: Write,
}

impl LogStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        const EVENT: &str = "seq, ord, at, author, type, client_id, target, reply_to, body";
        let slice = |rest: &str| {
            format!("SELECT {EVENT} FROM log WHERE room = ? AND bucket = ? AND is_change = ? AND {rest}")
        };
        let read = async |text: &str| cql.read_statement(text).await;
        let write = async |text: &str| cql.write_statement(text).await;
        let conditional = async |text: &str| cql.conditional_statement(text).await;
        Ok(Self {
            head: read("SELECT DISTINCT room, bucket, head, tail FROM log WHERE room = ? AND bucket = ?").await?,
            move_head: conditional(
                "UPDATE log SET head = ?, tail = ? WHERE room = ? AND bucket = ? IF head = ?",
            )
            .await?,
            insert: write(
                "INSERT INTO log (room, bucket, is_change, seq, ord, at, author, type, client_id, target,
                    reply_to, body, attempt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .await?,
            attempt: read(
                "SELECT attempt FROM log WHERE room = ? AND bucket = ? AND is_change = ? AND seq = ?",
            )
            .await?,
            after: read(&slice("seq > ? LIMIT ?")).await?,
            before: read(&slice("seq < ? ORDER BY is_change DESC, seq DESC LIMIT ?")).await?,
            at: read(&slice("seq IN ?")).await?,
            ord: read(
                "SELECT ord FROM log WHERE room = ? AND bucket = ? AND is_change IN (false, true) AND seq = ?",
            )
            .await?,
            names: read(
                "SELECT client_id, seq, ord, at FROM names
                    WHERE room = ? AND author = ? AND era = ? AND client_id IN ?",
            )
            .await?,
            edits: read("SELECT seq, bucket FROM edits WHERE room = ? AND target = ?").await?,
            empty: conditional(
                "UPDATE log SET body = '{}' WHERE room = ? AND bucket = ? AND is_change = ? AND seq = ?
                    IF EXISTS",
            )
            .await?,
            finish: conditional("UPDATE log SET tail = ? WHERE room = ? AND bucket = ? IF head = ?").await?,
            put_standing: write("UPDATE rooms USING TIMESTAMP ? SET standing = ? WHERE room = ?").await?,
            put_name: write(
                "INSERT INTO names (room, author, era, client_id, seq, ord, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .await?,
            put_mention: write(
                "INSERT INTO mentions (room, user, seq, is_live) VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
            )
            .await?,
            put_state: write(
                "INSERT INTO changes (room, bucket, seq, state) VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
            )
            .await?,
            put_reaction: write(
                "INSERT INTO reactions (room, bucket, user, seq, emoji, is_live)
                    VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
            )
            .await?,
            put_edit: write("INSERT INTO edits (room, target, seq, bucket) VALUES (?, ?, ?, ?)").await?,
        })
    }
}

/// Returns which part of a sender's names a name is in.
pub(crate) fn era(client_id: ClientId) -> i32 {
    let [a, b, c, ..] = *client_id.0.as_bytes();
    i32::from_be_bytes([0, a, b, c])
}

/// An event's place under its name: `client_id, seq, ord, at`.
type NameRow = (uuid::Uuid, i64, i64, i64);

impl CqlStore {
    /// Reads at most `limit` events from after `after`. Fewer means that the log has ended there since this
    /// was called: what an interrupted append has left is put first.
    pub(crate) async fn events_to_the_end(
        &self,
        room: RoomId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let found = read::events(self, room, Range::After(after), limit).await?;
        let newest = found.last().map_or(after, |event| event.seq);
        if found.len() >= limit
            || position::current(self, room).await?.is_none_or(|standing| standing.head.seq <= newest)
        {
            return Ok(found);
        }
        read::events(self, room, Range::After(after), limit).await
    }

    /// Appends a piece of a log that was kept before, unless it is there.
    pub(crate) async fn import_batch(&self, batch: &Batch) -> Result<(), StoreError> {
        let newest = batch.newest();
        let head = position::current(self, batch.room).await?.map_or(Seq::ZERO, |standing| standing.head.seq);
        if head >= newest {
            return Ok(());
        }
        match append::append(self, batch.append()).await {
            Ok(()) => Ok(()),
            // An earlier try was applied after all.
            Err(AppendError::Stale { head, .. }) if head >= newest => Ok(()),
            Err(AppendError::Store(error)) => Err(error),
            Err(other) => Err(StoreError::Refused(other.to_string())),
        }
    }
}

impl Log for CqlStore {
    fn append(&self, append: Append) -> Answer<'_, (), AppendError> {
        Box::pin(append::append(self, append))
    }

    fn read(&self, room: RoomId, range: Range, limit: usize) -> Answer<'_, Vec<Event>> {
        Box::pin(read::events(self, room, range, limit))
    }

    fn page(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Answer<'_, Vec<Message>> {
        Box::pin(messages::page(self, room, range, (limit, reader)))
    }

    fn messages<'a>(&'a self, room: RoomId, seqs: &'a [Seq], reader: UserId) -> Answer<'a, Vec<Message>> {
        Box::pin(messages::at(self, room, seqs, reader))
    }

    fn find(&self, room: RoomId, by: UserId, client_id: ClientId) -> Answer<'_, Option<Receipt>> {
        Box::pin(async move {
            let values = (room.0, by.0, era(client_id), vec![client_id.0]);
            let row = self.cql.row::<NameRow>(&self.log.names, values).await?;
            Ok(row.map(|(_, at_seq, ord, at)| Receipt {
                seq: seq(at_seq),
                ord: count(ord),
                at: Timestamp(at),
            }))
        })
    }

    fn head(&self, room: RoomId) -> Answer<'_, Option<Head>> {
        Box::pin(async move { Ok(position::current(self, room).await?.map(|standing| standing.head)) })
    }
}

/// Returns a page's size as a LIMIT, which is at least 1.
fn limit(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX).max(1)
}

/// Returns a bucket's number as its column.
fn bucket_column(bucket: u64) -> i64 {
    integer(bucket)
}
