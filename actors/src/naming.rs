//! Ids that follow from what they name, so that making a thing twice makes it once.
//!
//! All are UUIDv5 (RFC 9562, section 5.5) under a namespace of their own.

use rookery_engine::store::Notice;
use rookery_protocol::{ClientId, RoomId, UserId};
use uuid::Uuid;

/// The namespace of direct rooms.
const DIRECT: Uuid = Uuid::from_u128(0x3f1c_9a52_7d0e_4b68_9c21_5e8a_d0b7_4401);
/// The namespace of rooms that users create.
const CREATED: Uuid = Uuid::from_u128(0x3f1c_9a52_7d0e_4b68_9c21_5e8a_d0b7_4402);
/// The namespace of inboxes.
const INBOX: Uuid = Uuid::from_u128(0x3f1c_9a52_7d0e_4b68_9c21_5e8a_d0b7_4403);

/// The namespace of notices.
const NOTICE: Uuid = Uuid::from_u128(0x3f1c_9a52_7d0e_4b68_9c21_5e8a_d0b7_4404);

/// Returns the direct room of two users, the same whoever asks.
pub fn direct_room(one: UserId, other: UserId) -> RoomId {
    RoomId(derive(DIRECT, one.0.min(other.0), one.0.max(other.0)))
}

/// Returns the room that `creator` makes under `client_id`.
pub(crate) fn created_room(creator: UserId, client_id: ClientId) -> RoomId {
    RoomId(derive(CREATED, creator.0, client_id.0))
}

/// Returns the inbox of `user`.
pub fn inbox_of(user: UserId) -> RoomId {
    RoomId(Uuid::new_v5(&INBOX, user.0.as_bytes()))
}

/// Returns the name under which a notice is written into its inbox.
pub(crate) fn notice_id(notice: &Notice) -> ClientId {
    let seq = notice.seq.0.to_be_bytes();
    let name = [notice.room.0.as_bytes(), notice.kind.as_str().as_bytes(), &seq[..]].concat();
    ClientId(Uuid::new_v5(&NOTICE, &name))
}

fn derive(namespace: Uuid, first: Uuid, second: Uuid) -> Uuid {
    Uuid::new_v5(&namespace, &[*first.as_bytes(), *second.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_users_have_one_direct_room_whoever_asks() {
        let (one, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        assert_eq!(direct_room(one, other), direct_room(other, one));
        assert_ne!(direct_room(one, other), direct_room(one, one));
    }
}
