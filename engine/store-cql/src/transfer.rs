//! The transfer port: everything out of the cluster, and into it.
//!
//! | module | what |
//! |---|---|
//! | `export` | listings: a table's keys page by page, in the order of their tokens, and what each of them names |
//! | `import` | records into the tables, each by the write that a server makes |
//! | `progress` | how far the keyspace has been filled |
//! | `source` | a store that is being written to meanwhile |
//!
//! There is no moment at which all tables are read. [`rookery_engine::store::Reading`] reads in an order in
//! which that does little harm, and `source` mends what is left.

mod export;
mod import;
mod progress;
mod source;

pub use source::CqlSource;

use crate::CqlStore;
use crate::cql::Cql;
use export::Scans;
use progress::ProgressStatements;
use rookery_engine::store::{Answer, Asked, Export, Implied, Import, Page, Part, Place, Progress, Record};
use rookery_protocol::{Event, RoomId, Seq};
use scylla::errors::PrepareError;

/// The statements.
#[derive(Debug)]
pub(crate) struct TransferStatements {
    scans: Scans,
    progress: ProgressStatements,
}

impl TransferStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self { scans: Scans::prepare(cql).await?, progress: ProgressStatements::prepare(cql).await? })
    }
}

impl Export for CqlStore {
    fn rows(&self, part: Part, after: Option<Place>, limit: usize) -> Answer<'_, Page<Record>> {
        Box::pin(export::rows(self, part, after, limit))
    }

    fn rooms(&self, after: Option<Place>, limit: usize) -> Answer<'_, Page<RoomId>> {
        Box::pin(export::rooms(self, after, limit))
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        Box::pin(self.events_to_the_end(room, after, limit))
    }

    fn implied<'a>(&'a self, room: RoomId, asked: &'a Asked) -> Answer<'a, Vec<Implied>> {
        Box::pin(export::implied(self, room, asked))
    }
}

impl Import for CqlStore {
    fn import<'a>(&'a self, records: &'a [Record], progress: Progress) -> Answer<'a, ()> {
        Box::pin(async move {
            import::write(self, records).await?;
            progress::note(self, progress).await
        })
    }

    fn importing(&self) -> Answer<'_, Option<Progress>> {
        Box::pin(progress::read(self))
    }

    fn end_import(&self) -> Answer<'_, ()> {
        Box::pin(progress::forget(self))
    }
}
