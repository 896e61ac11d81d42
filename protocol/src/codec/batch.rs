//! Splitting a batch into its commands, without decoding them.

use super::{Codec, DecodeError, msgpack};
use crate::code::{ErrorCode, WireError};
use crate::limits::BATCH_COMMANDS;
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What a frame is: one command (`None`), the commands of a batch, or a batch that is refused whole.
type Split<'a> = Option<Result<Vec<&'a [u8]>, WireError>>;

/// Splits a frame.
pub(super) fn split(codec: Codec, bytes: &[u8]) -> Result<Split<'_>, DecodeError> {
    let parts = match codec {
        Codec::Json => json(bytes)?,
        Codec::MessagePack => msgpack(bytes)?,
    };
    Ok(parts.map(|(count, parts)| match count {
        0 => Err(WireError::new(ErrorCode::BadRequest, "a batch has at least one command")),
        1..=BATCH_COMMANDS => Ok(parts),
        _ => Err(WireError::new(
            ErrorCode::TooLarge,
            format!("a batch has at most {BATCH_COMMANDS} commands; none of these {count} was carried out"),
        )),
    }))
}

type Parts<'a> = Option<(usize, Vec<&'a [u8]>)>;

fn msgpack(bytes: &[u8]) -> Result<Parts<'_>, DecodeError> {
    let Some((count, mut at)) = msgpack::array(bytes) else { return Ok(None) };
    let mut parts = Vec::new();
    for _ in 0..count.min(BATCH_COMMANDS) {
        let rest = &bytes[at..];
        let length = msgpack::length(rest)?;
        parts.push(&rest[..length]);
        at += length;
    }
    Ok(Some((count, parts)))
}

fn json(bytes: &[u8]) -> Result<Parts<'_>, DecodeError> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[') {
        return Ok(None);
    }
    let batch: Batch<'_> =
        serde_json::from_slice(bytes).map_err(|error| DecodeError::Malformed(error.to_string()))?;
    Ok(Some((batch.count, batch.parts)))
}

/// The first commands of a JSON batch as text, and how many there are in all.
struct Batch<'a> {
    count: usize,
    parts: Vec<&'a [u8]>,
}

impl<'de> Deserialize<'de> for Batch<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Batch<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a batch of commands")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Batch<'de>, A::Error> {
                let mut parts = Vec::new();
                while parts.len() < BATCH_COMMANDS {
                    match items.next_element::<&'de RawValue>()? {
                        Some(part) => parts.push(part.get().as_bytes()),
                        None => return Ok(Batch { count: parts.len(), parts }),
                    }
                }
                let mut count = parts.len();
                while items.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Batch { count, parts })
            }
        }

        deserializer.deserialize_seq(Visit)
    }
}
