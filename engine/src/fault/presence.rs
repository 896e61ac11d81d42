//! When users were last there, with faults.

use super::FaultStore;
use crate::store::{Answer, LastSeen, Store};
use rookery_protocol::{Timestamp, UserId};

impl<S: Store> LastSeen for FaultStore<S> {
    fn seen<'a>(&'a self, seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()> {
        self.write(move |store| store.seen(seen))
    }

    fn last_seen<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>> {
        self.read(move |store| store.last_seen(users))
    }
}
