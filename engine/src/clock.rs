//! Time as an argument: a wall clock for what people and tokens see, a monotonic one for deadlines.

use rookery_protocol::Timestamp;
use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Where the time comes from.
pub trait Clock: Debug + Send + Sync {
    /// Returns the wall time. It may jump, so nothing is ordered by it.
    fn now(&self) -> Timestamp;

    /// Returns the time since some fixed moment. It never goes back.
    fn elapsed(&self) -> Duration;

    /// Returns the wall time since the epoch as exactly as it is known; whole milliseconds by default.
    fn since_epoch(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.now().0).unwrap_or(0))
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: tokio::time::Instant,
}

impl SystemClock {
    /// Returns a clock whose monotonic part starts now.
    pub fn new() -> Self {
        Self { started: tokio::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.since_epoch().as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn since_epoch(&self) -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO)
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    start: i64,
    now: AtomicI64,
}

impl ManualClock {
    /// Returns a clock that shows `start`.
    pub const fn at(start: Timestamp) -> Self {
        Self { start: start.0, now: AtomicI64::new(start.0) }
    }

    /// Moves both times on by `by`, counted in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now.load(Ordering::SeqCst).abs_diff(self.start))
    }
}
