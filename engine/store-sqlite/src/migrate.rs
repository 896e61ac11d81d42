//! The schema's versions: numbered SQL files, each applied once, in order, in a transaction of its own.
//!
//! What was applied is kept with its checksum. A file that differs from what was applied, or a
//! database with a migration that this version does not have, is refused: nothing is guessed.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::fmt::Write;

/// One file of `schemas/sqlite/`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// Every migration, numbered from 1 without a gap.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "start", sql: include_str!("../../../schemas/sqlite/0001_start.sql") },
    Migration { number: 2, name: "chat", sql: include_str!("../../../schemas/sqlite/0002_chat.sql") },
    Migration { number: 3, name: "people", sql: include_str!("../../../schemas/sqlite/0003_people.sql") },
    Migration { number: 4, name: "presence", sql: include_str!("../../../schemas/sqlite/0004_presence.sql") },
    Migration { number: 5, name: "files", sql: include_str!("../../../schemas/sqlite/0005_files.sql") },
    Migration { number: 6, name: "import", sql: include_str!("../../../schemas/sqlite/0006_import.sql") },
    Migration { number: 7, name: "accounts", sql: include_str!("../../../schemas/sqlite/0007_accounts.sql") },
    Migration { number: 8, name: "sign_ins", sql: include_str!("../../../schemas/sqlite/0008_sign_ins.sql") },
    Migration { number: 9, name: "docket", sql: include_str!("../../../schemas/sqlite/0009_docket.sql") },
];

/// Why a database's schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration was changed after it had been applied here.
    #[error("use the schema: migration {number} ({name}) differs from the one that was applied")]
    Changed {
        /// Which.
        number: u32,
        /// Its name here.
        name: &'static str,
    },
    /// The database was made by a newer version.
    #[error("use the schema: the database has migration {number} ({name}), which this version does not know")]
    Newer {
        /// Which.
        number: u32,
        /// Its name in the database.
        name: String,
    },
    /// An applied migration of a number that this version should know is gone from the database.
    #[error("use the schema: migration {number} is missing from the database, which has later ones")]
    Missing {
        /// Which.
        number: u32,
    },
    /// SQLite did not apply it.
    #[error("migrate the schema: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Where one migration stands in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: MigrationState,
}

/// How a migration stands in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// It is applied, unchanged.
    Applied {
        /// When, in milliseconds since the Unix epoch.
        at: i64,
    },
    /// The next start applies it.
    Pending,
    /// It is applied, but this version has other text under its number.
    Changed,
    /// It is applied, but this version does not know it.
    Unknown,
}

/// Brings the schema up to date.
pub(crate) fn run(connection: &mut Connection, known: &[Migration]) -> Result<(), MigrateError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            applied_at INTEGER NOT NULL
        ) STRICT",
    )?;
    let applied = applied(connection)?;
    for (row, number) in applied.iter().zip(1..) {
        if row.number != number {
            return Err(MigrateError::Missing { number });
        }
        let Some(migration) = known.iter().find(|migration| migration.number == number) else {
            return Err(MigrateError::Newer { number, name: row.name.clone() });
        };
        if row.sha256 != checksum(migration) {
            return Err(MigrateError::Changed { number, name: migration.name });
        }
    }
    for migration in known.iter().skip(applied.len()) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration.sql)?;
        transaction.execute(
            "INSERT INTO migrations (number, name, sha256, applied_at)
             VALUES (?, ?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
            params![migration.number, migration.name, checksum(migration)],
        )?;
        transaction.commit()?;
        tracing::info!(number = migration.number, name = migration.name, "applied a migration");
    }
    Ok(())
}

/// Returns how every migration stands that this version or the database knows, by number.
pub(crate) fn status(connection: &Connection, known: &[Migration]) -> rusqlite::Result<Vec<MigrationStatus>> {
    let query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'";
    let has_any = connection.query_row(query, [], |_| Ok(())).optional()?.is_some();
    let applied = if has_any { applied(connection)? } else { Vec::new() };
    let is_known = |row: &Applied| known.iter().any(|migration| migration.number == row.number);
    let unknown = applied.iter().filter(|row| !is_known(row)).map(|row| MigrationStatus {
        number: row.number,
        name: row.name.clone(),
        state: MigrationState::Unknown,
    });
    let mut status: Vec<_> =
        known.iter().map(|migration| stand(*migration, &applied)).chain(unknown).collect();
    status.sort_by_key(|status| status.number);
    Ok(status)
}

