//! How much goes on in a room: what was counted in the last minute, in a few numbers.
//!
//! Two windows of a minute each, the one that runs and the one before. What the minute up to now
//! holds is all of the running one and that part of the one before that it still reaches into, as if
//! that had been even (the "sliding window counter" of rate limiters).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A window.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts of one room. One actor notes events; relays add to how many they went to; anybody reads, and may see
/// half of a note.
#[derive(Debug, Default)]
pub struct Activity {
    /// The number of the running window.
    window: AtomicU64,
    events: Counts,
    deliveries: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    running: AtomicU64,
    before: AtomicU64,
}

/// How often something happened, a second, over the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Pace {
    /// Events.
    pub events: f64,
    /// Events queued to connections.
    pub deliveries: f64,
}

impl Activity {
    /// Notes an event at `now` that went to so many connections.
    pub fn note(&self, now: Duration, deliveries: usize) {
        let window = now.as_secs() / WINDOW.as_secs();
        let last = self.window.swap(window, Relaxed);
        if last != window {
            self.events.turn(window - last.min(window));
            self.deliveries.turn(window - last.min(window));
        }
        self.events.running.fetch_add(1, Relaxed);
        self.deliveries.running.fetch_add(deliveries as u64, Relaxed);
    }

    /// Adds so many connections to which events went that were noted before.
    pub fn delivered(&self, deliveries: usize) {
        self.deliveries.running.fetch_add(deliveries as u64, Relaxed);
    }

    /// Returns the pace of the minute before `now`.
    pub fn pace(&self, now: Duration) -> Pace {
        let window = now.as_secs() / WINDOW.as_secs();
        let turned = window.saturating_sub(self.window.load(Relaxed));
        let past = now.as_secs_f64() / WINDOW.as_secs_f64();
        let left = 1.0 - past.fract();
        Pace { events: self.events.pace(turned, left), deliveries: self.deliveries.pace(turned, left) }
    }
}

impl Counts {
    /// So many windows have ended since the last count.
    fn turn(&self, windows: u64) {
        let running = self.running.swap(0, Relaxed);
        self.before.store(if windows == 1 { running } else { 0 }, Relaxed);
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^52 events in a minute")]
    fn pace(&self, turned: u64, left: f64) -> f64 {
        let (running, before) = (self.running.load(Relaxed) as f64, self.before.load(Relaxed) as f64);
        let count = match turned {
            0 => running + before * left,
            1 => running * left,
            _ => 0.0,
        };
        count / WINDOW.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn the_last_minute_counts_and_what_is_older_does_not() {
        let activity = Activity::default();
        for second in 0..60 {
            activity.note(at(second), 10);
        }
        let paces = [60, 75, 90, 119, 120, 1000].map(|second| activity.pace(at(second)).events);
        assert!(close(paces[0], 1.0) && close(paces[1], 0.75) && close(paces[2], 0.5), "{paces:?}");
        assert!(paces[3] < 0.02 && close(paces[4], 0.0) && close(paces[5], 0.0), "{paces:?}");
        assert!(close(activity.pace(at(60)).deliveries, 10.0));
    }

    #[test]
    fn a_steady_pace_is_the_same_in_the_middle_of_a_window() {
        let activity = Activity::default();
        for second in 0..90 {
            activity.note(at(second), 3);
        }
        assert!(close(activity.pace(at(90)).events, 1.0));
        activity.note(at(500), 3);
        assert!(close(activity.pace(at(500)).events, 1.0 / 60.0));
    }
}
