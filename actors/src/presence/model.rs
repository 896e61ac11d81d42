//! Random stories: the presence and a simple model are told the same, in any order of coming, going,
//! saying, watching, answering, sweeping and reading, with clogged outboxes and blocks. Whenever all
//! is quiet, every watcher knows what the model says.

use super::tests::{NOW, Peer, user};
use super::{Asked, Known, Presence};
use fastrand::Rng;
use rookery_engine::limits::PRESENCE_GRACE_SWEEPS;
use rookery_engine::store::LastSeen;
use rookery_engine::{Clock, ManualClock, MemoryStore, Metrics};
use rookery_protocol::{CloseCode, PresenceState, Seen, Timestamp, UserId, Watched};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

const USERS: u128 = 4;
const PEERS: usize = 7;

/// What the model knows of one connection, also of one that has gone.
#[derive(Clone, Debug)]
struct Device {
    user: UserId,
    session: u128,
    state: PresenceState,
    status: Option<(u64, String)>,
    left: Option<Left>,
}

/// How a connection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Left {
    /// Counts those who went.
    order: u64,
    at: Timestamp,
    /// The sweep at which its grace ends.
    due: u64,
}

#[derive(Debug, Default)]
struct Model {
    devices: BTreeMap<u64, Device>,
    last_seen: HashMap<UserId, Timestamp>,
    online_since: HashMap<UserId, u64>,
    hidden: BTreeSet<(UserId, UserId)>,
    sweeps: u64,
}

impl Model {
    fn seen(&self, user: UserId) -> Seen {
        let says = |state| self.devices.values().any(|device| device.user == user && device.state == state);
        match () {
            () if says(PresenceState::Invisible) => Seen::Offline,
            () if says(PresenceState::Online) => Seen::Online,
            () if says(PresenceState::Away) => Seen::Away,
            () => Seen::Offline,
        }
    }

    /// Does `turn`, and moves `last_seen` where it ended being online.
    fn change(&mut self, user: UserId, at: Timestamp, turn: impl FnOnce(&mut Self)) {
        let before = self.seen(user);
        turn(self);
        let now = self.seen(user);
        if before != Seen::Online && now == Seen::Online {
            self.online_since.insert(user, self.sweeps);
        }
        let is_hiding = now == Seen::Offline && self.devices.values().any(|device| device.user == user);
        let is_fresh = self.online_since.get(&user) == Some(&self.sweeps);
        if before == Seen::Online && now != Seen::Online && !(is_hiding && is_fresh) {
            let last = self.last_seen.entry(user).or_insert(at);
            *last = (*last).max(at);
        }
    }

    fn shown(&self, by: UserId, user: UserId) -> (Seen, Option<Timestamp>, Option<String>) {
        if self.hidden.contains(&(by, user)) {
            return (Seen::Offline, None, None);
        }
        let seen = self.seen(user);
        let of_user = self.devices.values().filter(|device| device.user == user);
        let status = of_user.filter_map(|device| device.status.clone()).max();
        let last_seen = self.last_seen.get(&user).copied();
        (
            seen,
            last_seen.filter(|_| seen != Seen::Online),
            status.map(|(_, status)| status).filter(|_| seen != Seen::Offline),
        )
    }
}

struct Story {
    seed: u64,
    random: Rng,
    clock: Arc<ManualClock>,
    presence: Arc<Presence>,
    store: Arc<MemoryStore>,
    model: Model,
    peers: Vec<Peer>,
    /// Lists that wait for their answer, with what the store said, once it did.
    asked: Vec<(u64, Asked, Option<Known>)>,
    next: u64,
}

