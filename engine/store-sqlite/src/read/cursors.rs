//! Reading cursors, and how members have their rooms.

use crate::columns::{count, id, integer, limit, notify, seq, timestamp};
use rookery_engine::store::{CursorKind, MemberCursor, Reached, Settings};
use rookery_protocol::{RoomId, Seq, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(crate) fn cursors(
    connection: &Connection,
    room: RoomId,
    rows: usize,
) -> rusqlite::Result<Vec<MemberCursor>> {
    let query = "SELECT cursors.user, cursors.seq, max(cursors.seq, cursors.delivered)
        FROM cursors JOIN members ON members.room = cursors.room AND members.user = cursors.user
        WHERE cursors.room = ? AND members.role IS NOT NULL ORDER BY cursors.user LIMIT ?";
    let cursor = |row: &Row<'_>| {
        Ok(MemberCursor { user: UserId(id(row, 0)?), read: seq(row, 1)?, delivered: seq(row, 2)? })
    };
    connection.prepare_cached(query)?.query_map(params![room.0.as_bytes(), limit(rows)], cursor)?.collect()
}

pub(crate) fn reached(
    snapshot: &Connection,
    (room, kind): (RoomId, CursorKind),
    at: Seq,
    rows: usize,
) -> rusqlite::Result<Reached> {
    let cursor = match kind {
        CursorKind::Read => "cursors.seq",
        CursorKind::Delivered => "max(cursors.seq, cursors.delivered)",
    };
    let from = format!(
        "FROM cursors JOIN members ON members.room = cursors.room AND members.user = cursors.user
        WHERE cursors.room = ?1 AND {cursor} >= ?2 AND members.role IS NOT NULL AND members.joined <= ?2"
    );
    let (room, at) = (room.0.as_bytes(), integer(at.0));
    let users = format!("SELECT cursors.user {from} ORDER BY cursors.user LIMIT ?3");
    let mut users = snapshot.prepare_cached(&users)?;
    let users = users.query_map(params![room, at, limit(rows)], |row| id(row, 0).map(UserId))?;
    let users = users.collect::<Result<_, _>>()?;
    let total = format!("SELECT count(*) {from}");
    let count = snapshot.prepare_cached(&total)?.query_row(params![room, at], |row| count(row, 0))?;
    Ok(Reached { count, users })
}

pub(crate) fn settings(connection: &Connection, room: RoomId, user: UserId) -> rusqlite::Result<Settings> {
    let query = "SELECT notify, muted_until, pinned, archived FROM settings WHERE room = ? AND user = ?";
    let keys = [room.0.as_bytes(), user.0.as_bytes()];
    let found = connection.prepare_cached(query)?.query_row(keys, |row| settings_at(row, 0)).optional()?;
    Ok(found.unwrap_or_default())
}

/// Returns the settings in the columns `notify, muted_until, pinned, archived` from `first` on; NULLs
/// are the settings of somebody who has changed none.
pub(super) fn settings_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Settings> {
    let is_muted = row.get::<_, Option<i64>>(first + 1)?.is_some();
    Ok(Settings {
        notify: notify(row, first)?,
        muted_until: is_muted.then(|| timestamp(row, first + 1)).transpose()?,
        pinned: row.get::<_, Option<bool>>(first + 2)?.unwrap_or_default(),
        archived: row.get::<_, Option<bool>>(first + 3)?.unwrap_or_default(),
    })
}
