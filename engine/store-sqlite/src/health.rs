//! Whether the store takes writes, shared by everything that finds out.

use rookery_engine::store::{Health, StoreError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The store's health. Cheap to clone; once failed it stays failed.
#[derive(Clone, Debug)]
pub(crate) struct SharedHealth(Arc<Mutex<Health>>);

impl SharedHealth {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Health::Ready)))
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
