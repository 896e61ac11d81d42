//! Reading what signing in depends on.

use crate::columns::id;
use rookery_engine::store::{SignIn, TokenHash};
use rookery_protocol::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

pub(crate) fn sign_in(
    connection: &Connection,
    key: TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<SignIn>> {
    let query = "SELECT key, version, body, expires_at FROM sign_ins WHERE key = ?";
    let found = connection.prepare_cached(query)?.query_row([key], sign_in_in).optional()?;
    Ok(found.filter(|record| record.is_there(now)))
}

/// Returns the record in the columns `key, version, body, expires_at`.
pub(super) fn sign_in_in(row: &Row<'_>) -> rusqlite::Result<SignIn> {
    let expires_at = row.get::<_, Option<i64>>(3)?.map(Timestamp);
    Ok(SignIn { key: row.get(0)?, version: id(row, 1)?, body: row.get(2)?, expires_at })
}
