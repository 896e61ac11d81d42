//! When users were last there, in memory.

use super::MemoryStore;
use crate::store::{Answer, LastSeen};
use rookery_protocol::{Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// The latest moment given for each user.
pub(super) type LastSeenTable = BTreeMap<UserId, Timestamp>;

impl LastSeen for MemoryStore {
    fn seen<'a>(&'a self, seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()> {
        self.answer(move |state| {
            for (user, at) in seen {
                let last = state.last_seen.entry(*user).or_insert(*at);
                *last = (*last).max(*at);
            }
            Ok(())
        })
    }

    fn last_seen<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>> {
        self.answer(move |state| {
            let users: BTreeSet<_> = users.iter().collect();
            Ok(users.into_iter().filter_map(|user| Some((*user, *state.last_seen.get(user)?))).collect())
        })
    }
}
