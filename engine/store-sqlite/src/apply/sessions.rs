//! Writing login sessions, refresh tokens and tickets, and forgetting what has ended.

use crate::columns::{id, limit, timestamp};
use crate::read;
use rookery_engine::store::{
    LoginSession, PURGE_ROWS, RefreshToken, Rotation, Ticket, TokenHash, may_repeat_rotation,
};
use rookery_protocol::{SessionId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(crate) fn begin_session(
    connection: &Connection,
    session: &LoginSession,
    token: RefreshToken,
) -> rusqlite::Result<()> {
    insert_session(connection, session)?;
    insert_token(connection, session.session, token)
}

/// Keeps a login session as it is; one that is there already stays.
pub(super) fn insert_session(connection: &Connection, session: &LoginSession) -> rusqlite::Result<()> {
    let statement =
        "INSERT INTO sessions (session, user, device, device_name, created_at, expires_at, revoked_at)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    connection.prepare_cached(statement)?.execute(params![
        session.session.0.as_bytes(),
        session.user.0.as_bytes(),
        session.device.as_ref().map(|device| device.0.as_bytes()),
        session.device_name,
        session.created_at.0,
        session.expires_at.0,
        session.revoked_at.map(|at| at.0),
    ])?;
    Ok(())
}

pub(crate) fn rotate(
    connection: &Connection,
    old: TokenHash,
    new: RefreshToken,
    now: Timestamp,
) -> rusqlite::Result<Rotation> {
    let Some(token) = token(connection, old)? else { return Ok(Rotation::Invalid) };
    let Some(session) = read::session(connection, token.session)? else { return Ok(Rotation::Invalid) };
    match token.replaced_by {
        Some(hash) if hash != new.hash => {
            let statement = "UPDATE sessions SET revoked_at = ifnull(revoked_at, ?) WHERE session = ?";
            let values = params![now.0, token.session.0.as_bytes()];
            connection.prepare_cached(statement)?.execute(values)?;
            return Ok(Rotation::Reused(token.session));
        }
        _ if !session.is_live(now) => return Ok(Rotation::Invalid),
        Some(_) if !may_repeat_rotation(token.spent_at, now) || is_spent(connection, new.hash)? => {
            revoke(connection, token.session, now)?;
            return Ok(Rotation::Reused(token.session));
        }
        Some(_) => {}
        None if token.expires_at <= now => return Ok(Rotation::Invalid),
        None => {
            let statement = "UPDATE refresh_tokens SET replaced_by = ?, spent_at = ? WHERE hash = ?";
            connection.prepare_cached(statement)?.execute(params![new.hash, now.0, old])?;
            insert_token(connection, token.session, new)?;
        }
    }
    Ok(Rotation::Rotated(session))
}

pub(crate) fn revoke(connection: &Connection, session: SessionId, now: Timestamp) -> rusqlite::Result<bool> {
    let Some(found) = read::session(connection, session)? else { return Ok(false) };
    if !found.is_live(now) {
        // The same call sent again finds its own moment.
        return Ok(found.revoked_at == Some(now));
    }
    let statement = "UPDATE sessions SET revoked_at = ? WHERE session = ?";
    connection.prepare_cached(statement)?.execute(params![now.0, session.0.as_bytes()])?;
    Ok(true)
}

pub(crate) fn put_ticket(connection: &Connection, ticket: Ticket) -> rusqlite::Result<()> {
    let statement =
        "INSERT INTO tickets (hash, user, session, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let (user, session) = (ticket.user.0.as_bytes(), ticket.session.0.as_bytes());
    let values = params![ticket.hash, user, session, ticket.expires_at.0];
    connection.prepare_cached(statement)?.execute(values)?;
    Ok(())
}

pub(crate) fn take_ticket(
    connection: &Connection,
    hash: TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<Ticket>> {
    let statement = "DELETE FROM tickets WHERE hash = ? RETURNING user, session, expires_at";
    let ticket = |row: &Row<'_>| {
        let (user, session) = (UserId(id(row, 0)?), SessionId(id(row, 1)?));
        Ok(Ticket { hash, user, session, expires_at: timestamp(row, 2)? })
    };
    let taken = connection.prepare_cached(statement)?.query_row([hash], ticket).optional()?;
    Ok(taken.filter(|ticket| now < ticket.expires_at))
}

pub(crate) fn purge(connection: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM tickets WHERE hash IN
            (SELECT hash FROM tickets WHERE expires_at < ? ORDER BY expires_at, hash LIMIT ?)",
        "DELETE FROM proofs WHERE hash IN
            (SELECT hash FROM proofs WHERE expires_at < ? ORDER BY expires_at, hash LIMIT ?)",
        "DELETE FROM refresh_tokens WHERE hash IN
            (SELECT hash FROM refresh_tokens WHERE expires_at < ? ORDER BY expires_at, hash LIMIT ?)",
        "DELETE FROM sessions WHERE session IN
            (SELECT session FROM sessions WHERE ends_at < ? ORDER BY ends_at, session LIMIT ?)",
        "DELETE FROM sign_ins WHERE key IN
            (SELECT key FROM sign_ins WHERE expires_at < ? ORDER BY expires_at, key LIMIT ?)",
    ] {
        connection.prepare_cached(statement)?.execute(params![before.0, limit(PURGE_ROWS)])?;
    }
    Ok(())
}

struct TokenRow {
    session: SessionId,
    expires_at: Timestamp,
    /// What it was spent for; a token without it is its session's current one.
    replaced_by: Option<TokenHash>,
    /// When; not known of one that came with a backup.
    spent_at: Option<Timestamp>,
}

fn token(connection: &Connection, hash: TokenHash) -> rusqlite::Result<Option<TokenRow>> {
    let query = "SELECT session, expires_at, replaced_by, spent_at FROM refresh_tokens WHERE hash = ?";
    let token = |row: &Row<'_>| {
        let session = SessionId(id(row, 0)?);
        let spent_at = row.get::<_, Option<i64>>(3)?.map(Timestamp);
        Ok(TokenRow { session, expires_at: timestamp(row, 1)?, replaced_by: row.get(2)?, spent_at })
    };
    connection.prepare_cached(query)?.query_row([hash], token).optional()
}

fn is_spent(connection: &Connection, hash: TokenHash) -> rusqlite::Result<bool> {
    Ok(token(connection, hash)?.is_some_and(|token| token.replaced_by.is_some()))
}

fn insert_token(connection: &Connection, session: SessionId, token: RefreshToken) -> rusqlite::Result<()> {
    let statement =
        "INSERT INTO refresh_tokens (hash, session, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    let values = params![token.hash, session.0.as_bytes(), token.expires_at.0];
    connection.prepare_cached(statement)?.execute(values)?;
    Ok(())
}
