//! The transfer port: pages from a reader, records to the committer.
//!
//! Each answer is of its own moment: a running store is exported by
//! [`SqliteSnapshot`](crate::SqliteSnapshot).

use super::SqliteStore;
use crate::{apply, read};
use rookery_engine::store::{Answer, Asked, Export, Implied, Import, Page, Part, Place, Progress, Record};
use rookery_protocol::{Event, RoomId, Seq};

impl Export for SqliteStore {
    fn rows(&self, part: Part, after: Option<Place>, limit: usize) -> Answer<'_, Page<Record>> {
        self.reads.read(move |connection| read::rows(connection, part, after.as_ref(), limit))
    }

    fn rooms(&self, after: Option<Place>, limit: usize) -> Answer<'_, Page<RoomId>> {
        self.reads.read(move |connection| read::rooms(connection, after.as_ref(), limit))
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        self.reads.read(move |connection| read::log(connection, room, after, limit))
    }

    fn implied<'a>(&'a self, room: RoomId, asked: &'a Asked) -> Answer<'a, Vec<Implied>> {
        let asked = asked.clone();
        self.reads.read(move |connection| read::implied(connection, room, &asked))
    }
}

impl Import for SqliteStore {
    fn import<'a>(&'a self, records: &'a [Record], progress: Progress) -> Answer<'a, ()> {
        Box::pin(async move {
            let incoming = apply::Incoming::encode(records, progress)?;
            self.writes.write(incoming.bytes(), move |database| incoming.apply(database)).await?
        })
    }

    fn importing(&self) -> Answer<'_, Option<Progress>> {
        self.reads.read(|connection| read::importing(connection))
    }

    fn end_import(&self) -> Answer<'_, ()> {
        self.write(apply::end_import)
    }
}
