//! Writing invites and their uses.

use crate::columns::limit;
use rookery_engine::limits::{INVITE_KEPT_MS, INVITES_PER_ROOM};
use rookery_engine::store::{Invite, InviteCreated, InviteUsed, TokenHash};
use rookery_protocol::{RoomId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) fn create_invite(connection: &Connection, invite: &Invite) -> rusqlite::Result<InviteCreated> {
    if connection.prepare_cached("SELECT 1 FROM invites WHERE hash = ?")?.exists([invite.hash])? {
        return Ok(InviteCreated::Created);
    }
    forget(connection, invite.room, invite.created_at)?;
    let room = invite.room.0.as_bytes();
    let query = "SELECT count(*) FROM invites WHERE room = ? AND (uses IS NULL OR used < uses)";
    let good: i64 = connection.prepare_cached(query)?.query_row([room], |row| row.get(0))?;
    if good >= limit(INVITES_PER_ROOM) {
        return Ok(InviteCreated::TooMany);
    }
    let statement =
        "INSERT INTO invites (hash, room, by, created_at, expires_at, uses) VALUES (?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(statement)?.execute(params![
        invite.hash,
        room,
        invite.by.0.as_bytes(),
        invite.created_at.0,
        invite.expires_at.map(|at| at.0),
        invite.uses,
    ])?;
    Ok(InviteCreated::Created)
}

/// Forgets the invites of `room` that are of no use any more at `now`, with who used them.
fn forget(connection: &Connection, room: RoomId, now: Timestamp) -> rusqlite::Result<()> {
    const OVER: &str = "SELECT hash FROM invites WHERE room = ?1 AND
        (revoked_at IS NOT NULL OR expires_at <= ?2 OR (used >= uses AND used_at <= ?3))";
    let values = params![room.0.as_bytes(), now.0, now.plus_millis(-INVITE_KEPT_MS).0];
    for table in ["invite_uses", "invites"] {
        let statement = format!("DELETE FROM {table} WHERE hash IN ({OVER})");
        connection.prepare_cached(&statement)?.execute(values)?;
    }
    Ok(())
}

pub(crate) fn revoke_invite(
    connection: &Connection,
    room: RoomId,
    hash: TokenHash,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let statement = "UPDATE invites SET revoked_at = ifnull(revoked_at, ?) WHERE hash = ? AND room = ?";
    let values = params![at.0, hash, room.0.as_bytes()];
    Ok(connection.prepare_cached(statement)?.execute(values)? > 0)
}

pub(crate) fn use_invite(
    connection: &Connection,
    hash: TokenHash,
    user: UserId,
    at: Timestamp,
) -> rusqlite::Result<InviteUsed> {
    let query = "SELECT revoked_at IS NOT NULL, ifnull(expires_at <= ?, 0), ifnull(used >= uses, 0)
        FROM invites WHERE hash = ?";
    let state = connection
        .prepare_cached(query)?
        .query_row(params![at.0, hash], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((is_revoked, has_expired, is_used_up)) = state else { return Ok(InviteUsed::Unknown) };
    if is_revoked {
        return Ok(InviteUsed::Revoked);
    }
    if has_expired {
        return Ok(InviteUsed::Expired);
    }
    let keys = params![hash, user.0.as_bytes()];
    if connection.prepare_cached("SELECT 1 FROM invite_uses WHERE hash = ? AND user = ?")?.exists(keys)? {
        return Ok(InviteUsed::Used);
    }
    if is_used_up {
        return Ok(InviteUsed::Exhausted);
    }
    connection.prepare_cached("INSERT INTO invite_uses (hash, user) VALUES (?, ?)")?.execute(keys)?;
    let statement = "UPDATE invites SET used = used + 1, used_at = ? WHERE hash = ?";
    connection.prepare_cached(statement)?.execute(params![at.0, hash])?;
    Ok(InviteUsed::Used)
}
