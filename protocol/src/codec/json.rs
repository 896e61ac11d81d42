//! The JSON half: how deep it nests, and decoding with the field named where a value does not fit.

use super::{DecodeError, shape};
use crate::limits::DEPTH;
use serde::de::DeserializeOwned;

/// Refuses bytes that nest deeper than [`DEPTH`]: one pass over them, strings skipped. Bytes that
/// are no JSON pass here and fail in the decoder.
pub(super) fn check_depth(bytes: &[u8]) -> Result<(), DecodeError> {
    let (mut depth, mut is_in_string, mut is_escaped) = (0_usize, false, false);
    for byte in bytes {
        if is_in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > DEPTH {
                    return Err(DecodeError::Malformed(format!("it nests deeper than {DEPTH}")));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Decodes one value that takes all of `bytes`.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(bytes).map_err(|error| {
        if !error.is_data() {
            return DecodeError::Malformed(error.to_string());
        }
        // Once more, with the path: only whoever is wrong pays for knowing where.
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Ok(_) => shape("", &error.to_string()),
            Err(error) => shape(&error.path().to_string(), &error.inner().to_string()),
        }
    })
}
