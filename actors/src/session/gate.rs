//! A gate: it keeps the commands of one connection on one room in the order they were sent.
//!
//! Whatever takes more than one step on a room (opening it, reading a page of it) holds the gate;
//! the session holds later commands on that room back until it is dropped.

use super::{SessionMessage, SessionRef};
use rookery_protocol::RoomId;

/// Held while a command on a room is under way; dropping it lets the next one pass.
#[derive(Debug)]
pub(crate) struct Gate {
    session: SessionRef,
    room: RoomId,
    was_refused: bool,
}

impl Gate {
    pub(super) const fn new(session: SessionRef, room: RoomId) -> Self {
        Self { session, room, was_refused: false }
    }

    /// Lets the next command pass, and says that the room was not opened.
    pub(crate) fn not_opened(mut self) {
        self.was_refused = true;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // A session that has gone holds nothing back.
        self.session.tell(SessionMessage::Passed(self.room, self.was_refused));
    }
}
