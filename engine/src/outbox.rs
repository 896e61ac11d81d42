//! An outbox: what one connection still has to be sent, bounded by class.
//!
//! Hears from rooms and sessions (push), the hub (push), the connection's task (take, wrote).
//! Nothing here waits: a push answers at once whether the frame was queued. Replies are bounded by
//! the credits of the commands they answer, durable events by the hard limits (beyond them the
//! reader lags and is told so), ephemeral ones by the soft limit (beyond it they are dropped).

use crate::limits::{OUTBOX_CLOSE_BYTES, OUTBOX_HARD_BYTES, OUTBOX_HARD_FRAMES, OUTBOX_SOFT_BYTES};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use rookery_protocol::{CloseCode, Codec};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;
use tokio::sync::Notify;

/// What became of a pushed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It will be written.
    Queued,
    /// It will be written, and an older one with the same key will not.
    Replaced,
    /// There was no room for it, and none of it is written.
    Full,
    /// The connection is closing.
    Closed,
}

/// What an ephemeral frame replaces: an older one with the same key. Made by hashing what the
/// signal is about, so that two signals share a key once in 2^64.
pub type EphemeralKey = NonZeroU64;

/// Returns the key of a signal that is about `subject`.
pub fn ephemeral_key(subject: &impl Hash) -> EphemeralKey {
    // Without a key of its own: the same subject has the same key wherever it is asked.
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MIN)
}

/// The queue of encoded frames of one connection.
#[derive(Debug)]
pub struct Outbox {
    codec: Codec,
    queue: Mutex<Queue>,
    /// The connection's task, where it waits for frames.
    reader: AtomicWaker,
    /// Tasks that read pages for this connection wait here for room.
    has_room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Queued>,
    /// Bytes queued and bytes taken but not yet written.
    bytes: usize,
    taken_frames: usize,
    closing: Option<CloseCode>,
    /// When the peer last took something, while there is something to take.
    stalled_since: Option<Duration>,
}

#[derive(Debug)]
struct Queued {
    bytes: Bytes,
    key: Option<EphemeralKey>,
}

impl Queue {
    fn is_full_for(&self, more: usize) -> bool {
        self.bytes + more > OUTBOX_HARD_BYTES || self.frames.len() + self.taken_frames >= OUTBOX_HARD_FRAMES
    }

    fn take(&mut self, into: &mut VecDeque<Bytes>, now: Duration) -> Taken {
        self.taken_frames += self.frames.len();
        into.extend(self.frames.drain(..).map(|queued| queued.bytes));
        // An idle connection keeps no heap.
        self.frames.shrink_to(0);
        if into.is_empty() {
            self.closing.map_or(Taken::Nothing, Taken::Close)
        } else {
            self.stalled_since.get_or_insert(now);
            Taken::Frames
        }
    }

    /// Returns whether there is room again where there was none.
    fn wrote(&mut self, frames: usize, bytes: usize, now: Duration) -> bool {
        let was_above = self.bytes > OUTBOX_SOFT_BYTES;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.taken_frames = self.taken_frames.saturating_sub(frames);
        self.stalled_since = (self.bytes > 0).then_some(now);
        was_above && self.bytes <= OUTBOX_SOFT_BYTES
    }

    fn push(&mut self, bytes: Bytes, key: Option<EphemeralKey>) {
        self.bytes += bytes.len();
        self.frames.push_back(Queued { bytes, key });
    }
}

impl Outbox {
    /// Returns an empty outbox of a connection that speaks `codec`.
    pub fn new(codec: Codec) -> Self {
        Self { codec, queue: Mutex::default(), reader: AtomicWaker::new(), has_room: Notify::new() }
    }

