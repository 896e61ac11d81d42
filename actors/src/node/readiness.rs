//! Whether the node takes work, and whether it still runs: what probes ask.

use super::Node;
use rookery_engine::admission::Level;
use rookery_engine::limits::{SLOW_COMMIT, STUCK_AFTER};
use rookery_engine::store::{Commits, Health};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One thing that has to be in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// Whether it is.
    pub ok: bool,
    /// Why not, or how it is.
    pub detail: String,
}

impl Check {
    fn good(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: true, detail: detail.into() }
    }

    fn bad(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: false, detail: detail.into() }
    }
}

/// Since when the committer has been at the group that it is at.
#[derive(Debug, Default)]
pub(super) struct Committing(Mutex<(Commits, Duration)>);

impl Committing {
    /// Notes how far the committer is at `now`.
    fn look(&self, commits: Commits, now: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != commits {
            *seen = (commits, now);
        }
    }

    /// Returns for how long it has been at one group; zero where it has nothing to do.
    fn time(&self, now: Duration) -> Duration {
        let (commits, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if commits.begun == commits.ended { Duration::ZERO } else { now.saturating_sub(since) }
    }
}

impl Node {
    /// Returns what has to be in order for the node to be ready, and whether it is. The bus and the search
    /// index are told of too: a node without them does all its other work, so it is ready.
    pub fn readiness(&self) -> Vec<Check> {
        let store = match self.store().health() {
            Health::Ready => match self.committing_for() {
                time if time < SLOW_COMMIT => Check::good("store", "takes writes"),
                time => Check::bad("store", format!("a commit has taken {} s so far", time.as_secs())),
            },
            Health::Refusing(why) | Health::Failed(why) => Check::bad("store", why),
        };
        let behind = match self.search().progress().behind {
            0 => "has all that was said".to_owned(),
            events => format!("{events} events behind: searches wait"),
        };
        let node =
            if self.is_draining() { Check::bad("node", "draining") } else { Check::good("node", "serving") };
        vec![
            store,
            Check::good("bus", self.cluster.state()),
            Check::good("search", behind),
            self.load(),
            node,
        ]
    }

    /// Who sends traffic sends it elsewhere while newcomers are refused here.
    fn load(&self) -> Check {
        let (level, pressure) = self.admission.now();
        let refused = match level {
            Level::Open => return Check::good("load", "everybody is let in"),
            Level::NoNewcomers => "nobody new is let in",
            Level::NoHeavyWork => "nobody new is let in, and nothing costly is done",
        };
        let (memory, stall) = (pressure.memory * 100.0, pressure.memory_stall * 100.0);
        let lag = pressure.lag.as_millis();
        let why = format!("memory {memory:.0} %, waiting for memory {stall:.0} %, late by {lag} ms");
        Check::bad("load", format!("{refused}: {why}"))
    }

    /// Returns whether the node still runs: whether its one timer has looked around lately. Nothing outside the
    /// process is asked, since a restart mends nothing there.
    pub fn liveness(&self) -> Check {
        match self.since_sweep() {
            None => Check::good("sweeper", "is moved by hand"),
            Some(time) if time < STUCK_AFTER => {
                Check::good("sweeper", format!("looked {} ms ago", time.as_millis()))
            }
            Some(time) => Check::bad("sweeper", format!("has not looked for {} s", time.as_secs())),
        }
    }

    /// Returns for how long the store has been at one commit, as the sweeper saw it; zero where it is at none.
    pub fn committing_for(&self) -> Duration {
        self.committing.time(self.clock().elapsed())
    }

    /// Notes how far the store is with what it commits.
    pub(crate) fn look_at_commits(&self) {
        self.committing.look(self.store().commits(), self.clock().elapsed());
    }

    /// Notes that the sweeper looks around.
    pub(crate) fn swept(&self) {
        let now = u64::try_from(self.clock().elapsed().as_millis()).unwrap_or(u64::MAX);
        self.swept.store(now, Ordering::Relaxed);
    }

    /// Returns how long ago the sweeper looked last; `None` where it does not run by itself.
    fn since_sweep(&self) -> Option<Duration> {
        let swept = Duration::from_millis(self.swept.load(Ordering::Relaxed));
        self.config().sweeps.then(|| self.clock().elapsed().saturating_sub(swept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_group_for_a_long_time_is_slow() {
        let (committing, at) = (Committing::default(), |begun, ended| Commits { begun, ended });
        let seconds = Duration::from_secs;
        committing.look(at(0, 0), seconds(1));
        assert_eq!(committing.time(seconds(9)), Duration::ZERO, "nothing to do");
        committing.look(at(1, 0), seconds(10));
        committing.look(at(1, 0), seconds(13));
        assert_eq!(committing.time(seconds(14)), seconds(4));
        committing.look(at(2, 1), seconds(15));
        assert_eq!(committing.time(seconds(16)), seconds(1), "another one");
        committing.look(at(2, 2), seconds(17));
        assert_eq!(committing.time(seconds(30)), Duration::ZERO);
    }
}
