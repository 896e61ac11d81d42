//! Tracked tasks and the two steps of stopping: no new work, then no work left.

use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Every task of a node that is not an actor. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stopping: CancellationToken,
}

impl Tasks {
    /// Returns a tracker without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task` until it ends; [`Tasks::finished`] waits for it.
    #[expect(clippy::disallowed_methods, reason = "this is the tracked spawn that all others use")]
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(self.tracker.track_future(task)));
    }

    /// Asks the tasks that run for ever to end. Idempotent.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Returns whether [`Tasks::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Completes once [`Tasks::stop`] was called.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn stopped(&self) {
        self.stopping.cancelled().await;
    }

    /// Waits until every task has ended, at most for `within`. Returns whether they all have.
    pub async fn finished(&self, within: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(within, self.tracker.wait()).await.is_ok()
    }
}
