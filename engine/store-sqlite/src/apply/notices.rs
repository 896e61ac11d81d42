//! Keeping and forgetting what is still to be written into inboxes.

use crate::columns::integer;
use rookery_engine::store::Notice;
use rusqlite::{Connection, params};

pub(super) fn keep(connection: &Connection, notice: &Notice) -> rusqlite::Result<()> {
    let statement = "INSERT INTO notices (user, room, seq, kind, by, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let Notice { user, room, seq, kind, by, at } = notice;
    let (user, room, by) = (user.0.as_bytes(), room.0.as_bytes(), by.0.as_bytes());
    let values = params![user, room, integer(seq.0), kind.as_str(), by, at.0];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}

pub(crate) fn forget_notices(connection: &Connection, notices: &[Notice]) -> rusqlite::Result<()> {
    let statement = "DELETE FROM notices WHERE user = ? AND room = ? AND seq = ? AND kind = ?";
    let mut statement = connection.prepare_cached(statement)?;
    for Notice { user, room, seq, kind, .. } in notices {
        let values = params![user.0.as_bytes(), room.0.as_bytes(), integer(seq.0), kind.as_str()];
        statement.execute(values)?;
    }
    Ok(())
}
