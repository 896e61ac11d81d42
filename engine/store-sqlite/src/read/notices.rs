//! Reading what is still to be written into inboxes.

use crate::columns::{id, integer, limit, seq, timestamp, unknown};
use rookery_engine::store::{Notice, NoticeKind};
use rookery_protocol::{RoomId, UserId};
use rusqlite::{Connection, Row, params};

pub(crate) fn notices(
    connection: &Connection,
    after: Option<Notice>,
    rows: usize,
) -> rusqlite::Result<Vec<Notice>> {
    let query = "SELECT user, room, seq, kind, by, at FROM notices
        WHERE (user, room, seq, kind) > (?, ?, ?, ?) ORDER BY user, room, seq, kind LIMIT ?";
    // The empty blob sorts before every id.
    let values = match &after {
        Some(Notice { user, room, seq, kind, .. }) => {
            params![user.0.as_bytes(), room.0.as_bytes(), integer(seq.0), kind.as_str(), limit(rows)]
        }
        None => params![b"", b"", 0, "", limit(rows)],
    };
    connection.prepare_cached(query)?.query_map(values, notice_in)?.collect()
}

/// Returns the notice in the columns `user, room, seq, kind, by, at`.
pub(super) fn notice_in(row: &Row<'_>) -> rusqlite::Result<Notice> {
    let name = row.get_ref(3)?.as_str()?;
    let kind = NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    Ok(Notice {
        user: UserId(id(row, 0)?),
        room: RoomId(id(row, 1)?),
        seq: seq(row, 2)?,
        kind: kind.ok_or_else(|| unknown(3, "kind of notice", name))?,
        by: UserId(id(row, 4)?),
        at: timestamp(row, 5)?,
    })
}