fn stand(migration: Migration, applied: &[Applied]) -> MigrationStatus {
    let state = match applied.iter().find(|row| row.number == migration.number) {
        None => MigrationState::Pending,
        Some(row) if row.sha256 == checksum(&migration) => MigrationState::Applied { at: row.at },
        Some(_) => MigrationState::Changed,
    };
    MigrationStatus { number: migration.number, name: migration.name.to_owned(), state }
}

#[derive(Debug)]
struct Applied {
    number: u32,
    name: String,
    sha256: String,
    at: i64,
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    let mut query =
        connection.prepare("SELECT number, name, sha256, applied_at FROM migrations ORDER BY number")?;
    let rows = query.query_map([], |row| {
        Ok(Applied { number: row.get(0)?, name: row.get(1)?, sha256: row.get(2)?, at: row.get(3)? })
    })?;
    rows.collect()
}

/// Returns the SHA-256 of a migration's text in lower-case hexadecimal.
fn checksum(migration: &Migration) -> String {
    digest(&SHA256, migration.sql.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod from_start;

#[cfg(test)]
mod tests {
    use super::*;

    const A: Migration = Migration { number: 1, name: "a", sql: "CREATE TABLE a (x)" };
    const B: Migration =
        Migration { number: 2, name: "b", sql: "CREATE TABLE b (x); INSERT INTO b VALUES (1)" };
    const C: Migration = Migration { number: 3, name: "c", sql: "CREATE TABLE c (x); CREATE TABLE b (x)" };

    fn database(applied: &[Migration]) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, applied).unwrap();
        connection
    }

    fn states(connection: &Connection, known: &[Migration]) -> Vec<(u32, &'static str)> {
        let state = |status: MigrationStatus| match status.state {
            MigrationState::Applied { .. } => "applied",
            MigrationState::Pending => "pending",
            MigrationState::Changed => "changed",
            MigrationState::Unknown => "unknown",
        };
        status(connection, known).unwrap().into_iter().map(|status| (status.number, state(status))).collect()
    }

    #[test]
    fn each_migration_is_applied_once_in_order() {
        let mut connection = database(&[A]);
        assert_eq!(states(&connection, &[A, B]), [(1, "applied"), (2, "pending")]);
        for _ in 0..2 {
            run(&mut connection, &[A, B]).unwrap();
        }
        assert_eq!(states(&connection, &[A, B]), [(1, "applied"), (2, "applied")]);
        assert_eq!(connection.query_row("SELECT count(*) FROM b", [], |row| row.get(0)), Ok(1));
    }

    #[test]
    fn a_changed_migration_is_refused() {
        let mut connection = database(&[A]);
        let changed = Migration { sql: "CREATE TABLE a (x, y)", ..A };
        let error = run(&mut connection, &[changed, B]).unwrap_err();
        assert!(matches!(error, MigrateError::Changed { number: 1, name: "a" }), "{error}");
        assert_eq!(
            states(&connection, &[changed, B]),
            [(1, "changed"), (2, "pending")],
            "nothing was applied"
        );
    }

    #[test]
    fn a_newer_database_is_refused() {
        let mut connection = database(&[A, B]);
        let error = run(&mut connection, &[A]).unwrap_err();
        assert!(matches!(&error, MigrateError::Newer { number: 2, name } if name == "b"), "{error}");
        assert_eq!(states(&connection, &[A]), [(1, "applied"), (2, "unknown")]);
    }

    #[test]
    fn a_database_that_lacks_an_earlier_migration_is_refused() {
        let mut connection = database(&[A, B]);
        connection.execute("DELETE FROM migrations WHERE number = 1", []).unwrap();
        let error = run(&mut connection, &[A, B]).unwrap_err();
        assert!(matches!(error, MigrateError::Missing { number: 1 }), "{error}");
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_of_itself() {
        let mut connection = database(&[A, B]);
        let error = run(&mut connection, &[A, B, C]).unwrap_err();
        assert!(matches!(error, MigrateError::Database(_)), "{error}");
        assert_eq!(states(&connection, &[A, B, C]), [(1, "applied"), (2, "applied"), (3, "pending")]);
        assert!(connection.prepare("SELECT * FROM c").is_err());
    }
}
