//! Notices in memory.

use super::MemoryStore;
use crate::store::{Answer, Notice, Notices};
use std::ops::Bound;

impl Notices for MemoryStore {
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>> {
        self.answer(move |state| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            Ok(state.notices.range((from, Bound::Unbounded)).take(limit).copied().collect())
        })
    }

    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()> {
        self.answer(move |state| {
            state.notices.retain(|notice| !notices.contains(notice));
            Ok(())
        })
    }
}
