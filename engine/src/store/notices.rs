//! The part of the store port about notices: what users are to find in their inboxes.
//!
//! A notice is written in the same append as the event that it tells of, so that it is as durable
//! as that, and forgotten once it is in the log of the inbox.

use super::Answer;
use rookery_protocol::{RoomId, Seq, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// What a notice tells. The kinds are in the order of their names, which is the order of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NoticeKind {
    /// The user was added to the room.
    Added,
    /// A message mentions the user.
    Mention,
    /// Somebody has removed the user from the room.
    Removed,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Added, Self::Mention, Self::Removed];

    /// Returns its name, as stores keep it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Mention => "mention",
        }
    }
}

/// Something that a user is to find in the inbox. There is one at most of the same [`Notice::key`]:
/// the first that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Notice {
    /// Whose inbox.
    pub user: UserId,
    /// Where it happened.
    pub room: RoomId,
    /// The event that it tells of.
    pub seq: Seq,
    /// What it tells.
    pub kind: NoticeKind,
    /// Who did it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

impl Notice {
    /// Returns what names it, which is also what pages are ordered by.
    pub const fn key(&self) -> (UserId, RoomId, Seq, NoticeKind) {
        (self.user, self.room, self.seq, self.kind)
    }
}

/// The notices that are not in their inboxes yet.
pub trait Notices {
    /// Returns at most `limit` notices, ascending by user, room, position and kind, from after `after`.
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>>;

    /// Forgets the notices of these keys; ones that are not there are no matter.
    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()>;
}
