//! The newest named writes of a room, so that one that is sent again is answered at once.

use rookery_engine::limits::REMEMBERED_WRITES;
use rookery_engine::store::Receipt;
use rookery_protocol::{ClientId, Event, UserId};
use std::collections::{HashMap, VecDeque};

/// At most [`REMEMBERED_WRITES`] receipts, the oldest forgotten first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    receipts: HashMap<(UserId, ClientId), Receipt>,
    order: VecDeque<(UserId, ClientId)>,
}

impl Remembered {
    /// Remembers `event` if its sender named it.
    pub(super) fn note(&mut self, event: &Event) {
        if let Some(client_id) = event.client_id {
            self.insert(event.by, client_id, Receipt { seq: event.seq, ord: event.ord, at: event.at });
        }
    }

    /// Remembers where a write is.
    pub(super) fn insert(&mut self, by: UserId, client_id: ClientId, receipt: Receipt) {
        if self.receipts.insert((by, client_id), receipt).is_none() {
            self.order.push_back((by, client_id));
        }
        if self.order.len() > REMEMBERED_WRITES
            && let Some(oldest) = self.order.pop_front()
        {
            self.receipts.remove(&oldest);
        }
    }

    /// Takes over what `older` remembers, which stays true.
    pub(super) fn adopt(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        for (by, client_id) in newer.order {
            if let Some(receipt) = newer.receipts.get(&(by, client_id)) {
                self.insert(by, client_id, *receipt);
            }
        }
    }

    /// Returns where the write is, if it is remembered.
    pub(super) fn get(&self, by: UserId, client_id: ClientId) -> Option<Receipt> {
        self.receipts.get(&(by, client_id)).copied()
    }
}
