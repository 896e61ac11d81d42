//! Frames of traced messages on their way to sockets.
//!
//! An outbox holds bytes and nothing of where they come from, and most bytes are of no traced message. So they are
//! known by where they are in memory: all that a message goes out as is one allocation for each codec, and this
//! table keeps it from being freed, so no other can have its place.

use super::context::TraceContext;
use super::span::About;
use crate::connection::ConnectionId;
use crate::limits::STALL_WITHIN;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Messages whose writes are awaited at a time; the oldest is let go. With two codecs of 64 KiB each it is 8 MiB.
const MESSAGES: usize = 64;

/// Writes of one message that are noted, the sender's own beyond them: enough to see how they differ, and few of a
/// fan-out to thousands.
const WRITES: usize = 8;

/// What was fanned out, and by which span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fanned {
    pub(super) context: TraceContext,
    /// As the trace's.
    pub(super) epoch: Duration,
    /// Since when its bytes wait in outboxes.
    pub(super) since: Duration,
    /// What the fan-out is about; its connection is the sender's.
    pub(super) about: About,
}

/// All messages whose writes are awaited.
#[derive(Debug, Default)]
pub(super) struct Writes {
    len: AtomicUsize,
    awaited: Mutex<VecDeque<Awaited>>,
}

#[derive(Debug)]
struct Awaited {
    fanned: Fanned,
    frames: Vec<Bytes>,
    /// Writes of others to be noted.
    left: usize,
    /// Whether the sender's own is still to be noted, if it comes.
    is_sender_left: bool,
    written: usize,
    /// Outboxes that took it, once that is known.
    queued: Option<usize>,
}

impl Awaited {
    /// Whether nothing more is to be noted, also because who has not taken it by `now` is about to be closed.
    fn is_over(&self, now: Duration) -> bool {
        (self.left == 0 && !self.is_sender_left)
            || self.queued.is_some_and(|queued| self.written >= queued)
            || (self.fanned.epoch + now).saturating_sub(self.fanned.since) > STALL_WITHIN
    }

    fn is_of(&self, frame: &Bytes) -> bool {
        // Its end: what was written of it before has moved its beginning.
        self.frames.iter().any(|own| own.as_ptr_range().end == frame.as_ptr_range().end)
    }
}

impl Writes {
    pub(super) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Acquire) == 0
    }

    /// `frames` go into outboxes from now on.
    pub(super) fn begin(&self, fanned: Fanned, frames: Vec<Bytes>) {
        let is_sender_left = fanned.about.connection.is_some();
        let awaited = Awaited { fanned, frames, left: WRITES, is_sender_left, written: 0, queued: None };
        let mut all = self.lock();
        if all.len() >= MESSAGES {
            all.pop_front();
        }
        all.push_back(awaited);
        self.len.store(all.len(), Ordering::Release);
    }

    /// So many outboxes have taken what `context` fanned out, the last one at `since`, which is now.
    pub(super) fn queued(&self, context: TraceContext, queued: usize, since: Duration) {
        self.change(Duration::ZERO, |awaited| {
            if awaited.fanned.context == context {
                awaited.queued = Some(queued);
                awaited.fanned.since = since;
            }
            None::<()>
        });
    }

    /// The whole of `frame` was written to `connection` at `now`, by the monotonic clock. Returns what it was, if
    /// that is to be noted.
    pub(super) fn wrote(&self, connection: ConnectionId, frame: &Bytes, now: Duration) -> Option<Fanned> {
        self.change(now, |awaited| {
            if !awaited.is_of(frame) {
                return None;
            }
            awaited.written += 1;
            let is_sender = awaited.fanned.about.connection == Some(connection);
            let is_noted = if is_sender {
                std::mem::take(&mut awaited.is_sender_left)
            } else {
                let is_left = awaited.left > 0;
                awaited.left = awaited.left.saturating_sub(1);
                is_left
            };
            is_noted.then_some(awaited.fanned)
        })
    }

    /// Changes each until one has an answer, and lets those go that are over.
    fn change<T>(&self, now: Duration, mut change: impl FnMut(&mut Awaited) -> Option<T>) -> Option<T> {
        let mut all = self.lock();
        let answer = all.iter_mut().find_map(&mut change);
        all.retain(|awaited| !awaited.is_over(now));
        self.len.store(all.len(), Ordering::Release);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
