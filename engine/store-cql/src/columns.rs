//! Values as columns and back: counts as signed integers, structs as MessagePack, roles as words.

use rookery_engine::store::StoreError;
use rookery_protocol::{Role, Seq, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Returns a count as CQL's signed integer; what is beyond it (no count of ours is) saturates.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Returns a column as a count; a negative one, which nobody writes, is 0.
pub(crate) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Returns a column as a position.
pub(crate) fn seq(value: i64) -> Seq {
    Seq(count(value))
}

/// Returns the explicit timestamp of what follows from `seq`: later positions win, and 0 is one too.
pub(crate) fn stamp(seq: Seq) -> i64 {
    integer(seq.0).saturating_add(1)
}

/// Returns an id as the blob that has its order.
pub(crate) fn ordered(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// Returns the id of such a blob.
pub(crate) fn id(blob: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(blob).map_err(|error| corrupt(&error))
}

/// Returns the user of such a blob.
pub(crate) fn user(blob: &[u8]) -> Result<UserId, StoreError> {
    id(blob).map(UserId)
}

/// Returns the word of a role; none is empty.
pub(crate) fn role_word(role: Option<Role>) -> &'static str {
    role.map_or("", Role::as_str)
}

/// Returns the role of such a word.
pub(crate) fn role(word: &str) -> Result<Option<Role>, StoreError> {
    if word.is_empty() { Ok(None) } else { word.parse().map(Some).map_err(|error| corrupt(&error)) }
}

/// Returns a struct as MessagePack, with the names of its fields.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    rmp_serde::to_vec_named(value).map_err(|error| StoreError::Refused(error.to_string()))
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<T: DeserializeOwned>(blob: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(blob).map_err(|error| corrupt(&error))
}

/// What is stored is not what this program writes.
pub(crate) fn corrupt(error: &dyn std::error::Error) -> StoreError {
    StoreError::Fatal(format!("what is stored is not understood: {error}"))
}
