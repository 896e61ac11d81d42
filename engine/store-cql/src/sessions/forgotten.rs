//! What has ended: not seen any more from a mark on, and giving way to what has its key.

use super::SessionStatements;
use crate::CqlStore;
use crate::cql::{Conditional, Decided};
use crate::turns::Tries;
use rookery_engine::store::StoreError;
use rookery_protocol::Timestamp;
use scylla::serialize::value::SerializeValue;
use scylla::value::CqlValue;
use std::sync::atomic::{AtomicI64, Ordering};

impl CqlStore {
    /// Forgets what ended before `before`; its rows go when their time to live is over.
    pub(crate) async fn forget_logins(&self, before: Timestamp) -> Result<(), StoreError> {
        let forgotten = self.forgotten().await?;
        self.cql.write(&self.sessions.purge, (before.0,)).await?;
        forgotten.store(before.0, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) async fn is_forgotten(&self, end: Timestamp) -> Result<bool, StoreError> {
        Ok(end.0 < self.forgotten().await?.load(Ordering::Relaxed))
    }

    /// Returns whether a row was not written because one is in its place that is forgotten.
    pub(super) async fn gives_way(&self, decided: &Decided) -> Result<bool, StoreError> {
        if decided.applied {
            return Ok(false);
        }
        let moments = ["expires_at", "revoked_at"].map(|column| bigint(decided, column));
        let end = moments.into_iter().flatten().min().unwrap_or(i64::MAX);
        Ok(end < self.forgotten().await?.load(Ordering::Relaxed))
    }

    /// Deletes the row that a conditional write has found.
    pub(super) async fn make_way(
        &self,
        drop_row: &Conditional,
        key: &(impl SerializeValue + Sync),
        found: &Decided,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        let sent = self.cql.decide(drop_row, (key, bigint(found, "expires_at"))).await;
        tries.is_applied(sent).await.map(drop)
    }

    /// Returns the moment before which what has ended is forgotten.
    async fn forgotten(&self) -> Result<&AtomicI64, StoreError> {
        let SessionStatements { forgotten, purged, .. } = &self.sessions;
        forgotten
            .get_or_try_init(async || {
                let before = self.cql.row::<(i64,)>(purged, ()).await?;
                Ok(AtomicI64::new(before.map_or(i64::MIN, |(before,)| before)))
            })
            .await
    }
}

fn bigint(decided: &Decided, column: &str) -> Option<i64> {
    match decided.value(column) {
        Some(CqlValue::BigInt(value)) => Some(*value),
        _ => None,
    }
}
