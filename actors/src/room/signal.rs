//! Signals: what members say of themselves that is no event. It has no position, and is not kept by
//! the log: how far they have come, and whether they are typing.

use super::{Room, RoomMessage, no_such_room};
use crate::answer::Answer;
use crate::cluster;
use rookery_engine::store::CursorKind;
use rookery_protocol::{Seq, Typing, UserId, WireError};

/// What a member says, and who waits for the answer.
#[derive(Debug)]
pub(crate) struct Signal {
    /// Who says it.
    pub(crate) by: UserId,
    /// What.
    pub(crate) what: Said,
    /// Who waits.
    pub(crate) answer: Answer,
    /// Whether the store was asked whether this node knows all of the room.
    pub(crate) is_checked: bool,
}

/// What a member can say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    /// It has come this far.
    Mark(CursorKind, Seq),
    /// It is typing.
    Types(Typing),
    /// It has stopped.
    Stops,
}

impl Signal {
    pub(super) fn refuse(self, error: WireError) {
        self.answer.err(error);
    }
}

impl Room {
    pub(super) fn signal(&mut self, signal: Signal) {
        self.last_used = self.node.clock().elapsed();
        if !self.live.members.contains_key(&signal.by) {
            if !signal.is_checked && !self.node.cluster().is_alone() {
                return self.look(vec![RoomMessage::Signal(Signal { is_checked: true, ..signal })]);
            }
            signal.refuse(no_such_room(self.id));
            return self.retire_if_absent();
        }
        match signal.what {
            Said::Mark(kind, seq) => self.mark(signal.by, kind, seq, signal.answer),
            Said::Types(kind) => self.types(signal.by, kind, signal.answer),
            Said::Stops => self.stops(signal.by, signal.answer),
        }
    }

    /// Another node tells of a signal.
    pub(super) fn echo(&mut self, signal: cluster::Signal) {
        self.last_used = self.node.clock().elapsed();
        match signal {
            cluster::Signal::Types(user, kind) => self.types_elsewhere(user, kind),
            cluster::Signal::Stops(user) => self.ended_typing(user),
            cluster::Signal::Read(marks) => self.marked_elsewhere(CursorKind::Read, marks),
            cluster::Signal::Delivered(marks) => self.marked_elsewhere(CursorKind::Delivered, marks),
            cluster::Signal::Own(own) => self.read_elsewhere(own),
        }
    }
}
