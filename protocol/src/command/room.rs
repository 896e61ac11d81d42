//! Commands on rooms as a whole (PROTOCOL section 3).

use crate::bounded;
use crate::id::{ClientId, RoomId, Seq, Timestamp, UserId};
use crate::limits::MEMBERS_PER_CALL;
use crate::object::{Notify, RoomKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Creates a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomCreate {
    /// The same again gives the same room.
    pub client_id: ClientId,
    /// `group` or `channel`.
    pub kind: RoomKind,
    /// 1 to 128 characters.
    pub title: String,
    /// Who is in it besides the creator.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, MEMBERS_PER_CALL>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub members: Vec<UserId>,
}

/// Finds or makes the direct room with a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomDirect {
    /// The other one.
    pub user: UserId,
}

/// Asks for a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomGet {
    /// Which.
    pub room: RoomId,
}

/// Changes a room's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomUpdate {
    /// Which.
    pub room: RoomId,
    /// 1 to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// At most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// A picture that was uploaded: its id, or where it is; empty takes the picture away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// Asks for one's rooms, newest activity first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomList {
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Asks to hear a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomOpen {
    /// Which.
    pub room: RoomId,
    /// The last position seen; 0 is the beginning; absent: from the head on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
}

/// Asks to hear a room no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomClose {
    /// Which.
    pub room: RoomId,
}

/// Asks for a page of a room; the newest without a bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomHistory {
    /// Which.
    pub room: RoomId,
    /// Only older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// Only newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// Both sides of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Seq>,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Changes one's own view of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomSettings {
    /// Which.
    pub room: RoomId,
    /// What notifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// No notifications until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// Kept on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Kept out of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}
