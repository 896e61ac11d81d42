//! The lock of whoever changes the schema: one conditional row that ends by itself.

use super::MigrateError;
use crate::options::CqlOptions;
use scylla::client::session::Session;
use scylla::value::{CqlValue, Row};
use std::time::Duration;
use uuid::Uuid;

/// Seconds that a lock is kept without being renewed: longer than one change of the schema takes, and
/// short enough to wait for when its holder has died.
const LEASE_SECONDS: i32 = 45;

/// How often a taken lock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The lock while it is held.
pub(super) struct Lock<'a> {
    session: &'a Session,
    table: String,
    holder: Uuid,
}

impl<'a> Lock<'a> {
    /// Takes the lock, waiting for another holder for as long as opening may wait and its lease lasts.
    pub(super) async fn take(session: &'a Session, options: &CqlOptions) -> Result<Self, MigrateError> {
        let holder = uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid();
        let lock = Self { session, table: format!("{}.migration_lock", options.keyspace), holder };
        let until = tokio::time::Instant::now() + options.wait;
        let mut is_told = false;
        while !lock.try_take().await? {
            if tokio::time::Instant::now() >= until {
                return Err(MigrateError::Locked(options.wait.as_secs()));
            }
            if !std::mem::replace(&mut is_told, true) {
                tracing::info!("another process migrates the schema; waiting for it");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(lock)
    }

    async fn try_take(&self) -> Result<bool, MigrateError> {
        let table = &self.table;
        let statement = format!(
            "INSERT INTO {table} (one, holder) VALUES (1, ?) IF NOT EXISTS USING TTL {LEASE_SECONDS}"
        );
        self.is_ours(&statement, (self.holder,)).await
    }

    /// Has the lease begin anew.
    ///
    /// # Errors
    /// When somebody else has it by now.
    pub(super) async fn renew(&self) -> Result<(), MigrateError> {
        let table = &self.table;
        let statement =
            format!("UPDATE {table} USING TTL {LEASE_SECONDS} SET holder = ? WHERE one = 1 IF holder = ?");
        if self.is_ours(&statement, (self.holder, self.holder)).await? {
            return Ok(());
        }
        Err(MigrateError::Locked(0))
    }

    /// Lets go of it. Where that fails the lease ends.
    pub(super) async fn release(self) {
        let statement = format!("DELETE FROM {} WHERE one = 1 IF holder = ?", self.table);
        if let Err(error) = self.session.query_unpaged(statement, (self.holder,)).await {
            tracing::warn!(%error, "the lock of the migrations is left to end by itself");
        }
    }

    /// Sends a conditional statement and returns whether the lock is this holder's then, by this statement
    /// or by one before whose answer was lost.
    async fn is_ours(
        &self,
        statement: &str,
        values: impl scylla::serialize::row::SerializeRow,
    ) -> Result<bool, MigrateError> {
        let result = self.session.query_unpaged(statement, values).await?;
        let failed = |error: &dyn std::error::Error| MigrateError::Answer(error.to_string());
        let result = result.into_rows_result().map_err(|error| failed(&error))?;
        let column = |name| result.column_specs().get_by_name(name).map(|(index, _)| index);
        let (applied, holder) = (column("[applied]"), column("holder"));
        let row: Row = result.first_row().map_err(|error| failed(&error))?;
        let value = |index: Option<usize>| row.columns.get(index?)?.as_ref();
        let is_applied = value(applied) == Some(&CqlValue::Boolean(true));
        Ok(is_applied || value(holder) == Some(&CqlValue::Uuid(self.holder)))
    }
}
