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

impl Rule {
    /// Returns when a bucket that is full at `full_at` would be full after `cost` more tries.
    fn after(self, cost: u32, full_at: Option<i64>, now: Timestamp) -> Result<i64, Throttled> {
        let every = i64::from(self.every_ms);
        let full = full_at.unwrap_or(now.0).max(now.0) + every * i64::from(cost);
        let over = full - now.0 - every * i64::from(self.burst);
        if over > 0 {
            let retry_after_ms = u32::try_from(over).unwrap_or(u32::MAX);
            return Err(Throttled { rule: self, retry_after_ms });
        }
        Ok(full)
    }
}

/// One bucket, for whoever keeps it with what it limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// When it is full again, in milliseconds since the epoch.
    full_at: Option<i64>,
}

impl Bucket {
    /// Takes one try under `rule` at `now`.
    ///
    /// # Errors
    /// [`Throttled`] when there is none left; nothing is taken then.
    pub fn take(&mut self, rule: Rule, now: Timestamp) -> Result<(), Throttled> {
        self.full_at = Some(rule.after(1, self.full_at, now)?);
        Ok(())
    }
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
        self.take_many(who, 1, now)
    }

    /// Takes `cost` tries of `who` at `now`: 0 always passes, and more than the rule's burst never does.
    ///
    /// # Errors
    /// [`Throttled`] when there are not that many left; nothing is taken then.
    pub fn take_many(&self, who: K, cost: u32, now: Timestamp) -> Result<(), Throttled> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = self.rule.after(cost, full_at.get(&who).copied(), now)?;
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
        self.rule.after(1, full_at, now).map(drop)
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

/// Forgets the full buckets; when there are none, the fullest ones: an eighth of all, so that a crowd of
/// strangers does not have every bucket looked at for each of them.
fn make_room<K: Eq + Hash>(full_at: &mut HashMap<K, i64>, now: Timestamp) {
    full_at.retain(|_, full| *full > now.0);
    if full_at.len() >= RATE_BUCKETS {
        let mut moments: Vec<i64> = full_at.values().copied().collect();
        let (_, bound, _) = moments.select_nth_unstable(RATE_BUCKETS / 8);
        let (bound, mut left) = (*bound, RATE_BUCKETS / 8);
        full_at.retain(|_, full| {
            let goes = *full <= bound && left > 0;
            left -= usize::from(goes);
            !goes
        });
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
    fn what_costs_more_takes_more() {
        let throttle = Throttle::new(RULE);
        let take = |cost, millis| {
            throttle.take_many("a", cost, at(millis)).map_err(|refused| refused.retry_after_ms)
        };
        assert_eq!(take(2, 0), Ok(()));
        assert_eq!(take(2, 0), Err(1000), "one is left, and stays");
        assert_eq!([take(1, 0), take(0, 0)], [Ok(()); 2]);
        assert_eq!([take(3, 3000), take(1, 3000)], [Ok(()), Err(1000)]);
        assert!(take(4, 60_000).is_err(), "never");
    }

    #[test]
    fn a_bucket_of_its_own_is_as_one_of_many() {
        let mut bucket = Bucket::default();
        let mut take = |millis| bucket.take(RULE, at(millis)).map_err(|refused| refused.retry_after_ms);
        assert_eq!(
            [take(0), take(0), take(0), take(0), take(1000)],
            [Ok(()), Ok(()), Ok(()), Err(1000), Ok(())]
        );
    }

    #[test]
    fn buckets_are_apart_and_bounded() {
        let throttle = Throttle::new(RULE);
        for who in 0..RATE_BUCKETS * 2 {
            assert_eq!(throttle.take(who, at(0)), Ok(()));
        }
        assert!((RATE_BUCKETS / 2..=RATE_BUCKETS).contains(&throttle.len()));
        for who in 0..RATE_BUCKETS {
            let _ = throttle.take(RATE_BUCKETS * 2 + who, at(1));
        }
        assert_eq!(throttle.take(usize::MAX, at(60_000)), Ok(()));
        assert_eq!(throttle.len(), 1);
    }
}
