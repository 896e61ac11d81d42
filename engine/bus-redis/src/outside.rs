//! What this adapter reads from Redis, in reach of the fuzz target and of nobody else.

use crate::envelope::{Envelope, count_for};
use bytes::Bytes;
use rookery_engine::bus::{NodeId, Peer};
use uuid::Uuid;

/// Reads an envelope and returns the frame in it, reads a beacon's counts, and what a node says of itself.
///
/// # Panics
/// When an envelope that was read is not written as it came.
pub fn heard(bytes: &[u8]) -> Option<Bytes> {
    let _ = count_for(NodeId(Uuid::from_u128(1)), bytes);
    let _ = serde_json::from_slice::<Peer>(bytes).is_ok();
    let envelope = Envelope::decode(Bytes::copy_from_slice(bytes))?;
    assert_eq!(envelope.encode(), bytes);
    Some(envelope.frame)
}
