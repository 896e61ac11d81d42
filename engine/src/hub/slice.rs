//! A slice: a part of a large audience, and what it still has to be told.
//!
//! The room queues publications here and goes on; a relay tells them to the listeners. Whoever else comes
//! to a listener tells first what waits, under the same lock. So for each of them it is as if the room
//! had told everybody at once: nothing is missing before what is done to it, and nothing comes after.
//!
//! How much a listener has heard is noted with it. Whoever fails in the middle leaves a slice with which the
//! next one goes on, where it was.

use super::audience::Listener;
use super::publication::{FanOut, Heard, Publication};
use crate::connection::ConnectionId;
use crate::limits::RELAY_WAITING;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// 2^64 by the golden ratio: multiplied by it, numbers that follow each other fall evenly (Knuth, The Art
/// of Computer Programming 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The number of the next publication, for somebody who hears no more.
const NEVER: u64 = u64::MAX;

/// The slices of an audience.
pub type Slices = Arc<[Arc<Slice>]>;

/// Some of the listeners of a large audience.
#[derive(Debug, Default)]
pub struct Slice {
    seated: Mutex<Seated>,
    /// What the room has published since somebody last came to tell it.
    waiting: Mutex<Vec<Arc<Publication>>>,
    /// Whether the relay has been called and has not come yet.
    is_called: AtomicBool,
    /// How many listen, as it was when the lock on them was last given back.
    listeners: AtomicUsize,
}

/// A listener, and how much it has heard.
#[derive(Debug)]
pub(super) struct Entry {
    /// Beside the listener, so that looking for it follows no pointer.
    pub(super) id: ConnectionId,
    pub(super) listener: Listener,
    /// The number of the publication that it hears next.
    pub(super) next: u64,
}

/// The listeners of a slice, and what they are being told.
#[derive(Debug, Default)]
pub(super) struct Seated {
    pub(super) entries: Vec<Entry>,
    /// What some of them may have heard.
    telling: VecDeque<Telling>,
    /// The number of the first publication there.
    first: u64,
    /// The audience has been divided anew, and nobody is here any more.
    pub(super) is_over: bool,
}

#[derive(Debug)]
struct Telling {
    publication: Arc<Publication>,
    done: FanOut,
}

impl Slice {
    /// Returns a slice of these listeners.
    pub(super) fn of(entries: Vec<Entry>) -> Self {
        let listeners = AtomicUsize::new(entries.len());
        Self { seated: Mutex::new(Seated { entries, ..Seated::default() }), listeners, ..Self::default() }
    }

    /// Returns in which of so many slices a connection is.
    pub(super) fn index(id: ConnectionId, slices: usize) -> usize {
        let hash = u128::from(id.0.wrapping_mul(GOLDEN));
        usize::try_from((hash * slices as u128) >> 64).unwrap_or(0)
    }

    /// Returns whether the relay has to be called, and notes that it is.
    pub fn calls(&self) -> bool {
        !self.is_called.swap(true, Ordering::AcqRel)
    }

    /// The relay has come: tells what waits.
    pub fn relay(&self) {
        // First, so that what is queued from now on calls it again.
        self.is_called.swap(false, Ordering::AcqRel);
        self.catch_up();
    }

    /// Tells the listeners what waits, each in the order in which it was published.
    pub fn catch_up(&self) {
        drop(self.caught_up());
    }

    /// Queues a publication. Returns whether there was no room for it, and the slice was caught up with first.
    pub(super) fn queue(&self, publication: &Arc<Publication>) -> bool {
        let mut waiting = self.waiting();
        let is_full = waiting.len() >= RELAY_WAITING;
        if is_full {
            drop(waiting);
            self.catch_up();
            waiting = self.waiting();
        }
        waiting.push(Arc::clone(publication));
        is_full
    }

    /// Locks the listeners when they have been told what waits.
    pub(super) fn caught_up(&self) -> Caught<'_> {
        let mut seated = self.seated.lock().unwrap_or_else(PoisonError::into_inner);
        let new = std::mem::take(&mut *self.waiting()).into_iter();
        seated.telling.extend(new.map(|publication| Telling { publication, done: FanOut::default() }));
        let mut caught = Caught { slice: self, seated };
        caught.seated.tell();
        caught
    }

    /// Takes all listeners out, for good, and forgets what they have not heard.
    pub(super) fn vacate(&self) -> Vec<Entry> {
        let mut seated = self.seated.lock().unwrap_or_else(PoisonError::into_inner);
        let seated = std::mem::replace(&mut *seated, Seated { is_over: true, ..Seated::default() });
        seated.entries
    }

    /// Returns how many listen.
    pub(super) fn len(&self) -> usize {
        self.listeners.load(Ordering::Relaxed)
    }

    /// Returns whether something waits, or is being told just now.
    pub(super) fn is_being_told(&self) -> bool {
        !self.waiting().is_empty() || self.try_seated().is_none()
    }

    /// Returns whether one listener, the one at `part` of `whole` of the list, has not been written yet what it
    /// was told last. While the slice is being told that is so.
    pub(super) fn lacks(&self, part: usize, whole: usize) -> bool {
        let Some(seated) = self.try_seated() else { return true };
        let entry = seated.entries.get(part * seated.entries.len() / whole);
        entry.is_some_and(|entry| entry.listener.connection.outbox().bytes() > 0)
    }

    /// Locks the listeners, unless somebody has.
    fn try_seated(&self) -> Option<MutexGuard<'_, Seated>> {
        match self.seated.try_lock() {
            Ok(seated) => Some(seated),
            Err(TryLockError::Poisoned(seated)) => Some(seated.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Arc<Publication>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seated {
    /// Returns the number of the publication that whoever comes now hears first.
    pub(super) fn next(&self) -> u64 {
        self.first + self.telling.len() as u64
    }

    fn tell(&mut self) {
        if self.telling.is_empty() {
            return;
        }
        let (first, telling) = (self.first, &mut self.telling);
        // All of it to one, then to the next: each outbox is fetched from memory once.
        self.entries.retain_mut(|entry| entry.hear(first, telling));
        while let Some(Telling { publication, done }) = self.telling.pop_front() {
            self.first += 1;
            publication.heard(done);
        }
    }
}

impl Entry {
    /// Tells the listener what it has not heard. Returns whether it goes on listening.
    fn hear(&mut self, first: u64, telling: &mut VecDeque<Telling>) -> bool {
        if self.next == NEVER {
            return false;
        }
        let heard = usize::try_from(self.next - first).unwrap_or(usize::MAX);
        for Telling { publication, done } in telling.iter_mut().skip(heard) {
            // Noted first: what may fail is only whoever is woken, and by then it is queued.
            self.next += 1;
            let heard = publication.word().tell(&self.listener, done);
            if !matches!(heard, Heard::GoesOn) {
                self.next = NEVER;
                return heard.goes_on(&self.listener);
            }
        }
        true
    }
}

/// The listeners of a slice, who have heard everything, under their lock.
pub(super) struct Caught<'a> {
    slice: &'a Slice,
    pub(super) seated: MutexGuard<'a, Seated>,
}

impl Drop for Caught<'_> {
    fn drop(&mut self) {
        self.slice.listeners.store(self.seated.entries.len(), Ordering::Relaxed);
    }
}
