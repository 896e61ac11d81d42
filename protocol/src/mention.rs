//! Who is to be notified of a message: one user, or everybody.

use crate::id::UserId;
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// Who is to be notified.
///
/// **Shape**: a user's id, or the text `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "\"all\" | UserId"))]
pub enum Mention {
    /// Every member of the room.
    All,
    /// This user.
    User(UserId),
}

impl Serialize for Mention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::User(user) => user.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Mention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids_are_text = deserializer.is_human_readable();
        deserializer.deserialize_any(AllOrId { ids_are_text })
    }
}

struct AllOrId {
    ids_are_text: bool,
}

impl Visitor<'_> for AllOrId {
    type Value = Mention;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user's id or \"all\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Mention, E> {
        if text == "all" {
            return Ok(Mention::All);
        }
        if !self.ids_are_text {
            return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self));
        }
        text.parse().map(Mention::User).map_err(E::custom)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Mention, E> {
        Uuid::from_slice(bytes).map(|id| Mention::User(UserId(id))).map_err(E::custom)
    }
}

impl JsonSchema for Mention {
    fn schema_name() -> Cow<'static, str> {
        "Mention".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Who is to be notified: a user's id, or \"all\".",
            "anyOf": [{ "const": "all" }, generator.subschema_for::<UserId>()],
        })
    }
}
