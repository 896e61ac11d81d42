//! Notices in memory.

use super::MemoryStore;
use crate::store::{Answer, Notice, Notices};
use std::ops::Bound;

impl Notices for MemoryStore {
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>> {
        self.answer(move |state| {
            let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.key()));
            let notices = state.notices.range((from, Bound::Unbounded));
            Ok(notices.take(limit).map(|(_, notice)| *notice).collect())
        })
    }

    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()> {
        self.answer(move |state| {
            for notice in notices {
                state.notices.remove(&notice.key());
            }
            Ok(())
        })
    }
}
