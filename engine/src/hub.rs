//! The hub: which connections of this node hear which room, and the fan-out to them.
//!
//! | file | what |
//! |---|---|
//! | `hub.rs` | the table of audiences |
//! | `hub/audience.rs` | those who hear one room |
//! | `hub/publication.rs` | something that is told to all of them |
//! | `hub/slice.rs` | a part of a large audience, told by a relay |
//!
//! An audience outlives the actor of its room: a room that is passivated and comes back goes on
//! telling the same connections. Only the room's actor attaches to it and publishes to it.

mod audience;
mod publication;
mod slice;
#[cfg(test)]
mod tests;

pub use audience::{Audience, Listener};
pub use publication::{FanOut, Published, Told};
pub use slice::{Slice, Slices};

use crate::activity::Pace;
use crate::connection::ConnectionId;
use rookery_protocol::{RoomId, Seq};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shards of the table of audiences. It is asked once an activation, so 16 are plenty.
const SHARDS: usize = 16;

/// All audiences of a node.
#[derive(Debug)]
pub struct Hub {
    shards: Vec<Mutex<HashMap<RoomId, Arc<Audience>>>>,
    hasher: RandomState,
}

impl Hub {
    /// Returns a hub without audiences.
    pub fn new() -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the audience of `room`, empty at first.
    pub fn audience(&self, room: RoomId) -> Arc<Audience> {
        Arc::clone(self.shard(room).entry(room).or_default())
    }

    /// Returns whether a connection hears `room`.
    pub fn hears(&self, room: RoomId, connection: ConnectionId) -> bool {
        self.find(room).is_some_and(|audience| audience.hears(connection))
    }

    /// Returns the position up to which the listeners of `room` were told, or `None` where nobody listens.
    pub fn told(&self, room: RoomId) -> Option<Seq> {
        self.shard(room).get(&room).filter(|audience| !audience.is_empty()).map(|audience| audience.told())
    }

    /// Returns how many connections hear `room`.
    pub fn listeners(&self, room: RoomId) -> usize {
        self.shard(room).get(&room).map_or(0, |audience| audience.len())
    }

    /// Returns the rooms that somebody hears.
    pub fn heard_rooms(&self) -> Vec<RoomId> {
        let mut rooms = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.extend(shard.iter().filter(|(_, audience)| !audience.is_empty()).map(|(room, _)| *room));
        }
        rooms
    }

    /// Returns the pace of every room in which something went on in the last minute.
    pub fn paces(&self, now: Duration) -> Vec<(RoomId, Pace)> {
        let mut paces = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let all = shard.iter().map(|(room, audience)| (*room, audience.activity().pace(now)));
            paces.extend(all.filter(|(_, pace)| pace.events > 0.0));
        }
        paces
    }

    /// Has a connection hear `room` no more: nothing that was published before reaches it after this.
    pub fn detach(&self, room: RoomId, connection: ConnectionId) {
        let Some(audience) = self.find(room) else { return };
        // Not under the shard's lock: others of its slice may have to be told first.
        audience.detach(connection);
        drop(audience);
        let mut shard = self.shard(room);
        // An active room holds its audience too, and forgets it when it goes.
        let is_left = |audience: &Arc<Audience>| audience.is_empty() && Arc::strong_count(audience) == 1;
        if shard.get(&room).is_some_and(is_left) {
            shard.remove(&room);
        }
    }

    /// Forgets the audience of `room` if nobody is in it. Only its room's actor may ask this, while
    /// no other can be activated: that one would publish to an audience that nobody finds.
    pub fn forget_if_empty(&self, room: RoomId) {
        let mut shard = self.shard(room);
        if shard.get(&room).is_some_and(|audience| audience.is_empty()) {
            shard.remove(&room);
        }
    }

    fn find(&self, room: RoomId) -> Option<Arc<Audience>> {
        self.shard(room).get(&room).cloned()
    }

    fn shard(&self, room: RoomId) -> MutexGuard<'_, HashMap<RoomId, Arc<Audience>>> {
        let index = usize::try_from(self.hasher.hash_one(room) % SHARDS as u64).unwrap_or(0);
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}
