//! Writing cursors, and how members have their rooms. Cursors are max-wins.

use crate::columns::{integer, notify_text};
use crate::read;
use rookery_engine::store::{CursorKind, Mark, Settings, SettingsChange};
use rookery_protocol::{RoomId, Seq, UserId};
use rusqlite::{Connection, params};

/// Moves the cursor of a member who has read up to `seq`, where `ord` messages had been written.
pub(super) fn read(
    connection: &Connection,
    (room, user): (RoomId, UserId),
    seq: Seq,
    ord: u64,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO cursors (room, user, seq, ord) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET seq = excluded.seq, ord = excluded.ord
        WHERE (excluded.seq, excluded.ord) > (seq, ord)";
    let values = params![room.0.as_bytes(), user.0.as_bytes(), integer(seq.0), integer(ord)];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}

pub(super) fn delivered(
    connection: &Connection,
    room: RoomId,
    user: UserId,
    seq: Seq,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO cursors (room, user, seq, ord, delivered) VALUES (?, ?, 0, 0, ?)
        ON CONFLICT DO UPDATE SET delivered = excluded.delivered WHERE excluded.delivered > delivered";
    let values = params![room.0.as_bytes(), user.0.as_bytes(), integer(seq.0)];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}

pub(crate) fn mark(connection: &Connection, room: RoomId, marks: &[Mark]) -> rusqlite::Result<()> {
    for Mark { user, kind, seq } in marks {
        match kind {
            CursorKind::Read => {
                let ord = crate::read::ord_at(connection, room, *seq)?;
                read(connection, (room, *user), *seq, ord)?;
            }
            CursorKind::Delivered => delivered(connection, room, *user, *seq)?,
        }
    }
    Ok(())
}

pub(crate) fn change_settings(
    connection: &Connection,
    room: RoomId,
    user: UserId,
    change: SettingsChange,
) -> rusqlite::Result<()> {
    let settings = change.of(read::settings(connection, room, user)?);
    put_settings(connection, room, user, settings)
}

/// Has `user` have the room so.
pub(super) fn put_settings(
    connection: &Connection,
    room: RoomId,
    user: UserId,
    settings: Settings,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO settings (room, user, notify, muted_until, pinned, archived)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET notify = excluded.notify, muted_until = excluded.muted_until,
            pinned = excluded.pinned, archived = excluded.archived";
    let values = params![
        room.0.as_bytes(),
        user.0.as_bytes(),
        notify_text(settings.notify),
        settings.muted_until.map(|at| at.0),
        settings.pinned,
        settings.archived,
    ];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}
