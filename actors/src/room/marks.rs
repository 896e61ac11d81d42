//! Marks: how far members have read, and how far messages have arrived at them.
//!
//! What waits is written at once, one write at a time, so that two devices of a user that mark at
//! the same moment are answered and told in one order. Others are told at most once a second:
//! by name in small rooms, counted in large ones.

use super::{Room, RoomMessage, busy, unavailable};
use crate::answer::Answer;
use crate::cluster::{OwnRead, Signal};
use crate::naming::inbox_of;
use rookery_engine::ephemeral_key;
use rookery_engine::limits::{MARKS_EVERY, NAMED_MARKS, WAITING_MARKS};
use rookery_engine::store::{CursorKind, Mark, RoomState, StoreError};
use rookery_protocol::{Frame, Marks as Told, ReadCursor, ReadMarked, ReplyBody, Seq, ServerEvent, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The marks of one room that are under way.
#[derive(Debug, Default)]
pub(super) struct Marks {
    waiting: Vec<Waiting>,
    /// Handed to the store, outcome not known yet.
    in_flight: Vec<Waiting>,
    read: Line,
    delivered: Line,
    /// Counts what was told, so that no word on other members takes the place of an older one.
    told: u64,
}

/// Where one kind of cursor stands, as far as others were told or have to be.
#[derive(Debug, Default)]
struct Line {
    known: BTreeMap<UserId, Seq>,
    moved: BTreeMap<UserId, Seq>,
    /// Those of them that were made on this node, so that it tells the others.
    made: BTreeMap<UserId, Seq>,
    told_at: Option<Duration>,
}

#[derive(Debug)]
struct Waiting {
    mark: Mark,
    answer: Answer,
}

impl Marks {
    /// Returns whether somebody waits for an answer.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.in_flight.is_empty()
    }

    /// Returns whether it was told that `user` has read further than `seq`.
    pub(super) fn has_read_beyond(&self, user: UserId, seq: Seq) -> bool {
        self.read.known.get(&user).is_some_and(|known| *known > seq)
    }

    /// Brings up to date what was read of the store a moment ago, ascending by user id.
    pub(super) fn bring_up_to_date(&self, reads: &mut Vec<ReadCursor>) {
        for (&user, &seq) in &self.read.known {
            match reads.binary_search_by_key(&user, |read| read.user) {
                Ok(index) => reads[index].seq = reads[index].seq.max(seq),
                Err(index) => reads.insert(index, ReadCursor { user, seq }),
            }
        }
    }

    /// A user has gone: nobody is told any more how far it has come.
    pub(super) fn forget(&mut self, user: UserId) {
        for line in [&mut self.read, &mut self.delivered] {
            line.known.remove(&user);
            line.moved.remove(&user);
            line.made.remove(&user);
        }
    }

    fn line(&mut self, kind: CursorKind) -> &mut Line {
        match kind {
            CursorKind::Read => &mut self.read,
            CursorKind::Delivered => &mut self.delivered,
        }
    }
}

impl Line {
    /// Notes where `user` is. Returns whether that is further than was known.
    fn moves(&mut self, user: UserId, seq: Seq) -> bool {
        let known = self.known.entry(user).or_default();
        if seq <= *known {
            return false;
        }
        *known = seq;
        self.moved.insert(user, seq);
        true
    }
}

impl Room {
    /// Takes a mark of a member. One beyond the head is one of the head.
    pub(super) fn mark(&mut self, user: UserId, kind: CursorKind, seq: Seq, answer: Answer) {
        if self.marks.waiting.len() >= WAITING_MARKS {
            return answer.err(busy(&self.node));
        }
        let mark = Mark { user, kind, seq };
        self.marks.waiting.push(Waiting { mark, answer });
        self.write_marks();
    }

    /// Hands what waits to the store, if nothing is under way there.
    fn write_marks(&mut self) {
        if !self.marks.in_flight.is_empty() || self.marks.waiting.is_empty() {
            return;
        }
        self.marks.in_flight = std::mem::take(&mut self.marks.waiting);
        let mut marks: Vec<Mark> = self.marks.in_flight.iter().map(|waiting| waiting.mark).collect();
        let known = self.live.head.seq;
        let users: Vec<UserId> = marks.iter().map(|mark| mark.user).collect();
        let (node, room, myself) = (Arc::clone(&self.node), self.id, self.myself.clone());
        self.node.tasks().spawn(async move {
            let written = async {
                if marks.iter().any(|mark| mark.seq > known) {
                    // A page may have shown what this room is about to hear of.
                    let head = node.store().head(room).await?.map_or(known, |head| head.seq.max(known));
                    for mark in &mut marks {
                        mark.seq = mark.seq.min(head);
                    }
                }
                node.store().mark(room, &marks).await?;
                node.store().room_states(room, &users).await
            };
            let written = written.await;
            drop(myself.send_message(RoomMessage::Marked(written)));
        });
    }

