//! Rooms with their home here in which another node orders for itself, because it does not reach us.

use rookery_engine::limits::ASTRAY_ROOMS;
use rookery_protocol::RoomId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// The rooms, each until when that is expected.
#[derive(Debug, Default)]
pub(super) struct Astray(Mutex<Until>);

#[derive(Debug, Default)]
struct Until {
    rooms: HashMap<RoomId, Instant>,
    /// There were too many: it may be any room.
    any: Option<Instant>,
}

impl Astray {
    /// Returns whether another node may be ordering in a room.
    pub(super) fn has(&self, room: RoomId) -> bool {
        let (astray, now) = (self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        astray.any.into_iter().chain(astray.rooms.get(&room).copied()).any(|until| now < until)
    }

    /// Another node orders in a room, as far as is known until then.
    pub(super) fn note(&self, room: RoomId, until: Instant) {
        let mut astray = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if astray.rooms.len() >= ASTRAY_ROOMS {
            let now = Instant::now();
            astray.rooms.retain(|_, until| now < *until);
        }
        if astray.rooms.len() < ASTRAY_ROOMS {
            astray.rooms.insert(room, until);
        } else {
            astray.any = Some(until);
        }
    }
}
