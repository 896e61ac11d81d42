//! The janitor: takes out files that nothing refers to, first their bytes, then what is known of them.

use super::Files;
use rookery_engine::limits::{JANITOR_FILES, UPLOAD_GRACE};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often it looks.
///
/// A file of a deleted message is out of everybody's reach at once; this is how long its bytes may stay.
const EVERY: Duration = Duration::from_secs(5);

/// Cleans up until the node's tasks are stopped.
pub(crate) async fn run(files: Arc<Files>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = files.tasks.stopped() => return,
            _ = ticks.tick() => {}
        }
        // Given up in the middle, it begins again at the next start.
        tokio::select! {
            () = files.tasks.stopped() => return,
            () = files.clean_up() => {}
        }
    }
}

impl Files {
    /// Takes out a share of the garbage; what fails is left for the next time.
    pub async fn clean_up(&self) {
        let grace = i64::try_from(UPLOAD_GRACE.as_millis()).unwrap_or(0);
        let doomed = self.store.doom_files(self.now().plus_millis(-grace), JANITOR_FILES).await;
        let doomed = doomed.unwrap_or_else(|error| {
            tracing::debug!(%error, "garbage was not looked for");
            Vec::new()
        });
        let mut gone = Vec::new();
        for file in doomed {
            // One that is still being sent is found complete by nobody, and cleared away by its sender.
            if self.under_way.has(file) {
                continue;
            }
            match self.counted(self.blobs.delete(file).await) {
                Ok(()) => gone.push(file),
                Err(error) => tracing::warn!(%error, %file, "the bytes of a file were not deleted"),
            }
        }
        if gone.is_empty() {
            return;
        }
        match self.store.forget_files(&gone).await {
            Ok(()) => self.metrics.files.deleted.increment(gone.len() as u64),
            Err(error) => tracing::debug!(%error, "deleted files were not forgotten"),
        }
    }
}
