//! A watcher: whom one connection watches, and what it has been told of each.
//!
//! Its lock is taken before that of a shard of people and before that of the outbox, never under
//! them.

use super::person::Shown;
use super::sweep::Round;
use rookery_engine::limits::PRESENCE_EVENT_BYTES;
use rookery_engine::{Connection, ConnectionId, EphemeralKey, Pushed};
use rookery_protocol::UserId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the keys of presence events are counted from: the word in ASCII, far from what hashes to
/// other keys as any number is.
const KEYS: u64 = u64::from_be_bytes(*b"presence");

/// One connection as a watcher.
#[derive(Debug)]
pub(super) struct Watcher {
    connection: Arc<Connection>,
    watch: Mutex<Watch>,
}

/// What it watches.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Counts the lists that were asked for; the last one is in force.
    list: u64,
    /// The list has been answered: nothing is told before.
    is_live: bool,
    users: HashMap<UserId, Watched>,
    /// Whoever may have changed since it was told, the longest ago first.
    changed: VecDeque<UserId>,
    /// Whom the newest event is about, which may not have been taken yet.
    in_outbox: Vec<UserId>,
    /// Waits to be told in a sweep.
    is_behind: bool,
}

/// One watched user.
#[derive(Debug, Default)]
struct Watched {
    /// As it was told last; `None` where that is not certain.
    told: Option<Shown>,
    is_changed: bool,
    /// Whether the two have blocked each other, once that is known.
    is_hidden: Option<bool>,
}

/// Whether a watcher knows everything now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It does, or has gone.
    All,
    /// Something is left for a later sweep.
    Behind,
}

impl Watcher {
    pub(super) fn new(connection: &Arc<Connection>) -> Arc<Self> {
        Arc::new(Self { connection: Arc::clone(connection), watch: Mutex::default() })
    }

    pub(super) fn id(&self) -> ConnectionId {
        self.connection.id()
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that `user` may have changed. Returns whether the watcher has to be told in a sweep and
    /// does not wait for one yet.
    pub(super) fn mark(&self, user: UserId) -> bool {
        self.lock().mark(user)
    }

    /// Hides `user`, or shows it again. Returns as [`Watcher::mark`].
    pub(super) fn hide(&self, user: UserId, hiding: Hiding) -> bool {
        let mut watch = self.lock();
        let Some(watched) = watch.users.get_mut(&user) else { return false };
        let before = watched.is_hidden.replace(hiding == Hiding::Hidden);
        before != Some(hiding == Hiding::Hidden) && watch.mark(user)
    }

    /// Returns whom it watches.
    pub(super) fn users(&self) -> Vec<UserId> {
        self.lock().users.keys().copied().collect()
    }

    /// Tells what has changed, in one event, as far as it fits.
    pub(super) fn tell(&self, round: &mut Round<'_>) -> Told {
        let mut watch = self.lock();
        let told = self.tell_locked(&mut watch, round);
        watch.is_behind = told == Told::Behind;
        told
    }

    fn tell_locked(&self, watch: &mut Watch, round: &mut Round<'_>) -> Told {
        let outbox = self.connection.outbox();
        if !watch.is_live || outbox.closing().is_some() {
            return Told::All;
        }
        if outbox.is_above_soft() {
            round.swept.held += 1;
            return Told::Behind;
        }
        let key = EphemeralKey::new(KEYS.wrapping_add(watch.list)).unwrap_or(EphemeralKey::MIN);
        watch.take_back(outbox.holds(key));
        let news = watch.news(round);
        if news.is_empty() {
            return Told::All;
        }
        let frame = round.frame(&news);
        match outbox.push_ephemeral(key, frame.bytes(self.connection.codec())) {
            Pushed::Queued | Pushed::Replaced => {
                round.swept.events += 1;
                round.swept.entries += news.len();
                watch.told(news);
                if watch.changed.is_empty() { Told::All } else { Told::Behind }
            }
            Pushed::Full => {
                round.swept.held += 1;
                news.into_iter().rev().for_each(|(user, _)| watch.changed.push_front(user));
                Told::Behind
            }
            Pushed::Closed => Told::All,
        }
    }
}

/// Whether two users are to see each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hiding {
    /// They are not.
    Hidden,
    /// They are.
    Shown,
}

