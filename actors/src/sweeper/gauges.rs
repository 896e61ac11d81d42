//! What the sweeper counts while it looks: what waits for actors, rooms, and how busy the runtime is.

use crate::node::Node;
use metrics::{Gauge, Histogram};
use rookery_engine::metrics::ActorKind;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::time::Instant;

/// The mailboxes of one kind of actor at one look.
#[derive(Debug)]
pub(super) struct Depths {
    each: Histogram,
    deepest: Gauge,
    most: u32,
}

impl Depths {
    pub(super) fn of(node: &Node, kind: ActorKind) -> Self {
        let actors = &node.metrics().actors;
        let (each, deepest) = (actors.waiting.at(kind as usize), actors.deepest.at(kind as usize));
        Self { each: each.clone(), deepest: deepest.clone(), most: 0 }
    }

    /// Takes note of one mailbox in which so many messages wait.
    pub(super) fn see(&mut self, waiting: usize) {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        self.each.record(f64::from(waiting));
        self.most = self.most.max(waiting);
    }

    /// Says what was the most.
    pub(super) fn tell(self) {
        self.deepest.set(f64::from(self.most));
    }
}

/// Counts the rooms that are heard and those that are parked.
pub(super) fn of_rooms(node: &Node, now: Duration) {
    let rooms = &node.metrics().rooms;
    rooms.heard.set(number(node.hub().heard_rooms().len()));
    rooms.parked.set(number(node.parked_rooms(now)));
}

/// What was known of the runtime at the last look.
#[derive(Debug)]
pub(super) struct Gauges {
    looked: Instant,
    busy: Duration,
}

impl Default for Gauges {
    fn default() -> Self {
        Self { looked: Instant::now(), busy: busy(&Handle::current().metrics()) }
    }
}

impl Gauges {
    /// Looks at the runtime once more.
    pub(super) fn look(&mut self, node: &Node) {
        let runtime = Handle::current().metrics();
        let (passed, busy) = (self.looked.elapsed(), busy(&runtime));
        let workers = number(runtime.num_workers());
        let process = &node.metrics().process;
        process.workers.set(workers);
        process.tasks.set(number(runtime.num_alive_tasks()));
        process.queued.set(number(runtime.global_queue_depth()));
        let time = passed.as_secs_f64() * workers;
        if time > 0.0 {
            process.busy.set((busy.saturating_sub(self.busy).as_secs_f64() / time).min(1.0));
        }
        (self.looked, self.busy) = (Instant::now(), busy);
    }
}

/// Returns for how long all workers together were busy since the runtime began.
fn busy(runtime: &RuntimeMetrics) -> Duration {
    (0..runtime.num_workers()).map(|worker| runtime.worker_total_busy_duration(worker)).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and nothing here counts to 2^52")]
const fn number(of: usize) -> f64 {
    of as f64
}
