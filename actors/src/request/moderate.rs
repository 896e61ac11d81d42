//! What the server does to rooms: asked by whoever administers it, done by the room like anything else.

use crate::node::Node;
use crate::room::{Action, Moderation, SERVER};
use rookery_protocol::{ClientId, MessageDelete, ReplyBody, RoomId, Seq, UserId, WireError};
use std::sync::Arc;

impl Node {
    /// Takes the content of the message at `target` away, whoever wrote it. Asked again under the same name it
    /// is done once.
    ///
    /// # Errors
    /// `not_found` where there is no such message or it is gone already; those of a room.
    pub async fn take_down(
        self: &Arc<Self>,
        room: RoomId,
        target: Seq,
        client_id: ClientId,
    ) -> Result<(), WireError> {
        let delete = MessageDelete { room, client_id, target };
        self.moderate(room, Moderation::Delete(delete)).await.map(drop)
    }

    /// Removes a member, whatever its role. Somebody else owns the room where it was the last owner.
    ///
    /// # Errors
    /// `not_found` where it is not a member; those of a room.
    pub async fn expel(self: &Arc<Self>, room: RoomId, user: UserId) -> Result<(), WireError> {
        self.moderate(room, Moderation::Remove(user)).await.map(drop)
    }

    /// Removes every member: nobody finds the room any more. What was written stays in the store.
    ///
    /// # Errors
    /// Those of a room; some of the members may have been removed then, and asking again goes on.
    pub async fn close_room(self: &Arc<Self>, room: RoomId) -> Result<(), WireError> {
        while let ReplyBody::Written(_) = self.moderate(room, Moderation::Close).await? {}
        Ok(())
    }

    async fn moderate(
        self: &Arc<Self>,
        room: RoomId,
        moderation: Moderation,
    ) -> Result<ReplyBody, WireError> {
        self.submit(SERVER, room, Action::Moderate(moderation)).await
    }
}
