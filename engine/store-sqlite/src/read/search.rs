//! What a search has to know of the log before it asks the index.

use crate::columns::{id, seq};
use rookery_protocol::{RoomId, Seq, UserId};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// What a user may search, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The log's last event, in the order in which events came; 0 before the first.
    pub(crate) newest: i64,
    /// By the number of its log, each room and where the user joined it.
    pub(crate) rooms: BTreeMap<i64, (RoomId, Seq)>,
}

/// Returns what `user` may search now; where `room` is given, of that room only.
pub(crate) fn scope(snapshot: &Connection, user: UserId, room: Option<RoomId>) -> rusqlite::Result<Scope> {
    let newest =
        snapshot.prepare_cached("SELECT ifnull(max(id), 0) FROM events")?.query_row([], |row| row.get(0))?;
    let only = if room.is_some() { "AND members.room = ?2" } else { "" };
    let query = format!(
        "SELECT logs.no, members.room, members.joined
         FROM members
         JOIN logs ON logs.room = members.room
         WHERE members.user = ?1 AND members.role IS NOT NULL {only}"
    );
    let mut query = snapshot.prepare_cached(&query)?;
    let room_of = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (RoomId(id(row, 1)?), seq(row, 2)?)));
    let rooms: rusqlite::Result<_> = match room {
        Some(room) => query.query_map(params![user.0.as_bytes(), room.0.as_bytes()], room_of)?.collect(),
        None => query.query_map([user.0.as_bytes()], room_of)?.collect(),
    };
    rooms.map(|rooms| Scope { newest, rooms })
}
