//! How a message is to be shown: one word.

use crate::limits::KIND_BYTES;
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// How a message is to be shown.
///
/// **Shape**: its word. Applications make their own with `x.` in front, of `a-z 0-9 _ . -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    test,
    derive(ts_rs::TS),
    ts(type = "\"text\" | \"image\" | \"video\" | \"audio\" | \"document\" | \"location\" | `x.${string}`")
)]
pub enum BodyKind {
    /// Text.
    Text,
    /// Pictures.
    Image,
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// Other files.
    Document,
    /// A place, described in `meta`.
    Location,
    /// An application's own.
    Custom(CustomKind),
}

/// A word with `x.` in front, at most 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomKind(Box<str>);

/// Says that a text is not the word of a [`BodyKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a kind of message: text, image, video, audio, document, location, or x. and a name of a-z 0-9 _ . -"
)]
pub struct UnknownBodyKind;

impl BodyKind {
    /// Returns the word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Location => "location",
            Self::Custom(CustomKind(word)) => word,
        }
    }
}

impl FromStr for BodyKind {
    type Err = UnknownBodyKind;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word {
            "text" => Self::Text,
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Audio,
            "document" => Self::Document,
            "location" => Self::Location,
            custom if is_custom(custom) => Self::Custom(CustomKind(custom.into())),
            _ => return Err(UnknownBodyKind),
        })
    }
}

fn is_custom(word: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    word.len() <= KIND_BYTES
        && word.strip_prefix("x.").is_some_and(|name| !name.is_empty() && name.bytes().all(allowed))
}

impl fmt::Display for BodyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for BodyKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for BodyKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word)
    }
}

struct Word;

impl Visitor<'_> for Word {
    type Value = BodyKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a kind of message")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<BodyKind, E> {
        word.parse().map_err(E::custom)
    }
}

impl JsonSchema for BodyKind {
    fn schema_name() -> Cow<'static, str> {
        "BodyKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How a message is to be shown.",
            "type": "string",
            "pattern": "^(text|image|video|audio|document|location|x\\.[a-z0-9_.-]{1,62})$",
        })
    }
}
