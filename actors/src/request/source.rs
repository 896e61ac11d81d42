//! Where the messages of a page come from: from the store, or, while that cannot be read, from what an
//! active room has in memory.

use super::unread;
use crate::node::Node;
use crate::room::Recalled;
use rookery_engine::store::{Range, StoreError};
use rookery_protocol::{Frame, Head, Message, RoomId, Seq, UserId, WireError};
use std::collections::BTreeMap;

/// What of a room somebody may see: everything from where the membership began to the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) room: RoomId,
    pub(super) user: UserId,
    pub(super) joined: Seq,
    pub(super) head: Head,
}

/// Where messages come from.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// All there are.
    Store(&'a Node),
    /// The newest.
    Memory(Newest),
}

/// The newest messages and notices of a room, as they are now.
#[derive(Debug)]
pub(super) struct Newest {
    entries: BTreeMap<Seq, Message>,
    /// Where they begin: what is before it is not known.
    from: Seq,
}

impl Newest {
    /// Folds a room's newest events into what one of its members sees. Whatever changes a message comes after
    /// it, so that a message which is there has all of its changes there.
    pub(super) fn fold(recalled: &Recalled, reader: UserId) -> Self {
        let events: Vec<_> = recalled.events.iter().filter_map(Frame::as_event).collect();
        let from = events.first().map_or(recalled.head.seq.next(), |first| first.seq);
        let mut entries: BTreeMap<Seq, Message> = BTreeMap::new();
        for event in events {
            if event.body.is_change() {
                let changed = event.target.and_then(|target| entries.get_mut(&target));
                changed.map(|message| message.merge(event, reader));
            } else {
                entries.insert(event.seq, Message::new(event.clone()));
            }
        }
        Self { entries, from }
    }

    /// Reads as the store does; `None` where some of it is not known.
    fn page(&self, range: Range, limit: usize, joined: Seq) -> Option<Vec<Message>> {
        let is_whole = self.from <= joined;
        match range {
            Range::After(after) if after.next() < self.from && !is_whole => None,
            Range::After(after) => Some(
                self.entries.range(after.next()..).map(|(_, message)| message.clone()).take(limit).collect(),
            ),
            Range::Before(before) => {
                let newest = self.entries.range(..before).rev().map(|(_, message)| message.clone());
                let mut page: Vec<_> = newest.take(limit).collect();
                page.reverse();
                (is_whole || page.len() == limit).then_some(page)
            }
        }
    }

    fn messages(&self, seqs: &[Seq]) -> Option<Vec<Message>> {
        let is_known = seqs.iter().all(|seq| *seq >= self.from);
        is_known.then(|| seqs.iter().filter_map(|seq| self.entries.get(seq).cloned()).collect())
    }
}

impl Source<'_> {
    pub(super) async fn page(
        &self,
        sight: &Sight,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Message>, WireError> {
        match self {
            Self::Store(node) => {
                node.store().page(sight.room, range, limit, sight.user).await.map_err(unread)
            }
            Self::Memory(newest) => newest.page(range, limit, sight.joined).ok_or_else(not_in_memory),
        }
    }

    pub(super) async fn messages(&self, sight: &Sight, seqs: &[Seq]) -> Result<Vec<Message>, WireError> {
        match self {
            Self::Store(node) => node.store().messages(sight.room, seqs, sight.user).await.map_err(unread),
            Self::Memory(newest) => newest.messages(seqs).ok_or_else(not_in_memory),
        }
    }
}

fn not_in_memory() -> WireError {
    unread(StoreError::Refused("it is too long ago to be in memory".to_owned()))
}
