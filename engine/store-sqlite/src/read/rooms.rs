//! Reading rooms, members and one user's view of them.

use super::cursors::settings_at;
use super::log::head_at;
use super::messages::preview;
use crate::columns::{count, id, integer, kind, limit, role, seq, timestamp};
use rookery_engine::store::{Membership, RoomRecord, RoomState, RoomsCursor};
use rookery_protocol::{RoomId, Seq, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Members that a page is given space for at once; a longer one grows.
const USUAL_PAGE: usize = 64;

/// A room, one member's row, cursor and settings, and where the log stands.
const STATES: &str = "
    SELECT
        rooms.kind, rooms.title, rooms.about, rooms.avatar, rooms.created_at, rooms.members, rooms.rev,
        logs.seq, logs.ord, logs.at,
        members.role, members.joined, members.joined_ord, members.rev,
        ifnull(cursors.seq, 0), ifnull(cursors.ord, 0), ifnull(cursors.delivered, 0),
        settings.notify, settings.muted_until, settings.pinned, settings.archived,
        logs.no, logs.message
    FROM members
    JOIN rooms ON rooms.room = members.room
    JOIN logs ON logs.no = members.log
    LEFT JOIN cursors ON cursors.room = members.room AND cursors.user = members.user
    LEFT JOIN settings ON settings.room = members.room AND settings.user = members.user
    WHERE members.role IS NOT NULL AND members.room = ? AND members.user = ?";

pub(crate) fn room(connection: &Connection, room: RoomId) -> rusqlite::Result<Option<RoomRecord>> {
    let query = "SELECT kind, title, about, avatar, created_at, members, rev FROM rooms WHERE room = ?";
    connection.prepare_cached(query)?.query_row([room.0.as_bytes()], |row| record(row, room)).optional()
}

pub(crate) fn room_state(
    snapshot: &Connection,
    room: RoomId,
    user: UserId,
) -> rusqlite::Result<Option<RoomState>> {
    state_of(snapshot, room, user)
}

pub(crate) fn room_states(
    snapshot: &Connection,
    room: RoomId,
    mut users: Vec<UserId>,
) -> rusqlite::Result<Vec<RoomState>> {
    users.sort_unstable();
    users.dedup();
    users.into_iter().filter_map(|user| state_of(snapshot, room, user).transpose()).collect()
}

pub(crate) fn rooms_of(
    snapshot: &Connection,
    user: UserId,
    cursor: Option<RoomsCursor>,
    rows: usize,
) -> rusqlite::Result<Vec<RoomState>> {
    // Only what orders the list is read of all rooms, and the rest of those on the page.
    let from = if cursor.is_some() { "AND (logs.at, members.room) < (?2, ?3)" } else { "" };
    let query = format!(
        "SELECT members.room FROM members JOIN logs ON logs.no = members.log
        WHERE members.user = ?1 AND members.role IS NOT NULL AND logs.listed {from}
        ORDER BY logs.at DESC, members.room DESC LIMIT ?4"
    );
    let (at, room) = cursor.map_or((0, [0; 16]), |cursor| (cursor.at.0, cursor.room.0.into_bytes()));
    let values = params![user.0.as_bytes(), at, room, limit(rows)];
    let mut page = snapshot.prepare_cached(&query)?;
    let page = page.query_map(values, |row| id(row, 0).map(RoomId))?;
    page.filter_map(|room| room.and_then(|room| state_of(snapshot, room, user)).transpose()).collect()
}

pub(crate) fn total_unread(connection: &Connection, user: UserId) -> rusqlite::Result<u64> {
    let query = "SELECT ifnull(sum(max(0, logs.ord - max(ifnull(cursors.ord, 0), members.joined_ord))), 0)
        FROM members JOIN logs ON logs.no = members.log
        LEFT JOIN cursors ON cursors.room = members.room AND cursors.user = members.user
        WHERE members.user = ? AND members.role IS NOT NULL AND logs.listed";
    connection.prepare_cached(query)?.query_row([user.0.as_bytes()], |row| count(row, 0))
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
    let mut found = query.query(values)?;
    let mut members = Vec::with_capacity(rows.min(USUAL_PAGE));
    while let Some(row) = found.next()? {
        members.push(membership(row, 0, room, UserId(id(row, 4)?))?);
    }
    Ok(members)
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

pub(super) fn state_of(
    snapshot: &Connection,
    room: RoomId,
    user: UserId,
) -> rusqlite::Result<Option<RoomState>> {
    let keys = [room.0.as_bytes(), user.0.as_bytes()];
    let found = snapshot.prepare_cached(STATES)?.query_row(keys, |row| {
        let membership = membership(row, 10, room, user)?;
        let cursor = (seq(row, 14)?, count(row, 15)?);
        let (read, read_ord) = cursor.max((membership.joined, membership.joined_ord));
        let state = RoomState {
            record: record(row, room)?,
            head: head_at(row, 7)?,
            membership,
            read,
            read_ord,
            delivered: seq(row, 16)?.max(read),
            mentions: 0,
            settings: settings_at(row, 17)?,
            preview: None,
        };
        Ok((state, row.get(21)?, seq(row, 22)?))
    });
    let Some((state, log, newest)) = found.optional()? else { return Ok(None) };
    let mentions = mentions(snapshot, room, user, state.read)?;
    let preview = preview(snapshot, (room, log), newest, state.membership.joined)?;
    Ok(Some(RoomState { mentions, preview, ..state }))
}

/// Counts the messages after `read` that mention `user` or everybody.
fn mentions(snapshot: &Connection, room: RoomId, user: UserId, read: Seq) -> rusqlite::Result<u64> {
    let query = "SELECT count(DISTINCT seq) FROM mentions WHERE room = ? AND user IN (?, x'') AND seq > ?";
    let values = params![room.0.as_bytes(), user.0.as_bytes(), integer(read.0)];
    snapshot.prepare_cached(query)?.query_row(values, |row| count(row, 0))
}
