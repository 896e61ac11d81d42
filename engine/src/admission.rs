//! Admission: who is let in while memory or time is short, so that those who are in go on.
//!
//! Plain functions over what a sampler measured once a second, and the level that they come to. It knows
//! nothing of where the measurements come from, nor of how a refusal looks.
//!
//! What is shed first is what costs most and loses nothing: somebody who is not there yet tries again or
//! goes to another node. What was acked, and who is connected, is never given up for it (adr 0024).

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What one look at the process came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pressure {
    /// Memory that cannot be given back, as a share of what there may be; 0 where nothing is known.
    pub memory: f64,
    /// The share of the last ten seconds in which every task that could run waited for memory (PSI, `full`).
    pub memory_stall: f64,
    /// How late a task ran that was due.
    pub lag: Duration,
}

/// What is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everybody and everything.
    #[default]
    Open,
    /// Nobody new: no connections, no logins, no registrations.
    NoNewcomers,
    /// Nor what reads or writes much at once: searches, long pages of history, uploads.
    NoHeavyWork,
}

impl Level {
    const ALL: [Self; 3] = [Self::Open, Self::NoNewcomers, Self::NoHeavyWork];

    /// Returns it as a number: 0 is open.
    pub const fn as_u8(self) -> u8 {
        self as u8
    }
}

/// What may be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A WebSocket or an event stream.
    Connection,
    /// A login.
    Login,
    /// An account.
    Registration,
    /// A search.
    Search,
    /// A page of history longer than [`SHORT_PAGE`].
    History,
    /// An upload.
    Upload,
}

impl Wanted {
    /// Returns its name in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Login => "login",
            Self::Registration => "registration",
            Self::Search => "search",
            Self::History => "history",
            Self::Upload => "upload",
        }
    }

    /// Returns the level from which on it is refused.
    const fn refused_from(self) -> Level {
        match self {
            Self::Connection | Self::Login | Self::Registration => Level::NoNewcomers,
            Self::Search | Self::History | Self::Upload => Level::NoHeavyWork,
        }
    }
}

/// Messages of a page of history that is given under any pressure: a screen, which is what somebody who is
/// here reads.
pub const SHORT_PAGE: usize = 20;

/// From when on a level is entered, and below which it is left again.
///
/// Memory: kubelet evicts and kernels reclaim at the last tenth; between entering and leaving is what a
/// thousand connections that come and go take. Stall: systemd-oomd kills at 60 % of `full`, so this is well
/// before. Lag: what people take for a broken connection; a garbage-collector-sized pause is no reason.
struct Threshold {
    memory: (f64, f64),
    memory_stall: (f64, f64),
    lag: (Duration, Duration),
}

/// The thresholds of the levels above [`Level::Open`], in their order.
const THRESHOLDS: [Threshold; 2] = [
    Threshold {
        memory: (0.90, 0.85),
        memory_stall: (0.10, 0.05),
        lag: (Duration::from_secs(2), Duration::from_millis(500)),
    },
    Threshold {
        memory: (0.95, 0.92),
        memory_stall: (0.30, 0.15),
        lag: (Duration::from_secs(5), Duration::from_secs(1)),
    },
];

/// Looks in a row that must find the lag before it counts: a process that was stopped, or a machine that
/// slept, finds it once.
const LATE_LOOKS: u8 = 3;

/// Looks in a row that must find a level over before it is left, one level at a time.
const CALM_LOOKS: u8 = 5;

/// A level, and how long it has looked as if it should be another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What is let in now.
    pub level: Level,
    /// Looks in a row that found the lag of each level.
    late: [u8; 2],
    /// Looks in a row that found the present level over.
    calm: u8,
}

impl Standing {
    /// Returns what follows from one more look.
    #[must_use]
    pub fn after(self, pressure: &Pressure) -> Self {
        let mut late = self.late;
        let mut wanted = Level::Open;
        for ((level, threshold), late) in Level::ALL.into_iter().skip(1).zip(&THRESHOLDS).zip(&mut late) {
            *late = if pressure.lag >= threshold.lag.0 { late.saturating_add(1) } else { 0 };
            let is_reached = pressure.memory >= threshold.memory.0
                || pressure.memory_stall >= threshold.memory_stall.0
                || *late >= LATE_LOOKS;
            if is_reached {
                wanted = level;
            }
        }
        if wanted > self.level {
            return Self { level: wanted, late, calm: 0 };
        }
        let calm = if is_over(self.level, pressure) { self.calm + 1 } else { 0 };
        if calm < CALM_LOOKS {
            return Self { level: self.level, late, calm };
        }
        let below = Level::ALL[usize::from(self.level.as_u8()).saturating_sub(1)];
        Self { level: below, late, calm: 0 }
    }
}

