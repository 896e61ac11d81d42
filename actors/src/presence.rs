//! Presence: who is there, and who wants to know.
//!
//! Hears from sessions (attend, set, watch, gone), the sweeper (sweep) and other nodes (whom they watch, how
//! people are there). Tells the outboxes of watchers, other nodes, and the store when somebody was last there.
//! A plain value of the node, not an actor: it is told from many sessions at once, and waits for
//! nobody. A user that nobody watches costs one entry while it is connected and nothing when it
//! changes.
//!
//! Locks, each taken only under those before it: a watcher, a shard of people, then any one of the
//! queues, what is known of other nodes, or the outbox.

mod blocks;
mod elsewhere;
mod others;
mod person;
mod sweep;
mod unsaved;
mod watcher;
mod word;

#[cfg(test)]
mod model;
#[cfg(test)]
mod net;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod tests;

pub use sweep::Swept;
#[cfg(test)]
pub(crate) use word::Whereabouts;
pub(crate) use word::{Letter, PeopleAre, UnwatchPeople, WatchPeople, Word};

use others::Others;
use person::{Person, Says, Shown};
use rookery_engine::bus::Bus;
use rookery_engine::limits::PRESENCE_GRACE_SWEEPS;
use rookery_engine::{Clock, Connection, ConnectionId, Metrics};
use rookery_protocol::{CloseCode, PresenceState, SessionId, Timestamp, UserId, Watched};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use unsaved::Unsaved;
use watcher::{Hiding, Watch, Watcher};

/// Shards of the table of people, so that sessions seldom meet at one lock.
const SHARDS: usize = 16;

/// The presence of everybody who is connected to a node, or watched on it.
#[derive(Debug)]
pub struct Presence {
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    people: Vec<Mutex<HashMap<UserId, Person>>>,
    hasher: RandomState,
    /// Sweeps so far.
    tick: AtomicU64,
    /// The place of what was said last among all that is said on all nodes: a time in milliseconds, or one
    /// more than the one before.
    said: AtomicU64,
    /// Watched users that have changed since the last sweep, each once.
    pending: Mutex<VecDeque<UserId>>,
    /// Connections that linger, the first to go first: at most those that went within the grace.
    leaving: Mutex<VecDeque<Leaving>>,
    /// Watchers that have to be told, each once.
    behind: Mutex<VecDeque<Arc<Watcher>>>,
    unsaved: Unsaved,
    /// What was said of blocks may be lost.
    are_blocks_doubtful: AtomicBool,
    others: Others,
    /// Users whom nobody watches here any more, and for whom the others are still asked.
    forsaken: Mutex<Vec<UserId>>,
    /// What is to be said to other nodes.
    letters: Mutex<Vec<Letter>>,
}

/// A connection whose user may come back until the sweep `tick`.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    tick: u64,
    user: UserId,
    connection: ConnectionId,
}

/// One connection's place in the presence of its node. Dropping it is going.
#[derive(Debug)]
pub(crate) struct Attendance {
    presence: Arc<Presence>,
    user: UserId,
    watcher: Arc<Watcher>,
}

/// A list that was asked for and waits for its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    presence: Arc<Presence>,
    watcher: Arc<Watcher>,
    list: u64,
    users: Vec<UserId>,
    /// What other nodes were asked last and have not answered.
    number: Option<u64>,
}

/// What the store knows about the users of a list.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// When they were last there.
    pub(crate) last_seen: HashMap<UserId, Timestamp>,
    /// Whom the watcher has blocked, or who has blocked it.
    pub(crate) hidden: HashSet<UserId>,
}

