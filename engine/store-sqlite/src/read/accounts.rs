//! Reading accounts and login sessions.

use crate::columns::{id, limit, optional_id, timestamp};
use rookery_engine::store::{Account, LoginSession, Mail};
use rookery_protocol::{DeviceId, SessionId, Timestamp, User, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(crate) fn account_by_email(connection: &Connection, email: &str) -> rusqlite::Result<Option<Account>> {
    let query = "SELECT user, handle, name, avatar, about, email, password, created_at, confirmed_at
        FROM users WHERE email = ?";
    connection.prepare_cached(query)?.query_row([email], account_in).optional()
}

pub(crate) fn account(connection: &Connection, user: UserId) -> rusqlite::Result<Option<Account>> {
    let query = "SELECT user, handle, name, avatar, about, email, password, created_at, confirmed_at
        FROM users WHERE user = ?";
    connection.prepare_cached(query)?.query_row([user.0.as_bytes()], account_in).optional()
}

pub(crate) fn sessions_of(
    connection: &Connection,
    user: UserId,
    now: Timestamp,
    most: usize,
) -> rusqlite::Result<Vec<LoginSession>> {
    let query = "SELECT session, user, device, device_name, created_at, expires_at, revoked_at
        FROM sessions WHERE user = ? AND revoked_at IS NULL AND expires_at > ?
        ORDER BY created_at DESC, session DESC LIMIT ?";
    let values = params![user.0.as_bytes(), now.0, limit(most)];
    connection.prepare_cached(query)?.query_map(values, session_in)?.collect()
}

pub(crate) fn mails_due(connection: &Connection, now: Timestamp, most: usize) -> rusqlite::Result<Vec<Mail>> {
    let query = "SELECT id, due_at, tries, letter FROM mails WHERE due_at <= ? ORDER BY due_at, id LIMIT ?";
    let mail = |row: &Row<'_>| {
        let (tries, letter) = (row.get(2)?, row.get(3)?);
        Ok(Mail { id: id(row, 0)?, due_at: timestamp(row, 1)?, tries, letter })
    };
    connection.prepare_cached(query)?.query_map(params![now.0, limit(most)], mail)?.collect()
}

pub(crate) fn users(snapshot: &Connection, mut ids: Vec<UserId>) -> rusqlite::Result<Vec<User>> {
    ids.sort_unstable();
    ids.dedup();
    let mut query =
        snapshot.prepare_cached("SELECT user, handle, name, avatar, about FROM users WHERE user = ?")?;
    let found = ids.iter().map(|id| query.query_row([id.0.as_bytes()], user_in).optional());
    found.filter_map(Result::transpose).collect()
}

pub(crate) fn session(connection: &Connection, session: SessionId) -> rusqlite::Result<Option<LoginSession>> {
    let query = "SELECT session, user, device, device_name, created_at, expires_at, revoked_at
        FROM sessions WHERE session = ?";
    connection.prepare_cached(query)?.query_row([session.0.as_bytes()], session_in).optional()
}

/// Returns the session in the columns `session, user, device, device_name, created_at, expires_at,
/// revoked_at`.
pub(super) fn session_in(row: &Row<'_>) -> rusqlite::Result<LoginSession> {
    Ok(LoginSession {
        session: SessionId(id(row, 0)?),
        user: UserId(id(row, 1)?),
        device: optional_id(row, 2)?.map(DeviceId),
        device_name: row.get(3)?,
        created_at: timestamp(row, 4)?,
        expires_at: timestamp(row, 5)?,
        revoked_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}

/// Returns the account in the columns `user, handle, name, avatar, about, email, password, created_at,
/// confirmed_at`.
pub(super) fn account_in(row: &Row<'_>) -> rusqlite::Result<Account> {
    let (email, password) = (row.get(5)?, row.get(6)?);
    let confirmed_at = row.get::<_, Option<i64>>(8)?.map(Timestamp);
    Ok(Account { user: user_in(row)?, email, password, created_at: timestamp(row, 7)?, confirmed_at })
}

/// Returns the user in the columns `user, handle, name, avatar, about`.
pub(super) fn user_in(row: &Row<'_>) -> rusqlite::Result<User> {
    let id = UserId(id(row, 0)?);
    Ok(User { id, handle: row.get(1)?, name: row.get(2)?, avatar: row.get(3)?, about: row.get(4)? })
}
