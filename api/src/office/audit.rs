//! The audit log: who did what to whom, when and why. It is only ever added to.

use super::{Actor, Office};
use crate::docket::{self, Known};
use rookery_engine::store::{Book, StoreError};
use rookery_protocol::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is about to be done.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// What, in a word.
    pub(crate) did: &'static str,
    /// To which user, room, message, report or job.
    pub(crate) whom: String,
    /// Why.
    pub(crate) reason: String,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    /// When.
    pub(crate) at: Timestamp,
    /// `operator`, or the id of an admin of the server.
    pub(crate) who: String,
    /// What.
    pub(crate) did: String,
    /// To whom.
    pub(crate) whom: String,
    /// Why.
    pub(crate) reason: String,
}

impl Office {
    /// Writes down what is about to be done: what cannot be written down is not done.
    pub(crate) async fn note(&self, actor: Actor, deed: Deed) -> Result<(), StoreError> {
        let Deed { did, whom, reason } = deed;
        let entry = AuditEntry { at: self.now(), who: actor.name(), did: did.to_owned(), whom, reason };
        docket::begin(self.store(), Book::Audit, self.new_id(), &entry).await.map(drop)
    }

    /// Returns at most `limit` lines from before `before`, the newest first.
    pub(crate) async fn audit(
        &self,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Known<AuditEntry>>, StoreError> {
        docket::page(self.store(), Book::Audit, before, limit).await
    }
}
