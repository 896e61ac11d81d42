//! Reading what administration keeps, and what is left of a user.

use super::files::{LIVING_EVER, record};
use crate::columns::{count, id, limit, timestamp};
use rookery_engine::store::{Book, Entry, FileRecord};
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

/// Reads `book, id, rev, body`.
pub(super) fn entry_in(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let number = row.get::<_, i64>(0)?;
    let book = Book::of_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number))?;
    Ok(Entry { book, id: id(row, 1)?, rev: count(row, 2)?, body: row.get(3)? })
}

pub(crate) fn entry(connection: &Connection, book: Book, id: Uuid) -> rusqlite::Result<Option<Entry>> {
    let query = "SELECT book, id, rev, body FROM docket WHERE book = ? AND id = ?";
    let keys = params![book.number(), id.as_bytes()];
    connection.prepare_cached(query)?.query_row(keys, entry_in).optional()
}

pub(crate) fn entries(
    connection: &Connection,
    book: Book,
    before: Option<Uuid>,
    rows: usize,
) -> rusqlite::Result<Vec<Entry>> {
    // An id has 16 bytes, so one more than the greatest is above all of them.
    let end = before.map_or_else(|| vec![0xff; 17], |id| id.as_bytes().to_vec());
    let query = "SELECT book, id, rev, body FROM docket WHERE book = ? AND id < ? ORDER BY id DESC LIMIT ?";
    let mut query = connection.prepare_cached(query)?;
    query.query_map(params![book.number(), end, limit(rows)], entry_in)?.collect()
}

pub(crate) fn rooms_ever(
    connection: &Connection,
    user: UserId,
    after: Option<RoomId>,
    rows: usize,
) -> rusqlite::Result<Vec<RoomId>> {
    let after = after.map_or_else(Vec::new, |room| room.0.as_bytes().to_vec());
    let query = "SELECT room FROM members WHERE user = ? AND room > ? ORDER BY room LIMIT ?";
    let mut query = connection.prepare_cached(query)?;
    let keys = params![user.0.as_bytes(), after, limit(rows)];
    query.query_map(keys, |row| id(row, 0).map(RoomId))?.collect()
}

pub(crate) fn files_of(
    connection: &Connection,
    user: UserId,
    after: Option<FileId>,
    rows: usize,
) -> rusqlite::Result<Vec<FileRecord>> {
    let after = after.map_or_else(Vec::new, |file| file.0.as_bytes().to_vec());
    let query = format!("{LIVING_EVER} AND owner = ? AND file > ? ORDER BY file LIMIT ?");
    let mut query = connection.prepare_cached(&query)?;
    query.query_map(params![user.0.as_bytes(), after, limit(rows)], record)?.collect()
}

pub(crate) fn blocks_of(
    connection: &Connection,
    user: UserId,
    after: Option<UserId>,
    rows: usize,
) -> rusqlite::Result<Vec<(UserId, Timestamp)>> {
    let after = after.map_or_else(Vec::new, |other| other.0.as_bytes().to_vec());
    let query = "SELECT other, at FROM blocks WHERE user = ? AND other > ? ORDER BY other LIMIT ?";
    let mut query = connection.prepare_cached(query)?;
    let keys = params![user.0.as_bytes(), after, limit(rows)];
    query.query_map(keys, |row| Ok((UserId(id(row, 0)?), timestamp(row, 1)?)))?.collect()
}
