//! The pace of a room with a large audience: the next batch is ordered when the sockets have been written what
//! came before it.
//!
//! On a busy node telling a thousand connections takes longer than an append. A batch that is ordered
//! meanwhile reaches nobody earlier: its frames wait behind those before it. Waiting gathers more in one
//! batch, and more frames in one write of each socket. Nothing waits where nothing is under way, and no
//! timer runs: the room stands in line once more behind what the runtime has to do.

use super::{Room, RoomMessage};
use rookery_engine::limits::BATCH_EVENTS;
use std::sync::Arc;
use tokio::task::yield_now;

/// How often a room stands in line before it goes on in any case: one turn of the runtime is some 60 tasks,
/// so it waits for some 4000 sockets at most.
const TURNS: usize = 64;

/// Whether a room orders what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once.
    #[default]
    Going,
    /// When its audience has been told.
    Pausing,
}

impl Room {
    /// Returns whether what waits is not to be ordered yet.
    pub(super) fn pauses(&mut self) -> bool {
        if self.pace == Pace::Pausing {
            return true;
        }
        let is_worth_it = (1..BATCH_EVENTS).contains(&self.waiting.len()) && self.audience.is_being_told();
        if is_worth_it {
            self.pace = Pace::Pausing;
            let (audience, myself) = (Arc::clone(&self.audience), self.myself.clone());
            self.node.tasks().spawn(async move {
                for _ in 0..TURNS {
                    yield_now().await;
                    if !audience.is_being_told() {
                        break;
                    }
                }
                // A room that has gone orders nothing.
                drop(myself.send_message(RoomMessage::AudienceTold));
            });
        }
        is_worth_it
    }

    pub(super) fn audience_told(&mut self) {
        self.pace = Pace::Going;
        self.order_now();
        self.retire_if_absent();
    }
}
