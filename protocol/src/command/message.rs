//! Commands on messages (PROTOCOL section 4).

use crate::bounded;
use crate::id::{ClientId, RoomId, Seq, Timestamp, UserId};
use crate::message::MessageBody;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageSend {
    /// Where.
    pub room: RoomId,
    /// The same again gives the same message.
    pub client_id: ClientId,
    /// 1 at first, 2, 3 … when it is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What.
    #[serde(deserialize_with = "bounded::object")]
    pub body: MessageBody,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
}

/// Gives one's own message another body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageEdit {
    /// Where.
    pub room: RoomId,
    /// The same again gives the same edit.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
    /// What it says now.
    #[serde(deserialize_with = "bounded::object")]
    pub body: MessageBody,
    /// Only if this is its last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Seq>,
}

/// Takes a message's content away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageDelete {
    /// Where.
    pub room: RoomId,
    /// The same again gives the same delete.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
}

/// Sets an emoji on a message, or takes it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReactionSet {
    /// Where.
    pub room: RoomId,
    /// The same again changes nothing.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
    /// What.
    pub emoji: String,
    /// Set or taken off.
    pub on: bool,
}

/// Pins a message, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PinSet {
    /// Where.
    pub room: RoomId,
    /// The same again changes nothing.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
    /// Set or taken off.
    pub on: bool,
}

/// Looks for messages in one's own rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageSearch {
    /// What for.
    pub query: String,
    /// Only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// Only by this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UserId>,
    /// Only older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// Only of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
