//! Reading `meta` from either codec, straight into compact JSON text.

use super::Meta;
use crate::limits::{META_BYTES, META_DEPTH};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::ops::Range;

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = Text(String::new());
        Value { text: &mut text, level: 0 }.deserialize(deserializer)?;
        if !text.0.starts_with('{') {
            return Err(D::Error::custom("`meta` is an object"));
        }
        Ok(Self(text.0.into_boxed_str()))
    }
}

/// JSON text that refuses to outgrow its bound.
struct Text(String);

impl Text {
    fn push<E: Error>(&mut self, text: &str) -> Result<(), E> {
        if self.0.len() + text.len() > META_BYTES {
            return Err(E::custom(format_args!("`meta` has at most {META_BYTES} bytes")));
        }
        self.0.push_str(text);
        Ok(())
    }

    /// Pushes the text of a number or a string.
    fn push_json<E: Error, T: serde::Serialize + ?Sized>(&mut self, value: &T) -> Result<(), E> {
        let text = serde_json::to_string(value).map_err(E::custom)?;
        self.push(&text)
    }

    /// Pushes a string in quotes, and returns where it is.
    fn push_string<E: Error>(&mut self, string: &str) -> Result<Range<usize>, E> {
        let from = self.0.len();
        if string.len() > META_BYTES {
            self.push(string)?;
        }
        self.push_json(string)?;
        Ok(from..self.0.len())
    }

    /// Refuses a level that has a key twice: clients would disagree on which of them holds.
    fn check_keys<E: Error>(&self, mut keys: Vec<Range<usize>>) -> Result<(), E> {
        keys.sort_unstable_by_key(|key| &self.0[key.clone()]);
        match keys.windows(2).find(|pair| self.0[pair[0].clone()] == self.0[pair[1].clone()]) {
            None => Ok(()),
            Some(pair) => Err(E::custom(format_args!("`meta` has {} twice", &self.0[pair[0].clone()]))),
        }
    }
}

/// One value, on its way into the text.
struct Value<'a> {
    text: &'a mut Text,
    /// How many lists and objects it is in.
    level: usize,
}

impl Value<'_> {
    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.level >= META_DEPTH {
            return Err(E::custom(format_args!("`meta` nests at most {META_DEPTH} deep")));
        }
        Ok(self.level + 1)
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

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.text.push("null")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.text.push(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.text.push_json(&number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.text.push_json(&number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if !number.is_finite() {
            return Err(E::custom("`meta` has a number that JSON cannot say"));
        }
        self.text.push_json(&number)
    }

    fn visit_str<E: Error>(self, string: &str) -> Result<(), E> {
        self.text.push_string(string).map(drop)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let level = self.deeper()?;
        self.text.push("[")?;
        let mut comma_at = None;
        while items.next_element_seed(Value { text: &mut *self.text, level })?.is_some() {
            comma_at = Some(self.text.0.len());
            self.text.push(",")?;
        }
        if let Some(at) = comma_at {
            self.text.0.truncate(at);
        }
        self.text.push("]")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let level = self.deeper()?;
        self.text.push("{")?;
        let mut keys = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !keys.is_empty() {
                self.text.push(",")?;
            }
            keys.push(self.text.push_string(&key)?);
            self.text.push(":")?;
            entries.next_value_seed(Value { text: &mut *self.text, level })?;
        }
        self.text.check_keys(keys)?;
        self.text.push("}")
    }
}
