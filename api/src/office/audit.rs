//! The audit log: who did what to whom, when and why, and what came of it. It is only ever added to.
//!
//! A line is written before its deed, and what came of it is an entry of its own under the same id, so that a line
//! without one says that nobody knows: the process died, or the answer took too long.

use super::{Actor, Office};
use crate::docket::{self, Known};
use rookery_engine::store::{Book, StoreError};
use rookery_protocol::{ErrorCode, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

/// What came of a deed that was done.
const DONE: &str = "done";

/// What is about to be done.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// What, in a word.
    pub(crate) did: &'static str,
    /// To which user, room, message, report, job or server.
    pub(crate) whom: String,
    /// Why; empty where nobody has to say.
    pub(crate) reason: String,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    /// When.
    pub(crate) at: Timestamp,
    /// `operator`, the id of an admin of the server, or the address of whoever else could reach the listener.
    pub(crate) who: String,
    /// What.
    pub(crate) did: String,
    /// To whom.
    pub(crate) whom: String,
    /// Why.
    pub(crate) reason: String,
    /// `done`, or the code of the refusal; `None` where that is not known. Kept in a book of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
}

/// What came of a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outcome {
    outcome: String,
}

impl Office {
    /// Writes down what is about to be done, and returns the line's id: what cannot be written down is not done.
    pub(crate) async fn note(&self, actor: Actor, deed: Deed) -> Result<Uuid, StoreError> {
        let Deed { did, whom, reason } = deed;
        let (at, who, did) = (self.now(), actor.name(), did.to_owned());
        let (id, entry) = (self.new_id(), AuditEntry { at, who, did, whom, reason, outcome: None });
        docket::begin(self.store(), Book::Audit, id, &entry).await?;
        Ok(id)
    }

    /// Writes down what came of the line `id`: `None` where it was done. What cannot be is left unknown.
    pub(crate) async fn note_outcome(&self, id: Uuid, refused: Option<ErrorCode>) {
        let outcome = Outcome { outcome: refused.map_or(DONE, |code| code.as_str()).to_owned() };
        if let Err(error) = docket::begin(self.store(), Book::Outcomes, id, &outcome).await {
            tracing::warn!(%error, line = %id, outcome = outcome.outcome, "an outcome is not in the audit log");
        }
    }

    /// Returns at most `limit` lines from before `before`, the newest first.
    pub(crate) async fn audit(
        &self,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Known<AuditEntry>>, StoreError> {
        let mut lines = docket::page::<AuditEntry>(self.store(), Book::Audit, before, limit).await?;
        // Each is of a line, so that those of a page of lines are no more than they.
        let outcomes = docket::page::<Outcome>(self.store(), Book::Outcomes, before, limit).await?;
        let mut outcomes: HashMap<_, _> =
            outcomes.into_iter().map(|known| (known.id, known.what.outcome)).collect();
        for line in &mut lines {
            line.what.outcome = outcomes.remove(&line.id);
        }
        Ok(lines)
    }
}
