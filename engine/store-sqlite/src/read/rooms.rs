//! Reading rooms, members and one user's view of them.

use super::log::head_at;
use crate::columns::{count, id, kind, limit, role, seq, timestamp};
use rookery_engine::store::{Membership, RoomRecord, RoomState, RoomsCursor};
use rookery_protocol::{RoomId, Seq, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A room, one member's row and cursor, and the newest event.
const STATES: &str = "
    SELECT
        rooms.kind, rooms.title, rooms.about, rooms.avatar, rooms.created_at, rooms.members, rooms.rev,
        newest.seq, newest.ord, newest.at,
        members.role, members.joined, members.joined_ord, members.rev,
        ifnull(cursors.seq, 0), ifnull(cursors.ord, 0),
        members.room, members.user
    FROM members
    JOIN rooms ON rooms.room = members.room
    JOIN logs ON logs.room = members.room
    JOIN events AS newest ON newest.id = (
        SELECT id FROM events
        WHERE span = (SELECT span FROM spans WHERE log = logs.no ORDER BY first DESC LIMIT 1) AND log = logs.no
        ORDER BY seq DESC LIMIT 1
    )
    LEFT JOIN cursors ON cursors.user = members.user AND cursors.room = members.room
    WHERE members.role IS NOT NULL";

pub(crate) fn room(connection: &Connection, room: RoomId) -> rusqlite::Result<Option<RoomRecord>> {
    let query = "SELECT kind, title, about, avatar, created_at, members, rev FROM rooms WHERE room = ?";
    connection.prepare_cached(query)?.query_row([room.0.as_bytes()], |row| record(row, room)).optional()
}

pub(crate) fn room_state(
    connection: &mut Connection,
    room: RoomId,
    user: UserId,
) -> rusqlite::Result<Option<RoomState>> {
    let snapshot = connection.transaction()?;
    let query = format!("{STATES} AND members.room = ? AND members.user = ?");
    let keys = [room.0.as_bytes(), user.0.as_bytes()];
    let found = snapshot.prepare_cached(&query)?.query_row(keys, state).optional()?;
    found.map(|state| with_mentions(&snapshot, state)).transpose()
}

pub(crate) fn rooms_of(
    connection: &mut Connection,
    user: UserId,
    cursor: Option<RoomsCursor>,
    rows: usize,
) -> rusqlite::Result<Vec<RoomState>> {
    let snapshot = connection.transaction()?;
    let from = if cursor.is_some() { "AND (newest.at, members.room) < (?2, ?3)" } else { "" };
    let query = format!(
        "{STATES} AND members.user = ?1 AND rooms.kind <> 'inbox' {from}
         ORDER BY newest.at DESC, members.room DESC LIMIT ?4"
    );
    let (at, room) = cursor.map_or((0, [0; 16]), |cursor| (cursor.at.0, cursor.room.0.into_bytes()));
    let values = params![user.0.as_bytes(), at, room, limit(rows)];
    let found = snapshot.prepare_cached(&query)?.query_map(values, state)?.collect::<Result<Vec<_>, _>>()?;
    found.into_iter().map(|state| with_mentions(&snapshot, state)).collect()
}

pub(crate) fn total_unread(connection: &mut Connection, user: UserId) -> rusqlite::Result<u64> {
    let query = format!("{STATES} AND members.user = ? AND rooms.kind <> 'inbox'");
    let mut query = connection.prepare_cached(&query)?;
    let states = query.query_map([user.0.as_bytes()], state)?;
    states.map(|state| state.map(|state| state.unread())).sum()
}

pub(crate) fn members(
    connection: &Connection,
    room: RoomId,
    after: Option<UserId>,
    rows: usize,
) -> rusqlite::Result<Vec<Membership>> {
    let query = "SELECT role, joined, joined_ord, rev, user FROM members
        WHERE room = ? AND user > ? AND role IS NOT NULL ORDER BY user LIMIT ?";
    // The empty blob sorts before every id.
    let after: &[u8] = after.as_ref().map_or(&[], |user| user.0.as_bytes());
    let values = params![room.0.as_bytes(), after, limit(rows)];
    let mut query = connection.prepare_cached(query)?;
    query.query_map(values, |row| membership(row, 0, room, UserId(id(row, 4)?)))?.collect()
}

fn record(row: &Row<'_>, room: RoomId) -> rusqlite::Result<RoomRecord> {
    Ok(RoomRecord {
        room,
        kind: kind(row, 0)?,
        title: row.get(1)?,
        about: row.get(2)?,
        avatar: row.get(3)?,
        created_at: timestamp(row, 4)?,
        members: count(row, 5)?,
        rev: seq(row, 6)?,
    })
}

/// Returns the membership in the columns `role, joined, joined_ord, rev` from `first` on.
fn membership(row: &Row<'_>, first: usize, room: RoomId, user: UserId) -> rusqlite::Result<Membership> {
    Ok(Membership {
        room,
        user,
        role: role(row, first)?,
        joined: seq(row, first + 1)?,
        joined_ord: count(row, first + 2)?,
        rev: seq(row, first + 3)?,
    })
}

/// Returns a row of [`STATES`], without its mentions.
fn state(row: &Row<'_>) -> rusqlite::Result<RoomState> {
    let (room, user) = (RoomId(id(row, 16)?), UserId(id(row, 17)?));
    let membership = membership(row, 10, room, user)?;
    let cursor = (seq(row, 14)?, count(row, 15)?);
    let (read, read_ord) = cursor.max((membership.joined, membership.joined_ord));
    let head = head_at(row, 7)?;
    Ok(RoomState { record: record(row, room)?, head, membership, read, read_ord, mentions: 0 })
}

fn with_mentions(connection: &Connection, state: RoomState) -> rusqlite::Result<RoomState> {
    let query = "SELECT count(DISTINCT seq) FROM mentions WHERE room = ? AND user IN (?, x'') AND seq > ?";
    let Seq(read) = state.read;
    let member = state.membership;
    let values = params![member.room.0.as_bytes(), member.user.0.as_bytes(), crate::columns::integer(read)];
    let mentions = connection.prepare_cached(query)?.query_row(values, |row| count(row, 0))?;
    Ok(RoomState { mentions, ..state })
}
