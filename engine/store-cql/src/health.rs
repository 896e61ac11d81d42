//! Whether the cluster answers, shared by everything that finds out.

use rookery_engine::store::Health;
use std::sync::{Arc, Mutex, PoisonError};

/// The store's health. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct SharedHealth(Arc<Mutex<Health>>);

impl SharedHealth {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Health::Ready)))
    }

    pub(crate) fn get(&self) -> Health {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that the cluster has answered.
    pub(crate) fn answered(&self) {
        let mut health = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *health != Health::Ready {
            tracing::info!("the cluster answers again");
            *health = Health::Ready;
        }
    }

    /// Notes that it does not.
    pub(crate) fn away(&self, reason: &str) {
        let mut health = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *health == Health::Ready {
            tracing::warn!(reason, "the cluster does not answer");
        }
        *health = Health::Refusing(reason.to_owned());
    }
}
