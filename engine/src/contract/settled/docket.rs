//! Calls on what administration keeps and on what is left of a user, sent again until their answers are certain.

use super::{Settled, settle};
use crate::store::{Answer, Book, Docket, Entry, FileRecord, Store, Traces};
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};
use uuid::Uuid;

impl<S: Store> Docket for Settled<S> {
    fn put_entry(&self, entry: Entry) -> Answer<'_, bool> {
        settle(move || self.0.put_entry(entry.clone()))
    }

    fn entry(&self, book: Book, id: Uuid) -> Answer<'_, Option<Entry>> {
        settle(move || self.0.entry(book, id))
    }

    fn entries(&self, book: Book, before: Option<Uuid>, limit: usize) -> Answer<'_, Vec<Entry>> {
        settle(move || self.0.entries(book, before, limit))
    }

    fn forget_entry(&self, book: Book, id: Uuid) -> Answer<'_, ()> {
        settle(move || self.0.forget_entry(book, id))
    }
}

impl<S: Store> Traces for Settled<S> {
    fn rooms_ever(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Answer<'_, Vec<RoomId>> {
        settle(move || self.0.rooms_ever(user, after, limit))
    }

    fn files_of(&self, user: UserId, after: Option<FileId>, limit: usize) -> Answer<'_, Vec<FileRecord>> {
        settle(move || self.0.files_of(user, after, limit))
    }

    fn blocks_of(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<'_, Vec<(UserId, Timestamp)>> {
        settle(move || self.0.blocks_of(user, after, limit))
    }

    fn doom_file(&self, file: FileId) -> Answer<'_, ()> {
        settle(move || self.0.doom_file(file))
    }

    fn forget_traces<'a>(&'a self, user: UserId, handles: &'a [String]) -> Answer<'a, ()> {
        settle(move || self.0.forget_traces(user, handles))
    }
}
