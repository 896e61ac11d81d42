//! Finding a room's actor, activating it where there is none, and parking what keeps failing.

use super::Node;
use crate::room::{RoomActor, RoomMessage};
use ractor::{ActorId, ActorRef, ActorRuntime, MessagingErr};
use rookery_protocol::{ErrorCode, RoomId, WireError};
use std::sync::Arc;

/// Tries to reach a room that keeps going just then; each one activates it anew.
const TRIES: usize = 4;

impl Node {
    /// Sends a message to a room, activating it where needed.
    pub(crate) fn tell_room(self: &Arc<Self>, room: RoomId, message: RoomMessage) {
        drop(self.send_room(room, message));
    }

    /// Sends a message to a room and returns where it was reached. A message that cannot be
    /// delivered is answered here.
    pub(crate) fn send_room(
        self: &Arc<Self>,
        room: RoomId,
        message: RoomMessage,
    ) -> Option<ActorRef<RoomMessage>> {
        let mut message = message;
        for _ in 0..TRIES {
            let address = match self.reach(room) {
                Ok(address) => address,
                Err(error) => {
                    message.refuse(&error);
                    return None;
                }
            };
            match address.send_message(message) {
                Ok(()) => return Some(address),
                Err(MessagingErr::SendErr(returned)) => message = returned,
                Err(_) => return None,
            }
            // It has just gone, and may not have been forgotten yet.
            self.rooms.remove(room, address.get_id());
        }
        message.refuse(&WireError::new(ErrorCode::Busy, "the room is not reached").retry_after(200));
        None
    }

    /// Has a room read itself again, since something has changed that its log does not say. One that is
    /// not active reads it when it is; it is not activated for this.
    pub(crate) fn refresh_room(&self, room: RoomId) {
        if let Some(address) = self.rooms.get(room) {
            // One that has just gone leaves its place to one that reads later than this.
            drop(address.send_message(RoomMessage::Refresh));
        }
    }

    fn reach(self: &Arc<Self>, room: RoomId) -> Result<ActorRef<RoomMessage>, WireError> {
        if let Some(address) = self.rooms.get(room) {
            return Ok(address);
        }
        if self.is_draining() {
            return Err(WireError::new(ErrorCode::Busy, "this node is going down").retry_after(1000));
        }
        if let Some(left) = self.parked.parked_for(&room, self.clock().elapsed()) {
            let wait = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
            return Err(WireError::new(ErrorCode::Busy, "the room failed again and again and rests")
                .retry_after(wait));
        }
        self.rooms.get_or_spawn(room, || {
            let supervisor = self.room_supervisors.of(room);
            ActorRuntime::spawn_linked_instant(None, RoomActor, (Arc::clone(self), room), supervisor)
                .map(|(address, _)| address)
                .map_err(|error| {
                    tracing::error!(%room, %error, "room not activated");
                    WireError::new(ErrorCode::Internal, "the room could not be activated")
                })
        })
    }

    /// Calls `visit` for every active room.
    pub(crate) fn each_room(&self, mut visit: impl FnMut(&ActorRef<RoomMessage>)) {
        self.rooms.each(|_, room| visit(room));
    }

    /// Returns how many rooms are active.
    pub fn active_rooms(&self) -> usize {
        self.rooms.len()
    }

    /// The room's actor goes in good order.
    pub(crate) fn forget_room(&self, room: RoomId, actor: ActorId) {
        // First, while no other actor of the room can have taken the audience up.
        self.hub.forget_if_empty(room);
        self.rooms.remove(room, actor);
    }

    /// The room's actor has died.
    pub(crate) fn room_failed(&self, room: RoomId, actor: ActorId) {
        self.rooms.remove(room, actor);
        if !self.is_draining() && self.parked.failed(room, self.clock().elapsed()) {
            tracing::error!(%room, "room parked: it failed again and again");
        }
    }
}
