//! Random stories: the presence of one node or of several and a simple model are told the same, in any order
//! of coming, going, saying, watching, answering, sweeping and reading, with clogged outboxes and blocks;
//! between nodes words are late or lost, and nodes die. Whenever all is quiet, every watcher knows what the
//! model says.

use super::net::Net;
use super::tests::{NOW, Peer, user};
use super::{Asked, Known, Presence};
use fastrand::Rng;
use rookery_engine::limits::PRESENCE_GRACE_SWEEPS;
use rookery_engine::store::LastSeen;
use rookery_engine::{Clock, ManualClock, MemoryStore};
use rookery_protocol::{CloseCode, PresenceState, Seen, Timestamp, UserId, Watched};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

const USERS: u128 = 4;
const PEERS: usize = 7;

/// Sweeps until all is quiet: the grace of a connection, that of a node, and some in which what was lost is
/// said again.
const ROUNDS: u64 = 2 * PRESENCE_GRACE_SWEEPS + 4;

/// What the model knows of one connection, also of one that has gone.
#[derive(Clone, Debug)]
struct Device {
    user: UserId,
    node: usize,
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
    /// Of each node.
    sweeps: Vec<u64>,
    /// Users of whom several nodes need not know to the millisecond when they were last online: they have
    /// hidden on one of them, or a word was lost or a node has died that may have known.
    vague: BTreeSet<UserId>,
}

impl Model {
    fn seen(&self, user: UserId, is_among: impl Fn(&Device) -> bool) -> Seen {
        let of_user = || self.devices.values().filter(|device| device.user == user && is_among(device));
        let says = |state| of_user().any(|device| device.state == state);
        match () {
            () if says(PresenceState::Invisible) => Seen::Offline,
            () if says(PresenceState::Online) => Seen::Online,
            () if says(PresenceState::Away) => Seen::Away,
            () => Seen::Offline,
        }
    }

    /// Does `turn`, and moves `last_seen` where it ended being online on that node.
    fn change(&mut self, user: UserId, node: usize, at: Timestamp, turn: impl FnOnce(&mut Self)) {
        let is_there = |device: &Device| device.node == node;
        let before = self.seen(user, is_there);
        turn(self);
        let now = self.seen(user, is_there);
        let sweeps = self.sweeps[node];
        if before != Seen::Online && now == Seen::Online {
            self.online_since.insert(user, sweeps);
        }
        let is_hiding = now == Seen::Offline
            && self.devices.values().any(|device| device.user == user && is_there(device));
        let is_fresh = self.online_since.get(&user) == Some(&sweeps);
        if before == Seen::Online && now != Seen::Online && !(is_hiding && is_fresh) {
            let last = self.last_seen.entry(user).or_insert(at);
            *last = (*last).max(at);
        }
    }

    fn shown(&self, by: UserId, user: UserId) -> (Seen, Option<Timestamp>, Option<String>) {
        if self.hidden.contains(&(by, user)) {
            return (Seen::Offline, None, None);
        }
        let seen = self.seen(user, |_| true);
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
    net: Net,
    store: Arc<MemoryStore>,
    model: Model,
    /// Each with the node that it is connected to.
    peers: Vec<(usize, Peer)>,
    /// Lists that wait for their answer, with what the store said, once it did.
    asked: Vec<(u64, Asked, Option<Known>)>,
    next: u64,
}

impl Story {
    fn new(seed: u64, nodes: usize) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let net = Net::new(nodes, &clock);
        let (random, store) = (Rng::with_seed(seed), Arc::new(MemoryStore::new()));
        let model = Model { sweeps: vec![0; nodes], ..Model::default() };
        let (peers, asked) = (Vec::new(), Vec::new());
        Self { seed, random, clock, net, store, model, peers, asked, next: 1 }
    }

    fn presence(&self, node: usize) -> &Arc<Presence> {
        self.net.presence(node)
    }

    fn node(&mut self) -> usize {
        self.random.usize(0..self.net.len())
    }

    fn user(&mut self) -> UserId {
        user(self.random.u128(0..USERS))
    }

