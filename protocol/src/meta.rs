//! `meta`: whatever an application wants to keep with a message, carried and never looked into.

mod read;
mod write;

use schemars::JsonSchema;
use serde::Deserialize as _;
use std::borrow::Cow;
use std::str::FromStr;

/// A JSON object of at most [`META_BYTES`](crate::limits::META_BYTES), kept as compact JSON text.
///
/// It is turned into text while it is read, in either codec, and reading stops at the bound: no
/// tree is built of what a stranger sent. What JSON cannot say (binary data, NaN), a key that is there
/// twice, and more than [`META_DEPTH`](crate::limits::META_DEPTH) levels are refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "{ [key: string]: unknown }"))]
pub struct Meta(Box<str>);

impl Meta {
    /// Returns the object as compact JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl FromStr for Meta {
    type Err = serde_json::Error;

    /// Reads any JSON text of such an object.
    fn from_str(json: &str) -> Result<Self, Self::Err> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let meta = Self::deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(meta)
    }
}

impl JsonSchema for Meta {
    fn schema_name() -> Cow<'static, str> {
        "Meta".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What the application adds: at most 4096 bytes as compact JSON, 24 levels deep.",
            "type": "object",
        })
    }
}
