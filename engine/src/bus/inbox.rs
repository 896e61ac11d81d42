//! What a node has heard and not yet looked at.

use super::{Heard, NodeId};
use crate::limits::{BUS_WAITING_BYTES, BUS_WAITING_FRAMES};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A queue between an adapter of the bus, which never waits, and the one task that hears.
///
/// Holds at most [`BUS_WAITING_FRAMES`] frames and [`BUS_WAITING_BYTES`] bytes; what comes when it is full
/// is gone, and in its place is one [`Heard::Lost`].
#[derive(Debug, Default)]
pub struct Inbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    heard: VecDeque<Heard>,
    bytes: usize,
}

impl Inbox {
    /// Returns an empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a frame. Returns whether there was room.
    pub fn frame(&self, from: NodeId, frame: Bytes) -> bool {
        let mut waiting = self.lock();
        let bytes = waiting.bytes + frame.len();
        let fits = waiting.heard.len() < BUS_WAITING_FRAMES && bytes <= BUS_WAITING_BYTES;
        if fits {
            waiting.bytes = bytes;
            waiting.heard.push_back(Heard::Frame { from, frame });
        } else {
            waiting.lost();
        }
        drop(waiting);
        self.wake.notify_one();
        fits
    }

    /// Adds that frames may have been lost at this point. Two such words after one another are one.
    pub fn lost(&self) {
        self.lock().lost();
        self.wake.notify_one();
    }

    /// Waits for what comes next.
    ///
    /// # Cancel safety
    /// Safe: what was not returned stays.
    pub async fn hear(&self) -> Heard {
        loop {
            // Bound to a name first, so that the lock is not held over the wait.
            let next = self.lock().next();
            match next {
                Some(heard) => return heard,
                None => self.wake.notified().await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn lost(&mut self) {
        if self.heard.back() != Some(&Heard::Lost) {
            self.heard.push_back(Heard::Lost);
        }
    }

    fn next(&mut self) -> Option<Heard> {
        let heard = self.heard.pop_front()?;
        if let Heard::Frame { frame, .. } = &heard {
            self.bytes -= frame.len();
        }
        Some(heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const FROM: NodeId = NodeId(Uuid::nil());

    async fn heard(inbox: &Inbox, frames: usize) {
        for _ in 0..frames {
            assert!(matches!(inbox.hear().await, Heard::Frame { .. }));
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_one_loss_at_its_place() {
        let inbox = Inbox::new();
        for _ in 0..BUS_WAITING_FRAMES {
            assert!(inbox.frame(FROM, Bytes::from_static(b"fits")));
        }
        for _ in 0..3 {
            assert!(!inbox.frame(FROM, Bytes::from_static(b"does not")));
        }
        heard(&inbox, 2).await;
        assert!(inbox.frame(FROM, Bytes::from_static(b"after")));
        heard(&inbox, BUS_WAITING_FRAMES - 2).await;
        assert_eq!(inbox.hear().await, Heard::Lost);
        assert_eq!(inbox.hear().await, Heard::Frame { from: FROM, frame: Bytes::from_static(b"after") });
    }

    #[tokio::test]
    async fn large_frames_are_bounded_by_their_bytes() {
        let inbox = Inbox::new();
        let half = Bytes::from(vec![0; BUS_WAITING_BYTES / 2]);
        assert!(inbox.frame(FROM, half.clone()) && inbox.frame(FROM, half.clone()));
        assert!(!inbox.frame(FROM, Bytes::from_static(b"one more")));
        heard(&inbox, 2).await;
        assert_eq!(inbox.hear().await, Heard::Lost);
        assert!(inbox.frame(FROM, half));
    }
}
