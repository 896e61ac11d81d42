//! What administration keeps and what is left of a user: each method, handed to the committer or to a reader.

use super::SqliteStore;
use crate::{apply, read};
use rookery_engine::store::{Answer, Book, Docket, Entry, FileRecord, Traces};
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};
use uuid::Uuid;

impl Docket for SqliteStore {
    fn put_entry(&self, entry: Entry) -> Answer<'_, bool> {
        self.write(move |connection| apply::put_entry(connection, &entry))
    }

    fn entry(&self, book: Book, id: Uuid) -> Answer<'_, Option<Entry>> {
        self.reads.read(move |connection| read::entry(connection, book, id))
    }

    fn entries(&self, book: Book, before: Option<Uuid>, limit: usize) -> Answer<'_, Vec<Entry>> {
        self.reads.read(move |connection| read::entries(connection, book, before, limit))
    }

    fn forget_entry(&self, book: Book, id: Uuid) -> Answer<'_, ()> {
        self.write(move |connection| apply::forget_entry(connection, book, id))
    }
}

impl Traces for SqliteStore {
    fn rooms_ever(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Answer<'_, Vec<RoomId>> {
        self.reads.read(move |connection| read::rooms_ever(connection, user, after, limit))
    }

    fn files_of(&self, user: UserId, after: Option<FileId>, limit: usize) -> Answer<'_, Vec<FileRecord>> {
        self.reads.read(move |connection| read::files_of(connection, user, after, limit))
    }

    fn blocks_of(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<'_, Vec<(UserId, Timestamp)>> {
        self.reads.read(move |connection| read::blocks_of(connection, user, after, limit))
    }

    fn doom_file(&self, file: FileId) -> Answer<'_, ()> {
        self.write(move |connection| apply::doom_file(connection, file))
    }

    fn forget_traces<'a>(&'a self, user: UserId, _: &'a [String]) -> Answer<'a, ()> {
        self.write(move |connection| apply::forget_traces(connection, user))
    }
}
