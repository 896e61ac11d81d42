//! Writing when users were last there.

use rookery_protocol::{Timestamp, UserId};
use rusqlite::{Connection, params};

pub(crate) fn seen(connection: &Connection, seen: &[(UserId, Timestamp)]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO last_seen (user, at) VALUES (?, ?)
        ON CONFLICT DO UPDATE SET at = excluded.at WHERE excluded.at > at",
    )?;
    for (user, at) in seen {
        statement.execute(params![user.0.as_bytes(), at.0])?;
    }
    Ok(())
}
