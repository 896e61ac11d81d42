//! Several nodes over one store: which of them is the home of a room, and what they tell each other.
//!
//! | module | what |
//! |---|---|
//! | `frame`, `said` | what nodes say to each other, as bytes and as values |
//! | `view` | who is there, who hears whom, and where a room's home is |
//! | `astray` | rooms at home here in which another node orders for itself |
//! | `follow` | which nodes hear of which rooms: as a home, and as a follower |
//! | `hear` | the task that hears the others |
//! | `beat` | the task that says that this node is there, and what it follows |
//! | `look` | the task that compares rooms with the store |
//! | `words` | what is said to every node |
//!
//! A home makes contention rare and delivery quick; nothing depends on it. A room whose home is not
//! reached is its own, and the store decides whose append counts. What the bus may have lost is read from
//! the store.

mod astray;
mod beat;
mod follow;
mod frame;
mod hear;
mod look;
mod said;
mod view;
mod words;

pub(crate) use said::{Answered, Asked, Events, Group, GroupOf, Implied, Outcome, OwnRead, Signal};
pub(crate) use view::Home;

use crate::node::{LinkState, Node};
use astray::Astray;
use bytes::Bytes;
use follow::{Followers, Following};
use frame::{Kind, encode, passed_on};
use rookery_engine::bus::{Bus, NodeId, Peer, Peers};
use rookery_engine::limits::{BEATS_OF_FOLLOWING, BEATS_OF_TRUST};
use rookery_engine::trace::TraceContext;
use rookery_engine::{Metrics, Tasks};
use rookery_protocol::{RoomId, Seq, UserId};
use said::{Beacon, EventsOf, Follow, Signalled, SubmitOf};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use view::View;

/// What a node knows of the others.
#[derive(Debug)]
pub(crate) struct Cluster {
    bus: Arc<dyn Bus>,
    metrics: Arc<Metrics>,
    beat: Duration,
    started: Instant,
    view: RwLock<View>,
    /// As the view has it; a flag of its own, so that a single node shares no lock on the way of a message.
    is_alone: AtomicBool,
    followers: Mutex<Followers>,
    following: Mutex<Following>,
    /// Rooms that are to be compared with the store.
    doubtful: Mutex<HashSet<RoomId>>,
    has_doubts: Notify,
    /// Whether a word of a login that is over may have been lost.
    are_logins_doubtful: AtomicBool,
    astray: Astray,
    runs: AtomicU64,
}

impl Cluster {
    pub(crate) fn new(bus: Arc<dyn Bus>, beat: Duration, metrics: Arc<Metrics>) -> Self {
        let view = View::new(bus.id(), beat, &bus.peers().borrow());
        Self {
            bus,
            metrics,
            beat,
            started: Instant::now(),
            is_alone: AtomicBool::new(view.is_alone()),
            view: RwLock::new(view),
            followers: Mutex::default(),
            following: Mutex::default(),
            doubtful: Mutex::default(),
            has_doubts: Notify::new(),
            are_logins_doubtful: AtomicBool::new(false),
            astray: Astray::default(),
            runs: AtomicU64::new(1),
        }
    }

    /// Starts the tasks that hear the others and speak to them.
    pub(crate) fn start(node: &Arc<Node>, tasks: &Tasks) {
        tasks.spawn(hear::run(Arc::clone(node)));
        tasks.spawn(beat::run(Arc::clone(node)));
        tasks.spawn(look::run(Arc::clone(node)));
    }

    /// Gives the lease back.
    pub(crate) async fn close(&self) {
        if let Err(error) = self.bus.close().await {
            tracing::warn!(%error, "lease not given back");
        }
    }

    /// Returns this node.
    pub(crate) fn id(&self) -> NodeId {
        self.bus.id()
    }

    /// Returns who is there, this node included.
    pub(crate) fn peers(&self) -> Arc<Peers> {
        Arc::clone(&self.bus.peers().borrow())
    }

    /// Returns how a node is reached.
    pub(crate) fn link_state(&self, node: NodeId) -> LinkState {
        self.view().link_state(node)
    }

    /// Returns whether a room's drafts are ordered here only because its home is not reached.
    pub(crate) fn is_stand_in(&self, room: RoomId) -> bool {
        !self.is_alone() && self.view().chosen(room).is_some_and(|home| home != self.bus.id())
    }

    /// Returns the nodes that hear a room from here.
    pub(crate) fn followers_of(&self, room: RoomId) -> Vec<NodeId> {
        self.followers().of(room)
    }

