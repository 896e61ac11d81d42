//! Whether the node takes work, and whether it still runs: what probes ask.

use super::Node;
use rookery_engine::admission::Level;
use rookery_engine::limits::STUCK_AFTER;
use rookery_engine::store::Health;
use std::sync::atomic::Ordering;
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

impl Node {
    /// Returns what has to be in order for the node to be ready, and whether it is. The bus and the search
    /// index are told of too: a node without them does all its other work, so it is ready.
    pub fn readiness(&self) -> Vec<Check> {
        let store = match self.store().health() {
            Health::Ready => Check::good("store", "takes writes"),
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
