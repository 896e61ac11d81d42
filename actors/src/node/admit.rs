//! What the node lets in while memory or time is short.

use super::Node;
use rookery_engine::admission::{Admission, Wanted};
use rookery_engine::limits::{SHED_RETRY_AT_LEAST_MS, SHED_RETRY_OVER_MS};
use rookery_protocol::{ErrorCode, WireError};
use std::sync::atomic::Ordering;

impl Node {
    /// Returns what decides what is let in.
    pub const fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Lets `wanted` in.
    ///
    /// # Errors
    /// `busy` with a delay, while the node sheds load.
    pub fn admit(&self, wanted: Wanted) -> Result<(), WireError> {
        if self.admission.admits(wanted) {
            return Ok(());
        }
        self.metrics().operation.admission_refused.of(wanted.label()).increment(1);
        Err(self.busy("the server is short of memory or time, and does this for nobody at the moment"))
    }

    /// Returns the error of somebody who should come back later, but not at the same moment as everybody else.
    pub fn busy(&self, why: &'static str) -> WireError {
        let mut bits = [0; 2];
        self.random().fill(&mut bits);
        let later = (SHED_RETRY_OVER_MS * u32::from(u16::from_le_bytes(bits))) >> 16;
        WireError::new(ErrorCode::Busy, why).retry_after(SHED_RETRY_AT_LEAST_MS + later)
    }

    /// Has the other nodes know that this one takes so many connections.
    pub fn set_capacity(&self, connections: u64) {
        self.capacity.store(connections, Ordering::Relaxed);
    }

    /// Returns what [`Node::set_capacity`] was told last, if it was.
    pub(crate) fn capacity(&self) -> Option<u64> {
        Some(self.capacity.load(Ordering::Relaxed)).filter(|capacity| *capacity > 0)
    }
}
