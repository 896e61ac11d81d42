//! The final full read of a room, by which the journals are judged.

use super::{Content, ContentHash, Said};
use rookery_protocol::{Change, ClientId, Emptied, Event, EventBody, Role, RoomId, Seq, Timestamp, UserId};
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
    /// Of its content, but for what it says.
    pub hash: ContentHash,
    /// What a message or an edit says, unless a delete took that away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
    /// The role that it gives to whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What of it the checker has to understand.
    #[serde(flatten)]
    pub kind: LoggedKind,
}

/// What a logged event means for who may see what, and for what is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Somebody has another role from here on.
    Role {
        /// Who.
        user: UserId,
    },
    /// A message says something else.
    Edit {
        /// Which.
        target: Seq,
    },
    /// A message says nothing any more.
    Delete {
        /// Which.
        target: Seq,
    },
    /// An emoji was set on a message, or taken off.
    Reaction {
        /// Which message.
        target: Seq,
        /// Which emoji.
        emoji: String,
        /// Set or taken off.
        on: bool,
    },
    /// A message was pinned, or unpinned.
    Pin {
        /// Which.
        target: Seq,
        /// Set or taken off.
        on: bool,
    },
    /// Something else.
    Other,
}

impl LoggedKind {
    /// Returns the message that it changes, if it is a change.
    pub fn target(&self) -> Option<Seq> {
        match self {
            Self::Edit { target }
            | Self::Delete { target }
            | Self::Reaction { target, .. }
            | Self::Pin { target, .. } => Some(*target),
            _ => None,
        }
    }
}

impl From<&Event> for Logged {
    fn from(event: &Event) -> Self {
        let content = Content::from(event);
        let role = if let EventBody::Member(member) = &event.body { member.role } else { None };
        Self {
            seq: event.seq,
            ord: event.ord,
            at: event.at,
            by: event.by,
            cid: event.client_id,
            hash: content.hash(),
            said: content.said(),
            role,
            kind: kind(event),
        }
    }
}

fn kind(event: &Event) -> LoggedKind {
    // A change without a target is none: nothing is there under position 0.
    let target = event.target.unwrap_or_default();
    match &event.body {
        EventBody::Message(_) | EventBody::Emptied(Emptied::Message) => LoggedKind::Message,
        EventBody::Member(member) => match member.change {
            Change::Added => LoggedKind::Added { user: member.user },
            Change::Removed | Change::Left => LoggedKind::Removed { user: member.user },
            Change::Role => LoggedKind::Role { user: member.user },
        },
        EventBody::Edit(_) | EventBody::Emptied(Emptied::Edit) => LoggedKind::Edit { target },
        EventBody::Delete(_) => LoggedKind::Delete { target },
        EventBody::Reaction(set) => LoggedKind::Reaction { target, emoji: set.emoji.clone(), on: set.on },
        EventBody::Pin(set) => LoggedKind::Pin { target, on: set.on },
        EventBody::Room(_) => LoggedKind::Other,
    }
}
