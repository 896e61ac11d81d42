//! The schema's versions: numbered CQL files, each applied once, in order, by one runner at a time.
//!
//! What was applied is kept with its checksum. A file that differs from what was applied, or a keyspace
//! with a migration that this version does not have, is refused: nothing is guessed. A server has no
//! transaction around changes of a schema, so every statement of a file may be applied again (`IF NOT
//! EXISTS`), and a runner that was interrupted is continued by the next one from the start of the file.

mod keyspace;
mod lock;

use crate::connect;
use crate::options::{CqlOptions, OpenError};
use aws_lc_rs::digest::{SHA256, digest};
pub(crate) use keyspace::rows;
use lock::Lock;
use scylla::client::session::Session;
use scylla::errors::ExecutionError;
use std::fmt::Write;

/// One file of `schemas/cql/`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) cql: &'static str,
}

/// Every migration, numbered from 1 without a gap.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "start", cql: include_str!("../../../schemas/cql/0001_start.cql") },
    Migration { number: 2, name: "people", cql: include_str!("../../../schemas/cql/0002_people.cql") },
    Migration { number: 3, name: "import", cql: include_str!("../../../schemas/cql/0003_import.cql") },
    Migration { number: 4, name: "accounts", cql: include_str!("../../../schemas/cql/0004_accounts.cql") },
    Migration { number: 5, name: "sign_ins", cql: include_str!("../../../schemas/cql/0005_sign_ins.cql") },
    Migration { number: 6, name: "docket", cql: include_str!("../../../schemas/cql/0006_docket.cql") },
];

/// Why a keyspace's schema cannot be used.
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
    /// The keyspace was made by a newer version.
    #[error("use the schema: the keyspace has migration {number} ({name}), which this version does not know")]
    Newer {
        /// Which.
        number: u32,
        /// Its name in the keyspace.
        name: String,
    },
    /// An applied migration of a number that this version should know is gone from the keyspace.
    #[error("use the schema: migration {number} is missing from the keyspace, which has later ones")]
    Missing {
        /// Which.
        number: u32,
    },
    /// Somebody else is at it, and was not done in time.
    #[error("migrate the schema: another process is at it and has not finished within {0} s")]
    Locked(u64),
    /// The log was begun with buckets of another size.
    #[error("use the bucket size {asked}: the keyspace was made with {kept}, which holds for ever")]
    BucketSize {
        /// What was asked for.
        asked: u64,
        /// What the keyspace has.
        kept: String,
    },
    /// The server did not apply it, or cannot say.
    #[error("migrate the schema: {0}")]
    Server(#[from] Box<ExecutionError>),
    /// The server's answer is none that is understood.
    #[error("read the schema: {0}")]
    Answer(String),
}

impl From<ExecutionError> for MigrateError {
    fn from(error: ExecutionError) -> Self {
        Self::Server(Box::new(error))
    }
}

/// Where one migration stands in a keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: MigrationState,
}

/// How a migration stands in a keyspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// It is applied, unchanged.
    Applied,
    /// The next start applies it.
    Pending,
    /// It is applied, but this version has other text under its number.
    Changed,
    /// It is applied, but this version does not know it.
    Unknown,
}

/// Makes the keyspace where it is absent and brings its schema up to date; with `dry_run` it only looks.
/// Returns how each migration stood before, by number.
///
/// # Errors
/// [`OpenError`]; some of the migrations may have been applied then, and the next run goes on.
pub async fn migrate(options: &CqlOptions, dry_run: bool) -> Result<Vec<MigrationStatus>, OpenError> {
    let session = connect::for_schema(options).await?;
    if dry_run {
        return Ok(look(&session, options).await?);
    }
    Ok(run(&session, options, MIGRATIONS).await?)
}

/// Returns how each migration stands, by number.
pub(crate) async fn look(
    session: &Session,
    options: &CqlOptions,
) -> Result<Vec<MigrationStatus>, MigrateError> {
    status(session, options, MIGRATIONS).await
}

/// Brings the schema up to date. Returns how each migration stood before.
pub(crate) async fn run(
    session: &Session,
    options: &CqlOptions,
    known: &[Migration],
) -> Result<Vec<MigrationStatus>, MigrateError> {
    let before = status(session, options, known).await?;
    check(&before, known)?;
    let is_pending = |status: &MigrationStatus| status.state == MigrationState::Pending;
    if before.iter().any(is_pending) {
        keyspace::make(session, options).await?;
        let lock = Lock::take(session, options).await?;
        let applied = apply(session, options, known, &lock).await;
        lock.release().await;
        applied?;
    }
    keyspace::keep_bucket_size(session, options).await?;
    Ok(before)
}

