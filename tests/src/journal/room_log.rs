//! The final full read of a room, by which the journals are judged.

use super::{Content, ContentHash};
use rookery_protocol::{Change, ClientId, Emptied, Event, EventBody, RoomId, Seq, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A room's log from its first event to its head, as one member read it when nothing moved any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLog {
    /// Which room.
    pub room: RoomId,
    /// In the order in which they were read.
    pub events: Vec<Logged>,
}

/// An event as the final read gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// Its place.
    pub seq: Seq,
    /// Messages up to it.
    pub ord: u64,
    /// When it was ordered.
    pub at: Timestamp,
    /// Who did it.
    pub by: UserId,
    /// The name its sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<ClientId>,
    /// Of its content.
    pub hash: ContentHash,
    /// What of it the checker has to understand.
    #[serde(flatten)]
    pub kind: LoggedKind,
}

/// What a logged event means for who may see what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LoggedKind {
    /// Somebody said something.
    Message,
    /// Somebody is a member from here on.
    Added {
        /// Who.
        user: UserId,
    },
    /// Somebody is no member after this.
    Removed {
        /// Who.
        user: UserId,
    },
    /// Something else.
    Other,
}

impl From<&Event> for Logged {
    fn from(event: &Event) -> Self {
        let kind = match &event.body {
            EventBody::Message(_) | EventBody::Emptied(Emptied::Message) => LoggedKind::Message,
            EventBody::Member(member) => match member.change {
                Change::Added => LoggedKind::Added { user: member.user },
                Change::Removed | Change::Left => LoggedKind::Removed { user: member.user },
                Change::Role => LoggedKind::Other,
            },
            EventBody::Edit(_)
            | EventBody::Delete(_)
            | EventBody::Reaction(_)
            | EventBody::Pin(_)
            | EventBody::Emptied(Emptied::Edit)
            | EventBody::Room(_) => LoggedKind::Other,
        };
        Self {
            seq: event.seq,
            ord: event.ord,
            at: event.at,
            by: event.by,
            cid: event.client_id,
            hash: Content::from(event).hash(),
            kind,
        }
    }
}
