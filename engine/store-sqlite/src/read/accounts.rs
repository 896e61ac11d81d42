//! Reading accounts and login sessions.

use crate::columns::{id, optional_id, timestamp};
use rookery_engine::store::{Account, LoginSession};
use rookery_protocol::{DeviceId, SessionId, Timestamp, User, UserId};
use rusqlite::{Connection, OptionalExtension, Row};

pub(crate) fn account_by_email(connection: &Connection, email: &str) -> rusqlite::Result<Option<Account>> {
    let query =
        "SELECT user, handle, name, avatar, about, email, password, created_at FROM users WHERE email = ?";
    connection.prepare_cached(query)?.query_row([email], account_in).optional()
}

pub(crate) fn users(connection: &mut Connection, mut ids: Vec<UserId>) -> rusqlite::Result<Vec<User>> {
    ids.sort_unstable();
    ids.dedup();
    let snapshot = connection.transaction()?;
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

/// Returns the account in the columns `user, handle, name, avatar, about, email, password, created_at`.
pub(super) fn account_in(row: &Row<'_>) -> rusqlite::Result<Account> {
    let (email, password) = (row.get(5)?, row.get(6)?);
    Ok(Account { user: user_in(row)?, email, password, created_at: timestamp(row, 7)? })
}

/// Returns the user in the columns `user, handle, name, avatar, about`.
pub(super) fn user_in(row: &Row<'_>) -> rusqlite::Result<User> {
    let id = UserId(id(row, 0)?);
    Ok(User { id, handle: row.get(1)?, name: row.get(2)?, avatar: row.get(3)?, about: row.get(4)? })
}