    fn peer(&mut self) -> Option<usize> {
        (!self.peers.is_empty()).then(|| self.random.usize(0..self.peers.len()))
    }

    async fn step(&mut self) {
        match self.random.u8(0..if self.net.len() > 1 { 32 } else { 21 }) {
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
            20 => self.clock.advance(Duration::from_millis(self.random.u64(0..3000))),
            21 => {
                self.net.lose(&mut self.random);
                self.model.vague.extend((0..USERS).map(user));
            }
            22 if self.random.u8(0..8) == 0 => self.die(),
            _ => self.net.deliver(&mut self.random),
        }
        self.net.post();
    }

    /// A node dies with all its connections, and another one takes its place.
    fn die(&mut self) {
        let node = self.node();
        // What it has not written is lost with it; so are those who were there.
        let (gone, stay) = std::mem::take(&mut self.peers).into_iter().partition(|(at, _)| *at == node);
        self.peers = stay;
        let gone: Vec<(usize, Peer)> = gone;
        self.asked.retain(|(id, ..)| gone.iter().all(|(_, peer)| peer.id() != *id));
        self.model.vague.extend((0..USERS).map(user));
        self.model.devices.retain(|_, device| device.node != node);
        self.net.replace(node, &self.clock);
        self.model.sweeps[node] = 0;
    }

    fn connect(&mut self) {
        let (user, node) = (self.user(), self.node());
        // Logins do not change nodes here: what is taken over then has a test of its own.
        let session = self.random.u128(0..3) + 10 * node as u128;
        let (id, now) = (self.next, self.clock.now());
        self.next += 1;
        self.peers.push((node, Peer::attend(self.presence(node), id, user, session)));
        self.model.change(user, node, now, |model| {
            let lingers =
                |device: &Device| (device.user, device.session) == (user, session) && device.left.is_some();
            let back = model.devices.iter().filter(|(_, device)| lingers(device)).map(|(id, _)| *id).max();
            let device = back.and_then(|back| model.devices.remove(&back)).map_or(
                Device { user, node, session, state: PresenceState::Online, status: None, left: None },
                |device| Device { left: None, ..device },
            );
            model.devices.insert(id, device);
        });
    }

