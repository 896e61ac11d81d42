//! Calls on what administration keeps and on what is left of a user, counted.

use super::MeteredStore;
use crate::metrics::StoreCall;
use crate::store::{Answer, Book, Docket, Entry, FileRecord, Traces};
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};
use uuid::Uuid;

impl Docket for MeteredStore {
    fn put_entry(&self, entry: Entry) -> Answer<'_, bool> {
        self.count(StoreCall::PutEntry, self.inner.put_entry(entry))
    }

    fn entry(&self, book: Book, id: Uuid) -> Answer<'_, Option<Entry>> {
        self.count(StoreCall::Entry, self.inner.entry(book, id))
    }

    fn entries(&self, book: Book, before: Option<Uuid>, limit: usize) -> Answer<'_, Vec<Entry>> {
        self.count(StoreCall::Entries, self.inner.entries(book, before, limit))
    }

    fn forget_entry(&self, book: Book, id: Uuid) -> Answer<'_, ()> {
        self.count(StoreCall::ForgetEntry, self.inner.forget_entry(book, id))
    }
}

impl Traces for MeteredStore {
    fn rooms_ever(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Answer<'_, Vec<RoomId>> {
        self.count(StoreCall::RoomsEver, self.inner.rooms_ever(user, after, limit))
    }

    fn files_of(&self, user: UserId, after: Option<FileId>, limit: usize) -> Answer<'_, Vec<FileRecord>> {
        self.count(StoreCall::FilesOf, self.inner.files_of(user, after, limit))
    }

    fn blocks_of(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<'_, Vec<(UserId, Timestamp)>> {
        self.count(StoreCall::BlocksOf, self.inner.blocks_of(user, after, limit))
    }

    fn doom_file(&self, file: FileId) -> Answer<'_, ()> {
        self.count(StoreCall::DoomFile, self.inner.doom_file(file))
    }

    fn forget_traces<'a>(&'a self, user: UserId, handles: &'a [String]) -> Answer<'a, ()> {
        self.count(StoreCall::ForgetTraces, self.inner.forget_traces(user, handles))
    }
}
