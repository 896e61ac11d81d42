//! Appending a batch: the compare, the events, their projections.

use super::projections::{self, Place};
use crate::columns::{integer, span_of};
use crate::committer::{Database, LogPosition};
use rookery_engine::store::{Append, AppendError, StoreError};
use rookery_protocol::{Event, Seq};
use rusqlite::{Connection, params};

/// Bytes of an event's columns besides its body, with what they cost in the index.
const EVENT_BYTES: usize = 160;

/// Bytes that a projection is counted as.
const PROJECTION_BYTES: usize = 128;

/// An append whose bodies are text already, made by the caller's thread to spare the committer.
#[derive(Debug)]
pub(crate) struct Batch {
    append: Append,
    /// The column `body` of each event.
    bodies: Vec<String>,
}

impl Batch {
    pub(crate) fn encode(append: Append) -> Result<Self, StoreError> {
        append.check()?;
        let bodies = append.events.iter().map(|event| event.body.to_json()).collect::<Result<_, _>>();
        let bodies = bodies.map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(Self { append, bodies })
    }

    pub(crate) fn bytes(&self) -> usize {
        let bodies: usize = self.bodies.iter().map(|text| EVENT_BYTES + text.len()).sum();
        bodies + self.append.projections.len() * PROJECTION_BYTES
    }

    /// Appends if the head is the expected one. The inner result is what the caller is told.
    pub(crate) fn apply(&self, database: &mut Database) -> rusqlite::Result<Result<(), AppendError>> {
        let Append { room, expected, events, projections } = &self.append;
        let position = database.position(*room)?;
        let head = position.map_or(Seq::ZERO, |position| position.head);
        if head != *expected {
            return Ok(Err(AppendError::Stale { expected: *expected, head }));
        }
        let mut position = match position {
            Some(position) => position,
            None => database.begin_log(*room)?,
        };
        for (event, text) in events.iter().zip(&self.bodies) {
            let is_new = insert(&database.connection, &mut position, event, text)?;
            if let (false, Some(client_id)) = (is_new, event.client_id) {
                // The write before it is the same one; take back what of the batch came before.
                undo(&database.connection, position.no, *expected)?;
                return Ok(Err(AppendError::Duplicate { by: event.by, client_id }));
            }
        }
        note_head(&database.connection, position.no, events)?;
        let place = Place { room: *room, log: position.no };
        for projection in projections.iter() {
            projections::apply(&database.connection, place, projection)?;
        }
        database.moved(*room, position);
        Ok(Ok(()))
    }
}

/// Inserts an event and moves `position` to it; `false` when its sender wrote in this room under its
/// `client_id` before.
fn insert(
    connection: &Connection,
    position: &mut LogPosition,
    event: &Event,
    text: &str,
) -> rusqlite::Result<bool> {
    let statement = "INSERT INTO events (log, seq, ord, at, by, type, client_id, target, reply_to, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (client_id, by, log) WHERE client_id IS NOT NULL DO NOTHING";
    let client_id = event.client_id.as_ref().map(|client_id| client_id.0.as_bytes());
    let seq = integer(event.seq.0);
    let inserted = connection.prepare_cached(statement)?.execute(params![
        position.no,
        seq,
        integer(event.ord),
        event.at.0,
        event.by.0.as_bytes(),
        event.body.kind(),
        client_id,
        event.target.map(|seq| integer(seq.0)),
        event.reply_to.map(|seq| integer(seq.0)),
        text,
    ])?;
    if inserted == 0 {
        return Ok(false);
    }
    let span = span_of(connection.last_insert_rowid());
    if span != position.span {
        let statement = "INSERT INTO spans (log, first, span) VALUES (?, ?, ?)";
        connection.prepare_cached(statement)?.execute([position.no, seq, span])?;
    }
    *position = LogPosition { span, head: event.seq, ..*position };
    Ok(true)
}

/// The type of the events whose newest a log's row names, whether or not their content was taken away.
const NEWEST: &str = "message";

/// Notes in the log's row where it stands after `events`.
fn note_head(connection: &Connection, no: i64, events: &[Event]) -> rusqlite::Result<()> {
    let Some(newest) = events.last() else { return Ok(()) };
    let message = events.iter().rev().find(|event| event.body.kind() == NEWEST);
    let message = message.map(|event| integer(event.seq.0));
    let statement = "UPDATE logs SET seq = ?, ord = ?, at = ?, message = ifnull(?, message) WHERE no = ?";
    let values = params![integer(newest.seq.0), integer(newest.ord), newest.at.0, message, no];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}

/// Deletes what the open transaction has written of the log `no` after `head`: one batch, which is in
/// two spans at most.
fn undo(connection: &Connection, no: i64, head: Seq) -> rusqlite::Result<()> {
    let keys = [no, integer(head.0)];
    let events = "DELETE FROM events WHERE log = ?1 AND seq > ?2 AND span IN
        (SELECT span FROM spans WHERE log = ?1 ORDER BY first DESC LIMIT 2)";
    connection.prepare_cached(events)?.execute(keys)?;
    connection.prepare_cached("DELETE FROM spans WHERE log = ? AND first > ?")?.execute(keys).map(drop)
}
