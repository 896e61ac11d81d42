//! The search port: what the engine asks of whatever finds messages by their words.
//!
//! It is a port beside [`crate::store::Store`], because an index is derived from the logs: it can be
//! lost, lag and be built anew without harm to what was acked. What a word is and what a query means
//! is decided here, once ([`normal`], [`Terms`]), so that every index finds the same. An index must
//! pass [`crate::contract::run_search`].

mod scan;
mod terms;
mod words;

pub use scan::ScanSearch;
pub use terms::{Phrase, Terms, TermsError};
pub use words::{normal, searchable};

use crate::store::{Answer, StoreError};
use rookery_protocol::{BodyKind, RoomId, Seq, Timestamp, UserId};
use std::fmt;

/// What is looked for, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// Who asks; only rooms that it is a member of now are searched, from its joining on.
    pub user: UserId,
    /// What for.
    pub terms: Terms,
    /// Only there.
    pub room: Option<RoomId>,
    /// Only by this user.
    pub from: Option<UserId>,
    /// Only messages written before then.
    pub before: Option<Timestamp>,
    /// Only of this kind, as the message is now.
    pub kind: Option<BodyKind>,
    /// At most so many hits; at least 1.
    pub limit: usize,
    /// [`Hits::next`] of the page before, with everything else unchanged.
    pub cursor: Option<String>,
}

/// Where a message is that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// In which room.
    pub room: RoomId,
    /// At which position.
    pub seq: Seq,
}

/// A page of hits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Newest first: descending by position within a room, and between rooms by about when they came.
    pub hits: Vec<Hit>,
    /// Where the next page begins. A page may be short, even empty, and have a next one: the work of
    /// one call is bounded. `None` is the end.
    pub next: Option<String>,
}

/// How an index stands behind the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchProgress {
    /// Events taken in since the start.
    pub indexed: u64,
    /// Events of the log that are not in the index yet, as last looked at.
    pub behind: u64,
}

/// Why a search found nothing out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The cursor is none that this index gave.
    #[error("go on from the cursor: this index gave no such one")]
    Cursor,
    /// So much matches that one search may not read it; fewer words or another room may do.
    #[error("read all that matches in one search")]
    TooWide,
    /// The index has not taken in everything that was acked, and waiting did not help; try again.
    #[error("catch up with the log in time")]
    Behind,
    /// The index or the store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds messages by their words.
pub trait Search: fmt::Debug + Send + Sync + 'static {
    /// Finds what matches all terms, among the messages that the user may read.
    ///
    /// It answers for everything that was acked before the call: a message is found by the text that
    /// it has then, an edited or deleted one never by an earlier text. Pages that follow one another
    /// by their cursors give no message twice and leave none out that was there at the first one,
    /// whatever is written meanwhile.
    ///
    /// # Errors
    /// [`SearchError`]; nothing is ever answered from an index that is behind.
    fn search(&self, query: SearchQuery) -> Answer<'_, Hits, SearchError>;

    /// Returns how the index stands. Costs nothing; never waits.
    fn progress(&self) -> SearchProgress;
}
