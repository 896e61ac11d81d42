//! Appending a batch: the compare, the events, their projections.

use super::projections;
use crate::columns::{MAX_SEQ, integer};
use crate::committer::{Database, LogPosition};
use rookery_engine::store::{Append, AppendError, StoreError};
use rookery_protocol::{Event, Seq};
use rusqlite::params;

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
        if append.events.last().is_some_and(|event| event.seq.0 > MAX_SEQ) {
            return Err(StoreError::Refused(format!("the log of room {} is full", append.room)));
        }
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
        let LogPosition { no, mut head } = match position {
            Some(position) => position,
            None => database.begin_log(*room)?,
        };
        for (event, text) in events.iter().zip(&self.bodies) {
            let is_new = insert(database, no.id(event.seq), event, text)?;
            if let (false, Some(client_id)) = (is_new, event.client_id) {
                // The write before it is the same one; take back what of the batch came before.
                undo(database, no.id(expected.next()), no.id(event.seq))?;
                return Ok(Err(AppendError::Duplicate { by: event.by, client_id }));
            }
            head = event.seq;
        }
        for projection in projections.iter() {
            projections::apply(&database.connection, *room, projection)?;
        }
        database.moved(*room, LogPosition { no, head });
        Ok(Ok(()))
    }
}

/// Inserts an event; `false` when its sender wrote in this room under its `client_id` before.
fn insert(database: &Database, id: i64, event: &Event, text: &str) -> rusqlite::Result<bool> {
    let statement = "INSERT INTO events (id, ord, at, by, type, client_id, target, reply_to, body)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                     ON CONFLICT (client_id, by, log) WHERE client_id IS NOT NULL DO NOTHING";
    let client_id = event.client_id.as_ref().map(|client_id| client_id.0.as_bytes());
    let inserted = database.connection.prepare_cached(statement)?.execute(params![
        id,
        integer(event.ord),
        event.at.0,
        event.by.0.as_bytes(),
        event.body.kind(),
        client_id,
        event.target.map(|seq| integer(seq.0)),
        event.reply_to.map(|seq| integer(seq.0)),
        text,
    ])?;
    Ok(inserted > 0)
}

/// Deletes the events from `from` to before `to`, inserted by the open transaction.
fn undo(database: &Database, from: i64, to: i64) -> rusqlite::Result<()> {
    let statement = "DELETE FROM events WHERE id >= ? AND id < ?";
    database.connection.prepare_cached(statement)?.execute([from, to]).map(drop)
}