    /// The store has answered: so are those who wait, and what has moved is told.
    pub(super) fn marked(&mut self, written: Result<Vec<RoomState>, StoreError>) {
        let in_flight = std::mem::take(&mut self.marks.in_flight);
        match written {
            Ok(states) => {
                let mut come = Vec::new();
                for Waiting { mark, answer } in in_flight {
                    // The store gives them in this order.
                    let state = states.binary_search_by_key(&mark.user, |state| state.membership.user);
                    let Ok(state) = state.map(|index| &states[index]) else {
                        // It has gone meanwhile.
                        answer.err(super::no_such_room(self.id));
                        continue;
                    };
                    match mark.kind {
                        CursorKind::Read => answer.ok(self.read_marked(state)),
                        CursorKind::Delivered => answer.ok(ReplyBody::Empty {}),
                    }
                    come.push((mark, state));
                }
                // Own devices hear of it after the answers.
                for (mark, state) in come {
                    self.note_mark(mark, state);
                }
            }
            Err(error) => {
                tracing::warn!(room = %self.id, %error, "marks not written");
                for Waiting { answer, .. } in in_flight {
                    match error {
                        // The answer, dropped, says that the outcome is not known.
                        StoreError::Unknown(_) => drop(answer),
                        StoreError::Refused(_) | StoreError::Fatal(_) => answer.err(unavailable()),
                    }
                }
            }
        }
        self.tell_marks(self.node.clock().elapsed());
        self.write_marks();
        self.retire_if_absent();
    }

    /// Notes how far a member has come by `mark`, after which it is at `state`.
    fn note_mark(&mut self, mark: Mark, state: &RoomState) {
        let user = mark.user;
        if !self.live.members.contains_key(&user) {
            return;
        }
        match mark.kind {
            // One that was behind has moved nothing.
            CursorKind::Read if mark.seq >= state.read => {
                if self.marks.read.moves(user, state.read) {
                    self.marks.read.made.insert(user, state.read);
                    self.tell_own_devices(state);
                }
            }
            // What is read has been delivered, and nobody has to be told so.
            CursorKind::Delivered if mark.seq >= state.delivered && state.delivered > state.read => {
                if self.marks.delivered.moves(user, state.delivered) {
                    self.marks.delivered.made.insert(user, state.delivered);
                }
            }
            CursorKind::Read | CursorKind::Delivered => {}
        }
    }

    fn tell_own_devices(&self, state: &RoomState) {
        let (room, user) = (self.id, state.membership.user);
        let ReadMarked { read, unread, mentions } = self.read_marked(state);
        let own = OwnRead { user, room, read, unread, mentions };
        self.node.tell_own_read(own);
        // Every node where the user is follows its inbox.
        self.node.cluster().tell_signal(inbox_of(user), Signal::Own(own));
    }

    /// A user has read so far on another node, unless it was told of more here.
    pub(super) fn read_elsewhere(&self, own: OwnRead) {
        if !self.marks.has_read_beyond(own.user, own.read) {
            self.node.tell_own_read(own);
        }
    }

    /// Members have come so far by marks that were made on another node.
    pub(super) fn marked_elsewhere(&mut self, kind: CursorKind, marks: Vec<(UserId, Seq)>) {
        for (user, seq) in marks {
            if self.live.members.contains_key(&user) {
                self.marks.line(kind).moves(user, seq);
            }
        }
        self.tell_marks(self.node.clock().elapsed());
    }

    /// Tells the listeners what has moved, where the last word is long enough ago.
    pub(super) fn tell_marks(&mut self, now: Duration) {
        for kind in [CursorKind::Read, CursorKind::Delivered] {
            let line = self.marks.line(kind);
            if self.live.blocked {
                // Two who have a block between them learn nothing of each other.
                line.moved.clear();
                line.made.clear();
            }
            if line.moved.is_empty() {
                continue;
            }
            if line.told_at.is_some_and(|at| now.saturating_sub(at) < MARKS_EVERY) {
                self.node.wake_room_next(self.id);
                continue;
            }
            line.told_at = Some(now);
            let (moved, made) = (std::mem::take(&mut line.moved), std::mem::take(&mut line.made));
            self.marks.told += 1;
            let is_small = self.live.members.len() <= NAMED_MARKS;
            if !made.is_empty() && !self.node.cluster().is_alone() {
                // Where members are counted, each node counts for itself, up to the furthest.
                let most = if is_small { None } else { made.iter().max_by_key(|(_, seq)| **seq) };
                let made = match most {
                    Some((user, seq)) => vec![(*user, *seq)],
                    None => made.into_iter().collect(),
                };
                self.node.cluster().tell_signal(self.id, Signal::marks(kind, made));
            }
            if is_small {
                let marks = moved.into_iter().map(|(user, seq)| ReadCursor { user, seq }).collect();
                self.signal_marks(kind, Told::Named { room: self.id, marks });
            } else if let Some(through) = moved.into_values().max() {
                self.count_marks(kind, through);
            }
        }
    }

    /// Counts who has come as far as `through`, and tells it.
    fn count_marks(&self, kind: CursorKind, through: Seq) {
        if self.audience.is_empty() {
            return;
        }
        let (node, room, myself) = (Arc::clone(&self.node), self.id, self.myself.clone());
        self.node.tasks().spawn(async move {
            match node.store().reached(room, kind, through, 0).await {
                Ok(reached) => {
                    let told = Told::Counted { room, through, count: reached.count };
                    drop(myself.send_message(RoomMessage::Counted(kind, told)));
                }
                // The next mark is counted again.
                Err(error) => tracing::warn!(%room, %error, "cursors not counted"),
            }
        });
    }

    /// Tells the listeners how far members have come.
    pub(super) fn signal_marks(&self, kind: CursorKind, told: Told) {
        let event = match kind {
            CursorKind::Read => ServerEvent::Read(told),
            CursorKind::Delivered => ServerEvent::Delivered(told),
        };
        let key = ephemeral_key(&(self.id, self.marks.told, kind));
        self.tell_signal(key, &Frame::server(event), None);
    }

    /// Returns what a member has read, as of now: `state` was read a moment ago.
    fn read_marked(&self, state: &RoomState) -> ReadMarked {
        let read = ReadMarked { read: state.read, unread: state.unread(), mentions: state.mentions };
        self.live.since(state.head, state.membership.user, read)
    }
}