impl Presence {
    /// Returns a presence of nobody, on a node of `bus` whose nodes say every `beat` that they are there.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        bus: &dyn Bus,
        beat: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            clock,
            metrics,
            people: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            hasher: RandomState::new(),
            tick: AtomicU64::new(0),
            said: AtomicU64::new(0),
            pending: Mutex::default(),
            leaving: Mutex::default(),
            behind: Mutex::default(),
            unsaved: Unsaved::default(),
            are_blocks_doubtful: AtomicBool::new(false),
            others: Others::new(bus.id(), bus.peers(), beat),
            forsaken: Mutex::default(),
            letters: Mutex::default(),
        })
    }

    /// A connection is known to be `user`'s, by the login `session`: its user is there until the
    /// answer is dropped, and for a grace after it.
    pub(crate) fn attend(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        user: UserId,
        session: SessionId,
    ) -> Attendance {
        let (watcher, at) = (Watcher::new(connection), self.clock.now());
        self.change(user, |person| {
            person.arrive(&watcher, session);
            at
        });
        Attendance { presence: Arc::clone(self), user, watcher }
    }

    /// Has every connection gone for good, since nobody can come back to a node that goes down. Those
    /// whose session has not ended yet go now.
    pub(crate) fn let_all_go(&self) {
        lock(&self.leaving).clear();
        for shard in &self.people {
            let devices = |(user, person): (&UserId, &Person)| (*user, person.connections());
            let people: Vec<_> = lock(shard).iter().map(devices).collect();
            for (user, connections) in people {
                for connection in connections {
                    self.forget(user, connection);
                }
            }
        }
    }

    /// A connection that lingered, or whose login is over, has gone for good.
    fn forget(&self, user: UserId, connection: ConnectionId) {
        let now = self.clock.now();
        self.change(user, |person| person.forget(connection).unwrap_or(now));
    }

    /// Changes `user` by `turn`, which returns when that was, and takes note of what follows.
    fn change(&self, user: UserId, turn: impl FnOnce(&mut Person) -> Timestamp) {
        let mut shard = self.shard(user);
        let person = shard.entry(user).or_insert_with(|| Person::new(self.unsaved.of(user)));
        let (before, was_here, seen_here) = (person.shown(), person.is_here(), person.seen_here());
        let whereabouts = self.is_told_of(person).then(|| person.whereabouts());
        let at = turn(person);
        person.changed(seen_here, at, self.tick.load(Ordering::Relaxed));
        match (was_here, person.is_here()) {
            (false, true) => self.metrics.presence.users.increment(1.0),
            (true, false) => self.metrics.presence.users.decrement(1.0),
            _ => {}
        }
        if let Some(last_seen) = person.take_unsaved() {
            self.unsaved.note(user, last_seen);
        }
        person.has_news |= self.is_told_of(person) && whereabouts.as_ref() != Some(&person.whereabouts());
        let is_news = !person.watchers.is_empty() && person.shown() != before;
        if (is_news || person.has_news) && !person.is_pending {
            person.is_pending = true;
            lock(&self.pending).push_back(user);
        }
        if person.is_idle() {
            shard.remove(&user);
        }
    }

    /// Whether other nodes are told how a user is here.
    fn is_told_of(&self, person: &Person) -> bool {
        !person.watched_by.is_empty() || person.is_told_to_hide || (person.hides() && !self.others.is_alone())
    }

    /// Looks at `user`, if anything is known of it, and forgets it if nothing is to be known any more.
    fn look(&self, user: UserId, turn: impl FnOnce(&mut Person)) {
        let mut shard = self.shard(user);
        if let Some(person) = shard.get_mut(&user) {
            turn(person);
            if person.is_idle() {
                shard.remove(&user);
            }
        }
    }

    /// Returns the place of what is said now: after all that was said on this node, and after what was said
    /// on others as far as clocks agree.
    fn next_place(&self) -> u64 {
        let now = u64::try_from(self.clock.now().0).unwrap_or(0);
        let after = |last: u64| (last + 1).max(now);
        let last = self.said.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        after(last.unwrap_or_else(|last| last))
    }

    fn shown(&self, user: UserId) -> Shown {
        self.shard(user).get(&user).map_or(Shown::NOWHERE, Person::shown)
    }

    fn shard(&self, user: UserId) -> MutexGuard<'_, HashMap<UserId, Person>> {
        lock(&self.people[usize::try_from(self.hasher.hash_one(user) % SHARDS as u64).unwrap_or(0)])
    }

    /// Has `watcher` watch `users` and nobody else. Returns the list's number, and what other nodes were
    /// asked last.
    fn watch(&self, watcher: &Arc<Watcher>, users: &[UserId]) -> (u64, Option<u64>) {
        self.watch_locked(watcher, &mut watcher.lock(), users)
    }

    fn watch_locked(
        &self,
        watcher: &Arc<Watcher>,
        watch: &mut Watch,
        users: &[UserId],
    ) -> (u64, Option<u64>) {
        let (list, new, gone) = watch.begin(users);
        for user in &gone {
            self.look(*user, |person| {
                person.watchers.remove(&watcher.id());
                if person.is_asked && person.watchers.is_empty() {
                    lock(&self.forsaken).push(*user);
                }
            });
        }
        let mut unasked = Vec::new();
        for user in &new {
            let mut shard = self.shard(*user);
            let person = shard.entry(*user).or_insert_with(|| Person::new(self.unsaved.of(*user)));
            person.watchers.insert(watcher.id(), Arc::clone(watcher));
            if !person.is_asked && self.others.admit() {
                person.is_asked = true;
                unasked.push(*user);
            }
        }
        self.metrics.presence.watches.increment(amount(new.len()));
        self.metrics.presence.watches.decrement(amount(gone.len()));
        (list, self.ask(unasked))
    }
}

