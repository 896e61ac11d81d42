//! Faults of what administration keeps, and of what is left of a user.

use super::FaultStore;
use crate::store::{Answer, Book, Docket, Entry, FileRecord, Store, Traces};
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};
use uuid::Uuid;

impl<S: Store> Docket for FaultStore<S> {
    fn put_entry(&self, entry: Entry) -> Answer<'_, bool> {
        self.write(move |store| store.put_entry(entry))
    }

    fn entry(&self, book: Book, id: Uuid) -> Answer<'_, Option<Entry>> {
        self.read(move |store| store.entry(book, id))
    }

    fn entries(&self, book: Book, before: Option<Uuid>, limit: usize) -> Answer<'_, Vec<Entry>> {
        self.read(move |store| store.entries(book, before, limit))
    }

    fn forget_entry(&self, book: Book, id: Uuid) -> Answer<'_, ()> {
        self.write(move |store| store.forget_entry(book, id))
    }
}

impl<S: Store> Traces for FaultStore<S> {
    fn rooms_ever(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Answer<'_, Vec<RoomId>> {
        self.read(move |store| store.rooms_ever(user, after, limit))
    }

    fn files_of(&self, user: UserId, after: Option<FileId>, limit: usize) -> Answer<'_, Vec<FileRecord>> {
        self.read(move |store| store.files_of(user, after, limit))
    }

    fn blocks_of(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<'_, Vec<(UserId, Timestamp)>> {
        self.read(move |store| store.blocks_of(user, after, limit))
    }

    fn doom_file(&self, file: FileId) -> Answer<'_, ()> {
        self.write(move |store| store.doom_file(file))
    }

    fn forget_traces<'a>(&'a self, user: UserId, handles: &'a [String]) -> Answer<'a, ()> {
        self.write(move |store| store.forget_traces(user, handles))
    }
}
