//! The part of the store port about what administration keeps: entries in books, each with a number of its
//! revision. What an entry says is its writer's business; the store orders, compares and keeps.

use super::Answer;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A book of the docket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// What operators and admins of the server have done. Nothing in it is ever changed or taken out.
    Audit,
    /// What users have reported.
    Reports,
    /// What users may and may not as users of the server, by user id.
    Standings,
    /// Work that outlives a process.
    Jobs,
    /// On which days users were there, by user id.
    Activity,
    /// What happened on a day, by day and node.
    Days,
    /// What came of what stands in the audit log, by the id there. Nothing in it is ever changed or taken out.
    Outcomes,
}

impl Book {
    /// Every book, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Audit, Self::Reports, Self::Standings, Self::Jobs, Self::Activity, Self::Days, Self::Outcomes];

    /// Returns its number, as stores keep it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the book of a number.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Returns whether what is written stays as it is.
    pub const fn is_append_only(self) -> bool {
        matches!(self, Self::Audit | Self::Outcomes)
    }
}

/// An entry of a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// In which.
    pub book: Book,
    /// Which; a book is ordered by the bytes of its ids, which grow with time where that is to be told.
    pub id: Uuid,
    /// How often it was written: 1 for a new one.
    pub rev: u64,
    /// What it says: JSON of at most a few KiB.
    pub body: String,
}

/// The books of administration. Every write is a compare-and-set.
pub trait Docket {
    /// Writes an entry where the book has the one before it: none where `rev` is 1, else that of `rev` - 1.
    /// Returns whether it is there now, so that the same call sent again answers as the first time. In a book
    /// that is append-only no other than a first one is written.
    fn put_entry(&self, entry: Entry) -> Answer<'_, bool>;

    /// Returns an entry.
    fn entry(&self, book: Book, id: Uuid) -> Answer<'_, Option<Entry>>;

    /// Returns at most `limit` entries of a book with ids below `before`, the greatest id first.
    fn entries(&self, book: Book, before: Option<Uuid>, limit: usize) -> Answer<'_, Vec<Entry>>;

    /// Forgets an entry, unless its book is append-only; one that is not there is no matter.
    fn forget_entry(&self, book: Book, id: Uuid) -> Answer<'_, ()>;
}
