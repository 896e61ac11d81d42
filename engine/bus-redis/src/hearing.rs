//! What is heard: in the order of its sender, with a word where something is missing.

use crate::envelope::{Envelope, Kind, count_for};
use bytes::Bytes;
use rookery_engine::bus::{Inbox, NodeId, Peer};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Nodes that are gone and still remembered: a day of restarts every five minutes.
const GONE: usize = 256;

/// What a node has heard of the others.
#[derive(Debug)]
pub(crate) struct Hearing {
    me: NodeId,
    pub(crate) inbox: Inbox,
    senders: Mutex<HashMap<NodeId, Heard>>,
    pieces: AtomicU64,
}

/// How far a sender has been heard.
#[derive(Clone, Copy, Debug)]
struct Heard {
    session: u32,
    broadcasts: u64,
    directs: u64,
}

impl Hearing {
    pub(crate) fn new(me: NodeId) -> Self {
        Self { me, inbox: Inbox::new(), senders: Mutex::default(), pieces: AtomicU64::new(0) }
    }

    /// Takes what a channel gave. Returns whether the leases have to be looked at.
    ///
    /// What an earlier session of its sender gave is dropped: it was held up somewhere and has been
    /// overtaken. What cannot be read is dropped too; the sender's next beacon tells of it.
    pub(crate) fn take(&self, bytes: Bytes) -> bool {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        let Some(envelope) = Envelope::decode(bytes).filter(|envelope| envelope.from != self.me) else {
            return false;
        };
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let (heard, mut is_lost) = match senders.entry(envelope.from) {
            // Whoever has broken off before may have lost frames of which nobody here has heard.
            Entry::Vacant(first) => (first.insert(Heard::before(&envelope)), envelope.session > 1),
            Entry::Occupied(known) => (known.into_mut(), false),
        };
        if envelope.session < heard.session {
            return false;
        }
        is_lost |= !heard.goes_on(self.me, &envelope);
        // Under the lock, so that two connections cannot tell in another order than they took.
        if is_lost {
            self.inbox.lost();
        }
        match envelope.kind {
            Kind::One | Kind::All => drop(self.inbox.frame(envelope.from, envelope.frame)),
            Kind::Beacon | Kind::Look => {}
        }
        envelope.kind == Kind::Look
    }

    /// Returns how often something was heard, whatever it was.
    pub(crate) fn pieces(&self) -> u64 {
        self.pieces.load(Ordering::Relaxed)
    }

    /// Forgets those who are not there, once they are many.
    pub(crate) fn keep(&self, peers: &[Peer]) {
        forget(&mut self.senders.lock().unwrap_or_else(PoisonError::into_inner), peers);
    }
}

impl Heard {
    /// Returns where a sender was before the first that is heard of it. What it has broadcast before this
    /// node was there is not missing; all that it had for this node is.
    fn before(first: &Envelope) -> Self {
        let own = u64::from(first.kind == Kind::All);
        Self { session: first.session, broadcasts: first.broadcasts.saturating_sub(own), directs: 0 }
    }

    /// Goes on to `next`. Returns whether nothing is missing between.
    fn goes_on(&mut self, me: NodeId, next: &Envelope) -> bool {
        let expected = match next.kind {
            Kind::One => (self.broadcasts, self.directs + 1),
            Kind::All => (self.broadcasts + 1, self.directs),
            Kind::Beacon | Kind::Look => (self.broadcasts, self.directs),
        };
        let directs = match next.kind {
            Kind::One => next.directs,
            Kind::All => expected.1,
            Kind::Beacon | Kind::Look => count_for(me, &next.frame),
        };
        *self = Self { session: next.session, broadcasts: next.broadcasts, directs };
        expected == (next.broadcasts, directs)
    }
}

/// Forgets nodes that are no peers, once they are many. One whose lease has ended may come back and is then
/// to be counted on where it was.
pub(crate) fn forget<T>(of: &mut HashMap<NodeId, T>, peers: &[Peer]) {
    if of.len() > peers.len() + GONE {
        of.retain(|node, _| peers.iter().any(|peer| peer.id == *node));
    }
}

#[cfg(test)]
mod tests;
