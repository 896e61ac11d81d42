//! Finding a room's actor, activating it where there is none, and parking what keeps failing.

use super::Node;
use crate::room::{Glance, Recall, Recalled, RoomActor, RoomMessage};
use ractor::{ActorId, ActorRuntime, MessagingErr};
use rookery_engine::bus::NodeId;
use rookery_engine::{Depth, Mailbox};
use rookery_protocol::{ErrorCode, Head, RoomId, UserId, WireError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Tries to reach a room that keeps going just then; each one activates it anew.
const TRIES: usize = 4;

/// How long a room may take to answer a glance. A turn of a busy room takes microseconds, and reading
/// the page from the store instead some milliseconds: waiting longer would cost more than it saves.
const GLANCE_WITHIN: Duration = Duration::from_millis(100);

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
    ) -> Option<Mailbox<RoomMessage>> {
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

    fn reach(self: &Arc<Self>, room: RoomId) -> Result<Mailbox<RoomMessage>, WireError> {
        if let Some(address) = self.rooms.get(room) {
            return Ok(address);
        }
        if self.is_draining() {
            return Err(WireError::new(ErrorCode::Busy, "this node is going down").retry_after(1000));
        }
        if let Some(left) = self.parked.parked_for(&room, self.clock().elapsed()) {
            self.metrics().commands.limits.of("room-parked").increment(1);
            let wait = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
            return Err(WireError::new(ErrorCode::Busy, "the room failed again and again and rests")
                .retry_after(wait));
        }
        self.rooms.get_or_spawn(room, || {
            let supervisor = self.room_supervisors.of(room);
            let waiting = Depth::default();
            let arguments = (Arc::clone(self), room, waiting.clone());
            ActorRuntime::spawn_linked_instant(None, RoomActor, arguments, supervisor)
                .map(|(actor, _)| Mailbox::new(actor, waiting))
                .map_err(|error| {
                    tracing::error!(%room, %error, "room not activated");
                    WireError::new(ErrorCode::Internal, "the room could not be activated")
                })
        })
    }

    /// Has the sweeper's next look tell `room` what time it is.
    pub(crate) fn wake_room_next(&self, room: RoomId) {
        self.restless.lock().unwrap_or_else(PoisonError::into_inner).insert(room);
    }

    /// The actor of `room` goes, and members who have it not open may lack a word of it.
    pub(crate) fn heads_are_due(&self, room: RoomId) {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner).insert(room);
    }

    /// Has the rooms whose last actor did not come to it tell their heads.
    pub(crate) fn tell_unheard(self: &Arc<Self>) {
        let unheard = std::mem::take(&mut *self.unheard.lock().unwrap_or_else(PoisonError::into_inner));
        for room in unheard {
            if self.send_room(room, RoomMessage::HeadsDue).is_none() {
                self.heads_are_due(room);
            }
        }
    }

    /// Returns the rooms that have asked to be woken; from now on they have not.
    pub(crate) fn take_restless_rooms(&self) -> Vec<RoomId> {
        let mut restless = self.restless.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *restless).into_iter().collect()
    }

    /// Returns where a room is reached, if it is active.
    pub(crate) fn active_room(&self, room: RoomId) -> Option<Mailbox<RoomMessage>> {
        self.rooms.get(room)
    }

    /// Returns the head of a room that is active and has `user` as a member, without the store.
    ///
    /// `None` says nothing about the room: it is not active, not ready to answer, or `user` is no
    /// member. It is not activated for this.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn glance(&self, room: RoomId, user: UserId) -> Option<Head> {
        self.ask_active(room, |answer| RoomMessage::Glance(Glance { user, answer })).await
    }

    /// Returns what a room has in memory that is active and has `user` as a member, without the store. It is
    /// not activated for this.
    pub(crate) async fn recall(&self, room: RoomId, user: UserId) -> Option<Recalled> {
        self.ask_active(room, |answer| RoomMessage::Recall(Recall { user, answer })).await
    }

    /// Asks a room that is active for what it has in memory.
    async fn ask_active<T>(
        &self,
        room: RoomId,
        asking: impl FnOnce(oneshot::Sender<T>) -> RoomMessage,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.rooms.get(room)?.send_message(asking(answer)).ok()?;
        timeout(GLANCE_WITHIN, answered).await.ok()?.ok()
    }

    /// Calls `visit` for every active room.
    pub(crate) fn each_room(&self, visit: impl FnMut(RoomId, &Mailbox<RoomMessage>)) {
        self.rooms.each(visit);
    }

    /// Returns the node that orders what happens in a room, as far as this one knows: its own where it
    /// trusts no other to.
    pub fn home_of(&self, room: RoomId) -> NodeId {
        self.cluster.orders(room)
    }

    /// Returns how many rooms are active.
    pub fn active_rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Returns how many rooms are parked.
    pub(crate) fn parked_rooms(&self, now: Duration) -> usize {
        self.parked.parked(now)
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
            self.metrics().rooms.parks.increment(1);
            tracing::error!(%room, "room parked: it failed again and again");
        }
    }
}
