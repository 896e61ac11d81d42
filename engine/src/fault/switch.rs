//! The faults that a test turns on and off.

use super::Fate;
use crate::store::{Health, StoreError};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct Switch {
    health: Mutex<Health>,
    /// What becomes of the next write, whatever is drawn.
    next: Mutex<Option<Fate>>,
    is_holding: watch::Sender<bool>,
    held: AtomicUsize,
}

impl Default for Switch {
    fn default() -> Self {
        Self {
            health: Mutex::new(Health::Ready),
            next: Mutex::new(None),
            is_holding: watch::Sender::new(false),
            held: AtomicUsize::new(0),
        }
    }
}

impl Switch {
    pub(super) fn set(&self, health: Health) {
        *self.lock() = health;
    }

    pub(super) fn health(&self) -> Health {
        self.lock().clone()
    }

    pub(super) fn set_next(&self, fate: Option<Fate>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = fate;
    }

    /// Returns what is to become of this write, and leaves the ones after it alone.
    pub(super) fn take_next(&self) -> Option<Fate> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns the error that a write meets now.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.health() {
            Health::Ready => Ok(()),
            Health::Refusing(reason) => Err(StoreError::Refused(reason)),
            Health::Failed(reason) => Err(StoreError::Fatal(reason)),
        }
    }

    pub(super) fn hold(&self, is_holding: bool) {
        self.is_holding.send_replace(is_holding);
    }

    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Waits while calls are held.
    pub(super) async fn pass(&self) {
        let mut is_holding = self.is_holding.subscribe();
        if *is_holding.borrow() {
            let _counted = Counted::new(&self.held);
            // The sender is a field of this value, so it is there for as long as this waits.
            drop(is_holding.wait_for(|is_holding| !is_holding).await);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one call for as long as it waits, also when its caller goes away.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(held: &'a AtomicUsize) -> Self {
        held.fetch_add(1, Ordering::SeqCst);
        Self(held)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