impl Watch {
    /// Begins a list of `users`. Nothing is told until it is answered. Returns the list's number, who
    /// is new on it, and who is on it no more.
    pub(super) fn begin(&mut self, users: &[UserId]) -> (u64, Vec<UserId>, Vec<UserId>) {
        self.list += 1;
        self.is_live = false;
        self.changed.clear();
        self.in_outbox.clear();
        let list = users.iter().map(|user| (*user, Watched::default())).collect();
        let before: HashMap<_, _> = std::mem::replace(&mut self.users, list);
        let new = self.users.keys().filter(|user| !before.contains_key(*user)).copied().collect();
        let gone = before.keys().filter(|user| !self.users.contains_key(*user)).copied().collect();
        (self.list, new, gone)
    }

    /// Returns whether that list is the one in force.
    pub(super) const fn is_current(&self, list: u64) -> bool {
        self.list == list
    }

    /// Returns what the answer says of `user`: `shown`, unless it is hidden. What is being hidden just
    /// now is known better here than by whoever has asked the store.
    pub(super) fn answer(&mut self, user: UserId, hiding: Hiding, shown: Shown) -> Shown {
        let Some(watched) = self.users.get_mut(&user) else { return Shown::NOWHERE };
        let is_hidden = *watched.is_hidden.get_or_insert(hiding == Hiding::Hidden);
        let shown = if is_hidden { Shown::NOWHERE } else { shown };
        watched.is_changed = false;
        watched.told.insert(shown).clone()
    }

    /// The list is answered: changes are told from now on.
    pub(super) fn go_live(&mut self) {
        self.changed.clear();
        self.is_live = true;
    }

    fn mark(&mut self, user: UserId) -> bool {
        if !self.is_live {
            return false;
        }
        let Some(watched) = self.users.get_mut(&user) else { return false };
        if !std::mem::replace(&mut watched.is_changed, true) {
            self.changed.push_back(user);
        }
        !std::mem::replace(&mut self.is_behind, true)
    }

    /// The event in the outbox, where it still `is_there`, is about to be replaced: what it says has
    /// to be said again.
    fn take_back(&mut self, is_there: bool) {
        for user in std::mem::take(&mut self.in_outbox) {
            if let Some(watched) = self.users.get_mut(&user).filter(|_| is_there) {
                watched.told = None;
                if !std::mem::replace(&mut watched.is_changed, true) {
                    self.changed.push_back(user);
                }
            }
        }
    }

    /// Takes out what is to be told, at most an event full. Whoever is again as it was told is not.
    fn news(&mut self, round: &mut Round<'_>) -> Vec<(UserId, Shown)> {
        let (mut news, mut bytes) = (Vec::new(), 0);
        while let Some(user) = self.changed.pop_front() {
            let Some(watched) = self.users.get_mut(&user) else { continue };
            let is_shown = watched.is_hidden == Some(false);
            let shown = if is_shown { round.shown(user) } else { Shown::NOWHERE };
            if watched.told.as_ref() == Some(&shown) {
                watched.is_changed = false;
                continue;
            }
            bytes += shown.bytes();
            if bytes > PRESENCE_EVENT_BYTES && !news.is_empty() {
                self.changed.push_front(user);
                break;
            }
            news.push((user, shown));
        }
        news
    }

    fn told(&mut self, news: Vec<(UserId, Shown)>) {
        self.in_outbox = news.iter().map(|(user, _)| *user).collect();
        for (user, shown) in news {
            if let Some(watched) = self.users.get_mut(&user) {
                watched.is_changed = false;
                watched.told = Some(shown);
            }
        }
    }
}
