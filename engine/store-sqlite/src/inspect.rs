//! Looking at a store without opening it for use: what `rookery doctor` asks.

use crate::migrate::{self, MIGRATIONS, MigrationStatus};
use crate::open::DATABASE_FILE;
use crate::search::{self, SearchStatus};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Why a store cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("read the database: {0}")]
pub struct InspectError(#[from] rusqlite::Error);

/// Returns how each migration stands in the store in `dir`, by number. A running server is not disturbed.
///
/// # Errors
/// When there is no database or it cannot be read.
pub fn migrations_status(dir: &Path) -> Result<Vec<MigrationStatus>, InspectError> {
    Ok(migrate::status(&connect(dir)?, MIGRATIONS)?)
}

/// Returns what SQLite's `quick_check` finds wrong in the store in `dir`; nothing when it is whole.
///
/// It reads every page, so it takes time; commits go on meanwhile, checkpoints are held up.
///
/// # Errors
/// When there is no database or it cannot be read.
pub fn quick_check(dir: &Path) -> Result<Vec<String>, InspectError> {
    let connection = connect(dir)?;
    let mut query = connection.prepare("PRAGMA quick_check")?;
    let found = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

/// Returns how the search index stands in the store in `dir`; `None` when there is none.
///
/// # Errors
/// When there is no database, or it or the index cannot be read; the next start makes an index anew that
/// cannot be read.
pub fn search_status(dir: &Path) -> Result<Option<SearchStatus>, InspectError> {
    Ok(search::status(dir, &connect(dir)?)?)
}

fn connect(dir: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(dir.join(DATABASE_FILE), flags)
}
