//! Writing what signing in depends on.

use crate::columns::id;
use rookery_engine::store::SignIn;
use rookery_protocol::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

pub(crate) fn put_sign_in(
    connection: &Connection,
    old: Option<Uuid>,
    new: &SignIn,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let query = "SELECT version, ifnull(expires_at > ?, 1) FROM sign_ins WHERE key = ?";
    let found = |row: &Row<'_>| Ok((id(row, 0)?, row.get::<_, bool>(1)?));
    let found = connection.prepare_cached(query)?.query_row(params![now.0, new.key], found).optional()?;
    if found.is_some_and(|(version, _)| version == new.version) {
        return Ok(true);
    }
    if found.filter(|(_, is_there)| *is_there).map(|(version, _)| version) != old {
        return Ok(false);
    }
    let statement = "INSERT OR REPLACE INTO sign_ins (key, version, body, expires_at) VALUES (?, ?, ?, ?)";
    let values = params![new.key, new.version.as_bytes(), new.body, new.expires_at.map(|at| at.0)];
    connection.prepare_cached(statement)?.execute(values)?;
    Ok(true)
}

/// Keeps a record that was kept elsewhere; one that is there already stays.
pub(super) fn insert_sign_in(connection: &Connection, record: &SignIn) -> rusqlite::Result<()> {
    let statement =
        "INSERT INTO sign_ins (key, version, body, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let values =
        params![record.key, record.version.as_bytes(), record.body, record.expires_at.map(|at| at.0)];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}
