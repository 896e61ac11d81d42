//! The books of administration in memory.

use super::MemoryStore;
use crate::store::{Answer, Book, Docket, Entry};
use std::collections::BTreeMap;
use std::ops::Bound;
use uuid::Uuid;

/// What each book has, with its revision.
pub(super) type DocketTable = BTreeMap<(Book, Uuid), (u64, String)>;

pub(super) fn entry((&(book, id), (rev, body)): (&(Book, Uuid), &(u64, String))) -> Entry {
    Entry { book, id, rev: *rev, body: body.clone() }
}

impl Docket for MemoryStore {
    fn put_entry(&self, entry: Entry) -> Answer<'_, bool> {
        self.answer(move |state| {
            let Entry { book, id, rev, body } = entry;
            let there = state.docket.get(&(book, id));
            if there.is_some_and(|there| *there == (rev, body.clone())) {
                return Ok(true);
            }
            let is_next = there.map_or(0, |(rev, _)| *rev) + 1 == rev;
            let may = is_next && (rev == 1 || !book.is_append_only());
            if may {
                state.docket.insert((book, id), (rev, body));
            }
            Ok(may)
        })
    }

    fn entry(&self, book: Book, id: Uuid) -> Answer<'_, Option<Entry>> {
        self.answer(move |state| Ok(state.docket.get_key_value(&(book, id)).map(entry)))
    }

    fn entries(&self, book: Book, before: Option<Uuid>, limit: usize) -> Answer<'_, Vec<Entry>> {
        self.answer(move |state| {
            let end = before.map_or(Bound::Included((book, Uuid::max())), |id| Bound::Excluded((book, id)));
            let rows = state.docket.range((Bound::Included((book, Uuid::nil())), end));
            Ok(rows.rev().take(limit).map(entry).collect())
        })
    }

    fn forget_entry(&self, book: Book, id: Uuid) -> Answer<'_, ()> {
        self.answer(move |state| {
            if !book.is_append_only() {
                state.docket.remove(&(book, id));
            }
            Ok(())
        })
    }
}
