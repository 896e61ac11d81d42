//! The indexer: the one thread that writes the index.
//!
//! It follows the log in the order in which events came, so an edit or a delete finds what it is
//! about. What a batch changes and how far it goes are one transaction.

use super::bell::Bell;
use super::open::{self, Position};
use crate::columns::limit;
use crate::priority;
use rookery_engine::search::searchable;
use rookery_protocol::{EventBody, MessageBody};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long commits are let come together before they are taken in; a transaction of the index costs
/// about as much as a hundred messages in it.
const GATHER: Duration = Duration::from_millis(50);

/// How long a write that failed is not tried again; a full disk is not mended faster.
const RETRY: Duration = Duration::from_secs(1);

/// Events in one transaction: some 50 ms of work, which is what a search waits behind at most.
const EVENTS: usize = 2048;

/// Bytes of bodies that are held at a time.
const BYTES: usize = 4 << 20;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A body whose content was taken away.
const REDACTED: &str = "{}";

/// The thread's state.
#[derive(Debug)]
pub(super) struct Indexer {
    /// Reads the store's events.
    log: Connection,
    index: Connection,
    position: i64,
    bell: Arc<Bell>,
    /// As in the options.
    rest: u32,
}

/// What the index needs of one event.
#[derive(Debug)]
struct Row {
    at_event: Position,
    by: [u8; 16],
    kind: String,
    target: Option<i64>,
    body: String,
}

/// Why a batch was not taken in.
#[derive(Debug)]
enum Failed {
    Log(rusqlite::Error),
    Index(rusqlite::Error),
}

impl Indexer {
    pub(super) fn new(log: Connection, index: Connection, position: i64, bell: Arc<Bell>) -> Self {
        Self { log, index, position, bell, rest: 0 }
    }

    /// Has it rest so many times as long as it worked.
    pub(super) fn resting(mut self, rest: u32) -> Self {
        self.rest = rest;
        self
    }

    /// Runs until the bell is closed, or the index is damaged.
    pub(super) fn run(mut self) {
        let _guard = DamageOnPanic(self.bell.clone());
        priority::give_way(priority::INDEXER);
        while self.bell.wait(GATHER) && !self.bell.is_damaged() {
            match self.catch_up() {
                Ok(()) => {}
                Err(Failed::Index(error)) if is_hopeless(&error) => {
                    self.bell.damaged(&error.to_string());
                }
                Err(Failed::Index(error) | Failed::Log(error)) => {
                    tracing::warn!(%error, "the search index lags");
                    self.bell.rest(RETRY);
                }
            }
        }
        // Also when the store is closed right after the damage was seen.
        if self.bell.is_damaged() {
            return self.discard();
        }
        if self.bell.has_failed() {
            return;
        }
        // Or what was deleted would stay in the log until its place is written again.
        let folded = self.index.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = folded {
            tracing::warn!(%error, "the search index's log was not folded in");
        }
    }

    /// Takes in what there is, batch by batch.
    fn catch_up(&mut self) -> Result<(), Failed> {
        while !self.bell.is_closed() {
            let begun = Instant::now();
            let newest = self.newest().map_err(Failed::Log)?;
            let batch = self.batch().map_err(Failed::Log)?;
            let Some(last) = batch.last().map(|row| row.at_event) else { return Ok(()) };
            let changes = self.changes(&batch).map_err(Failed::Log)?;
            self.commit(&changes, last).map_err(Failed::Index)?;
            self.position = last.id;
            self.bell.moved(last.id, newest, batch.len() as u64);
            // What was no full batch is followed by little, which is let come together as well.
            let is_full = batch.len() >= EVENTS;
            let at_least = if is_full { Duration::ZERO } else { GATHER };
            self.bell.breathe(begun.elapsed().saturating_mul(self.rest).max(at_least));
        }
        Ok(())
    }

    fn newest(&self) -> rusqlite::Result<i64> {
        let query = "SELECT ifnull(max(id), 0) FROM events";
        self.log.prepare_cached(query)?.query_row([], |row| row.get(0))
    }