    fn disconnect(&mut self) {
        let Some(index) = self.peer() else { return };
        let (node, peer) = self.peers.swap_remove(index);
        let (id, user, now) = (peer.id(), peer.user, self.clock.now());
        let is_revoked = self.random.u8(0..4) == 0;
        let left = Left { order: self.next, at: now, due: self.model.sweeps[node] + PRESENCE_GRACE_SWEEPS };
        self.next += 1;
        peer.hang_up(if is_revoked { CloseCode::SessionRevoked } else { CloseCode::Normal });
        self.model.change(user, node, now, |model| {
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
        // So that of two statuses the later one is known everywhere.
        self.clock.advance(Duration::from_millis(1));
        let (node, peer) = &self.peers[index];
        let (node, id, user, now) = (*node, peer.id(), peer.user, self.clock.now());
        peer.attendance.set(state, status.clone());
        if state == PresenceState::Invisible {
            self.model.vague.insert(user);
        }
        let order = self.next;
        self.next += 1;
        self.model.change(user, node, now, |model| {
            let device = model.devices.get_mut(&id).expect("it is there");
            device.state = state;
            device.status = status.filter(|status| !status.is_empty()).map(|status| (order, status));
        });
    }

    fn watch(&mut self) {
        let Some(index) = self.peer() else { return };
        let users: Vec<_> = (0..self.random.usize(0..5)).map(|_| self.user()).collect();
        let (_, peer) = &mut self.peers[index];
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
        let by = self.peers.iter().find(|(_, peer)| peer.id() == by).map(|(_, peer)| peer.user);
        if self.asked[index].2.is_none() {
            // As a session does: whoever has written a moment by then is past telling it.
            self.net.deliver_all();
            let last_seen = self.store.last_seen(self.asked[index].1.users()).await.expect("read");
            let hidden = self.model.hidden.iter().filter(|(one, _)| Some(*one) == by);
            let hidden = hidden.map(|(_, other)| *other).collect();
            self.asked[index].2 = Some(Known { last_seen: last_seen.into_iter().collect(), hidden });
            return;
        }
        let (id, asked, known) = self.asked.swap_remove(index);
        let peer = self.peers.iter_mut().find(|(_, peer)| peer.id() == id);
        asked.answer(&known.expect("it was asked"), |Watched { users }| {
            if let Some((_, peer)) = peer {
                peer.reply(users);
            }
        });
    }

    fn sweep(&mut self) {
        let node = self.node();
        self.sweep_at(node);
    }

    fn sweep_at(&mut self, node: usize) {
        self.presence(node).sweep();
        self.net.post();
        self.model.sweeps[node] += 1;
        self.let_go(node);
    }

    /// Ends the graces in the model that end with the last sweep of a node or before, in the order of going.
    fn let_go(&mut self, node: usize) {
        let sweeps = self.model.sweeps[node];
        let there = self.model.devices.iter().filter(|(_, device)| device.node == node);
        let left = |(id, device): (&u64, &Device)| Some((device.left?, *id, device.user));
        let mut due: Vec<_> = there.filter_map(left).collect();
        due.retain(|(left, ..)| left.due <= sweeps);
        due.sort_unstable();
        for (left, id, user) in due {
            self.model.change(user, node, left.at, |model| drop(model.devices.remove(&id)));
        }
    }

    fn read(&mut self) {
        if let Some(index) = self.peer() {
            self.peers[index].1.read();
        }
    }

    fn clog(&mut self) {
        if let Some(index) = self.peer() {
            self.peers[index].1.clog();
        }
    }

    fn hide(&mut self) {
        let (one, other) = (self.user(), self.user());
        if self.random.bool() {
            self.model.hidden.extend([(one, other), (other, one)]);
            self.net.each(|presence| presence.hide(one, other));
        } else {
            self.model.hidden.retain(|pair| *pair != (one, other) && *pair != (other, one));
            self.net.each(|presence| presence.unhide(one, other));
        }
    }

    async fn save(&self) {
        for node in 0..self.net.len() {
            Arc::clone(self.presence(node)).save(Arc::clone(&self.store) as _).await;
        }
    }

    /// Lets everything come to rest, and compares what every watcher knows with the model.
    async fn rest(&mut self) {
        while !self.asked.is_empty() {
            self.answer().await;
        }
        self.save().await;
        for _ in 0..ROUNDS {
            // Longer than anybody waits for an answer.
            tokio::time::advance(Duration::from_secs(2)).await;
            self.net.deliver_all();
            self.peers.iter_mut().for_each(|(_, peer)| peer.read());
            (0..self.net.len()).for_each(|node| self.sweep_at(node));
        }
        self.peers.iter_mut().for_each(|(_, peer)| peer.read());
        let is_one = self.net.len() == 1;
        for (node, peer) in &self.peers {
            let compared = |user: UserId, (seen, last_seen, status): (_, Option<Timestamp>, _)| {
                (user, seen, last_seen.filter(|_| is_one || !self.model.vague.contains(&user)), status)
            };
            let told: Vec<_> = peer.list.iter().map(|user| compared(*user, peer.knows(*user))).collect();
            let there = |user: &UserId| compared(*user, self.model.shown(peer.user, *user));
            let there: Vec<_> = peer.list.iter().map(there).collect();
            assert_eq!(told, there, "seed {}, what {:?} knows on {node}", self.seed, peer.user);
        }
        for node in 0..self.net.len() {
            let swept = self.presence(node).sweep();
            self.model.sweeps[node] += 1;
            assert_eq!(swept, super::Swept::default(), "seed {}: quiet costs nothing", self.seed);
        }
        assert!(self.net.is_silent(), "seed {}: in quiet nothing is said", self.seed);
    }
}

async fn stories(nodes: usize, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut story = Story::new(seed, nodes);
        for _ in 0..6 {
            for _ in 0..60 {
                story.step().await;
            }
            story.rest().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_random_stories_every_watcher_ends_right() {
    stories(1, 0..60).await;
}

#[tokio::test(start_paused = true)]
async fn in_random_stories_of_several_nodes_every_watcher_ends_right() {
    stories(3, 0..150).await;
}
