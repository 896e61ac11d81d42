//! Commands on the members of a room, and invitations to it (PROTOCOL section 3).

use crate::bounded;
use crate::id::{RoomId, Timestamp, UserId};
use crate::limits::MEMBERS_PER_CALL;
use crate::object::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for a room's members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberList {
    /// Which.
    pub room: RoomId,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Adds members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberAdd {
    /// Where.
    pub room: RoomId,
    /// Whom.
    #[serde(deserialize_with = "bounded::list::<_, _, MEMBERS_PER_CALL>")]
    pub users: Vec<UserId>,
    /// As what; `member` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// Removes a member; oneself to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberRemove {
    /// Where.
    pub room: RoomId,
    /// Whom.
    pub user: UserId,
}

/// Gives a member another role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberRole {
    /// Where.
    pub room: RoomId,
    /// Whom.
    pub user: UserId,
    /// Which.
    pub role: Role,
}

/// Makes an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InviteCreate {
    /// Where to.
    pub room: RoomId,
    /// Good before then; for ever without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How many users it lets in, at least 1; any number without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
}

/// Takes an invitation back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InviteRevoke {
    /// Where to.
    pub room: RoomId,
    /// Which.
    pub invite: String,
}

/// Joins by invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InviteAccept {
    /// Which.
    pub invite: String,
}
