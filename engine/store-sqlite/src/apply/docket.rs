//! Writing what administration keeps, and forgetting what is left of a user.

use crate::columns::integer;
use crate::read;
use rookery_engine::store::{Book, Entry};
use rookery_protocol::UserId;
use rusqlite::{Connection, params};
use uuid::Uuid;

pub(crate) fn put_entry(connection: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let Entry { book, id, rev, body } = entry;
    let there = read::entry(connection, *book, *id)?;
    if there.as_ref() == Some(entry) {
        return Ok(true);
    }
    let is_next = there.map_or(0, |there| there.rev) + 1 == *rev;
    if !is_next || (*rev > 1 && book.is_append_only()) {
        return Ok(false);
    }
    let statement = "INSERT OR REPLACE INTO docket (book, id, rev, body) VALUES (?, ?, ?, ?)";
    let values = params![book.number(), id.as_bytes(), integer(*rev), body];
    connection.prepare_cached(statement)?.execute(values)?;
    Ok(true)
}

/// Writes an entry of another store, unless there is one already.
pub(super) fn keep_entry(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let statement = "INSERT INTO docket (book, id, rev, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let values = params![entry.book.number(), entry.id.as_bytes(), integer(entry.rev), entry.body];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}

pub(crate) fn forget_entry(connection: &Connection, book: Book, id: Uuid) -> rusqlite::Result<()> {
    if book.is_append_only() {
        return Ok(());
    }
    let statement = "DELETE FROM docket WHERE book = ? AND id = ?";
    connection.prepare_cached(statement)?.execute(params![book.number(), id.as_bytes()]).map(drop)
}

pub(crate) fn forget_traces(connection: &Connection, user: UserId) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM refresh_tokens WHERE session IN (SELECT session FROM sessions WHERE user = ?)",
        "DELETE FROM tickets WHERE user = ?",
        "DELETE FROM proofs WHERE user = ?",
        "DELETE FROM sessions WHERE user = ?",
        "DELETE FROM blocks WHERE user = ?",
        "DELETE FROM settings WHERE user = ?",
        "DELETE FROM cursors WHERE user = ?",
        "DELETE FROM last_seen WHERE user = ?",
        // A scan of handles that were given up within a month.
        "DELETE FROM kept_handles WHERE user = ?",
    ] {
        connection.prepare_cached(statement)?.execute([user.0.as_bytes()])?;
    }
    Ok(())
}
