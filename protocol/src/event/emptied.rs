//! What a delete leaves of a message and of its edits: their place, and an empty body.

use super::{EditBody, EventBody};
use crate::body_kind::BodyKind;
use crate::bounded;
use crate::limits::{ATTACHMENTS, MENTIONS};
use crate::mention::Mention;
use crate::message::{Attachment, MessageBody};
use crate::meta::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// An event whose content was taken away, by its `type`.
///
/// **Shape**: `"type"` as before and `"body":{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    test,
    derive(ts_rs::TS),
    ts(
        type = r#"{ "type": "message", "body": Record<string, never> } | { "type": "edit", "body": Record<string, never> }"#
    )
)]
pub enum Emptied {
    /// A message.
    Message,
    /// An edit of one.
    Edit,
}

impl Emptied {
    /// Returns the `type` on the wire, which is that of the event before.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Edit => "edit",
        }
    }
}

impl JsonSchema for Emptied {
    fn schema_name() -> Cow<'static, str> {
        "Emptied".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A message or an edit whose content a delete has taken away.",
            "type": "object",
            "properties": {
                "type": { "enum": ["message", "edit"] },
                "body": { "type": "object", "maxProperties": 0 },
            },
            "required": ["type", "body"],
        })
    }
}

/// The body of a `message` event, or nothing where it was taken away.
#[derive(Deserialize)]
pub(super) struct MaybeMessage {
    kind: Option<BodyKind>,
    text: Option<String>,
    #[serde(default, deserialize_with = "bounded::list::<_, _, MENTIONS>")]
    mentions: Vec<Mention>,
    #[serde(default, deserialize_with = "bounded::list::<_, _, ATTACHMENTS>")]
    attachments: Vec<Attachment>,
    meta: Option<Meta>,
}

impl From<MaybeMessage> for EventBody {
    fn from(read: MaybeMessage) -> Self {
        let MaybeMessage { kind, text, mentions, attachments, meta } = read;
        kind.map_or(Self::Emptied(Emptied::Message), |kind| {
            Self::Message(MessageBody { kind, text, mentions, attachments, meta })
        })
    }
}

/// The body of an `edit` event, or nothing where it was taken away.
#[derive(Deserialize)]
pub(super) struct MaybeEdit {
    #[serde(default, deserialize_with = "body")]
    body: Option<MessageBody>,
}

impl From<MaybeEdit> for EventBody {
    fn from(read: MaybeEdit) -> Self {
        read.body.map_or(Self::Emptied(Emptied::Edit), |body| Self::Edit(EditBody { body }))
    }
}

fn body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MessageBody>, D::Error> {
    bounded::object(deserializer).map(Some)
}
