//! The MessagePack half: finding where a value ends without recursion or memory, and decoding.
//!
//! Format: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use super::{DecodeError, shape};
use crate::limits::DEPTH;
use serde::de::DeserializeOwned;

/// A map without entries.
pub(super) const EMPTY_MAP: &[u8] = &[0x80];

/// What a value's first bytes say of it.
struct Head {
    /// Bytes of the marker, the length and the content that follows directly.
    bytes: usize,
    /// Values inside it.
    children: usize,
}

/// Refuses bytes that are not exactly one value, or nest deeper than [`DEPTH`].
pub(super) fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    match length(bytes)? {
        length if length == bytes.len() => Ok(()),
        _ => Err(DecodeError::Malformed("there are bytes after the value".to_owned())),
    }
}

/// Returns the bytes of the value that `bytes` begin with.
pub(super) fn length(bytes: &[u8]) -> Result<usize, DecodeError> {
    // What is still to be read at each level; the value itself is the first.
    let mut open = [0_usize; DEPTH + 1];
    open[0] = 1;
    let (mut level, mut at) = (0, 0);
    loop {
        while open[level] == 0 {
            if level == 0 {
                return Ok(at);
            }
            level -= 1;
        }
        open[level] -= 1;
        let head = head(bytes.get(at..).unwrap_or_default())?;
        at = at.checked_add(head.bytes).filter(|at| *at <= bytes.len()).ok_or_else(cut)?;
        if head.children > 0 {
            level += 1;
            if level > DEPTH {
                return Err(DecodeError::Malformed(format!("it nests deeper than {DEPTH}")));
            }
            open[level] = head.children;
        }
    }
}

/// Returns the number of elements and where they begin, if `bytes` begin with an array.
pub(super) fn array(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.first()? {
        marker @ 0x90..=0x9f => Some((usize::from(marker & 0x0f), 1)),
        0xdc => Some((number(bytes, 2)?, 3)),
        0xdd => Some((number(bytes, 4)?, 5)),
        _ => None,
    }
}

fn head(bytes: &[u8]) -> Result<Head, DecodeError> {
    let leaf = |bytes| Ok(Head { bytes, children: 0 });
    // A length of `size` bytes after the marker, then `extra` bytes and that much content.
    let sized = |size: usize, extra: usize| {
        let length = number(bytes, size).ok_or_else(cut)?;
        Ok(Head { bytes: (1 + size + extra).checked_add(length).ok_or_else(cut)?, children: 0 })
    };
    let parent = |size: usize, each: usize| {
        let count = number(bytes, size).ok_or_else(cut)?;
        Ok(Head { bytes: 1 + size, children: count.checked_mul(each).ok_or_else(cut)? })
    };
    match *bytes.first().ok_or_else(cut)? {
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => leaf(1),
        marker @ 0x80..=0x8f => Ok(Head { bytes: 1, children: 2 * usize::from(marker & 0x0f) }),
        marker @ 0x90..=0x9f => Ok(Head { bytes: 1, children: usize::from(marker & 0x0f) }),
        marker @ 0xa0..=0xbf => leaf(1 + usize::from(marker & 0x1f)),
        0xc1 => Err(DecodeError::Malformed("there is no marker 0xc1".to_owned())),
        0xc4 | 0xd9 => sized(1, 0),
        0xc5 | 0xda => sized(2, 0),
        0xc6 | 0xdb => sized(4, 0),
        0xc7 => sized(1, 1),
        0xc8 => sized(2, 1),
        0xc9 => sized(4, 1),
        0xcc | 0xd0 => leaf(2),
        0xcd | 0xd1 => leaf(3),
        0xca | 0xce | 0xd2 => leaf(5),
        0xcb | 0xcf | 0xd3 => leaf(9),
        marker @ 0xd4..=0xd8 => leaf(2 + (1 << (marker - 0xd4))),
        0xdc => parent(2, 1),
        0xdd => parent(4, 1),
        0xde => parent(2, 2),
        0xdf => parent(4, 2),
    }
}

/// Reads the big-endian number of `size` bytes after the marker.
fn number(bytes: &[u8], size: usize) -> Option<usize> {
    let digits = bytes.get(1..=size)?;
    Some(digits.iter().fold(0, |number, digit| number << 8 | usize::from(*digit)))
}

fn cut() -> DecodeError {
    DecodeError::Malformed("it ends in the middle".to_owned())
}

/// Decodes one value that takes all of `bytes`.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    check(bytes)?;
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(DEPTH + 1);
    T::deserialize(&mut deserializer).map_err(|error| {
        // Once more, with the path: only whoever is wrong pays for knowing where.
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
        deserializer.set_max_depth(DEPTH + 1);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Ok(_) => shape("", &error.to_string()),
            Err(error) => shape(&error.path().to_string(), &error.inner().to_string()),
        }
    })
}
