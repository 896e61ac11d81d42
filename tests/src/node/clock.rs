//! A clock that a test moves, and breaks.

use super::START;
use rookery_engine::{Clock, ManualClock};
use rookery_protocol::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// A manual clock whose wall time can jump, and that a test can have panic once, in whoever asks for the wall
/// time next: that is how our own code is made to fail without a line for it in our own code.
#[derive(Debug)]
pub struct FragileClock {
    pub(super) inner: ManualClock,
    is_armed: AtomicBool,
    /// Milliseconds by which the wall time is wrong.
    wrong_by: AtomicI64,
}

impl FragileClock {
    pub(super) fn new() -> Self {
        let (is_armed, wrong_by) = (AtomicBool::new(false), AtomicI64::new(0));
        Self { inner: ManualClock::at(START), is_armed, wrong_by }
    }

    /// Panics in the next one who asks for the wall time: a session that answers `ping`, a room that
    /// orders a batch.
    pub fn break_next(&self) {
        self.is_armed.store(true, Ordering::SeqCst);
    }

    /// Returns whether nobody has asked since it was to break.
    pub(super) fn is_armed(&self) -> bool {
        self.is_armed.load(Ordering::SeqCst)
    }

    /// Has the wall time be wrong by so many milliseconds from now on. The other one goes on.
    pub fn jump_to(&self, wrong_by: i64) {
        self.wrong_by.store(wrong_by, Ordering::SeqCst);
    }

    /// Panics no more, where nobody has asked meanwhile.
    pub fn mend(&self) {
        self.is_armed.store(false, Ordering::SeqCst);
    }
}

impl Clock for FragileClock {
    fn now(&self) -> Timestamp {
        assert!(!self.is_armed.swap(false, Ordering::SeqCst), "the test broke the clock");
        Timestamp(self.inner.now().0 + self.wrong_by.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        self.inner.elapsed()
    }
}
