//! The search index: a file of its own, derived from the log by a thread of its own.
//!
//! The committer knows of it only that it rings a bell ([`Bell`]). The indexer reads the events that
//! came since in their order, and commits what follows from them together with its position, so
//! after a crash it goes on where it stood. A search first learns where the log ends, waits until the
//! indexer has passed that, and then reads the index on a thread of its own: it delays no page and
//! no commit.

mod bell;
mod find;
mod indexer;
mod open;

pub(crate) use bell::Bell;
pub use open::SearchStatus;
pub(crate) use open::{SearchOpened, open, status};

use crate::health::SharedHealth;
use crate::read::{self, Scope};
use crate::readers::ReadQueue;
use bell::Standing;
use crossbeam_channel::Sender;
use rookery_engine::search::{Hits, SearchError, SearchProgress, SearchQuery};
use rookery_engine::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a search waits for the indexer.
///
/// Twenty times what it usually takes: the indexer is woken at once, and a batch of it is below 100 ms.
const WAIT: Duration = Duration::from_secs(2);

/// The index as the store's methods use it.
#[derive(Debug)]
pub(crate) struct SearchIndex {
    bell: Arc<Bell>,
    finds: ReadQueue,
}

impl SearchIndex {
    pub(crate) fn new(bell: Arc<Bell>, finds: Sender<crate::readers::Read>) -> Self {
        // Of its own: a damaged index does not fail the store.
        Self { bell, finds: ReadQueue::new(finds, SharedHealth::new()) }
    }

    /// Searches; `reads` is the way to the store's readers.
    pub(crate) async fn search(&self, reads: &ReadQueue, query: SearchQuery) -> Result<Hits, SearchError> {
        let from = query.cursor.as_deref().map(find::parse_cursor).transpose()?;
        let (user, room) = (query.user, query.room);
        let scope = reads.read(move |connection| read::scope(connection, user, room)).await?;
        self.reached(&scope).await?;
        let found =
            self.finds.read(move |connection| Ok(find::run(connection, &query, &scope, from))).await?;
        if let Err(find::FindError::Index(error)) = &found {
            self.bell.failed(error);
        }
        found.map_err(SearchError::from)
    }

    /// Waits until everything is in the index that was in the log when `scope` was read.
    async fn reached(&self, scope: &Scope) -> Result<(), SearchError> {
        let mut standing = self.bell.standing();
        if !self.bell.want(scope.newest) {
            return Ok(());
        }
        let settled = |standing: &Standing| standing.position >= scope.newest || standing.damage.is_some();
        let standing = timeout(WAIT, standing.wait_for(settled)).await.map_err(|_| SearchError::Behind)?;
        let standing = standing.map_err(|_| SearchError::Behind)?;
        standing.damage.clone().map_or(Ok(()), |why| Err(StoreError::Refused(why).into()))
    }

    pub(crate) fn progress(&self) -> SearchProgress {
        let standing = self.bell.standing();
        let standing = standing.borrow();
        let behind = standing.newest.saturating_sub(standing.position);
        SearchProgress { indexed: standing.indexed, behind: u64::try_from(behind).unwrap_or(0) }
    }

    /// Lets the threads finish what they are at; where the store `has_failed`, nothing more is synced. Idempotent;
    /// dropping it does the same.
    pub(crate) fn close(&self, has_failed: bool) {
        self.bell.close(has_failed);
        self.finds.close();
    }
}

impl Drop for SearchIndex {
    fn drop(&mut self) {
        self.close(false);
    }
}
