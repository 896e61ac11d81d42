//! An audience: the connections of this node that hear one room.
//!
//! A small one is a list that the room goes through itself. A large one is divided into slices by the
//! numbers of its connections: the room queues what it publishes to each, and relays tell it.

use super::publication::{self, FanOut, Publication, Published, Told, Word};
use super::slice::{Caught, Entry, Slice, Slices};
use crate::activity::Activity;
use crate::connection::{Connection, ConnectionId};
use crate::outbox::EphemeralKey;
use rookery_protocol::{Codec, Frame, Seq, UserId};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Listeners from which on an audience is large: telling it takes longer than a small append.
const LARGE: usize = 128;

/// Listeners of a large audience that are looked at for the whole.
const SAMPLE: usize = 8;

/// A connection that hears a room.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Whose connection it is.
    pub user: UserId,
    /// Where its frames go.
    pub connection: Arc<Connection>,
}

/// The connections of this node that hear one room.
#[derive(Debug, Default)]
pub struct Audience {
    seats: Mutex<Seats>,
    /// The position up to which the listeners were told, or will be before anything else happens to them,
    /// by whichever actor of the room.
    told: AtomicU64,
    /// The codecs of those who have listened, one bit each.
    codecs: AtomicU8,
    activity: Activity,
}

/// Where the listeners are.
#[derive(Debug)]
enum Seats {
    /// In one list, told by the room itself.
    Few(Vec<Entry>),
    /// In slices, as many as a power of two.
    Many(Slices),
}

impl Default for Seats {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Audience {
    /// Has `listener` hear everything published from now on. A connection listens once; one that is
    /// closing does not, since whoever would take it out may have been here before. Returns how many are in
    /// its list: more than a slice is for, and the audience may have to be divided.
    pub fn attach(&self, listener: Listener) -> usize {
        let id = listener.connection.id();
        self.among(id, |entries, next| {
            take_out(entries, id);
            if listener.connection.outbox().closing().is_none() {
                self.codecs.fetch_or(bit(listener.connection.codec()), Ordering::Relaxed);
                if entries.is_empty() {
                    // Most inboxes are never heard by a second one.
                    entries.reserve_exact(1);
                }
                entries.push(Entry { id, listener, next });
            }
            entries.len()
        })
    }

    /// Has a connection hear no more: nothing that was published before reaches it after this. Returns
    /// whether it did hear.
    pub fn detach(&self, connection: ConnectionId) -> bool {
        self.among(connection, |entries, _| take_out(entries, connection))
    }

    /// Returns whether the connection listens, after all that was published.
    pub fn hears(&self, connection: ConnectionId) -> bool {
        self.among(connection, |entries, _| entries.iter().any(|entry| entry.id == connection))
    }

    /// Returns how many listen. Of a large audience some may still have to be told that they do not.
    pub fn len(&self) -> usize {
        match &*self.lock() {
            Seats::Few(entries) => entries.len(),
            Seats::Many(slices) => slices.iter().map(|slice| slice.len()).sum(),
        }
    }

    /// Returns whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a listener speaks `codec`, or may do so.
    pub fn speaks(&self, codec: Codec) -> bool {
        self.codecs.load(Ordering::Relaxed) & bit(codec) != 0
    }

    /// Returns the position up to which the listeners were told.
    pub fn told(&self) -> Seq {
        Seq(self.told.load(Ordering::Acquire))
    }

    /// Notes the position up to which the listeners were told.
    pub fn set_told(&self, seq: Seq) {
        self.told.store(seq.0, Ordering::Release);
    }

    /// Queues `event` to every listener, encoded once for each codec in use. A listener that has
    /// no room for it is given `lagged` instead and taken out, so that it never hears a later
    /// event without this one. A large audience hears it from its relays, which tell `later` when it has.
    pub fn publish(
        &self,
        event: &Frame,
        lagged: impl Fn() -> Frame,
        later: impl FnOnce() -> Told,
    ) -> Published {
        let now = |entries: &mut Vec<Entry>| {
            let mut done = FanOut::default();
            entries.retain(|Entry { listener, .. }| {
                publication::tell_event(listener, event, &lagged, &mut done).goes_on(listener)
            });
            done
        };
        self.tell(now, || (Word::Event { event: event.clone(), lagged: lagged() }, Some(later())))
    }

