//! How long to wait before the next try: full jitter, or what the server asked for.

use std::time::Duration;

/// The longest wait before the second try.
///
/// One round trip of a slow network: most breaks are of one connection and over at once.
const FIRST: Duration = Duration::from_millis(200);

/// The longest wait ever: a server that is back has its clients back within this.
const LONGEST: Duration = Duration::from_secs(10);

/// Delays that grow with each failure: random between nothing and a bound that doubles.
///
/// Source: "full jitter" of Brooker, Exponential Backoff and Jitter (AWS Architecture Blog, 2015).
#[derive(Debug)]
pub struct Backoff {
    random: fastrand::Rng,
    failures: u32,
}

impl Backoff {
    /// Begins without failures.
    pub fn new(random: fastrand::Rng) -> Self {
        Self { random, failures: 0 }
    }

    /// Notes a success: the next delay is short again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Notes a failure and returns how long to wait; `asked` is what the server said, if anything.
    pub fn failed(&mut self, asked: Option<Duration>) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        asked.unwrap_or_else(|| bound.mul_f64(self.random.f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_their_bound_and_a_success_makes_them_short_again() {
        let mut backoff = Backoff::new(fastrand::Rng::with_seed(1));
        let mut longest = Duration::ZERO;
        for failure in 0..200 {
            let delay = backoff.failed(None);
            assert!(delay <= LONGEST.min(FIRST * (1 << failure.min(10))), "failure {failure}: {delay:?}");
            longest = longest.max(delay);
        }
        assert!(longest > LONGEST / 2);
        backoff.succeeded();
        assert!(backoff.failed(None) <= FIRST);
        assert_eq!(backoff.failed(Some(Duration::from_secs(3))), Duration::from_secs(3));
    }
}