/// Returns whether there is a keyspace with a schema.
///
/// # Errors
/// [`MigrateError`]; also when the schema is not exactly this version's.
pub(crate) async fn is_whole(
    session: &Session,
    options: &CqlOptions,
    known: &[Migration],
) -> Result<bool, OpenError> {
    let status = status(session, options, known).await?;
    check(&status, known)?;
    let mut pending = status.iter().filter(|status| status.state == MigrationState::Pending);
    match pending.next() {
        None => {
            keyspace::keep_bucket_size(session, options).await?;
            Ok(true)
        }
        Some(_) if status.iter().all(|status| status.state == MigrationState::Pending) => Ok(false),
        Some(MigrationStatus { number, name, .. }) => {
            Err(OpenError::Outdated { number: *number, name: name.clone() })
        }
    }
}

async fn apply(
    session: &Session,
    options: &CqlOptions,
    known: &[Migration],
    lock: &Lock<'_>,
) -> Result<(), MigrateError> {
    // Whoever had the lock before may have applied some of it.
    let status = status(session, options, known).await?;
    check(&status, known)?;
    for migration in known {
        let is_this = |status: &&MigrationStatus| status.number == migration.number;
        if status.iter().find(is_this).is_some_and(|status| status.state == MigrationState::Applied) {
            continue;
        }
        for statement in statements(migration.cql) {
            lock.renew().await?;
            keyspace::change(session, options, &statement).await?;
        }
        let text =
            format!("INSERT INTO {}.migrations (number, name, sha256) VALUES (?, ?, ?)", options.keyspace);
        let number = i32::try_from(migration.number).unwrap_or(i32::MAX);
        session.query_unpaged(text, (number, migration.name, checksum(migration))).await?;
        tracing::info!(number = migration.number, name = migration.name, "applied a migration");
    }
    Ok(())
}

/// Returns how every migration stands that this version or the keyspace knows, by number.
async fn status(
    session: &Session,
    options: &CqlOptions,
    known: &[Migration],
) -> Result<Vec<MigrationStatus>, MigrateError> {
    let applied = keyspace::applied(session, options).await?;
    let mut status: Vec<_> = known.iter().map(|migration| stand(migration, &applied)).collect();
    let is_known = |row: &&keyspace::Applied| known.iter().all(|migration| migration.number != row.number);
    status.extend(applied.iter().filter(is_known).map(|row| MigrationStatus {
        number: row.number,
        name: row.name.clone(),
        state: MigrationState::Unknown,
    }));
    status.sort_by_key(|status| status.number);
    Ok(status)
}

fn stand(migration: &Migration, applied: &[keyspace::Applied]) -> MigrationStatus {
    let state = match applied.iter().find(|row| row.number == migration.number) {
        None => MigrationState::Pending,
        Some(row) if row.sha256 == checksum(migration) => MigrationState::Applied,
        Some(_) => MigrationState::Changed,
    };
    MigrationStatus { number: migration.number, name: migration.name.to_owned(), state }
}

/// Checks that what is applied is the beginning of what is known.
fn check(status: &[MigrationStatus], known: &[Migration]) -> Result<(), MigrateError> {
    let mut pending = None;
    for MigrationStatus { number, name, state } in status {
        match state {
            MigrationState::Unknown => {
                return Err(MigrateError::Newer { number: *number, name: name.clone() });
            }
            MigrationState::Changed => {
                let name = known.iter().find(|migration| migration.number == *number);
                let name = name.map_or("", |migration| migration.name);
                return Err(MigrateError::Changed { number: *number, name });
            }
            MigrationState::Pending => pending = pending.or(Some(*number)),
            MigrationState::Applied => {
                if let Some(number) = pending {
                    return Err(MigrateError::Missing { number });
                }
            }
        }
    }
    Ok(())
}

/// Returns the statements of a file: what is between semicolons, without comments. Our files have neither
/// in a string.
fn statements(cql: &str) -> Vec<String> {
    let without_comments: Vec<_> = cql.lines().map(|line| line.split("--").next().unwrap_or("")).collect();
    let statements = without_comments.join("\n");
    let statements = statements.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    statements.map(str::to_owned).collect()
}

/// Returns the SHA-256 of a migration's text in lower-case hexadecimal.
fn checksum(migration: &Migration) -> String {
    digest(&SHA256, migration.cql.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_statements_without_comments() {
        let cql = "-- One; with a semicolon.\nCREATE TABLE a (\n    x int -- of x\n);\n\n-- Two.\nCREATE TABLE b (y int);\n";
        let statements: Vec<String> = statements(cql)
            .iter()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(statements, ["CREATE TABLE a ( x int )", "CREATE TABLE b (y int)"]);
    }

    #[test]
    fn every_statement_may_be_applied_again() {
        for (migration, number) in MIGRATIONS.iter().zip(1..) {
            assert_eq!(migration.number, number);
            for statement in statements(migration.cql) {
                assert!(
                    statement.starts_with("CREATE TABLE IF NOT EXISTS "),
                    "{}: {statement}",
                    migration.name
                );
            }
        }
    }
}