    /// Queues a signal to every listener but those of `besides`, after what was published before. Those
    /// who have no room for it do not hear it. `later` as for [`Audience::publish`].
    pub fn signal(
        &self,
        key: EphemeralKey,
        signal: &Frame,
        besides: Option<UserId>,
        later: impl FnOnce() -> Told,
    ) -> Published {
        let now = |entries: &mut Vec<Entry>| {
            let mut done = FanOut::default();
            for entry in entries {
                publication::tell_signal(&entry.listener, key, signal, besides, &mut done);
            }
            done
        };
        self.tell(now, || (Word::Signal { key, signal: signal.clone(), besides }, Some(later())))
    }

    /// Gives all connections of `user` `notice` and takes them out of the audience: they hear nothing that
    /// is published later.
    pub fn remove(&self, user: UserId, notice: &Frame) -> Published {
        let now = |entries: &mut Vec<Entry>| {
            entries.retain(|Entry { listener, .. }| {
                publication::tell_removal(listener, user, notice).goes_on(listener)
            });
            FanOut::default()
        };
        self.tell(now, || (Word::Removal { user, notice: notice.clone() }, None))
    }

    /// Tells `later` when everything has been told that was published before.
    pub fn mark(&self, later: impl FnOnce() -> Told) -> Published {
        self.tell(|_| FanOut::default(), || (Word::Nothing, Some(later())))
    }

    /// Returns the slices of a large audience. Whoever publishes calls the relay of each.
    pub fn slices(&self) -> Option<Slices> {
        match &*self.lock() {
            Seats::Few(_) => None,
            Seats::Many(slices) => Some(Arc::clone(slices)),
        }
    }

    /// Tells everybody what waits in slices.
    pub fn catch_up(&self) {
        self.slices().iter().flat_map(|slices| slices.iter()).for_each(|slice| slice.catch_up());
    }

    /// Divides the listeners anew where they have become too many for their slices, or less than a quarter
    /// of what these are for: `slice` listeners each. One slice is none. Returns whether it did. Only who
    /// publishes may ask this.
    pub fn fit(&self, slice: usize) -> bool {
        let mut seats = self.lock();
        let (count, listeners) = match &*seats {
            Seats::Few(entries) => (1, entries.len()),
            Seats::Many(slices) => (slices.len(), slices.iter().map(|slice| slice.len()).sum()),
        };
        let fitting = fitting(count, listeners, slice.max(1));
        if fitting == count {
            return false;
        }
        // As long as that may fail, nobody has been moved.
        seats.each_slice(Slice::catch_up);
        let entries = seats.vacate().into_iter().map(|entry| Entry { next: 0, ..entry });
        *seats = if fitting == 1 {
            Seats::Few(entries.collect())
        } else {
            let mut parts: Vec<Vec<Entry>> = Vec::new();
            parts.resize_with(fitting, Vec::new);
            entries.for_each(|entry| parts[Slice::index(entry.id, fitting)].push(entry));
            Seats::Many(parts.into_iter().map(|part| Arc::new(Slice::of(part))).collect())
        };
        true
    }

    /// Returns whether most of a large audience have not been written yet what they were told last. Looks at
    /// a few of them, evenly spread; a small audience is not asked.
    pub fn is_being_told(&self) -> bool {
        let seats = self.lock();
        let lacking = match &*seats {
            Seats::Few(entries) if entries.len() < LARGE => return false,
            Seats::Few(entries) => {
                let sample = entries.iter().step_by(entries.len() / SAMPLE).take(SAMPLE);
                sample.filter(|entry| entry.listener.connection.outbox().bytes() > 0).count()
            }
            Seats::Many(slices) if slices.iter().any(|slice| slice.is_being_told()) => return true,
            Seats::Many(slices) => {
                let of = |part: usize| &slices[part * slices.len() / SAMPLE];
                (0..SAMPLE).filter(|part| of(*part).lacks(*part, SAMPLE)).count()
            }
        };
        lacking > SAMPLE / 2
    }

