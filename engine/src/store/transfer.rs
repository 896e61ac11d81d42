//! The transfer port: everything a store keeps as records, out of one store and into another.
//!
//! It is apart from [`Store`](super::Store): who backs a store up or restores one asks for it. A record is
//! one logical thing, in words of the port and not of tables, so that the two stores may be of different
//! kinds. What a log implies is not told beside it: a log is read as batches, each of which is appended as it
//! was in the first place ([`Batch::append`]), so an importing store derives what it derives from any append.
//!
//! | module | what |
//! |---|---|
//! | `record` | what is transferred |
//! | `batch` | a piece of a log with what it implies |
//! | `reading` | a whole store, record by record, and in which order |

mod batch;
mod reading;
mod record;

pub use batch::{Asked, Batch, Implied};
pub use reading::{Reading, is_empty};
pub use record::{Part, Record};

use super::Answer;
use rookery_protocol::{Event, FileId, RoomId, Seq};
use uuid::Uuid;

/// Where a page ended, in the exporting store's own words; good for that store only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(pub Vec<u8>);

/// A piece of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What is in it; may be nothing before the end.
    pub items: Vec<T>,
    /// Where the next one goes on; `None` after the last.
    pub next: Option<Place>,
}

/// Reads all that a store keeps.
///
/// Listings are in an order of the store's own, and have each thing once. Whether all answers are of one
/// moment is the adapter's to say; where they are not, an answer is as new as what was durable when it was
/// asked for.
pub trait Export: std::fmt::Debug + Send + Sync {
    /// Returns at most `limit` records of `part`, from after `after`; none of [`Part::Logs`].
    ///
    /// What nobody finds any more may be left out, and what lasts for seconds is: tickets, and files that are
    /// garbage.
    fn rows(&self, part: Part, after: Option<Place>, limit: usize) -> Answer<'_, Page<Record>>;

    /// Returns at most `limit` of the rooms that have events, from after `after`.
    fn rooms(&self, after: Option<Place>, limit: usize) -> Answer<'_, Page<RoomId>>;

    /// Returns at most `limit` events of a room from after `after`, as [`Log::read`](super::Log::read) does;
    /// fewer only where the log ends.
    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>>;

    /// Returns what the store holds of what `asked` asks about, in any order; see [`Asked`].
    fn implied<'a>(&'a self, room: RoomId, asked: &'a Asked) -> Answer<'a, Vec<Implied>>;

    /// Returns the records of those of `files` that were not in the listing of [`Part::Files`] because they
    /// came after it; each once. `None` where one of them has gone meanwhile, so that whatever referred to it
    /// is to be read again.
    ///
    /// Nothing comes late where all answers are of one moment.
    fn late(&self, files: Vec<FileId>) -> Answer<'_, Option<Vec<Record>>> {
        drop(files);
        Box::pin(async { Ok(Some(Vec::new())) })
    }
}

/// How far a store has been filled, and from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The backup's name, which no other has.
    pub backup: Uuid,
    /// So much of it is in the store for certain, counted by whoever fills it; more may be.
    pub done: u64,
}

/// Fills a store that nobody else uses, and which was empty before.
pub trait Import: std::fmt::Debug + Send + Sync {
    /// Writes `records` in their order, then notes `progress`. `Ok` means that both are durable.
    ///
    /// A record that is there already changes nothing, so the same call may be sent again, also by another
    /// process that goes on from an earlier progress. A file comes before what refers to it, an invite before
    /// its uses, and the pieces of a log come in the order of its positions; nothing else has an order. No limit of the port is looked at: what was kept before is kept
    /// again.
    ///
    /// # Errors
    /// The three outcomes of [`StoreError`](super::StoreError); `Refused` also where a batch does not follow
    /// what the log holds, which no retry mends. Then some of the records may have been written.
    fn import<'a>(&'a self, records: &'a [Record], progress: Progress) -> Answer<'a, ()>;

    /// Returns what was noted last, unless the import has ended; `None` in a store that was never filled.
    fn importing(&self) -> Answer<'_, Option<Progress>>;

    /// Forgets the progress: the store is whole. Idempotent.
    fn end_import(&self) -> Answer<'_, ()>;
}
