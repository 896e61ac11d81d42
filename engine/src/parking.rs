//! Parking: what fails again and again is left alone for a while, and says so.

use crate::limits::{PARK_AFTER_FAILURES, PARK_FOR, PARK_WINDOW};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The recent failures by key. Keys that have not failed lately cost nothing.
#[derive(Debug)]
pub struct Parking<K>(Mutex<HashMap<K, Record>>);

#[derive(Debug)]
struct Record {
    first: Duration,
    failures: usize,
    parked_until: Option<Duration>,
}

impl<K: Hash + Eq> Parking<K> {
    /// Returns a record without failures.
    pub fn new() -> Self {
        Self(Mutex::default())
    }

    /// Counts a failure of `key` at `now`. Returns whether that parks it.
    pub fn failed(&self, key: K, now: Duration) -> bool {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.retain(|_, record| {
            now < record.first + PARK_WINDOW || record.parked_until.is_some_and(|until| now < until)
        });
        let record = records.entry(key).or_insert(Record { first: now, failures: 0, parked_until: None });
        record.failures += 1;
        if record.failures >= PARK_AFTER_FAILURES {
            record.parked_until = Some(now + PARK_FOR);
        }
        record.parked_until.is_some()
    }

    /// Returns how many keys are parked at `now`.
    pub fn parked(&self, now: Duration) -> usize {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.values().filter(|record| record.parked_until.is_some_and(|until| now < until)).count()
    }

    /// Returns how long `key` is still parked at `now`.
    pub fn parked_for(&self, key: &K, now: Duration) -> Option<Duration> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(key)?.parked_until?.checked_sub(now).filter(|left| !left.is_zero())
    }
}

impl<K: Hash + Eq> Default for Parking<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_parked_by_failures_close_together_and_only_for_a_while() {
        let parking = Parking::new();
        let second = Duration::from_secs(1);
        assert!(!parking.failed("room", second));
        assert!(!parking.failed("room", second * 2));
        assert!(parking.failed("room", second * 3));
        assert_eq!(parking.parked_for(&"room", second * 3), Some(PARK_FOR));
        assert_eq!(parking.parked_for(&"other", second * 3), None);
        assert_eq!(parking.parked(second * 3), 1);
        assert_eq!(parking.parked_for(&"room", second * 3 + PARK_FOR), None);
        assert_eq!(parking.parked(second * 3 + PARK_FOR), 0);
    }

    #[test]
    fn failures_far_apart_do_not_park() {
        let parking = Parking::new();
        for failure in 1..10 {
            assert!(!parking.failed("room", PARK_WINDOW * failure));
        }
    }
}