impl Attendance {
    /// The connection says how its user is there; an empty status is none.
    pub(crate) fn set(&self, state: PresenceState, status: Option<String>) {
        let order = self.presence.next_place();
        let status = status.filter(|status| !status.is_empty()).map(Arc::from);
        let at = self.presence.clock.now();
        self.presence.change(self.user, |person| {
            person.say(self.watcher.id(), Says { state, status, order });
            at
        });
    }

    /// The connection watches `users` from now on, and nobody else; it is told nothing of them before
    /// the answer.
    pub(crate) fn watch(&self, mut users: Vec<UserId>) -> Asked {
        let mut named = HashSet::new();
        users.retain(|user| named.insert(*user));
        let (list, number) = self.presence.watch(&self.watcher, &users);
        let (presence, watcher) = (Arc::clone(&self.presence), Arc::clone(&self.watcher));
        Asked { presence, watcher, list, users, number }
    }
}

impl Drop for Attendance {
    /// Runs after a panic of the session as well. A login that is over cannot come back, so there is
    /// no grace for it.
    fn drop(&mut self) {
        let (presence, connection) = (&self.presence, self.watcher.id());
        presence.watch(&self.watcher, &[]);
        let code = self.watcher.connection().outbox().closing();
        if matches!(code, Some(CloseCode::SessionRevoked | CloseCode::AccountDisabled)) {
            presence.forget(self.user, connection);
        } else {
            let at = presence.clock.now();
            presence.change(self.user, |person| {
                person.linger(connection, at);
                at
            });
            let mut leaving = lock(&presence.leaving);
            let tick = presence.tick.load(Ordering::Relaxed) + PRESENCE_GRACE_SWEEPS;
            leaving.push_back(Leaving { tick, user: self.user, connection });
        }
    }
}

impl Asked {
    /// Returns whom it is about.
    pub(crate) fn users(&self) -> &[UserId] {
        &self.users
    }

    /// Waits until it is known how they are on other nodes, as far as those answer in time. Who does so later
    /// is told of as a change.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn known(&self) {
        self.presence.answered(self.number).await;
    }

    /// Says how the users of the list are there, and tells changes from now on. `give` runs before
    /// any of them can be told. A list that was replaced meanwhile names nobody, since nobody is
    /// watched for it: answers of two lists may come in any order.
    pub(crate) fn answer(self, known: &Known, give: impl FnOnce(Watched)) {
        let mut watch = self.watcher.lock();
        if !watch.is_current(self.list) {
            return give(Watched { users: Vec::new() });
        }
        let users = self.users.iter().map(|user| {
            let shown = self.learned(*user, known.last_seen.get(user).copied());
            let hiding = if known.hidden.contains(user) { Hiding::Hidden } else { Hiding::Shown };
            watch.answer(*user, hiding, shown).of(*user)
        });
        let users = users.collect();
        watch.go_live();
        give(Watched { users });
    }

    /// The list cannot be answered: nobody is watched then, unless a later list was asked for.
    pub(crate) fn refuse(self) {
        let mut watch = self.watcher.lock();
        if watch.is_current(self.list) {
            self.presence.watch_locked(&self.watcher, &mut watch, &[]);
        }
    }

    /// Returns how a watched user is shown, now that the store has said when it was last there.
    fn learned(&self, user: UserId, last_seen: Option<Timestamp>) -> Shown {
        let mut shown = Shown::NOWHERE;
        self.presence.look(user, |person| {
            person.learn(last_seen);
            shown = person.shown();
        });
        shown
    }
}

/// Returns a count of users on one list as a gauge takes it.
fn amount(users: usize) -> f64 {
    u32::try_from(users).map_or(f64::MAX, f64::from)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
