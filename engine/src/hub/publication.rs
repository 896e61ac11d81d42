//! A publication: something that is told to a whole audience, and what came of it.

use super::audience::Listener;
use crate::outbox::{EphemeralKey, Pushed};
use rookery_protocol::{Frame, UserId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What one publication did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FanOut {
    /// Outboxes that took the frame.
    pub queued: usize,
    /// Listeners that were full: of an event they got the notice instead and hear no more, a signal they
    /// do not hear.
    pub lagged: usize,
}

/// Hears what a publication did when everybody has been told, from whoever told the last one. It is called
/// under the lock of a slice, so it counts and does no more.
pub type Told = Box<dyn FnOnce(FanOut) + Send>;

/// How far a publication has come when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// Everybody has been told.
    Told(FanOut),
    /// It waits in every slice of the audience, whose relays have to be called.
    Waits {
        /// Slices that had no room for it and were caught up with first.
        full: usize,
    },
}

/// What is told.
#[derive(Debug)]
pub(super) enum Word {
    /// A durable event; who has no room for it is given `lagged` and hears no more.
    Event { event: Frame, lagged: Frame },
    /// A signal, for everybody but the connections of `besides`.
    Signal { key: EphemeralKey, signal: Frame, besides: Option<UserId> },
    /// The connections of this user hear `notice`, and no more.
    Removal { user: UserId, notice: Frame },
    /// Nothing: only the end of what was told before is asked for.
    Nothing,
}

/// A word on its way to all slices of an audience, which share it.
pub(super) struct Publication {
    word: Word,
    /// Slices that have not heard it.
    left: AtomicUsize,
    queued: AtomicUsize,
    lagged: AtomicUsize,
    told: Mutex<Option<Told>>,
}

/// What becomes of a listener that has been told a word.
pub(super) enum Heard {
    /// It hears the next one too.
    GoesOn,
    /// It is given this and hears no more.
    Last(Frame),
    /// It is closing.
    Closed,
}

impl Heard {
    /// Gives the listener its last word, if this is it. Returns whether it goes on listening.
    pub(super) fn goes_on(self, listener: &Listener) -> bool {
        if let Self::Last(notice) = &self {
            listener.connection.push_reply(notice);
        }
        matches!(self, Self::GoesOn)
    }
}

impl Word {
    /// Tells one listener.
    pub(super) fn tell(&self, listener: &Listener, done: &mut FanOut) -> Heard {
        match self {
            Self::Event { event, lagged } => tell_event(listener, event, || lagged.clone(), done),
            Self::Signal { key, signal, besides } => {
                tell_signal(listener, *key, signal, *besides, done);
                Heard::GoesOn
            }
            Self::Removal { user, notice } => tell_removal(listener, *user, notice),
            Self::Nothing => Heard::GoesOn,
        }
    }
}

/// Queues an event to a listener.
pub(super) fn tell_event(
    listener: &Listener,
    event: &Frame,
    lagged: impl FnOnce() -> Frame,
    done: &mut FanOut,
) -> Heard {
    match listener.connection.push_event(event) {
        Pushed::Queued | Pushed::Replaced => {
            done.queued += 1;
            Heard::GoesOn
        }
        Pushed::Full => {
            done.lagged += 1;
            Heard::Last(lagged())
        }
        Pushed::Closed => Heard::Closed,
    }
}

/// Queues a signal to a listener that is not of `besides`.
pub(super) fn tell_signal(
    listener: &Listener,
    key: EphemeralKey,
    signal: &Frame,
    besides: Option<UserId>,
    done: &mut FanOut,
) {
    if Some(listener.user) == besides {
        return;
    }
    match listener.connection.push_ephemeral(key, signal) {
        Pushed::Queued | Pushed::Replaced => done.queued += 1,
        Pushed::Full => done.lagged += 1,
        Pushed::Closed => {}
    }
}

/// Tells a listener that `user` has been removed.
pub(super) fn tell_removal(listener: &Listener, user: UserId, notice: &Frame) -> Heard {
    if listener.user == user { Heard::Last(notice.clone()) } else { Heard::GoesOn }
}

impl Publication {
    /// Returns a word for so many slices.
    pub(super) fn new(word: Word, slices: usize, told: Option<Told>) -> Self {
        let (queued, lagged) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { word, left: AtomicUsize::new(slices), queued, lagged, told: Mutex::new(told) }
    }

    pub(super) const fn word(&self) -> &Word {
        &self.word
    }

    /// One more slice has heard it.
    pub(super) fn heard(&self, done: FanOut) {
        self.queued.fetch_add(done.queued, Ordering::Relaxed);
        self.lagged.fetch_add(done.lagged, Ordering::Relaxed);
        // What the others have added is seen by the last one.
        if self.left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(told) = told {
            let (queued, lagged) = (&self.queued, &self.lagged);
            told(FanOut { queued: queued.load(Ordering::Relaxed), lagged: lagged.load(Ordering::Relaxed) });
        }
    }
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication")
            .field("word", &self.word)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