    /// Returns the codec that frames pushed here must be encoded in.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Queues an answer to a command or a notice about the connection itself. [`Pushed::Full`] means
    /// that so much waits that the connection has to be closed.
    pub(crate) fn push_reply(&self, frame: Bytes) -> Pushed {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return Pushed::Closed;
        }
        if queue.bytes + frame.len() > OUTBOX_CLOSE_BYTES {
            return Pushed::Full;
        }
        queue.push(frame, None);
        drop(queue);
        self.reader.wake();
        Pushed::Queued
    }

    /// Queues a durable event. [`Pushed::Full`] means that this reader lags: it must be told, and
    /// must not be given a later event of that room.
    pub fn push_event(&self, frame: Bytes) -> Pushed {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return Pushed::Closed;
        }
        if queue.is_full_for(frame.len()) {
            return Pushed::Full;
        }
        queue.push(frame, None);
        drop(queue);
        self.reader.wake();
        Pushed::Queued
    }

    /// Queues a signal that only matters now; it may be dropped, or replace an older one.
    pub fn push_ephemeral(&self, key: EphemeralKey, frame: Bytes) -> Pushed {
        self.push_keyed(key, frame, |queue, more| queue.bytes + more > OUTBOX_SOFT_BYTES)
    }

    /// Queues how something stands now, instead of how it stood before. It is dropped only where
    /// a durable event would not be queued either.
    pub fn push_latest(&self, key: EphemeralKey, frame: Bytes) -> Pushed {
        self.push_keyed(key, frame, Queue::is_full_for)
    }

    fn push_keyed(
        &self,
        key: EphemeralKey,
        frame: Bytes,
        is_full: impl FnOnce(&Queue, usize) -> bool,
    ) -> Pushed {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return Pushed::Closed;
        }
        if let Some(older) = queue.frames.iter().position(|queued| queued.key == Some(key)) {
            // Last in line like any other, so that it does not overtake what was said before it.
            let freed = queue.frames.remove(older).map_or(0, |queued| queued.bytes.len());
            queue.bytes -= freed;
            queue.push(frame, Some(key));
            return Pushed::Replaced;
        }
        if is_full(&queue, frame.len()) {
            return Pushed::Full;
        }
        queue.push(frame, Some(key));
        drop(queue);
        self.reader.wake();
        Pushed::Queued
    }

    /// Returns whether a signal of that key is still queued, so that the next one replaces it.
    pub fn holds(&self, key: EphemeralKey) -> bool {
        self.lock().frames.iter().any(|queued| queued.key == Some(key))
    }

    /// Has the connection write what is queued, then `last` if there is one, then close with
    /// `code`. The first close counts.
    pub fn close(&self, code: CloseCode, last: Option<Bytes>) {
        let mut queue = self.lock();
        if queue.closing.is_none() {
            queue.closing = Some(code);
            if let Some(frame) = last {
                queue.push(frame, None);
            }
        }
        drop(queue);
        self.reader.wake();
        self.has_room.notify_waiters();
    }

    /// Returns how the connection is to be closed, once it is.
    pub fn closing(&self) -> Option<CloseCode> {
        self.lock().closing
    }

    /// Moves every queued frame into `into`, and has the task of `context` woken at the next push
    /// when there is none. Their bytes count until [`Outbox::wrote`].
    pub fn poll_take(&self, context: &Context<'_>, into: &mut VecDeque<Bytes>, now: Duration) -> Taken {
        self.reader.register(context.waker());
        self.take(into, now)
    }

    /// As [`Outbox::poll_take`], for a task that has registered itself by [`Outbox::wake_with`] since it was
    /// woken.
    pub fn take(&self, into: &mut VecDeque<Bytes>, now: Duration) -> Taken {
        self.lock().take(into, now)
    }

    /// Counts `frames` whole frames and `bytes` bytes as written at `now`.
    pub fn wrote(&self, frames: usize, bytes: usize, now: Duration) {
        let mut queue = self.lock();
        let has_room_again = queue.wrote(frames, bytes, now);
        drop(queue);
        if has_room_again {
            self.has_room.notify_waiters();
        }
    }

    /// As [`Outbox::wrote`], and then as [`Outbox::take`] if nothing is left in `into`, under one lock.
    pub fn wrote_and_take(
        &self,
        (frames, bytes): (usize, usize),
        into: &mut VecDeque<Bytes>,
        now: Duration,
    ) -> Taken {
        let mut queue = self.lock();
        let has_room_again = queue.wrote(frames, bytes, now);
        let taken = if into.is_empty() { queue.take(into, now) } else { Taken::Frames };
        drop(queue);
        if has_room_again {
            self.has_room.notify_waiters();
        }
        taken
    }

    /// Has the task of `context` woken by the next push or [`Outbox::wake`].
    pub fn wake_with(&self, context: &Context<'_>) {
        self.reader.register(context.waker());
    }

    /// Wakes the connection's task.
    pub fn wake(&self) {
        self.reader.wake();
    }

    /// Returns whether so much waits that nothing more should be asked for.
    pub fn is_above_soft(&self) -> bool {
        self.lock().bytes > OUTBOX_SOFT_BYTES
    }

    /// Returns whether more may be asked for: it is not closing, and not so much waits.
    pub fn asks_for_more(&self) -> bool {
        let queue = self.lock();
        queue.closing.is_none() && queue.bytes <= OUTBOX_SOFT_BYTES
    }

    /// Returns the bytes that wait to be written.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Returns since when the peer has taken nothing although something waits.
    pub fn stalled_since(&self) -> Option<Duration> {
        self.lock().stalled_since
    }

    /// Completes when no more than the soft limit waits, or the connection closes.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn room(&self) {
        loop {
            let has_room = self.has_room.notified();
            {
                let queue = self.lock();
                if queue.bytes <= OUTBOX_SOFT_BYTES || queue.closing.is_some() {
                    return;
                }
            }
            has_room.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`Outbox::poll_take`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Frames to write.
    Frames,
    /// Nothing; the task is woken at the next push.
    Nothing,
    /// Nothing more will come: close.
    Close(CloseCode),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn frame(len: usize) -> Bytes {
        Bytes::from(vec![0; len])
    }

    fn take(outbox: &Outbox) -> VecDeque<Bytes> {
        let mut frames = VecDeque::new();
        outbox.poll_take(&Context::from_waker(Waker::noop()), &mut frames, Duration::ZERO);
        frames
    }

    fn key(number: u64) -> EphemeralKey {
        EphemeralKey::new(number).expect("not zero")
    }

    #[test]
    fn frames_leave_in_the_order_they_came() {
        let outbox = Outbox::new(Codec::Json);
        outbox.push_reply(frame(1));
        outbox.push_event(frame(2));
        outbox.push_ephemeral(key(1), frame(3));
        assert_eq!(take(&outbox).iter().map(Bytes::len).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn an_event_beyond_the_hard_limit_is_not_queued_and_a_reply_still_is() {
        let outbox = Outbox::new(Codec::Json);
        assert_eq!(outbox.push_event(frame(OUTBOX_HARD_BYTES)), Pushed::Queued);
        assert_eq!(outbox.push_event(frame(1)), Pushed::Full);
        assert_eq!(outbox.push_reply(frame(1)), Pushed::Queued);
    }

    #[test]
    fn many_small_events_are_bounded_by_their_number_even_while_they_are_being_written() {
        let outbox = Outbox::new(Codec::Json);
        for _ in 0..OUTBOX_HARD_FRAMES {
            assert_eq!(outbox.push_event(frame(1)), Pushed::Queued);
        }
        assert_eq!(take(&outbox).len(), OUTBOX_HARD_FRAMES);
        assert_eq!(outbox.push_event(frame(1)), Pushed::Full);
        outbox.wrote(1, 1, Duration::ZERO);
        assert_eq!(outbox.push_event(frame(1)), Pushed::Queued);
    }

    #[test]
    fn an_ephemeral_frame_replaces_its_older_self_and_is_dropped_above_the_soft_limit() {
        let outbox = Outbox::new(Codec::Json);
        assert_eq!(outbox.push_ephemeral(key(1), frame(5)), Pushed::Queued);
        assert_eq!(outbox.push_ephemeral(key(1), frame(7)), Pushed::Replaced);
        assert_eq!(outbox.bytes(), 7);
        assert_eq!((outbox.holds(key(1)), outbox.holds(key(2))), (true, false));
        outbox.push_event(frame(OUTBOX_SOFT_BYTES));
        assert_eq!(outbox.push_ephemeral(key(2), frame(1)), Pushed::Full);
    }

    #[test]
    fn a_frame_that_replaces_another_does_not_overtake_what_was_queued_between() {
        let outbox = Outbox::new(Codec::Json);
        outbox.push_latest(key(1), frame(1));
        outbox.push_reply(frame(2));
        assert_eq!(outbox.push_latest(key(1), frame(3)), Pushed::Replaced);
        assert_eq!(outbox.bytes(), 5);
        assert_eq!(take(&outbox).iter().map(Bytes::len).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_closing_outbox_gives_what_it_has_then_the_code_and_takes_no_more() {
        let outbox = Outbox::new(Codec::Json);
        outbox.push_event(frame(1));
        outbox.close(CloseCode::Draining, Some(frame(2)));
        outbox.close(CloseCode::Internal, Some(frame(3)));
        assert_eq!(outbox.push_event(frame(4)), Pushed::Closed);
        assert_eq!(take(&outbox).iter().map(Bytes::len).collect::<Vec<_>>(), [1, 2]);
        let taken =
            outbox.poll_take(&Context::from_waker(Waker::noop()), &mut VecDeque::new(), Duration::ZERO);
        assert_eq!(taken, Taken::Close(CloseCode::Draining));
    }

    #[test]
    fn replies_that_nobody_reads_fill_it_in_the_end() {
        let outbox = Outbox::new(Codec::Json);
        assert_eq!(outbox.push_reply(frame(OUTBOX_CLOSE_BYTES)), Pushed::Queued);
        assert_eq!(outbox.push_reply(frame(1)), Pushed::Full);
    }

    #[test]
    fn a_stall_lasts_from_the_first_frame_not_taken_to_the_next_progress() {
        let outbox = Outbox::new(Codec::Json);
        let context = Context::from_waker(Waker::noop());
        outbox.push_event(frame(4));
        outbox.poll_take(&context, &mut VecDeque::new(), Duration::from_secs(1));
        assert_eq!(outbox.stalled_since(), Some(Duration::from_secs(1)));
        outbox.wrote(0, 3, Duration::from_secs(2));
        assert_eq!(outbox.stalled_since(), Some(Duration::from_secs(2)));
        outbox.wrote(1, 1, Duration::from_secs(3));
        assert_eq!(outbox.stalled_since(), None);
    }
}
