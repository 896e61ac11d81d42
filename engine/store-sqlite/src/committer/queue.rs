//! The queue before the committer. It wakes the committer when there are as many writes as it waits for,
//! and not for each: on a busy machine a wake costs more than a write takes to queue.

use super::Write;
use super::pace::Patience;
use rookery_engine::store::StoreError;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Writes of one group: at most so many, and no more once there are so many bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) writes: usize,
    pub(crate) bytes: usize,
}

/// What waits to be written. Bounded; whoever queues into a full one is refused.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    enough: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    writes: VecDeque<Box<dyn Write>>,
    /// How many writes the committer waits for; `None` while it works.
    wanted: Option<usize>,
    /// Nothing more comes in.
    is_closed: bool,
    /// Nothing more is taken out.
    is_ended: bool,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        let state = State { writes: VecDeque::new(), wanted: None, is_closed: false, is_ended: false };
        Arc::new(Self { state: Mutex::new(state), enough: Condvar::new(), capacity })
    }

    /// Puts a write behind the others.
    pub(super) fn put(&self, write: Box<dyn Write>) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Refused("the store is closed".to_owned()));
        }
        if state.is_ended {
            return Err(StoreError::Fatal("the committer has ended".to_owned()));
        }
        if state.writes.len() >= self.capacity {
            return Err(StoreError::Refused("the write queue is full".to_owned()));
        }
        state.writes.push_back(write);
        if state.wanted.is_some_and(|wanted| state.writes.len() >= wanted) {
            state.wanted = None;
            drop(state);
            self.enough.notify_one();
        }
        Ok(())
    }

    /// Lets what is in it be taken, and nothing more come in. Idempotent.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.enough.notify_one();
    }

    /// Drops what is in it, whose callers hear that the committer has ended.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.is_ended = true;
        let left = std::mem::take(&mut state.writes);
        drop(state);
        drop(left);
    }

    /// Waits for a write, then for as many as `patience` says and no longer, and moves them to `group`. Returns how
    /// many there were when the first wait was over; `None` when nothing more can come.
    pub(super) fn take(
        &self,
        group: &mut Vec<Box<dyn Write>>,
        most: Most,
        patience: Patience,
    ) -> Option<usize> {
        let mut state = self.state();
        while state.writes.is_empty() {
            if state.is_closed {
                return None;
            }
            state.wanted = Some(1);
            state = self.enough.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let first = state.writes.len();
        loop {
            let left = patience.until.saturating_duration_since(Instant::now());
            if state.writes.len() >= patience.wanted || state.is_closed || left == Duration::ZERO {
                break;
            }
            state.wanted = Some(patience.wanted);
            state = self.enough.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wanted = None;
        let mut bytes = 0;
        while group.len() < most.writes && bytes < most.bytes {
            let Some(write) = state.writes.pop_front() else { break };
            bytes += write.bytes();
            group.push(write);
        }
        Some(first)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::committer::Database;

    const MOST: Most = Most { writes: 3, bytes: 1000 };
    const LONG: Duration = Duration::from_secs(600);

    struct Bytes(usize);

    impl Write for Bytes {
        fn bytes(&self) -> usize {
            self.0
        }
        fn apply(&mut self, _: &mut Database) -> rusqlite::Result<()> {
            Ok(())
        }
        fn answer(self: Box<Self>, _: Result<(), StoreError>) {}
    }

    fn with(writes: usize) -> Arc<Queue> {
        let queue = Queue::new(8);
        (0..writes).for_each(|_| queue.put(Box::new(Bytes(400))).expect("there is room"));
        queue
    }

    fn take(queue: &Queue, wanted: usize, patience: Duration) -> (Option<usize>, usize) {
        let mut group = Vec::new();
        let first = queue.take(&mut group, MOST, Patience { wanted, until: Instant::now() + patience });
        (first, group.len())
    }

    #[test]
    fn a_group_is_what_waits_up_to_its_most() {
        assert_eq!(take(&with(2), 1, LONG), (Some(2), 2));
        assert_eq!(take(&with(5), 1, LONG), (Some(5), 3));
    }

    #[test]
    fn a_group_waits_for_as_many_as_are_wanted_and_no_longer_than_it_may() {
        let queue = with(1);
        let others = Arc::clone(&queue);
        let putting = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            others.put(Box::new(Bytes(1))).and_then(|()| others.put(Box::new(Bytes(1))))
        });
        assert_eq!(take(&queue, 3, LONG), (Some(1), 3));
        putting.join().expect("it does not panic").expect("there is room");
        assert_eq!(take(&with(1), 3, Duration::from_millis(1)), (Some(1), 1));
    }

    #[test]
    fn a_closed_queue_gives_what_is_in_it_and_takes_nothing() {
        let queue = with(1);
        queue.close();
        assert!(matches!(queue.put(Box::new(Bytes(1))), Err(StoreError::Refused(_))));
        assert_eq!(take(&queue, 3, LONG), (Some(1), 1));
        assert_eq!(take(&queue, 3, LONG), (None, 0));
    }

    #[test]
    fn nothing_waits_for_a_committer_that_has_ended() {
        let queue = with(1);
        queue.end();
        assert!(matches!(queue.put(Box::new(Bytes(1))), Err(StoreError::Fatal(_))));
        assert_eq!(queue.state().writes.len(), 0);
    }

    #[test]
    fn a_full_queue_refuses() {
        let queue = with(8);
        assert!(matches!(queue.put(Box::new(Bytes(1))), Err(StoreError::Refused(_))));
    }
}
