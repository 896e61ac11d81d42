//! The invites half of the store port: texts that let whoever has them into a room.

use super::{Answer, TokenHash};
use rookery_protocol::{RoomId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// An invite as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The hash of its text, which nobody but its holders knows.
    pub hash: TokenHash,
    /// Where it leads.
    pub room: RoomId,
    /// Who made it.
    pub by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Good before then; for ever without it.
    pub expires_at: Option<Timestamp>,
    /// How many users it lets in; any number without it.
    pub uses: Option<u32>,
}

/// What became of an invite that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteCreated {
    /// It is there, now or already.
    Created,
    /// The room has [`crate::limits::INVITES_PER_ROOM`] that are good.
    TooMany,
}

/// What became of a use of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteUsed {
    /// The user may come in; it has taken a use, now or before.
    Used,
    /// Its time was over.
    Expired,
    /// It was taken back.
    Revoked,
    /// As many users as it was made for have used it.
    Exhausted,
    /// There is no such invite, or it ended so long ago that it was forgotten.
    Unknown,
}

/// Invites to rooms. What an invite says of a room's rules (who may make one, whether there is a
/// place) is not looked at here.
pub trait Invites {
    /// Keeps an invite unless its room has too many that are good at `invite.created_at`.
    ///
    /// Forgets what is of no use any more: the room's invites that were taken back or have expired,
    /// and those used up for [`crate::limits::INVITE_KEPT_MS`].
    fn create_invite(&self, invite: Invite) -> Answer<'_, InviteCreated>;

    /// Returns an invite, also one that is not good any more.
    fn invite(&self, hash: TokenHash) -> Answer<'_, Option<Invite>>;

    /// Takes an invite of `room` back at `at`. Returns whether the room has it.
    fn revoke_invite(&self, room: RoomId, hash: TokenHash, at: Timestamp) -> Answer<'_, bool>;

    /// Takes one use of an invite for `user` at `at`, if it is good then. A user that has taken one takes
    /// no second one, whether or not the invite is used up by then.
    fn use_invite(&self, hash: TokenHash, user: UserId, at: Timestamp) -> Answer<'_, InviteUsed>;
}
