//! A glance: where a room's head is, for a member who has the page up to there already.
//!
//! It asks nothing of the store, and nothing waits for it: a room that has to find out first does
//! not answer, and whoever asks reads from the store instead.

use super::Room;
use rookery_protocol::{Head, UserId};
use tokio::sync::oneshot;

/// Somebody wants to know whether the room has changed.
#[derive(Debug)]
pub(crate) struct Glance {
    /// Who.
    pub(crate) user: UserId,
    /// Where the head goes. Dropped unanswered for everybody who is not a member, and by a room
    /// that does not know its state.
    pub(crate) answer: oneshot::Sender<Head>,
}

impl Room {
    /// Tells a member where the head is. A room that is polled is in use.
    pub(super) fn glance(&mut self, Glance { user, answer }: Glance) {
        // Where another node may append, only the store knows.
        if self.live.members.contains_key(&user) && self.node.cluster().is_alone() {
            self.last_used = self.node.clock().elapsed();
            // Whoever asked may have stopped waiting.
            let _ = answer.send(self.live.head);
        }
    }
}
