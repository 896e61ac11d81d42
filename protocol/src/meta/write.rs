//! Writing `meta`: JSON gets the text as it is; MessagePack gets it value by value.

use super::Meta;
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// Why this cannot fail on text that was checked when it was read.
const CHECKED: &str = "`meta` holds JSON";

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::from_str::<&RawValue>(&self.0).map_err(S::Error::custom)?;
        // JSON is the one of the two codecs that people can read.
        if serializer.is_human_readable() {
            text.serialize(serializer)
        } else {
            Node(text).serialize(serializer)
        }
    }
}

/// One value of the text, with what is inside it not read yet.
struct Node<'a>(&'a RawValue);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::Deserializer::from_str(self.0.get());
        match value.deserialize_any(Level).expect(CHECKED) {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(value),
            Value::Signed(number) => serializer.serialize_i64(number),
            Value::Unsigned(number) => serializer.serialize_u64(number),
            Value::Float(number) => serializer.serialize_f64(number),
            Value::Text(text) => serializer.serialize_str(&text),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.into_iter().try_for_each(|item| list.serialize_element(&Node(item)))?;
                list.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, &Node(value)))?;
                map.end()
            }
        }
    }
}

/// A value, one level of it.
enum Value<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<&'a RawValue>),
    Map(Vec<(String, &'a RawValue)>),
}

struct Level;

impl<'de> Visitor<'de> for Level {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Signed(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Unsigned(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}
