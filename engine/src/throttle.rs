//! How often somebody may do something: token buckets, bounded in number.
//!
//! [`Throttle`] counts on one node, [`ClusterThrottle`] over all of them.
//!
//! A bucket is one moment, as in the generic cell rate algorithm (ITU-T I.371, annex A): the time
//! at which it will be full again. Buckets that are full are forgotten.

mod cluster;

pub use cluster::ClusterThrottle;

use crate::limits::RATE_BUCKETS;
use rookery_protocol::{ErrorCode, Timestamp, WireError};
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// One rule: at most `burst` at once, then one every `every_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in the `RateLimit-Policy` header.
    pub name: &'static str,
    /// Tries that a full bucket holds.
    pub burst: u32,
    /// Milliseconds until one comes back.
    pub every_ms: u32,
}

/// Refused: the bucket is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("let another try pass: {} of {} are used", .rule.burst, .rule.burst)]
pub struct Throttled {
    /// Which rule.
    pub rule: Rule,
    /// Milliseconds until the next try passes; at least 1.
    pub retry_after_ms: u32,
}

/// The buckets of one rule, one for each `K`.
#[derive(Debug)]
pub struct Throttle<K> {
    rule: Rule,
    /// When each bucket is full again, in milliseconds since the epoch.
    full_at: Mutex<HashMap<K, i64>>,
}

impl<K: Clone + Eq + Hash> Throttle<K> {
    /// Returns the full buckets of a rule.
    pub fn new(rule: Rule) -> Self {
        Self { rule, full_at: Mutex::default() }
    }

    /// Takes one try of `who` at `now`.
    ///
    /// # Errors
    /// [`Throttled`] when there is none left; nothing is taken then.
    pub fn take(&self, who: K, now: Timestamp) -> Result<(), Throttled> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = self.after_one_more(full_at.get(&who).copied(), now)?;
        if full_at.len() >= RATE_BUCKETS && !full_at.contains_key(&who) {
            make_room(&mut full_at, now);
        }
        full_at.insert(who, full);
        Ok(())
    }

    /// Says whether a try of `who` would pass at `now`, and takes none.
    ///
    /// # Errors
    /// [`Throttled`] when there is none left.
    pub fn check(&self, who: &K, now: Timestamp) -> Result<(), Throttled> {
        let full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner).get(who).copied();
        self.after_one_more(full_at, now).map(drop)
    }

    /// Returns when a bucket that is full at `full_at` would be full after one more try.
    fn after_one_more(&self, full_at: Option<i64>, now: Timestamp) -> Result<i64, Throttled> {
        let every = i64::from(self.rule.every_ms);
        let full = full_at.unwrap_or(now.0).max(now.0) + every;
        let over = full - now.0 - every * i64::from(self.rule.burst);
        if over > 0 {
            let retry_after_ms = u32::try_from(over).unwrap_or(u32::MAX);
            return Err(Throttled { rule: self.rule, retry_after_ms });
        }
        Ok(full)
    }

    /// Returns how many buckets are kept: at most [`RATE_BUCKETS`].
    pub fn len(&self) -> usize {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns whether no bucket is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Throttled> for WireError {
    fn from(refused: Throttled) -> Self {
        Self::new(ErrorCode::RateLimited, "too many tries").retry_after(refused.retry_after_ms)
    }
}

/// Forgets the full buckets; when there are none, the fullest one.
fn make_room<K: Clone + Eq + Hash>(full_at: &mut HashMap<K, i64>, now: Timestamp) {
    full_at.retain(|_, full| *full > now.0);
    if full_at.len() >= RATE_BUCKETS
        && let Some(fullest) = full_at.iter().min_by_key(|(_, full)| **full).map(|(who, _)| who.clone())
    {
        full_at.remove(&fullest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { name: "test", burst: 3, every_ms: 1000 };

    fn at(millis: i64) -> Timestamp {
        Timestamp(1_700_000_000_000 + millis)
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let throttle = Throttle::new(RULE);
        let take = |millis| throttle.take("a", at(millis)).map_err(|refused| refused.retry_after_ms);
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(1000));
        assert_eq!(take(999), Err(1));
        assert_eq!(take(1000), Ok(()));
        assert_eq!(take(1000), Err(1000));
        assert_eq!([take(10_000), take(10_000), take(10_000)], [Ok(()); 3]);
        assert_eq!(take(10_000), Err(1000));
    }

    #[test]
    fn buckets_are_apart_and_bounded() {
        let throttle = Throttle::new(RULE);
        for who in 0..RATE_BUCKETS * 2 {
            assert_eq!(throttle.take(who, at(0)), Ok(()));
        }
        assert_eq!(throttle.len(), RATE_BUCKETS);
        assert_eq!(throttle.take(usize::MAX, at(60_000)), Ok(()));
        assert_eq!(throttle.len(), 1);
    }
}
