//! Commands about receipts, typing and presence (PROTOCOL section 5).

use crate::bounded;
use crate::id::{RoomId, Seq, UserId};
use crate::limits::WATCHED;
use crate::object::{PresenceState, Typing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Says how far one has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadMark {
    /// Where.
    pub room: RoomId,
    /// Up to here.
    pub seq: Seq,
}

/// Asks who has read a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadList {
    /// Where.
    pub room: RoomId,
    /// Which.
    pub seq: Seq,
}

/// Says how far messages have arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeliveredMark {
    /// Where.
    pub room: RoomId,
    /// Up to here.
    pub seq: Seq,
}

/// Says that one is typing, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TypingSet {
    /// Where.
    pub room: RoomId,
    /// Begun or ended.
    pub on: bool,
    /// What is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Typing>,
}

/// Asks to hear whether users are there; replaces the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PresenceWatch {
    /// Whom.
    #[serde(deserialize_with = "bounded::list::<_, _, WATCHED>")]
    pub users: Vec<UserId>,
}

/// Says how one is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PresenceSet {
    /// How.
    pub state: PresenceState,
    /// In one's own words, at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}
