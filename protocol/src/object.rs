//! The things that are talked about: users, rooms, members, messages (PROTOCOL section 2).

use crate::id::{RoomId, Seq, Timestamp, UserId};
use crate::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Unique name: 3 to 32 of `a-z 0-9 _ .`.
    pub handle: String,
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// Where the picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// What the user says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

words! {
    /// What a room is for.
    pub enum RoomKind {
        /// Two users; its id follows from them.
        Direct = "direct",
        /// Members who all write.
        Group = "group",
        /// Many readers, few writers.
        Channel = "channel",
        /// One user's notices.
        Inbox = "inbox",
    }
}

words! {
    /// What a member may do; each includes the ones after it.
    pub enum Role {
        /// Everything, other owners included.
        Owner = "owner",
        /// Members, settings, other people's messages.
        Admin = "admin",
        /// Reads and writes.
        Member = "member",
        /// Reads.
        Reader = "reader",
    }
}

words! {
    /// Which messages of a room notify a member.
    #[derive(Default)]
    pub enum Notify {
        /// Every message.
        #[default]
        All = "all",
        /// Those that mention the member.
        Mentions = "mentions",
        /// None.
        None = "none",
    }
}

words! {
    /// What somebody is making while typing.
    #[derive(Default)]
    pub enum Typing {
        /// A text.
        #[default]
        Text = "text",
        /// A recording.
        Audio = "audio",
        /// A file.
        File = "file",
    }
}

words! {
    /// How somebody is there, as the user sets it.
    pub enum PresenceState {
        /// There.
        Online = "online",
        /// Not at the keyboard.
        Away = "away",
        /// There, and shown as not.
        Invisible = "invisible",
    }
}

words! {
    /// How somebody is seen to be there.
    pub enum Seen {
        /// There.
        Online = "online",
        /// Not at the keyboard.
        Away = "away",
        /// Not there.
        Offline = "offline",
    }
}

/// One user's presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Presence {
    /// Whose.
    pub user: UserId,
    /// How.
    pub state: Seen,
    /// When it was there last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// In its own words; only of one that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// The newest position of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Head {
    /// Position of the newest event; 0 is a room without events.
    pub seq: Seq,
    /// Count of messages so far.
    pub ord: u64,
    /// When the newest event was written.
    pub at: Timestamp,
}

/// One member's own view of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomView {
    /// The member's role.
    pub role: Role,
    /// Read up to here.
    pub read: Seq,
    /// Delivered up to here.
    pub delivered: Seq,
    /// Messages after `read`.
    pub unread: u64,
    /// Of those, the ones that mention the member.
    pub mentions: u64,
    /// No notifications until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// What notifies.
    pub notify: Notify,
    /// Kept on top of the list.
    pub pinned: bool,
    /// Kept out of the list.
    pub archived: bool,
}

/// A room as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Room {
    /// Which.
    pub id: RoomId,
    /// What for.
    pub kind: RoomKind,
    /// Absent in a direct room and an inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where the picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// What the room says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// When its first event was written.
    pub created_at: Timestamp,
    /// How many members it has.
    pub members: u64,
    /// Its newest position.
    pub head: Head,
    /// The asking member's own view.
    pub me: RoomView,
    /// The newest message, in `room.list`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// The beginning of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Preview {
    /// Whose.
    pub by: UserId,
    /// How it begins: at most 140 characters; empty where it has no text, or none any more.
    pub text: String,
}

/// A member of a room, as `member.list` gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Member {
    /// Who.
    pub user: User,
    /// What it may do.
    pub role: Role,
    /// Position of the event that added it.
    pub joined_seq: Seq,
}

/// Where a member has read to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadCursor {
    /// Who.
    pub user: UserId,
    /// Up to where.
    pub seq: Seq,
}