    /// Reads the next events.
    fn batch(&self) -> rusqlite::Result<Vec<Row>> {
        let query =
            "SELECT id, log, seq, at, by, type, target, body FROM events WHERE id > ? ORDER BY id LIMIT ?";
        let mut query = self.log.prepare_cached(query)?;
        let mut rows = query.query(params![self.position, limit(EVENTS)])?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let at_event = Position { id: row.get(0)?, log: row.get(1)?, seq: row.get(2)?, at: row.get(3)? };
            let body: String = row.get(7)?;
            bytes += body.len();
            batch.push(Row { at_event, by: row.get(4)?, kind: row.get(5)?, target: row.get(6)?, body });
            if bytes >= BYTES {
                break;
            }
        }
        Ok(batch)
    }

    /// Returns what the events mean for the messages, the last word on each, by their ids.
    fn changes(&self, batch: &[Row]) -> rusqlite::Result<BTreeMap<i64, Change>> {
        let mut changes = BTreeMap::new();
        for row in batch {
            match (row.kind.as_str(), row.target) {
                ("message", _) => {
                    let said = said(row).map(|body| Said::new(row.at_event, row.by, &body));
                    changes.insert(row.at_event.id, Change { is_new: true, said });
                }
                ("edit" | "delete", Some(target)) => {
                    let Some((message, by)) = self.message(row.at_event.log, target)? else { continue };
                    let said = said(row).map(|body| Said::new(message, by, &body));
                    let change =
                        changes.entry(message.id).or_insert(Change { is_new: false, said: said.clone() });
                    // What was deleted stays deleted.
                    change.said = change.said.take().and(said);
                }
                _ => {}
            }
        }
        Ok(changes)
    }

    /// Returns the message at a position of a log, and who wrote it.
    fn message(&self, log: i64, seq: i64) -> rusqlite::Result<Option<(Position, [u8; 16])>> {
        let query = "SELECT id, at, by FROM events
            WHERE span = (SELECT span FROM spans WHERE log = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1)
            AND log = ?1 AND seq = ?2 AND type = 'message'";
        let message = |row: &rusqlite::Row<'_>| {
            Ok((Position { id: row.get(0)?, log, seq, at: row.get(1)? }, row.get(2)?))
        };
        self.log.prepare_cached(query)?.query_row([log, seq], message).optional()
    }

    /// Writes the changes and the position, or nothing.
    fn commit(&mut self, changes: &BTreeMap<i64, Change>, last: Position) -> rusqlite::Result<()> {
        let transaction = self.index.transaction()?;
        let mut days = BTreeMap::new();
        for (id, change) in changes {
            let delete = "DELETE FROM messages WHERE rowid = ?";
            let is_there = change.is_new || transaction.prepare_cached(delete)?.execute([id])? > 0;
            if let Some(said) = change.said.as_ref().filter(|_| is_there) {
                said.insert(&transaction)?;
                days.insert(said.message.at.div_euclid(DAY), *id);
            }
        }
        for (day, id) in days {
            let statement = "INSERT INTO days (day, last) VALUES (?, ?)
                ON CONFLICT (day) DO UPDATE SET last = max(last, excluded.last)";
            transaction.prepare_cached(statement)?.execute([day, id])?;
        }
        let Position { id, log, seq, at } = last;
        let statement = "UPDATE position SET id = ?, log = ?, seq = ?, at = ?";
        transaction.prepare_cached(statement)?.execute([id, log, seq, at])?;
        transaction.commit()
    }

    /// Takes a damaged index away, so that the next start makes another.
    fn discard(&self) {
        if let Some(path) = self.index.path()
            && let Err(error) = open::remove(std::path::Path::new(path))
        {
            tracing::error!(%error, "the damaged search index is not removed");
        }
    }
}

/// What becomes of a message in the index.
#[derive(Debug)]
struct Change {
    /// It is not in the index yet. One that is not new and not there either was deleted, and stays so.
    is_new: bool,
    /// What it says now; nothing once it was deleted.
    said: Option<Said>,
}

/// A message as the index has it.
#[derive(Clone, Debug)]
struct Said {
    message: Position,
    by: [u8; 16],
    kind: String,
    text: String,
}

impl Said {
    fn new(message: Position, by: [u8; 16], body: &MessageBody) -> Self {
        Self { message, by, kind: super::find::kind_word(&body.kind), text: searchable(body) }
    }

    fn insert(&self, index: &Connection) -> rusqlite::Result<()> {
        let statement =
            "INSERT INTO messages (rowid, log, author, kind, seq, at, text) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let Position { id, log, seq, at } = self.message;
        let author = super::find::user_word(self.by);
        let values = params![id, log, author, self.kind, seq, at, self.text];
        index.prepare_cached(statement)?.execute(values).map(drop)
    }
}

/// Returns what an event makes a message say; nothing when it was taken away, or is a delete.
fn said(row: &Row) -> Option<MessageBody> {
    if row.kind == "delete" || row.body == REDACTED {
        return None;
    }
    match EventBody::from_json(&row.kind, &row.body) {
        Ok(EventBody::Message(body)) => Some(body),
        Ok(EventBody::Edit(edit)) => Some(edit.body),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, id = row.at_event.id, "an event is not in the search index");
            None
        }
    }
}

/// Returns whether an error of writing the index is no better at the next try: also one of our statements
/// itself, which a table that is not as it was made gives.
fn is_hopeless(error: &rusqlite::Error) -> bool {
    open::is_damage(error) || error.sqlite_error_code() == Some(ErrorCode::Unknown)
}

/// Says that nothing more comes when the thread ends by a panic.
struct DamageOnPanic(Arc<Bell>);

impl Drop for DamageOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.damaged("the indexer has panicked");
        }
    }
}
