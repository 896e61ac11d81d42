//! Reading users by their handle, blocks and invites.

use super::accounts::user_in;
use crate::columns::{id, limit, timestamp};
use rookery_engine::store::{Invite, TokenHash};
use rookery_protocol::{RoomId, Timestamp, User, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(crate) fn user(connection: &Connection, user: UserId) -> rusqlite::Result<Option<User>> {
    let query = "SELECT user, handle, name, avatar, about FROM users WHERE user = ?";
    connection.prepare_cached(query)?.query_row([user.0.as_bytes()], user_in).optional()
}

pub(crate) fn users_by_handle(
    connection: &Connection,
    by: UserId,
    prefix: &str,
    rows: usize,
) -> rusqlite::Result<Vec<User>> {
    // A range, so that the index finds it and no sign of a handle is a wildcard.
    let query = "SELECT user, handle, name, avatar, about FROM users
        WHERE handle >= ?1 AND handle < ?1 || char(1114111)
            AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocks.user = ?2 AND blocks.other = users.user)
            AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocks.user = users.user AND blocks.other = ?2)
        ORDER BY handle LIMIT ?3";
    let values = params![prefix, by.0.as_bytes(), limit(rows)];
    connection.prepare_cached(query)?.query_map(values, user_in)?.collect()
}

pub(crate) fn blocks_between(
    snapshot: &Connection,
    user: UserId,
    mut others: Vec<UserId>,
) -> rusqlite::Result<Vec<UserId>> {
    others.sort_unstable();
    others.dedup();
    let mut query = snapshot.prepare_cached(
        "SELECT 1 FROM blocks WHERE user = ?1 AND other = ?2
         UNION ALL SELECT 1 FROM blocks WHERE user = ?2 AND other = ?1",
    )?;
    let mut found = Vec::new();
    for other in others {
        if query.exists([user.0.as_bytes(), other.0.as_bytes()])? {
            found.push(other);
        }
    }
    Ok(found)
}

pub(crate) fn invite(connection: &Connection, hash: TokenHash) -> rusqlite::Result<Option<Invite>> {
    let query = "SELECT room, by, created_at, expires_at, uses FROM invites WHERE hash = ?";
    let invite = |row: &Row<'_>| {
        Ok(Invite {
            hash,
            room: RoomId(id(row, 0)?),
            by: UserId(id(row, 1)?),
            created_at: timestamp(row, 2)?,
            expires_at: row.get::<_, Option<i64>>(3)?.map(Timestamp),
            uses: row.get(4)?,
        })
    };
    connection.prepare_cached(query)?.query_row([hash], invite).optional()
}
