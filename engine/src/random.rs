//! Randomness as an argument: the system's for the server, a seeded one for tests.

use rookery_protocol::Timestamp;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Where random bytes come from.
pub trait Random: Debug + Send + Sync {
    /// Fills `bytes`. The system's source is fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}

/// Returns a UUIDv7: `now` and 74 random bits (RFC 9562, section 5.7), so that ids sort by time.
pub fn uuid_v7(now: Timestamp, random: &dyn Random) -> Uuid {
    let mut bits = [0; 10];
    random.fill(&mut bits);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now.0).unwrap_or(0), &bits).into_uuid()
}

/// The operating system's source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// When the system has no randomness to give, where no secret could be made either.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system for chance")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system gives random bytes");
    }
}

/// A repeatable source for tests; not fit for secrets.
#[derive(Debug)]
pub struct SeededRandom(Mutex<fastrand::Rng>);

impl SeededRandom {
    /// Returns a source that gives the same bytes for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}