impl Story {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let metrics = Arc::new(Metrics::none());
        let presence = Presence::new(Arc::clone(&clock) as Arc<dyn Clock>, metrics);
        let (random, store) = (Rng::with_seed(seed), Arc::new(MemoryStore::new()));
        let (model, peers, asked) = (Model::default(), Vec::new(), Vec::new());
        Self { seed, random, clock, presence, store, model, peers, asked, next: 1 }
    }

    fn user(&mut self) -> UserId {
        user(self.random.u128(0..USERS))
    }

    fn peer(&mut self) -> Option<usize> {
        (!self.peers.is_empty()).then(|| self.random.usize(0..self.peers.len()))
    }

    async fn step(&mut self) {
        match self.random.u8(0..21) {
            0..3 if self.peers.len() < PEERS => self.connect(),
            3 => self.disconnect(),
            4..7 => self.say(),
            7..9 => self.watch(),
            9..12 => self.answer().await,
            12..16 => self.sweep(),
            16 => self.read(),
            17 => self.clog(),
            18 => self.hide(),
            19 => self.save().await,
            _ => self.clock.advance(Duration::from_millis(self.random.u64(0..3000))),
        }
    }

    fn connect(&mut self) {
        let (user, session) = (self.user(), self.random.u128(0..3));
        let (id, now) = (self.next, self.clock.now());
        self.next += 1;
        self.peers.push(Peer::attend(&self.presence, id, user, session));
        self.model.change(user, now, |model| {
            let lingers =
                |device: &Device| (device.user, device.session) == (user, session) && device.left.is_some();
            let back = model.devices.iter().filter(|(_, device)| lingers(device)).map(|(id, _)| *id).max();
            let device = back.and_then(|back| model.devices.remove(&back)).map_or(
                Device { user, session, state: PresenceState::Online, status: None, left: None },
                |device| Device { left: None, ..device },
            );
            model.devices.insert(id, device);
        });
    }

    fn disconnect(&mut self) {
        let Some(index) = self.peer() else { return };
        let peer = self.peers.swap_remove(index);
        let (id, user, now) = (peer.id(), peer.user, self.clock.now());
        let is_revoked = self.random.u8(0..4) == 0;
        let left = Left { order: self.next, at: now, due: self.model.sweeps + PRESENCE_GRACE_SWEEPS };
        self.next += 1;
        peer.hang_up(if is_revoked { CloseCode::SessionRevoked } else { CloseCode::Normal });
        self.model.change(user, now, |model| {
            if is_revoked {
                model.devices.remove(&id);
            } else {
                model.devices.get_mut(&id).expect("it was there").left = Some(left);
            }
        });
    }

    fn say(&mut self) {
        let Some(index) = self.peer() else { return };
        let state = PresenceState::ALL[self.random.usize(0..PresenceState::ALL.len())];
        let status = (self.random.u8(0..3) == 0).then(|| "x".repeat(self.random.usize(0..3)));
        let peer = &self.peers[index];
        let (id, user, now) = (peer.id(), peer.user, self.clock.now());
        peer.attendance.set(state, status.clone());
        let order = self.next;
        self.next += 1;
        self.model.change(user, now, |model| {
            let device = model.devices.get_mut(&id).expect("it is there");
            device.state = state;
            device.status = status.filter(|status| !status.is_empty()).map(|status| (order, status));
        });
    }

    fn watch(&mut self) {
        let Some(index) = self.peer() else { return };
        let users: Vec<_> = (0..self.random.usize(0..5)).map(|_| self.user()).collect();
        let peer = &mut self.peers[index];
        peer.list = users.iter().copied().collect();
        self.asked.push((peer.id(), peer.attendance.watch(users), None));
    }

    /// Asks the store about a list, or gives the answer that it gave some steps ago.
    async fn answer(&mut self) {
        if self.asked.is_empty() {
            return;
        }
        let index = self.random.usize(0..self.asked.len());
        let by = self.asked[index].0;
        let by = self.peers.iter().find(|peer| peer.id() == by).map(|peer| peer.user);
        if self.asked[index].2.is_none() {
            let last_seen = self.store.last_seen(self.asked[index].1.users()).await.expect("read");
            let hidden = self.model.hidden.iter().filter(|(one, _)| Some(*one) == by);
            let hidden = hidden.map(|(_, other)| *other).collect();
            self.asked[index].2 = Some(Known { last_seen: last_seen.into_iter().collect(), hidden });
            return;
        }
        let (id, asked, known) = self.asked.swap_remove(index);
        let peer = self.peers.iter_mut().find(|peer| peer.id() == id);
        asked.answer(&known.expect("it was asked"), |Watched { users }| {
            if let Some(peer) = peer {
                peer.reply(users);
            }
        });
    }

    fn sweep(&mut self) {
        self.presence.sweep();
        self.model.sweeps += 1;
        self.let_go(self.model.sweeps);
    }

    /// Ends the graces in the model that end at sweep `sweeps` or before, in the order of going.
    fn let_go(&mut self, sweeps: u64) {
        let left = |(id, device): (&u64, &Device)| Some((device.left?, *id, device.user));
        let mut due: Vec<_> = self.model.devices.iter().filter_map(left).collect();
        due.retain(|(left, ..)| left.due <= sweeps);
        due.sort_unstable();
        for (left, id, user) in due {
            self.model.change(user, left.at, |model| drop(model.devices.remove(&id)));
        }
    }

    fn read(&mut self) {
        if let Some(index) = self.peer() {
            self.peers[index].read();
        }
    }

    fn clog(&mut self) {
        if let Some(index) = self.peer() {
            self.peers[index].clog();
        }
    }

    fn hide(&mut self) {
        let (one, other) = (self.user(), self.user());
        if self.random.bool() {
            self.model.hidden.extend([(one, other), (other, one)]);
            self.presence.hide(one, other);
        } else {
            self.model.hidden.retain(|pair| *pair != (one, other) && *pair != (other, one));
            self.presence.unhide(one, other);
        }
    }

    async fn save(&self) {
        Arc::clone(&self.presence).save(Arc::clone(&self.store) as _).await;
    }

    /// Lets everything come to rest, and compares what every watcher knows with the model.
    async fn rest(&mut self) {
        while !self.asked.is_empty() {
            self.answer().await;
        }
        self.save().await;
        for _ in 0..=PRESENCE_GRACE_SWEEPS {
            self.peers.iter_mut().for_each(Peer::read);
            self.sweep();
        }
        self.sweep();
        self.peers.iter_mut().for_each(Peer::read);
        for peer in &self.peers {
            let told: Vec<_> = peer.list.iter().map(|user| (*user, peer.knows(*user))).collect();
            let there: Vec<_> =
                peer.list.iter().map(|user| (*user, self.model.shown(peer.user, *user))).collect();
            assert_eq!(told, there, "seed {}, what {:?} knows", self.seed, peer.user);
        }
        let swept = self.presence.sweep();
        self.model.sweeps += 1;
        assert_eq!(swept, super::Swept::default(), "seed {}: quiet costs nothing", self.seed);
    }
}

#[tokio::test]
async fn in_random_stories_every_watcher_ends_right() {
    for seed in 0..60 {
        let mut story = Story::new(seed);
        for _ in 0..6 {
            for _ in 0..60 {
                story.step().await;
            }
            story.rest().await;
        }
    }
}
