//! The keyspace itself, and the tables that the runner of migrations needs before the first of them.

use super::MigrateError;
use crate::options::{CqlOptions, Replication};
use scylla::client::session::Session;
use scylla::deserialize::row::DeserializeRow;
use scylla::statement::Statement;
use std::fmt::Write;

/// A migration that was applied.
pub(super) struct Applied {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) sha256: String,
}

/// Makes the keyspace and the runner's own tables where they are absent.
pub(super) async fn make(session: &Session, options: &CqlOptions) -> Result<(), MigrateError> {
    let keyspace = &options.keyspace;
    let query = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
    if rows::<(String,)>(session, query, (keyspace,)).await?.is_empty() {
        let mut statement = format!("CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = ");
        statement.push_str(&replication(&options.replication));
        // Conditional writes are not for tablets (ScyllaDB 2025.3), and only ScyllaDB knows the word.
        let query =
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system' AND table_name = ?";
        if !rows::<(String,)>(session, query, ("scylla_local",)).await?.is_empty() {
            statement.push_str(" AND tablets = {'enabled': false}");
        }
        change(session, options, &statement).await?;
    }
    for (table, columns) in [
        ("migrations", "number int PRIMARY KEY, name text, sha256 text"),
        ("migration_lock", "one int PRIMARY KEY, holder uuid"),
        ("kept_options", "name text PRIMARY KEY, value text"),
    ] {
        if !has_table(session, options, table).await? {
            let statement = format!("CREATE TABLE IF NOT EXISTS {keyspace}.{table} ({columns})");
            change(session, options, &statement).await?;
        }
    }
    Ok(())
}

fn replication(replication: &Replication) -> String {
    match replication {
        Replication::Simple(copies) => {
            format!("{{'class': 'SimpleStrategy', 'replication_factor': {copies}}}")
        }
        Replication::ByDatacenter(datacenters) => {
            let mut text = "{'class': 'NetworkTopologyStrategy'".to_owned();
            for (datacenter, copies) in datacenters {
                // Writing to a string cannot fail; a name in quotes doubles its own.
                let _ = write!(text, ", '{}': {copies}", datacenter.replace('\'', "''"));
            }
            text + "}"
        }
    }
}

/// Changes the schema and waits until all nodes agree.
pub(super) async fn change(
    session: &Session,
    options: &CqlOptions,
    statement: &str,
) -> Result<(), MigrateError> {
    // A statement names its table without the keyspace, which is only known here.
    let keyspace = &options.keyspace;
    let statement = statement
        .replace("CREATE TABLE IF NOT EXISTS ", &format!("CREATE TABLE IF NOT EXISTS {keyspace}."))
        .replace("ALTER TABLE ", &format!("ALTER TABLE {keyspace}."))
        .replace(&format!("{keyspace}.{keyspace}."), &format!("{keyspace}."));
    // The driver waits for all nodes to agree on it.
    session.query_unpaged(statement, ()).await?;
    Ok(())
}

/// Returns what was applied; nothing where there is no keyspace yet.
pub(super) async fn applied(session: &Session, options: &CqlOptions) -> Result<Vec<Applied>, MigrateError> {
    if !has_table(session, options, "migrations").await? {
        return Ok(Vec::new());
    }
    let query = format!("SELECT number, name, sha256 FROM {}.migrations", options.keyspace);
    let rows = rows::<(i32, String, String)>(session, query, ()).await?;
    let applied = rows.into_iter().map(|(number, name, sha256)| Applied {
        number: u32::try_from(number).unwrap_or(0),
        name,
        sha256,
    });
    Ok(applied.collect())
}

/// Keeps the size of the log's buckets, or sees that it is the one that is kept.
pub(super) async fn keep_bucket_size(session: &Session, options: &CqlOptions) -> Result<(), MigrateError> {
    let table = format!("{}.kept_options", options.keyspace);
    let asked = options.bucket_size.to_string();
    let query = format!("SELECT value FROM {table} WHERE name = 'bucket_size'");
    if rows::<(String,)>(session, query.as_str(), ()).await?.is_empty() {
        let statement = format!("INSERT INTO {table} (name, value) VALUES ('bucket_size', ?) IF NOT EXISTS");
        session.query_unpaged(statement, (&asked,)).await?;
    }
    match rows::<(String,)>(session, query.as_str(), ()).await?.pop() {
        Some((kept,)) if kept == asked => Ok(()),
        kept => {
            let kept = kept.map_or_else(String::new, |(kept,)| kept);
            Err(MigrateError::BucketSize { asked: options.bucket_size, kept })
        }
    }
}

async fn has_table(session: &Session, options: &CqlOptions, table: &str) -> Result<bool, MigrateError> {
    let query = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
    Ok(!rows::<(String,)>(session, query, (&options.keyspace, table)).await?.is_empty())
}

/// Returns the rows that answer a query.
pub(crate) async fn rows<R>(
    session: &Session,
    query: impl Into<Statement>,
    values: impl scylla::serialize::row::SerializeRow,
) -> Result<Vec<R>, MigrateError>
where
    R: for<'frame> DeserializeRow<'frame, 'frame>,
{
    let result = session.query_unpaged(query, values).await?;
    let result = result.into_rows_result().map_err(|error| MigrateError::Answer(error.to_string()))?;
    let rows = result.rows::<R>().map_err(|error| MigrateError::Answer(error.to_string()))?;
    rows.collect::<Result<_, _>>().map_err(|error| MigrateError::Answer(error.to_string()))
}
