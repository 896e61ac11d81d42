//! The part of the store port about cursors: how far each member of a room has come.
//!
//! A cursor belongs to (room, user) and only moves forward, whatever order its marks come in.

use super::Answer;
use rookery_protocol::{RoomId, Seq, UserId};

/// Which of a member's two cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CursorKind {
    /// Read up to there. What is read has been delivered too.
    Read,
    /// Arrived up to there at one of the user's devices.
    Delivered,
}

/// A cursor that is to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub kind: CursorKind,
    /// Up to here, a position of the room; one behind the cursor changes nothing.
    pub seq: Seq,
}

/// Where a member has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberCursor {
    /// Who.
    pub user: UserId,
    /// Read up to here; 0 for nothing.
    pub read: Seq,
    /// Arrived up to here; never less than `read`.
    pub delivered: Seq,
}

/// Who has come to a position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// How many present members.
    pub count: u64,
    /// Some of them, ascending by id.
    pub users: Vec<UserId>,
}

/// The cursors of all members.
pub trait Cursors {
    /// Moves cursors forward. `Ok` means durable.
    fn mark<'a>(&'a self, room: RoomId, marks: &'a [Mark]) -> Answer<'a, ()>;

    /// Returns the cursors of at most `limit` present members that have one, ascending by user id.
    fn cursors(&self, room: RoomId, limit: usize) -> Answer<'_, Vec<MemberCursor>>;

    /// Returns how many present members, of those that had joined by `seq`, have come to `seq`, and at
    /// most `limit` of them.
    fn reached(&self, room: RoomId, kind: CursorKind, seq: Seq, limit: usize) -> Answer<'_, Reached>;
}
