//! Replies to what is done with messages.

use crate::id::{Seq, Timestamp};
use crate::message::Message;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// A change of a message is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Changed {
    /// Position of the change.
    pub seq: Seq,
    /// When it was ordered.
    pub at: Timestamp,
    /// It had been there before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

/// Something is on, or off, as was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Set {
    /// Position of the change; `null`, the only one on the wire, where it was so already.
    #[schemars(required, schema_with = "position_or_null")]
    pub seq: Option<Seq>,
}

/// Says in the schema that `null` is sent, which elsewhere it is not.
fn position_or_null(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Option<Seq>>()
}

/// A page of messages that were looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Found {
    /// As they are now.
    pub messages: Vec<Message>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
