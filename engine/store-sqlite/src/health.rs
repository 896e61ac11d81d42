//! Whether the store takes writes, and how far its committer is, shared by everything that finds out.

use rookery_engine::store::{Commits, Health, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The store's health. Cheap to clone; once failed it stays failed.
#[derive(Clone, Debug)]
pub(crate) struct SharedHealth(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    health: Mutex<Health>,
    begun: AtomicU64,
    ended: AtomicU64,
}

impl SharedHealth {
    pub(crate) fn new() -> Self {
        let health = Mutex::new(Health::Ready);
        Self(Arc::new(Shared { health, begun: AtomicU64::new(0), ended: AtomicU64::new(0) }))
    }

    /// Returns how far the committer is.
    pub(crate) fn commits(&self) -> Commits {
        // In this order, so that what ends meanwhile is never ahead of what has begun.
        let ended = self.0.ended.load(Ordering::Acquire);
        Commits { begun: self.0.begun.load(Ordering::Acquire), ended }
    }

    /// Notes that the committer begins a group.
    pub(crate) fn begin(&self) {
        self.0.begun.fetch_add(1, Ordering::Release);
    }

    /// Notes that it is through with one.
    pub(crate) fn end(&self) {
        self.0.ended.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Health {
        self.lock().clone()
    }

    /// Returns the error that everything is answered with once the store has failed.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        match &*self.lock() {
            Health::Failed(reason) => Some(StoreError::Fatal(reason.clone())),
            Health::Ready | Health::Refusing(_) => None,
        }
    }

    /// Notes that a write was durable.
    pub(crate) fn ready(&self) {
        let mut health = self.lock();
        if matches!(*health, Health::Refusing(_)) {
            tracing::info!("the store takes writes again");
            *health = Health::Ready;
        }
    }

    /// Notes an error that concerns every write.
    pub(crate) fn note(&self, error: &StoreError) {
        let mut health = self.lock();
        match error {
            _ if matches!(*health, Health::Failed(_)) => {}
            StoreError::Fatal(reason) | StoreError::Unknown(reason) => {
                tracing::error!(reason, "the store has failed");
                *health = Health::Failed(reason.clone());
            }
            StoreError::Refused(reason) => {
                if *health == Health::Ready {
                    tracing::warn!(reason, "the store refuses writes");
                }
                *health = Health::Refusing(reason.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.0.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
