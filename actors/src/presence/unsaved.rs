//! When users were last there, until the store has it: a map that coalesces, written in the
//! background, a batch at a time.

use super::Presence;
use rookery_engine::limits::{LAST_SEEN_BATCH, LAST_SEEN_UNSAVED};
use rookery_engine::store::{Health, Store, StoreError};
use rookery_protocol::{Timestamp, UserId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    moments: Mutex<HashMap<UserId, Timestamp>>,
    /// Held by the one who writes.
    writer: tokio::sync::Mutex<()>,
}

impl Unsaved {
    /// Keeps a moment to be written. When too much waits, because the store takes nothing for long,
    /// it is let go of: then the store knows of an earlier one.
    pub(super) fn note(&self, user: UserId, at: Timestamp) {
        let mut moments = self.lock();
        if moments.len() >= LAST_SEEN_UNSAVED && !moments.contains_key(&user) {
            return;
        }
        let last = moments.entry(user).or_insert(at);
        *last = (*last).max(at);
    }

    /// Returns the moment of `user` that waits.
    pub(super) fn of(&self, user: UserId) -> Option<Timestamp> {
        self.lock().get(&user).copied()
    }

    fn batch(&self) -> Vec<(UserId, Timestamp)> {
        self.lock().iter().take(LAST_SEEN_BATCH).map(|(user, at)| (*user, *at)).collect()
    }

    /// Forgets what was written, unless a later moment has come since.
    fn written(&self, batch: &[(UserId, Timestamp)]) {
        let mut moments = self.lock();
        for (user, at) in batch {
            if moments.get(user) == Some(at) {
                moments.remove(user);
            }
        }
        if moments.is_empty() {
            moments.shrink_to_fit();
        }
    }

    /// Writes until nothing waits. A batch that is refused, or whose outcome is unknown, stays and is
    /// written again at the next try: the latest moment wins, however often it is written.
    async fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        loop {
            let batch = self.batch();
            if batch.is_empty() {
                return Ok(());
            }
            store.seen(&batch).await?;
            self.written(&batch);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Timestamp>> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence {
    /// Returns whether something is to be written, and the store takes writes.
    pub(crate) fn has_unsaved(&self, store: &dyn Store) -> bool {
        !self.unsaved.lock().is_empty() && store.health() == Health::Ready
    }

    /// Writes what waits, unless that is being done already.
    pub(crate) async fn save(self: Arc<Self>, store: Arc<dyn Store>) {
        if let Ok(_writer) = self.unsaved.writer.try_lock()
            && let Err(error) = self.unsaved.write(&*store).await
        {
            tracing::warn!(%error, "when users were last there is not written yet");
        }
    }

    /// Writes what waits, after whoever is writing.
    pub(crate) async fn save_all(&self, store: &dyn Store) {
        let _writer = self.unsaved.writer.lock().await;
        if let Err(error) = self.unsaved.write(store).await {
            tracing::warn!(%error, "when users were last there is not written");
        }
    }
}
