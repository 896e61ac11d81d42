//! `meta`: whatever an application wants to keep with a message, carried and never looked into.

use crate::limits::{DEPTH, META_BYTES};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use std::fmt::{self, Write as _};

/// A JSON object of at most [`META_BYTES`], kept as compact JSON text.
///
/// It is turned into text while it is read, in either codec, and reading stops at the bound: no
/// tree is built of what a stranger sent.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "serde_json::Map<String, serde_json::Value>")]
pub struct Meta(Box<str>);

impl Meta {
    /// Returns the object as compact JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The text was written by `Deserialize` below, so the tree is as bounded as the text.
        let value: serde_json::Value = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = Text(String::new());
        Value { text: &mut text, depth: 0 }.deserialize(deserializer)?;
        if !text.0.starts_with('{') {
            return Err(D::Error::custom("`meta` is an object"));
        }
        Ok(Self(text.0.into_boxed_str()))
    }
}

/// JSON text that refuses to outgrow its bound.
struct Text(String);

impl Text {
    fn push<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        if self.0.len() + text.len() > META_BYTES {
            return Err(E::custom(format_args!("`meta` has at most {META_BYTES} bytes")));
        }
        self.0.push_str(text);
        Ok(())
    }

    fn push_string<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        if text.len() > META_BYTES {
            return self.push(text);
        }
        let quoted = serde_json::to_string(text).map_err(E::custom)?;
        self.push(&quoted)
    }

    fn push_number<E: serde::de::Error>(&mut self, number: impl fmt::Display) -> Result<(), E> {
        let mut digits = String::new();
        write!(digits, "{number}").map_err(E::custom)?;
        self.push(&digits)
    }
}

/// One value, on its way into the text.
struct Value<'a> {
    text: &'a mut Text,
    depth: usize,
}

impl Value<'_> {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth >= DEPTH { Err(E::custom("`meta` nests too deep")) } else { Ok(self.depth + 1) }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.text.push("null")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.text.push("null")
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.text.push(if value { "true" } else { "false" })
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.text.push_number(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.text.push_number(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(E::custom("`meta` has a number that JSON cannot say"));
        }
        let number = serde_json::to_string(&value).map_err(E::custom)?;
        self.text.push(&number)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.text.push_string(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        self.text.push("[")?;
        let mut is_first = true;
        loop {
            let comma_at = self.text.0.len();
            if !is_first {
                self.text.push(",")?;
            }
            if items.next_element_seed(Value { text: &mut *self.text, depth })?.is_none() {
                self.text.0.truncate(comma_at);
                return self.text.push("]");
            }
            is_first = false;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        self.text.push("{")?;
        let mut is_first = true;
        while let Some(key) = entries.next_key::<String>()? {
            if !is_first {
                self.text.push(",")?;
            }
            is_first = false;
            self.text.push_string(&key)?;
            self.text.push(":")?;
            entries.next_value_seed(Value { text: &mut *self.text, depth })?;
        }
        self.text.push("}")
    }
}
