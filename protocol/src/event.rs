//! A durable event of a room: one line of its log (PROTOCOL section 2).

mod emptied;
mod read;
mod write;

pub use emptied::Emptied;

use crate::id::{ClientId, RoomId, Seq, Timestamp, UserId};
use crate::limits::PREVIEW_CHARS;
use crate::message::MessageBody;
use crate::object::{Role, RoomKind};
use crate::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Event {
    /// Whose log.
    pub room: RoomId,
    /// Its place: 1, 2, 3 … without a gap.
    pub seq: Seq,
    /// Messages up to and including this event.
    pub ord: u64,
    /// When the room ordered it.
    pub at: Timestamp,
    /// Who did it.
    pub by: UserId,
    /// The name the sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The event that this one changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Seq>,
    /// The message that this message answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// What happened: `type` and `body` on the wire.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened, as `"type"` and `"body"`; `type` comes first.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", content = "body", rename_all = "lowercase")]
pub enum EventBody {
    /// Somebody said something.
    Message(MessageBody),
    /// A message got another body.
    Edit(EditBody),
    /// A message's content was taken away.
    Delete(DeleteBody),
    /// An emoji was set on a message, or taken off.
    Reaction(ReactionBody),
    /// A message was pinned, or unpinned.
    Pin(PinBody),
    /// A member was added, removed, left or got another role.
    Member(MemberChange),
    /// The room was created or its description changed.
    Room(RoomChange),
    /// A message or an edit whose content a delete has taken away: `body` is `{}`.
    #[serde(untagged)]
    Emptied(Emptied),
}

/// The new body of an edited message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EditBody {
    /// It.
    pub body: MessageBody,
}

/// Nothing: the target says all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeleteBody {}

/// A reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReactionBody {
    /// Which.
    pub emoji: String,
    /// Set or taken off.
    pub on: bool,
}

/// A pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PinBody {
    /// Set or taken off.
    pub on: bool,
}

words! {
    /// What happened to a membership.
    pub enum Change {
        /// It began.
        Added = "added",
        /// Somebody else ended it.
        Removed = "removed",
        /// The member ended it.
        Left = "left",
        /// Its role changed.
        Role = "role",
    }
}

/// A change of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberChange {
    /// Whose.
    pub user: UserId,
    /// What happened.
    pub change: Change,
    /// The role from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// What a room's description is from then on, as far as it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomChange {
    /// What for; in a room's first event only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RoomKind>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where its picture is; empty where it was taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

impl EventBody {
    /// Returns the `type` on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Edit(_) => "edit",
            Self::Delete(_) => "delete",
            Self::Reaction(_) => "reaction",
            Self::Pin(_) => "pin",
            Self::Member(_) => "member",
            Self::Room(_) => "room",
            Self::Emptied(emptied) => emptied.kind(),
        }
    }

    /// Returns whether it changes a message that is there, rather than being an entry of a page itself.
    pub const fn is_change(&self) -> bool {
        match self {
            Self::Edit(_) | Self::Delete(_) | Self::Reaction(_) | Self::Pin(_) => true,
            Self::Message(_) | Self::Member(_) | Self::Room(_) => false,
            Self::Emptied(emptied) => matches!(emptied, Emptied::Edit),
        }
    }

    /// Returns what is left of it once its content is taken away.
    #[must_use]
    pub fn emptied(self) -> Self {
        match self {
            Self::Message(_) => Self::Emptied(Emptied::Message),
            Self::Edit(_) => Self::Emptied(Emptied::Edit),
            other => other,
        }
    }

    /// Returns how the text of a message begins, if it has one.
    pub fn beginning(&self) -> Option<String> {
        match self {
            Self::Message(MessageBody { text: Some(text), .. }) => {
                Some(text.chars().take(PREVIEW_CHARS).collect())
            }
            _ => None,
        }
    }

    /// Returns about how many bytes the body takes encoded.
    pub fn text_bytes(&self) -> usize {
        let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Self::Message(body) | Self::Edit(EditBody { body }) => body.weight(),
            Self::Reaction(reaction) => reaction.emoji.len(),
            Self::Room(change) => len(&change.title) + len(&change.about) + len(&change.avatar),
            Self::Delete(_) | Self::Pin(_) | Self::Member(_) | Self::Emptied(_) => 0,
        }
    }

    /// Returns the body as JSON text, as stores keep it beside its `type`.
    ///
    /// # Errors
    /// None that occurs: own types can be encoded.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Message(body) => serde_json::to_string(body),
            Self::Edit(body) => serde_json::to_string(body),
            Self::Delete(body) => serde_json::to_string(body),
            Self::Reaction(body) => serde_json::to_string(body),
            Self::Pin(body) => serde_json::to_string(body),
            Self::Member(body) => serde_json::to_string(body),
            Self::Room(body) => serde_json::to_string(body),
            Self::Emptied(_) => Ok("{}".to_owned()),
        }
    }

    /// Reads what [`EventBody::to_json`] wrote.
    ///
    /// # Errors
    /// When `kind` is unknown or the text is not a body of that kind.
    pub fn from_json(kind: &str, text: &str) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            "message" if text == "{}" => Self::Emptied(Emptied::Message),
            "edit" if text == "{}" => Self::Emptied(Emptied::Edit),
            "message" => Self::Message(serde_json::from_str(text)?),
            "edit" => Self::Edit(serde_json::from_str(text)?),
            "delete" => Self::Delete(serde_json::from_str(text)?),
            "reaction" => Self::Reaction(serde_json::from_str(text)?),
            "pin" => Self::Pin(serde_json::from_str(text)?),
            "member" => Self::Member(serde_json::from_str(text)?),
            "room" => Self::Room(serde_json::from_str(text)?),
            _ => return Err(serde::de::Error::custom(format_args!("an event has no type `{kind}`"))),
        })
    }
}
