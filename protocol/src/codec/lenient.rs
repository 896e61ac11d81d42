//! A value of the right type, of another one, or none: so that an envelope with one bad field still
//! gives its others.

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// What stood where a `T` should.
#[derive(Debug, Default)]
pub(super) enum Lenient<T> {
    /// It.
    Is(T),
    /// Something else.
    Other,
    /// Nothing.
    #[default]
    Absent,
}

/// What a [`Lenient`] can be made from.
pub(super) trait FromValue: Sized {
    fn from_u64(_: u64) -> Lenient<Self> {
        Lenient::Other
    }
    fn from_str(_: &str) -> Lenient<Self> {
        Lenient::Other
    }
}

impl FromValue for u64 {
    fn from_u64(value: u64) -> Lenient<Self> {
        Lenient::Is(value)
    }
}

impl FromValue for String {
    fn from_str(value: &str) -> Lenient<Self> {
        Lenient::Is(value.to_owned())
    }
}

impl<'de, T: FromValue> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Leniently(PhantomData))
    }
}

struct Leniently<T>(PhantomData<T>);

impl<'de, T: FromValue> Visitor<'de> for Leniently<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Lenient<T>, E> {
        Ok(T::from_u64(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Lenient<T>, E> {
        Ok(u64::try_from(value).map_or(Lenient::Other, T::from_u64))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Lenient<T>, E> {
        Ok(T::from_str(value))
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Lenient<T>, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Lenient::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lenient<T>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Lenient<T>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Lenient::Other)
    }
}
