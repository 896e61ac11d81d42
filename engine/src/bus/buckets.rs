//! The buckets of every rule that is asked for, of one process.

use crate::throttle::{Rule, Throttle, Throttled};
use rookery_protocol::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A [`Throttle`] for each rule, by its name: as many as the code has rules.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<HashMap<&'static str, Arc<Throttle<String>>>>);

impl Buckets {
    /// Takes one try of `who` under `rule`.
    pub(super) fn take(&self, rule: Rule, who: &str, now: Timestamp) -> Result<(), Throttled> {
        let of_rule = {
            let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(rules.entry(rule.name).or_insert_with(|| Arc::new(Throttle::new(rule))))
        };
        of_rule.take(who.to_owned(), now)
    }
}
