//! Writing accounts.

use super::people::is_taken;
use rookery_engine::store::{Account, AccountCreated};
use rookery_protocol::UserId;
use rusqlite::{Connection, OptionalExtension, ToSql, params};

pub(crate) fn create_account(connection: &Connection, account: &Account) -> rusqlite::Result<AccountCreated> {
    let Account { user, email, created_at, .. } = account;
    if exists(connection, "SELECT 1 FROM users WHERE user = ?", &user.id.0.as_bytes())? {
        return Ok(AccountCreated::Created);
    }
    if is_taken(connection, &user.handle, user.id, *created_at)? {
        return Ok(AccountCreated::HandleTaken);
    }
    if exists(connection, "SELECT 1 FROM users WHERE email = ?", email)? {
        return Ok(AccountCreated::EmailTaken);
    }
    insert(connection, account)?;
    Ok(AccountCreated::Created)
}

/// Keeps an account as it is; one that is there already stays.
pub(super) fn insert(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let Account { user, email, password, created_at, confirmed_at } = account;
    let statement = "INSERT INTO users
        (user, handle, name, avatar, about, email, password, created_at, confirmed_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user) DO NOTHING";
    connection.prepare_cached(statement)?.execute(params![
        user.id.0.as_bytes(),
        user.handle,
        user.name,
        user.avatar,
        user.about,
        email,
        password,
        created_at.0,
        confirmed_at.map(|at| at.0),
    ])?;
    Ok(())
}

pub(crate) fn replace_password(
    connection: &Connection,
    user: UserId,
    old: &str,
    new: &str,
) -> rusqlite::Result<bool> {
    let user = user.0.as_bytes();
    let query = "SELECT password FROM users WHERE user = ?";
    let current =
        connection.prepare_cached(query)?.query_row([user], |row| row.get::<_, String>(0)).optional()?;
    let Some(current) = current else { return Ok(false) };
    if current == old {
        let statement = "UPDATE users SET password = ? WHERE user = ?";
        connection.prepare_cached(statement)?.execute(params![new, user])?;
    }
    Ok(current == old || current == new)
}

fn exists(connection: &Connection, query: &str, key: &dyn ToSql) -> rusqlite::Result<bool> {
    connection.prepare_cached(query)?.exists([key])
}