/// Returns whether nothing of a level's reasons is left; a level that lets everything in is never over.
fn is_over(level: Level, pressure: &Pressure) -> bool {
    let Some(index) = usize::from(level.as_u8()).checked_sub(1) else { return false };
    let threshold = &THRESHOLDS[index];
    pressure.memory < threshold.memory.1
        && pressure.memory_stall < threshold.memory_stall.1
        && pressure.lag < threshold.lag.1
}

/// What a node lets in at the moment. Asking costs one load.
#[derive(Debug, Default)]
pub struct Admission {
    level: AtomicU8,
    seen: Mutex<(Standing, Pressure)>,
}

impl Admission {
    /// Lets everything in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether `wanted` is let in.
    pub fn admits(&self, wanted: Wanted) -> bool {
        self.level.load(Ordering::Relaxed) < wanted.refused_from().as_u8()
    }

    /// Returns the level, and what was measured last.
    pub fn now(&self) -> (Level, Pressure) {
        let (standing, pressure) = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (standing.level, pressure)
    }

    /// Notes one look. Returns the new level where it has changed.
    pub fn look(&self, pressure: Pressure) -> Option<Level> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = (seen.0, seen.0.after(&pressure));
        *seen = (after, pressure);
        self.level.store(after.level.as_u8(), Ordering::Relaxed);
        (after.level != before.level).then_some(after.level)
    }

    /// Forgets what was seen, and lets everything in.
    pub fn open(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Default::default();
        self.level.store(Level::Open.as_u8(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(memory: f64) -> Pressure {
        Pressure { memory, ..Pressure::default() }
    }

    fn lag(seconds: u64) -> Pressure {
        Pressure { lag: Duration::from_secs(seconds), ..Pressure::default() }
    }

    /// The levels after each of the looks.
    fn levels(looks: &[Pressure]) -> Vec<u8> {
        let mut standing = Standing::default();
        let step = |look| {
            standing = standing.after(look);
            standing.level.as_u8()
        };
        looks.iter().map(step).collect()
    }

    #[test]
    fn memory_is_believed_at_once_and_each_level_is_left_after_five_calm_looks() {
        assert_eq!(levels(&[memory(0.89), memory(0.90), memory(0.96)]), [0, 1, 2]);
        let looks: Vec<_> = [0.96].iter().chain(&[0.5; 11]).map(|share| memory(*share)).collect();
        assert_eq!(levels(&looks), [2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0]);
    }

    #[test]
    fn between_entering_and_leaving_nothing_changes() {
        let looks: Vec<_> = [0.90].iter().chain(&[0.86; 20]).map(|share| memory(*share)).collect();
        assert!(levels(&looks).iter().all(|level| *level == 1));
        let flapping: Vec<_> = [0.90, 0.8, 0.8, 0.8, 0.8, 0.87, 0.8, 0.8, 0.8, 0.8].map(memory).to_vec();
        assert!(levels(&flapping).iter().all(|level| *level == 1), "calm begins anew");
    }

    #[test]
    fn a_process_that_was_stopped_once_is_not_overloaded() {
        assert_eq!(levels(&[lag(60), lag(0), lag(60), lag(60), lag(0)]), [0; 5]);
        assert_eq!(levels(&[lag(2), lag(3), lag(2)]), [0, 0, 1]);
        assert_eq!(levels(&[lag(5), lag(6), lag(5)]), [0, 0, 2]);
    }

    #[test]
    fn waiting_for_memory_counts_as_having_none() {
        let stalled = |memory_stall| Pressure { memory_stall, ..Pressure::default() };
        assert_eq!(levels(&[stalled(0.09), stalled(0.1), stalled(0.3)]), [0, 1, 2]);
    }

    #[test]
    fn newcomers_are_refused_first_and_then_what_is_costly() {
        use Wanted::{Connection, History, Login, Registration, Search, Upload};
        let admission = Admission::new();
        let refused = || {
            let all = [Connection, Login, Registration, Search, History, Upload];
            all.into_iter().filter(|wanted| !admission.admits(*wanted)).count()
        };
        assert_eq!(refused(), 0);
        assert_eq!((admission.look(memory(0.9)), refused()), (Some(Level::NoNewcomers), 3));
        assert!(!admission.admits(Connection) && admission.admits(Search));
        assert_eq!((admission.look(memory(0.95)), refused()), (Some(Level::NoHeavyWork), 6));
        assert_eq!(admission.look(memory(0.95)), None);
        admission.open();
        assert_eq!((admission.now(), refused()), ((Level::Open, Pressure::default()), 0));
    }
}
