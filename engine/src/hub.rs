//! The hub: which connections of this node hear which room, and the fan-out to them.
//!
//! An audience outlives the actor of its room: a room that is passivated and comes back goes on
//! telling the same connections. Only the room's actor attaches to it and publishes to it.

use crate::activity::{Activity, Pace};
use crate::connection::{Connection, ConnectionId};
use crate::outbox::{EphemeralKey, Pushed};
use rookery_protocol::{Codec, Frame, RoomId, Seq, UserId};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shards of the table of audiences. It is asked once an activation, so 16 are plenty.
const SHARDS: usize = 16;

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

/// All audiences of a node.
#[derive(Debug)]
pub struct Hub {
    shards: Vec<Mutex<HashMap<RoomId, Arc<Audience>>>>,
    hasher: RandomState,
}

/// The connections of this node that hear one room.
#[derive(Debug, Default)]
pub struct Audience {
    listeners: Mutex<Vec<Listener>>,
    /// The position up to which the listeners were told, by whichever actor of the room.
    told: AtomicU64,
    /// The codecs of those who have listened, one bit each.
    codecs: AtomicU8,
    activity: Activity,
}

/// What one publication did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FanOut {
    /// Outboxes that took the frame.
    pub queued: usize,
    /// Listeners that were full: they got the notice instead and hear no more.
    pub lagged: usize,
}

impl Hub {
    /// Returns a hub without audiences.
    pub fn new() -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the audience of `room`, empty at first.
    pub fn audience(&self, room: RoomId) -> Arc<Audience> {
        Arc::clone(self.shard(room).entry(room).or_default())
    }

    /// Returns whether a connection hears `room`.
    pub fn hears(&self, room: RoomId, connection: ConnectionId) -> bool {
        self.shard(room).get(&room).is_some_and(|audience| audience.hears(connection))
    }

    /// Returns the position up to which the listeners of `room` were told, or `None` where nobody listens.
    pub fn told(&self, room: RoomId) -> Option<Seq> {
        self.shard(room).get(&room).filter(|audience| !audience.is_empty()).map(|audience| audience.told())
    }

    /// Returns how many connections hear `room`.
    pub fn listeners(&self, room: RoomId) -> usize {
        self.shard(room).get(&room).map_or(0, |audience| audience.lock().len())
    }

    /// Returns the rooms that somebody hears.
    pub fn heard_rooms(&self) -> Vec<RoomId> {
        let mut rooms = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.extend(shard.iter().filter(|(_, audience)| !audience.is_empty()).map(|(room, _)| *room));
        }
        rooms
    }

    /// Returns the pace of every room in which something went on in the last minute.
    pub fn paces(&self, now: Duration) -> Vec<(RoomId, Pace)> {
        let mut paces = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let all = shard.iter().map(|(room, audience)| (*room, audience.activity.pace(now)));
            paces.extend(all.filter(|(_, pace)| pace.events > 0.0));
        }
        paces
    }

    /// Has a connection hear `room` no more.
    pub fn detach(&self, room: RoomId, connection: ConnectionId) {
        let mut shard = self.shard(room);
        let Some(audience) = shard.get(&room) else { return };
        audience.detach(connection);
        // An active room holds its audience too, and forgets it when it goes.
        if audience.is_empty() && Arc::strong_count(audience) == 1 {
            shard.remove(&room);
        }
    }

    /// Forgets the audience of `room` if nobody is in it. Only its room's actor may ask this, while
    /// no other can be activated: that one would publish to an audience that nobody finds.
    pub fn forget_if_empty(&self, room: RoomId) {
        let mut shard = self.shard(room);
        if shard.get(&room).is_some_and(|audience| audience.is_empty()) {
            shard.remove(&room);
        }
    }

    fn shard(&self, room: RoomId) -> MutexGuard<'_, HashMap<RoomId, Arc<Audience>>> {
        let index = usize::try_from(self.hasher.hash_one(room) % SHARDS as u64).unwrap_or(0);
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Audience {
    /// Has `listener` hear everything published from now on. A connection listens once; one that is
    /// closing does not, since whoever would take it out may have been here before.
    pub fn attach(&self, listener: Listener) {
        let mut listeners = self.lock();
        listeners.retain(|other| other.connection.id() != listener.connection.id());
        if listener.connection.outbox().closing().is_none() {
            self.codecs.fetch_or(bit(listener.connection.codec()), Ordering::Relaxed);
            listeners.push(listener);
        }
    }

    /// Has a connection hear no more. Returns whether it did.
    pub fn detach(&self, connection: ConnectionId) -> bool {
        let mut listeners = self.lock();
        let before = listeners.len();
        listeners.retain(|listener| listener.connection.id() != connection);
        listeners.len() < before
    }

    /// Takes all connections of `user` out of the audience and returns them.
    pub fn detach_user(&self, user: UserId) -> Vec<Listener> {
        self.lock().extract_if(.., |listener| listener.user == user).collect()
    }

    /// Returns whether the connection listens.
    pub fn hears(&self, connection: ConnectionId) -> bool {
        self.lock().iter().any(|listener| listener.connection.id() == connection)
    }

    /// Returns whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
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
    /// event without this one.
    pub fn publish(&self, event: &Frame, lagged: impl Fn() -> Frame) -> FanOut {
        let mut done = FanOut::default();
        self.lock().retain(|listener| match listener.connection.push_event(event) {
            Pushed::Queued | Pushed::Replaced => {
                done.queued += 1;
                true
            }
            Pushed::Full => {
                done.lagged += 1;
                listener.connection.push_reply(&lagged());
                false
            }
            Pushed::Closed => false,
        });
        done
    }

    /// Returns whether most of a large audience have not been written yet what they were told last. Looks at
    /// a few of them, evenly spread; a small audience is not asked.
    pub fn is_being_told(&self) -> bool {
        let listeners = self.lock();
        if listeners.len() < LARGE {
            return false;
        }
        let sample = listeners.iter().step_by(listeners.len() / SAMPLE).take(SAMPLE);
        sample.filter(|listener| listener.connection.outbox().bytes() > 0).count() > SAMPLE / 2
    }

    /// Queues a signal to every listener but those of `besides`. Returns how many had no room for it and
    /// do not hear it.
    pub fn signal(&self, key: EphemeralKey, signal: &Frame, besides: Option<UserId>) -> usize {
        let listeners = self.lock();
        let meant = listeners.iter().filter(|listener| Some(listener.user) != besides);
        meant.filter(|listener| listener.connection.push_ephemeral(key, signal) == Pushed::Full).count()
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
        self.lock().iter().map(|listener| listener.connection.id()).collect()
    }

    /// Gives every listener `notice` and takes them all out: they have to open the room again.
    pub fn dismiss(&self, notice: &Frame) -> usize {
        let dismissed = std::mem::take(&mut *self.lock());
        for listener in &dismissed {
            listener.connection.push_reply(notice);
        }
        dismissed.len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bit of a codec.
const fn bit(codec: Codec) -> u8 {
    match codec {
        Codec::Json => 1,
        Codec::MessagePack => 2,
    }
}
