//! Credits: how many commands of one connection may be under way.
//!
//! ractor's mailboxes are unbounded. A credit travels inside the message and comes back when the
//! work is done; without one the socket is not read, so TCP holds the sender back and all queued
//! work is bounded by connections times credits. Where the work is traced, its trace goes the same way.

use crate::trace::Trace;
use futures_util::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;

/// The credits of one connection.
#[derive(Debug)]
pub struct Credits {
    total: usize,
    free: AtomicUsize,
    /// The connection's task, where it waits for a credit.
    waiting: AtomicWaker,
}

/// One unit of work under way; dropping it gives it back.
#[derive(Debug)]
pub struct Credit {
    of: Arc<Credits>,
    trace: Option<Box<Trace>>,
}

impl Credits {
    /// Returns `total` free credits.
    pub fn new(total: usize) -> Arc<Self> {
        Arc::new(Self { total, free: AtomicUsize::new(total), waiting: AtomicWaker::new() })
    }

    /// Takes a credit if one is free.
    pub fn take(self: &Arc<Self>) -> Option<Credit> {
        self.free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1))
            .ok()
            .map(|_| Credit { of: Arc::clone(self), trace: None })
    }

    /// Takes a credit, or has the task of `context` woken when one comes back.
    pub fn poll_take(self: &Arc<Self>, context: &Context<'_>) -> Option<Credit> {
        self.take().or_else(|| {
            self.waiting.register(context.waker());
            // One may have come back between the look and the registration.
            self.take()
        })
    }

    /// Returns how many are free.
    pub fn free(&self) -> usize {
        self.free.load(Ordering::Acquire)
    }

    /// Returns whether nothing is under way.
    pub fn are_all_free(&self) -> bool {
        self.free() == self.total
    }
}

impl Credit {
    /// Returns the credit with the trace of the work that it is for.
    #[must_use]
    pub fn with(self, trace: Option<Box<Trace>>) -> Self {
        let mut credit = self;
        credit.trace = trace;
        credit
    }

    /// Takes the trace out.
    pub const fn take_trace(&mut self) -> Option<Box<Trace>> {
        self.trace.take()
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        self.of.free.fetch_add(1, Ordering::AcqRel);
        self.of.waiting.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::Credits;

    #[test]
    fn a_dropped_credit_can_be_taken_again() {
        let credits = Credits::new(2);
        let (first, second) = (credits.take(), credits.take());
        assert!(first.is_some() && second.is_some());
        assert!(credits.take().is_none());
        drop(first);
        assert_eq!(credits.free(), 1);
        assert!(credits.take().is_some());
    }
}