    /// Returns the other nodes that are not going down.
    pub(crate) fn survivors(&self) -> Vec<Peer> {
        let peers = self.bus.peers();
        let peers = peers.borrow();
        let others = peers.nodes.iter().filter(|peer| peer.id != self.bus.id() && !peer.is_draining);
        others.cloned().collect()
    }

    /// Returns whether the bus is there, and how many other nodes are.
    fn connection(&self) -> (bool, usize) {
        let peers = self.peers();
        let others = peers.nodes.iter().filter(|peer| peer.id != self.bus.id());
        (peers.is_connected, others.count())
    }

    /// Returns how the bus is, for people.
    pub(crate) fn state(&self) -> String {
        match self.connection() {
            (false, _) => "away: what other nodes do is found in the store, within seconds".to_owned(),
            (true, 0) => "no other node".to_owned(),
            (true, 1) => "1 other node".to_owned(),
            (true, others) => format!("{others} other nodes"),
        }
    }

    /// Returns whether there is no other node.
    pub(crate) fn is_alone(&self) -> bool {
        self.is_alone.load(Ordering::Acquire)
    }

    /// Returns where a room's drafts are ordered.
    pub(crate) fn home_of(&self, room: RoomId) -> Home {
        if self.is_alone() {
            return Home::Here { is_sure: true };
        }
        self.view().home_of(room)
    }

    /// Returns the node where a room's drafts are ordered.
    pub(crate) fn orders(&self, room: RoomId) -> NodeId {
        match self.home_of(room) {
            Home::Here { .. } => self.bus.id(),
            Home::There { node, .. } => node,
        }
    }

    /// Returns whether nobody else should append to a room, so that what this node knows of it is so.
    pub(crate) fn is_sure(&self, room: RoomId) -> bool {
        matches!(self.home_of(room), Home::Here { is_sure: true })
            && (self.is_alone() || !self.astray.has(room))
    }

    /// Another node orders what happens in a room for itself, for a while.
    fn goes_astray(&self, room: RoomId) {
        self.astray.note(room, Instant::now() + self.beat * BEATS_OF_FOLLOWING);
    }

    /// Tells the home of a room that this node orders for itself what happens there.
    pub(crate) fn tell_astray(&self, home: NodeId, room: RoomId) {
        self.send(home, &said::Astray { room });
    }

    /// Has the logins of this node looked for in the store.
    fn doubt_logins(&self) {
        self.are_logins_doubtful.store(true, Ordering::Release);
        self.has_doubts.notify_one();
    }

    /// Returns the number of a run of drafts: greater than all before it.
    pub(crate) fn next_run(&self) -> u64 {
        self.runs.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns how long whoever sends a draft to its home waits for the answer.
    pub(crate) fn answers_within(&self) -> Duration {
        self.beat * BEATS_OF_TRUST
    }

    /// Returns until when a draft may be ordered that was sent as of this beat of this node; `None`
    /// where that is over.
    fn until(&self, as_of: u64) -> Option<Instant> {
        let beats = u32::try_from(as_of).ok()?.checked_add(BEATS_OF_TRUST)?;
        let until = self.started + self.beat.checked_mul(beats)?;
        (until > Instant::now()).then_some(until)
    }

    /// Returns how many beats have passed here, whether or not anything ran meanwhile.
    fn beats(&self) -> u64 {
        let beats = self.started.elapsed().as_micros() / self.beat.as_micros().max(1);
        u64::try_from(beats).unwrap_or(u64::MAX)
    }

    /// Returns which nodes hear directly what this node says of a room: those that follow it here, or its
    /// home, which passes it on.
    fn hearers(&self, room: RoomId) -> Vec<NodeId> {
        if self.is_alone() {
            return Vec::new();
        }
        let home = self.view().chosen(room);
        match home {
            Some(home) if home != self.bus.id() => vec![home],
            _ => self.followers().of(room),
        }
    }

    /// Tells the other nodes of events that are durable, the newest of which is at `head`.
    pub(crate) fn tell_events(&self, room: RoomId, head: Seq, groups: Vec<GroupOf<'_>>) {
        let hearers = self.hearers(room);
        if hearers.is_empty() {
            return;
        }
        self.followers().moved(room, head);
        let frame = encode(&EventsOf { room, groups });
        for to in hearers {
            match &frame {
                Some(frame) => drop(self.send_bytes(to, frame.clone(), "events")),
                // Too large: whoever hears that the head has moved reads the store.
                None => drop(self.send(to, &Beacon { heads: vec![(room, head)] })),
            }
        }
    }

    /// Tells the other nodes of a head that was found in the store: a home its followers, and another node
    /// the home, where `is_ours` and so nobody else may know of it.
    pub(crate) fn tell_head(&self, room: RoomId, head: Seq, is_ours: bool) {
        if self.is_alone() {
            return;
        }
        let home = self.view().chosen(room);
        match home {
            Some(home) if home != self.bus.id() => {
                if is_ours {
                    self.send(home, &Beacon { heads: vec![(room, head)] });
                }
            }
            _ => self.followers().moved(room, head),
        }
    }

    /// Tells the other nodes of a signal.
    pub(crate) fn tell_signal(&self, room: RoomId, signal: Signal) {
        let hearers = self.hearers(room);
        let signalled = Signalled { room, signal };
        for to in hearers {
            self.send(to, &signalled);
        }
    }

    /// Passes on to a room's followers what one of them has said here.
    fn pass_on<K: Kind>(&self, room: RoomId, from: NodeId, frame: &Bytes) {
        let hearers: Vec<_> = self.followers().of(room).into_iter().filter(|to| *to != from).collect();
        if hearers.is_empty() {
            return;
        }
        let frame = passed_on(frame);
        for to in hearers {
            self.send_bytes(to, frame.clone(), K::KIND.1);
        }
    }

    /// Sends a draft to the home of its room. Returns whether it is on its way.
    pub(crate) fn submit(&self, to: NodeId, submit: &Submitting<'_>) -> bool {
        let Submitting { asked, as_of, by, action, trace } = *submit;
        let trace = trace.map(|context| context.to_string());
        self.send(to, &SubmitOf { asked, as_of, by, action, trace })
    }

    /// Sends the answer to a draft.
    pub(crate) fn answer(&self, to: NodeId, asked: Asked, outcome: Outcome) {
        self.send(to, &Answered { asked, outcome });
    }

    /// Somebody hears this room here from now on, so its home has to tell us.
    pub(crate) fn follow(&self, room: RoomId) {
        match self.home_of(room) {
            Home::There { node, .. } => {
                if self.following().is_news(room, node) {
                    self.send(node, &Follow { rooms: vec![room] });
                }
            }
            Home::Here { is_sure: false } => self.doubt([room]),
            Home::Here { is_sure: true } => {}
        }
    }

    /// Has rooms compared with the store.
    fn doubt(&self, rooms: impl IntoIterator<Item = RoomId>) {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner).extend(rooms);
        self.has_doubts.notify_one();
    }

