//! Writing profiles, handles and blocks.

use crate::columns::{integer, limit};
use crate::read;
use rookery_engine::limits::{BLOCKS_PER_USER, HANDLE_KEPT_MS};
use rookery_engine::store::{BlockSet, PURGE_ROWS, ProfileChange, ProfileChanged};
use rookery_protocol::{Timestamp, UserId};
use rusqlite::{Connection, params};

pub(crate) fn change_profile(
    connection: &Connection,
    user: UserId,
    change: &ProfileChange,
    now: Timestamp,
) -> rusqlite::Result<ProfileChanged> {
    let Some(mut profile) = read::user(connection, user)? else { return Ok(ProfileChanged::NoSuchUser) };
    if let Some(new) = change.handle.as_ref().filter(|new| **new != profile.handle) {
        if is_taken(connection, new, user, now)? {
            return Ok(ProfileChanged::HandleTaken);
        }
        let statement = "DELETE FROM kept_handles WHERE handle = ?1 OR handle IN
            (SELECT handle FROM kept_handles WHERE until <= ?2 ORDER BY until LIMIT ?3)";
        connection.prepare_cached(statement)?.execute(params![new, now.0, limit(PURGE_ROWS)])?;
        let statement = "INSERT OR REPLACE INTO kept_handles (handle, user, until) VALUES (?, ?, ?)";
        let until = now.plus_millis(HANDLE_KEPT_MS);
        connection.prepare_cached(statement)?.execute(params![profile.handle, user.0.as_bytes(), until.0])?;
        profile.handle.clone_from(new);
    }
    if let Some(name) = &change.name {
        profile.name.clone_from(name);
    }
    change.about.clone().apply(&mut profile.about);
    change.avatar.clone().apply(&mut profile.avatar);
    let statement = "UPDATE users SET handle = ?, name = ?, about = ?, avatar = ? WHERE user = ?";
    let values = params![profile.handle, profile.name, profile.about, profile.avatar, user.0.as_bytes()];
    connection.prepare_cached(statement)?.execute(values)?;
    Ok(ProfileChanged::Changed(profile))
}

/// Returns whether `handle` cannot be `user`'s at `now`.
pub(super) fn is_taken(
    connection: &Connection,
    handle: &str,
    user: UserId,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let query = "SELECT 1 FROM users WHERE handle = ?1 AND user <> ?2
        UNION ALL SELECT 1 FROM kept_handles WHERE handle = ?1 AND user <> ?2 AND until > ?3";
    connection.prepare_cached(query)?.exists(params![handle, user.0.as_bytes(), now.0])
}

pub(crate) fn block(
    connection: &Connection,
    user: UserId,
    other: UserId,
    at: Timestamp,
) -> rusqlite::Result<BlockSet> {
    let keys = [user.0.as_bytes(), other.0.as_bytes()];
    if connection.prepare_cached("SELECT 1 FROM blocks WHERE user = ? AND other = ?")?.exists(keys)? {
        return Ok(BlockSet::Set);
    }
    let query = "SELECT count(*) FROM blocks WHERE user = ?";
    let set: i64 = connection.prepare_cached(query)?.query_row([user.0.as_bytes()], |row| row.get(0))?;
    if set >= integer(BLOCKS_PER_USER as u64) {
        return Ok(BlockSet::TooMany);
    }
    let statement = "INSERT INTO blocks (user, other, at) VALUES (?, ?, ?)";
    connection.prepare_cached(statement)?.execute(params![keys[0], keys[1], at.0])?;
    Ok(BlockSet::Set)
}

pub(crate) fn unblock(connection: &Connection, user: UserId, other: UserId) -> rusqlite::Result<()> {
    let keys = [user.0.as_bytes(), other.0.as_bytes()];
    connection.prepare_cached("DELETE FROM blocks WHERE user = ? AND other = ?")?.execute(keys).map(drop)
}
