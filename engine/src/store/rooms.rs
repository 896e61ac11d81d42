//! The reading half of the store port: rooms, members and one user's view of them.

use super::Answer;
use rookery_protocol::{Head, Notify, Preview, Role, RoomId, RoomKind, Seq, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A room's description: what its `room` events say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRecord {
    /// Which.
    pub room: RoomId,
    /// What for.
    pub kind: RoomKind,
    /// Its title, in rooms that have one.
    pub title: Option<String>,
    /// What it says of itself.
    pub about: Option<String>,
    /// Where its picture is.
    pub avatar: Option<String>,
    /// When its first event was written.
    pub created_at: Timestamp,
    /// How many members it has after the event at `rev`.
    pub members: u64,
    /// Position of the event that this follows from.
    pub rev: Seq,
}

/// One user's membership of one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Of which room.
    pub room: RoomId,
    /// Whose.
    pub user: UserId,
    /// What it may do; `None` once it has left or was removed.
    pub role: Option<Role>,
    /// Position of the event that added it, the last time it was.
    pub joined: Seq,
    /// Messages up to that position.
    pub joined_ord: u64,
    /// Position of the event that this follows from.
    pub rev: Seq,
}

/// How a member wants to have a room. The default is how everybody has it at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What notifies.
    pub notify: Notify,
    /// No notifications until then.
    pub muted_until: Option<Timestamp>,
    /// Kept on top of the list.
    pub pinned: bool,
    /// Kept out of the list.
    pub archived: bool,
}

/// What of [`Settings`] is to be another one; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// What notifies.
    pub notify: Option<Notify>,
    /// Until when nothing does; `Some(None)` ends it.
    pub muted_until: Option<Option<Timestamp>>,
    /// Kept on top of the list.
    pub pinned: Option<bool>,
    /// Kept out of the list.
    pub archived: Option<bool>,
}

impl SettingsChange {
    /// Returns what `old` becomes.
    pub fn of(&self, old: Settings) -> Settings {
        Settings {
            notify: self.notify.unwrap_or(old.notify),
            muted_until: self.muted_until.unwrap_or(old.muted_until),
            pinned: self.pinned.unwrap_or(old.pinned),
            archived: self.archived.unwrap_or(old.archived),
        }
    }
}

/// A room together with one member's own view of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomState {
    /// The room.
    pub record: RoomRecord,
    /// Its newest position.
    pub head: Head,
    /// The member (never one that has gone).
    pub membership: Membership,
    /// Read up to here: the cursor, or the position of joining if that is later.
    pub read: Seq,
    /// Messages up to `read`.
    pub read_ord: u64,
    /// Messages have arrived at one of its devices up to here; never less than `read`.
    pub delivered: Seq,
    /// Mentions of the member, or of everybody, after `read`.
    pub mentions: u64,
    /// How the member wants to have it.
    pub settings: Settings,
    /// The newest message as it is now, if there is one that the member may see.
    pub preview: Option<Preview>,
}

impl RoomState {
    /// Returns the messages after `read`.
    pub const fn unread(&self) -> u64 {
        self.head.ord.saturating_sub(self.read_ord)
    }
}

/// Where a page of a user's room list ended: rooms are listed by newest activity first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomsCursor {
    /// `head.at` of the last room given.
    pub at: Timestamp,
    /// Its id, which decides between equal times (descending).
    pub room: RoomId,
}

/// Reads over the projections.
pub trait Rooms {
    /// Returns a room's description.
    fn room(&self, room: RoomId) -> Answer<'_, Option<RoomRecord>>;

    /// Returns a room and `user`'s view of it, or `None` where `user` is not a member now.
    fn room_state(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomState>>;

    /// Returns the room and its view for each of `users` that is a member now, ascending by user id.
    fn room_states<'a>(&'a self, room: RoomId, users: &'a [UserId]) -> Answer<'a, Vec<RoomState>>;

    /// Changes how `user` has the room. Sending the same change again changes nothing more.
    fn change_settings(&self, room: RoomId, user: UserId, change: SettingsChange) -> Answer<'_, ()>;

    /// Returns at most `limit` of the rooms that `user` is a member of now (inbox rooms left out),
    /// newest activity first, from after `cursor`.
    fn rooms_of(&self, user: UserId, cursor: Option<RoomsCursor>, limit: usize)
    -> Answer<'_, Vec<RoomState>>;

    /// Returns the unread messages of all rooms that [`Rooms::rooms_of`] lists.
    fn total_unread(&self, user: UserId) -> Answer<'_, u64>;

    /// Returns at most `limit` present members ascending by user id, from after `after`.
    fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Answer<'_, Vec<Membership>>;
}
