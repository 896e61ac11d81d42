//! Reading when users were last there.

use crate::columns::timestamp;
use rookery_protocol::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension};

pub(crate) fn last_seen(
    snapshot: &Connection,
    mut users: Vec<UserId>,
) -> rusqlite::Result<Vec<(UserId, Timestamp)>> {
    users.sort_unstable();
    users.dedup();
    let mut query = snapshot.prepare_cached("SELECT at FROM last_seen WHERE user = ?")?;
    let mut found = Vec::new();
    for user in users {
        if let Some(at) = query.query_row([user.0.as_bytes()], |row| timestamp(row, 0)).optional()? {
            found.push((user, at));
        }
    }
    Ok(found)
}
