//! Refusals in the log: what was refused whom, so that somebody who tries things is seen, and no flood of tries
//! becomes a flood of lines.
//!
//! Whoever refuses writes the line, because it knows best what; here is whether.

use crate::node::Node;
use rookery_engine::{Bucket, Rule, Throttle};
use rookery_protocol::{ErrorCode, Timestamp};
use std::sync::{Mutex, PoisonError};

/// Lines on one party: as many at once as logins from one address, then one every ten seconds, while a program that
/// tries what it may not goes on trying.
const EACH: Rule = Rule { name: "refusals-each", burst: 20, every_ms: 10_000 };

/// Lines on all parties: some 300 bytes each, so that a flood of everybody writes 3 KB a second and not more.
const ALL: Rule = Rule { name: "refusals-all", burst: 500, every_ms: 100 };

/// What is said of refusals.
#[derive(Debug)]
pub(crate) struct Refusals {
    /// By user, address or connection.
    each: Throttle<u128>,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    bucket: Bucket,
    /// Refusals since the last line.
    unsaid: u64,
}

impl Refusals {
    pub(crate) fn new() -> Self {
        Self { each: Throttle::new(EACH), all: Mutex::default() }
    }

    fn note(&self, party: u128, now: Timestamp) -> Option<u64> {
        let passes = self.each.take(party, now).is_ok();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if passes && all.bucket.take(ALL, now).is_ok() {
            return Some(std::mem::take(&mut all.unsaid));
        }
        all.unsaid += 1;
        None
    }
}

/// Whether somebody is refused who may not, does not say who it is, asks too much or says what is none: not where only
/// the time is wrong, or the server's state.
const fn is_told(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Unauthenticated
            | ErrorCode::Forbidden
            | ErrorCode::NotFound
            | ErrorCode::RateLimited
            | ErrorCode::BadRequest
            | ErrorCode::Invalid
            | ErrorCode::TooLarge
            | ErrorCode::UnknownOp
    )
}

impl Node {
    /// Notes that `party`, the number of a user, of an address or of a connection, was refused something with `code`.
    /// Returns how many refusals were not said since the last one, where a line is to be written of this one.
    pub fn refused(&self, party: u128, code: ErrorCode) -> Option<u64> {
        // The time that nothing sets back: how often is meant, and not when.
        let now = Timestamp(i64::try_from(self.clock().elapsed().as_millis()).unwrap_or(i64::MAX));
        is_told(code).then(|| self.refusals.note(party, now)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_party_s_flood_is_some_lines_and_hides_nobody_s() {
        let refusals = Refusals::new();
        let now = Timestamp(1_800_000_000_000);
        let said = (0..1000).filter(|_| refusals.note(1, now).is_some()).count();
        assert_eq!(said, 20);
        assert_eq!(refusals.note(2, now), Some(980), "and how many there were");
        assert_eq!(refusals.note(1, Timestamp(now.0 + 10_000)), Some(0));
    }

    #[test]
    fn a_flood_of_everybody_is_bounded_too() {
        let refusals = Refusals::new();
        let now = Timestamp(1_800_000_000_000);
        let said = (0..10_000).filter(|party| refusals.note(*party, now).is_some()).count();
        assert_eq!(said, 500);
        assert_eq!(refusals.note(10_001, Timestamp(now.0 + 100)), Some(9_500));
    }
}