    /// Encodes frames in the codecs of those who listen, so that publishing them only shares them.
    pub fn encode(&self, frames: &[Frame]) {
        let codecs = self.codecs.load(Ordering::Relaxed);
        for codec in [Codec::Json, Codec::MessagePack] {
            if codecs & bit(codec) != 0 {
                for frame in frames {
                    drop(frame.bytes(codec));
                }
            }
        }
    }

    /// Returns what goes on in the room.
    pub const fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Returns the connections that listen.
    pub fn connections(&self) -> HashSet<ConnectionId> {
        let slices = match &*self.lock() {
            Seats::Few(entries) => return entries.iter().map(|entry| entry.id).collect(),
            Seats::Many(slices) => Arc::clone(slices),
        };
        let ids = |slice: &Arc<Slice>| -> Vec<_> {
            slice.caught_up().seated.entries.iter().map(|entry| entry.id).collect()
        };
        slices.iter().flat_map(ids).collect()
    }

    /// Gives every listener `notice`, after what was published before, and takes them all out: they have
    /// to open the room again.
    pub fn dismiss(&self, notice: &Frame) -> usize {
        let mut seats = self.lock();
        // One that cannot be told, for which its room may be dying, is dismissed as it is.
        seats.each_slice(|slice| drop(catch_unwind(AssertUnwindSafe(|| slice.catch_up()))));
        let dismissed = seats.vacate();
        drop(seats);
        for entry in &dismissed {
            entry.listener.connection.push_reply(notice);
        }
        dismissed.len()
    }

    /// Tells everybody now where they are few, or else queues a word to every slice.
    fn tell(
        &self,
        now: impl FnOnce(&mut Vec<Entry>) -> FanOut,
        word: impl FnOnce() -> (Word, Option<Told>),
    ) -> Published {
        let slices = match &mut *self.lock() {
            Seats::Few(entries) => return Published::Told(now(entries)),
            Seats::Many(slices) => Arc::clone(slices),
        };
        let (word, told) = word();
        let publication = Arc::new(Publication::new(word, slices.len(), told));
        let full = slices.iter().filter(|slice| slice.queue(&publication)).count();
        Published::Waits { full }
    }

    /// Calls `change` with the list in which a connection is if it listens, all of whom have been told what
    /// was published, and with the number of what one who comes now hears next.
    fn among<T>(&self, connection: ConnectionId, change: impl FnOnce(&mut Vec<Entry>, u64) -> T) -> T {
        loop {
            let slice = match &mut *self.lock() {
                Seats::Few(entries) => return change(entries, 0),
                Seats::Many(slices) => Arc::clone(&slices[Slice::index(connection, slices.len())]),
            };
            let Caught { seated, .. } = &mut slice.caught_up();
            if !seated.is_over {
                let next = seated.next();
                return change(&mut seated.entries, next);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn each_slice(&self, visit: impl Fn(&Slice)) {
        if let Self::Many(slices) = self {
            slices.iter().for_each(|slice| visit(slice));
        }
    }

    /// Takes all listeners out as they are.
    fn vacate(&mut self) -> Vec<Entry> {
        match std::mem::take(self) {
            Self::Few(entries) => entries,
            Self::Many(slices) => slices.iter().flat_map(|slice| slice.vacate()).collect(),
        }
    }
}

/// Takes a connection out of a list. Returns whether it was there.
fn take_out(entries: &mut Vec<Entry>, id: ConnectionId) -> bool {
    let found = entries.iter().position(|entry| entry.id == id);
    found.map(|index| entries.swap_remove(index)).is_some()
}

/// Returns how many slices there are to be where there are `count`: doubled when they are full, halved
/// when they are a quarter full, so that whoever comes and goes moves nobody else.
fn fitting(count: usize, listeners: usize, slice: usize) -> usize {
    let mut fitting = count;
    while listeners > fitting * slice {
        fitting *= 2;
    }
    while fitting > 1 && listeners < fitting * slice / 4 {
        fitting /= 2;
    }
    fitting
}

/// The bit of a codec.
const fn bit(codec: Codec) -> u8 {
    match codec {
        Codec::Json => 1,
        Codec::MessagePack => 2,
    }
}
