//! Looking: whether the store has more of the room than this node knows, where other nodes may append.

use super::{Phase, Room, RoomMessage, unavailable};
use rookery_engine::store::StoreError;
use rookery_protocol::{Head, RoomKind, Seq, WireError};
use std::collections::VecDeque;
use std::sync::Arc;

/// What this node is not sure to know.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// The newest position that somebody has said to be there.
    heard: Seq,
    /// Drafts before this ticket came before the store was asked the last time.
    sure_until: u64,
    /// The ticket at which the room's home may have moved the last time.
    unsure_since: u64,
    /// Questions to the store under way.
    looks: usize,
    /// What waits for the batch under way, since it must be heard by who knows all of the room.
    postponed: Vec<RoomMessage>,
}

impl Doubts {
    /// Notes a position that is said to be there.
    pub(super) fn note(&mut self, seq: Seq) {
        self.heard = self.heard.max(seq);
    }

    /// The room is read again from now on: what it then lacks was not there.
    pub(super) const fn read_again(&mut self) {
        self.heard = Seq::ZERO;
    }

    /// Returns whether somebody waits for an answer.
    pub(super) fn is_busy(&self) -> bool {
        self.looks > 0 || !self.postponed.is_empty()
    }
}

impl Room {
    /// Returns whether somebody has said that there is more than this node knows.
    pub(super) fn is_behind(&self) -> bool {
        self.doubts.heard > self.live.head.seq
    }

    /// Somebody says that the head is there, at least.
    pub(super) fn told(&mut self, head: Seq) {
        self.doubts.note(head);
        if self.is_behind() {
            self.node.metrics().cluster.gaps.increment(1);
            self.order();
        }
    }

    /// Returns the ticket before which drafts may be judged by what this node knows.
    pub(super) fn sure_until(&self) -> u64 {
        let is_sure = self.doubts.sure_until >= self.doubts.unsure_since;
        if is_sure && self.node.cluster().is_sure(self.id) { u64::MAX } else { self.doubts.sure_until }
    }

    /// The room may have another home, or this node may have missed what happened.
    pub(super) fn homes_moved(&mut self) {
        self.next_ticket += 1;
        self.doubts.unsure_since = self.next_ticket;
        self.home_moved();
        if self.live.record.as_ref().is_some_and(|record| record.kind == RoomKind::Direct) {
            // Whether its users have blocked each other is in no log. It is read before the next batch.
            self.is_outdated = true;
        }
    }

    /// Asks the store before a draft is refused, or found to be done, by what this node knows.
    pub(super) fn look_before_refusing(&mut self) {
        if self.doubts.looks == 0 {
            self.look(Vec::new());
        }
    }

    /// Asks the store where the head is, and hears `waiters` afterwards.
    pub(super) fn look(&mut self, waiters: Vec<RoomMessage>) {
        self.doubts.looks += 1;
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        let (node, room, myself) = (Arc::clone(&self.node), self.id, self.myself.clone());
        self.node.tasks().spawn(async move {
            let head = node.store().head(room).await;
            drop(myself.send_message(RoomMessage::Looked(ticket, waiters, head)));
        });
    }

    pub(super) fn looked(
        &mut self,
        ticket: u64,
        waiters: Vec<RoomMessage>,
        head: Result<Option<Head>, StoreError>,
    ) {
        self.doubts.looks -= 1;
        match head {
            Ok(head) => {
                self.doubts.sure_until = self.doubts.sure_until.max(ticket);
                self.told(head.map_or(Seq::ZERO, |head| head.seq));
                if self.is_behind() && self.in_flight.is_some() {
                    self.doubts.postponed.extend(waiters);
                } else {
                    for message in waiters {
                        self.hear(message);
                    }
                }
                self.order();
            }
            Err(error) => {
                tracing::warn!(room = %self.id, %error, "room not compared with the store");
                for message in waiters {
                    message.refuse(&unavailable());
                }
                let (late, rest): (VecDeque<_>, _) =
                    self.waiting.drain(..).partition(|waiting| waiting.ticket < ticket);
                self.waiting = rest;
                for waiting in late {
                    waiting.draft.answer.err(unavailable());
                }
            }
        }
        self.retire_if_absent();
    }

    /// Hears what has waited for the batch that was under way.
    pub(super) fn hear_postponed(&mut self) {
        if self.in_flight.is_some() && matches!(self.phase, Phase::Live) && self.is_behind() {
            return;
        }
        let postponed = std::mem::take(&mut self.doubts.postponed);
        for message in postponed {
            self.hear(message);
        }
    }

    pub(super) fn refuse_postponed(&mut self, error: &WireError) {
        self.doubts.postponed.drain(..).for_each(|message| message.refuse(error));
    }
}
