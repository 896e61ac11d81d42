//! Recalling: what an active room has in memory, for a member who cannot read it from the store.

use super::Room;
use rookery_protocol::{Frame, Head, Seq, UserId};
use tokio::sync::oneshot;

/// Somebody wants what the room has in memory.
#[derive(Debug)]
pub(crate) struct Recall {
    /// Who.
    pub(crate) user: UserId,
    /// Where it goes. Dropped unanswered for everybody who is not a member, and by a room that is not
    /// active or knows that it lacks something.
    pub(crate) answer: oneshot::Sender<Recalled>,
}

/// A room's newest events, as far as a member may see them.
#[derive(Debug)]
pub(crate) struct Recalled {
    /// Where the membership began.
    pub(crate) joined: Seq,
    /// The newest position that this node knows of.
    pub(crate) head: Head,
    /// The events up to there, without a gap; where they begin is where memory does, or the membership.
    pub(crate) events: Vec<Frame>,
}

impl Room {
    /// Gives a member what is in memory. The frames are shared, so it costs the room some microseconds.
    pub(super) fn recall(&mut self, Recall { user, answer }: Recall) {
        let Some(member) = self.live.members.get(&user).filter(|_| !self.is_behind()) else { return };
        self.last_used = self.node.clock().elapsed();
        let events = self.live.ring.from(member.joined).cloned().collect();
        // Whoever asked may have stopped waiting.
        let _ = answer.send(Recalled { joined: member.joined, head: self.live.head, events });
    }
}