    fn send<K: Kind>(&self, to: NodeId, said: &K) -> bool {
        encode(said).is_some_and(|frame| self.send_bytes(to, frame, K::KIND.1))
    }

    fn send_bytes(&self, to: NodeId, frame: Bytes, kind: &str) -> bool {
        let bytes = frame.len();
        let is_sent = self.bus.send(to, frame);
        self.count(kind, bytes, 1, is_sent);
        is_sent
    }

    fn broadcast<K: Kind>(&self, said: &K) {
        if self.is_alone() {
            return;
        }
        let others = self.view().others();
        if let Some(frame) = encode(said) {
            let bytes = frame.len();
            let is_sent = self.bus.broadcast(frame);
            self.count(K::KIND.1, bytes, others, is_sent);
        }
    }

    /// Counts a frame for so many nodes.
    fn count(&self, kind: &str, bytes: usize, nodes: u64, is_sent: bool) {
        if is_sent {
            self.metrics.cluster.sent.of(kind).increment(nodes);
            self.metrics.cluster.sent_bytes.increment(bytes as u64 * nodes);
        } else {
            self.metrics.cluster.unsent.increment(nodes);
        }
    }

    /// Counts who is there, as of now.
    pub(crate) fn gauge(&self) {
        let (is_connected, others) = self.connection();
        self.metrics.cluster.connected.set(f64::from(u8::from(is_connected)));
        let others = u32::try_from(others).map_or(f64::MAX, f64::from);
        self.metrics.cluster.peers.set(others);
        self.metrics.cluster.nodes.set(others + 1.0);
    }

    fn view(&self) -> std::sync::RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of the others.
    fn change_view<T>(&self, change: impl FnOnce(&mut View) -> T) -> T {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut view);
        self.is_alone.store(view.is_alone(), Ordering::Release);
        changed
    }

    fn followers(&self) -> MutexGuard<'_, Followers> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn following(&self) -> MutexGuard<'_, Following> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `frame` says something that this version knows.
pub(crate) fn reads(frame: &[u8]) -> bool {
    frame::decode(frame).is_some()
}

/// A draft on its way to the home of its room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submitting<'a> {
    pub(crate) asked: Asked,
    pub(crate) as_of: u64,
    pub(crate) by: UserId,
    pub(crate) action: &'a crate::room::Action,
    /// What its home goes on with, where it is traced.
    pub(crate) trace: Option<TraceContext>,
}
