//! Names for writes: time-ordered UUIDs, so that they sort as they were made.

use rookery_protocol::ClientId;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Builder;

/// Returns the version 7 UUID (RFC 9562, section 5.7) of a moment in milliseconds since the Unix
/// epoch and 10 random bytes, of which 74 bits are used.
pub fn client_id(unix_millis: u64, random: [u8; 10]) -> ClientId {
    ClientId(Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
}

/// Makes names by the wall clock and its own random source.
#[derive(Debug)]
pub struct ClientIds {
    random: fastrand::Rng,
}

impl ClientIds {
    /// Begins with this random source.
    pub fn new(random: fastrand::Rng) -> Self {
        Self { random }
    }

    /// Returns a name that was not there before.
    #[expect(clippy::disallowed_methods, reason = "a client belongs to no node whose clock it could ask")]
    pub fn make(&mut self) -> ClientId {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut random = [0; 10];
        self.random.fill(&mut random);
        client_id(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_time_and_version_and_sorts_by_it() {
        let early = client_id(0x0193_a1b2_c3d4, [0xff; 10]);
        assert_eq!(early.to_string(), "0193a1b2-c3d4-7fff-bfff-ffffffffffff");
        assert!(early < client_id(0x0193_a1b2_c3d5, [0; 10]));
    }
}
