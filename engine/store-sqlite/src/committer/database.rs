//! The writing connection, and the heads of the rooms that were written to lately.

use crate::columns::seq;
use rookery_protocol::{RoomId, Seq};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// Heads kept; a room is about 80 bytes, so this is below 6 MiB.
const HEADS: usize = 65_536;

/// Where a room's log stands, seen from inside the open transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogPosition {
    /// The log's number.
    pub(crate) no: i64,
    /// The newest span that has events of it; -1 for a log without any.
    pub(crate) span: i64,
    /// Its newest position.
    pub(crate) head: Seq,
}

/// The only connection that writes.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    /// Nobody else writes, so what was read or written once stays true. It saves an append its three
    /// seeks before the first write.
    heads: HashMap<RoomId, LogPosition>,
}

impl Database {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, heads: HashMap::new() }
    }

    pub(crate) fn begin(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    pub(crate) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([]).map(drop)
    }

    /// Undoes the open transaction, if SQLite has not already.
    pub(crate) fn roll_back(&mut self) -> rusqlite::Result<()> {
        self.heads.clear();
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK")
    }

    /// Returns where a room's log stands, or `None` for a room without one.
    pub(crate) fn position(&mut self, room: RoomId) -> rusqlite::Result<Option<LogPosition>> {
        if let Some(position) = self.heads.get(&room) {
            return Ok(Some(*position));
        }
        let query =
            "SELECT no, ifnull((SELECT span FROM spans WHERE log = no ORDER BY first DESC LIMIT 1), -1), seq
            FROM logs WHERE room = ?";
        let position =
            |row: &Row<'_>| Ok(LogPosition { no: row.get(0)?, span: row.get(1)?, head: seq(row, 2)? });
        let found = self.connection.prepare_cached(query)?.query_row([room.0.as_bytes()], position);
        let Some(position) = found.optional()? else { return Ok(None) };
        self.moved(room, position);
        Ok(Some(position))
    }

    /// Begins a room's log.
    pub(crate) fn begin_log(&self, room: RoomId) -> rusqlite::Result<LogPosition> {
        self.connection.prepare_cached("INSERT INTO logs (room) VALUES (?)")?.execute([room.0.as_bytes()])?;
        Ok(LogPosition { no: self.connection.last_insert_rowid(), span: -1, head: Seq::ZERO })
    }

    /// Notes where a room's log stands now.
    pub(crate) fn moved(&mut self, room: RoomId, position: LogPosition) {
        if self.heads.len() >= HEADS && !self.heads.contains_key(&room) {
            self.heads.clear();
        }
        self.heads.insert(room, position);
    }
}
