//! The buses of several nodes in one process: the reference, and the one that tests break.

use super::buckets::Buckets;
use super::{Bus, BusAnswer, BusError, Heard, Inbox, NodeId, Peer, Peers};
use crate::limits::{BUS_FRAME, BUS_VALUE};
use crate::throttle::{Rule, Throttled};
use bytes::Bytes;
use rookery_protocol::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// What joins the buses of several nodes; tests say here what goes wrong. Cheap to clone.
///
/// No time passes in it: a lease ends when [`MemoryBuses::expire`] says so. A fault that names a node
/// which has not joined does nothing.
#[derive(Clone, Debug, Default)]
pub struct MemoryBuses(Arc<Shared>);

/// One node's end of [`MemoryBuses`].
#[derive(Debug)]
pub struct MemoryBus {
    id: NodeId,
    shared: Arc<Shared>,
    inbox: Arc<Inbox>,
    peers: watch::Sender<Arc<Peers>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    buckets: Buckets,
}

#[derive(Debug, Default)]
struct State {
    nodes: BTreeMap<NodeId, Node>,
    pairs: HashMap<(NodeId, NodeId), Pair>,
}

#[derive(Debug)]
struct Node {
    /// What it says of itself, and what the others know of that.
    me: Peer,
    shown: Peer,
    /// What it keeps, and what the others find of that.
    own: HashMap<Uuid, Bytes>,
    kept: HashMap<Uuid, Bytes>,
    has_lease: bool,
    link: Link,
    inbox: Arc<Inbox>,
    peers: watch::Sender<Arc<Peers>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Connected,
    Away,
    Closed,
}

/// The way from one node to another.
#[derive(Debug, Default)]
struct Pair {
    /// How many of the next frames are lost.
    lose: usize,
    is_cut: bool,
    /// Whether frames were lost of which the receiver does not know.
    has_gap: bool,
}

impl MemoryBuses {
    /// Returns a bus without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a node in. The others see it at once.
    ///
    /// # Panics
    /// When this id has joined before: a node that starts again is another one.
    pub fn join(&self, me: Peer) -> Arc<MemoryBus> {
        let (id, inbox) = (me.id, Arc::new(Inbox::new()));
        let peers = watch::Sender::new(Arc::default());
        let node = Node {
            shown: me.clone(),
            me,
            own: HashMap::new(),
            kept: HashMap::new(),
            has_lease: true,
            link: Link::Connected,
            inbox: Arc::clone(&inbox),
            peers: peers.clone(),
        };
        let mut state = self.0.lock();
        assert!(state.nodes.insert(id, node).is_none(), "a node joins once");
        state.tell_peers();
        drop(state);
        Arc::new(MemoryBus { id, shared: Arc::clone(&self.0), inbox, peers })
    }

    /// Loses the next frame from one node to another, one more at each call. The receiver hears of the
    /// loss with the frame after it, or at [`MemoryBuses::renew`].
    pub fn lose_next(&self, from: NodeId, to: NodeId) {
        self.0.lock().pairs.entry((from, to)).or_default().lose += 1;
    }

    /// Loses every frame from one node to another, in this direction only, until they are healed.
    pub fn cut(&self, from: NodeId, to: NodeId) {
        self.0.lock().pairs.entry((from, to)).or_default().is_cut = true;
    }

    /// Ends a cut. The receiver hears of the loss as with [`MemoryBuses::lose_next`].
    pub fn heal(&self, from: NodeId, to: NodeId) {
        self.0.lock().pairs.entry((from, to)).or_default().is_cut = false;
    }

    /// Takes the bus away from a node: it can send, ask and hear nothing. Its lease and what it keeps stay
    /// until [`MemoryBuses::expire`].
    pub fn away(&self, node: NodeId) {
        let mut state = self.0.lock();
        if let Some(node) = state.nodes.get_mut(&node).filter(|node| node.link == Link::Connected) {
            node.link = Link::Away;
        }
        state.tell_peers();
    }

    /// Gives a node its bus back, and its lease: it hears [`Heard::Lost`], and the others see what it has
    /// announced and kept meanwhile.
    pub fn back(&self, node: NodeId) {
        let mut state = self.0.lock();
        if let Some(node) = state.nodes.get_mut(&node).filter(|node| node.link != Link::Closed) {
            (node.link, node.has_lease) = (Link::Connected, true);
            (node.shown, node.kept) = (node.me.clone(), node.own.clone());
            node.inbox.lost();
        }
        state.pairs.iter_mut().filter(|((_, to), _)| *to == node).for_each(|(_, pair)| pair.has_gap = false);
        state.tell_peers();
    }

    /// Ends a node's lease, as when it is paused: the others see it go, with what it keeps. It does not
    /// know; [`MemoryBuses::back`] gives it a new one.
    pub fn expire(&self, node: NodeId) {
        let mut state = self.0.lock();
        if let Some(node) = state.nodes.get_mut(&node) {
            node.has_lease = false;
            node.kept.clear();
        }
        state.tell_peers();
    }

    /// Has every node hear of what it has lost, as it does when leases are renewed.
    pub fn renew(&self) {
        let mut state = self.0.lock();
        let State { nodes, pairs } = &mut *state;
        for ((_, to), pair) in pairs.iter_mut().filter(|(_, pair)| pair.has_gap && !pair.is_cut) {
            if let Some(to) = nodes.get(to).filter(|node| node.link == Link::Connected) {
                pair.has_gap = false;
                to.inbox.lost();
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_connected(&self, id: NodeId) -> bool {
        self.nodes.get(&id).is_some_and(|node| node.link == Link::Connected)
    }

    /// Brings a frame to a node, unless something is in the way. Returns whether it was sent.
    fn deliver(&mut self, from: NodeId, to: NodeId, frame: Bytes) -> bool {
        let is_sent = self.is_connected(from);
        let pair = self.pairs.entry((from, to)).or_default();
        let Some(node) = self.nodes.get(&to).filter(|node| node.link == Link::Connected && is_sent) else {
            pair.has_gap = true;
            return is_sent;
        };
        if pair.lose > 0 || pair.is_cut {
            pair.lose = pair.lose.saturating_sub(1);
            pair.has_gap = true;
            return true;
        }
        if std::mem::take(&mut pair.has_gap) {
            node.inbox.lost();
        }
        node.inbox.frame(from, frame);
        true
    }

    /// Tells every node who is there, as far as it can be told.
    fn tell_peers(&self) {
        for (id, node) in &self.nodes {
            let peers = if node.link == Link::Connected {
                // A node whose lease has ended does not know.
                let known = self.nodes.iter().filter(|(other, node)| node.has_lease || *other == id);
                Peers { is_connected: true, nodes: known.map(|(_, node)| node.shown.clone()).collect() }
            } else {
                Peers { is_connected: false, nodes: node.peers.borrow().nodes.clone() }
            };
            node.peers.send_if_modified(|known| {
                let is_news = **known != peers;
                *known = Arc::new(peers);
                is_news
            });
        }
    }
}

impl MemoryBus {
    fn check(&self) -> Result<(), BusError> {
        let is_connected = self.shared.lock().is_connected(self.id);
        is_connected.then_some(()).ok_or_else(|| BusError("it is away".to_owned()))
    }

    fn found(&self, keys: &[Uuid]) -> Vec<Vec<(NodeId, Bytes)>> {
        let state = self.shared.lock();
        let holders = || state.nodes.iter().filter(|(_, node)| node.has_lease);
        let of = |key| holders().filter_map(|(id, node)| Some((*id, node.kept.get(key)?.clone()))).collect();
        keys.iter().map(of).collect()
    }
}

impl Bus for MemoryBus {
    fn id(&self) -> NodeId {
        self.id
    }

    fn send(&self, to: NodeId, frame: Bytes) -> bool {
        let mut state = self.shared.lock();
        frame.len() <= BUS_FRAME && state.deliver(self.id, to, frame)
    }

    fn broadcast(&self, frame: Bytes) -> bool {
        let mut state = self.shared.lock();
        if frame.len() > BUS_FRAME {
            return false;
        }
        let others: Vec<_> = state.nodes.keys().copied().filter(|id| *id != self.id).collect();
        for to in others {
            state.deliver(self.id, to, frame.clone());
        }
        state.is_connected(self.id)
    }

    fn hear(&self) -> Pin<Box<dyn Future<Output = Heard> + Send + '_>> {
        Box::pin(self.inbox.hear())
    }

    fn peers(&self) -> watch::Receiver<Arc<Peers>> {
        self.peers.subscribe()
    }

    fn announce(&self, me: Peer) {
        let mut state = self.shared.lock();
        if let Some(node) = state.nodes.get_mut(&self.id) {
            node.me = me;
            if node.link == Link::Connected {
                node.shown = node.me.clone();
            }
        }
        state.tell_peers();
    }

    fn put(&self, key: Uuid, value: Option<Bytes>) {
        let mut state = self.shared.lock();
        let Some(node) = state.nodes.get_mut(&self.id) else { return };
        match value.filter(|value| value.len() <= BUS_VALUE) {
            Some(value) => drop(node.own.insert(key, value)),
            None => drop(node.own.remove(&key)),
        }
        if node.link == Link::Connected && node.has_lease {
            match node.own.get(&key) {
                Some(value) => drop(node.kept.insert(key, value.clone())),
                None => drop(node.kept.remove(&key)),
            }
        }
    }

    fn get<'a>(&'a self, keys: &'a [Uuid]) -> BusAnswer<'a, Vec<Vec<(NodeId, Bytes)>>> {
        Box::pin(ready(self.check().map(|()| self.found(keys))))
    }

    fn throttle<'a>(
        &'a self,
        rule: Rule,
        who: &'a str,
        now: Timestamp,
    ) -> BusAnswer<'a, Result<(), Throttled>> {
        Box::pin(ready(self.check().map(|()| self.shared.buckets.take(rule, who, now))))
    }

    fn close(&self) -> BusAnswer<'_, ()> {
        let mut state = self.shared.lock();
        if let Some(node) = state.nodes.get_mut(&self.id) {
            (node.link, node.has_lease) = (Link::Closed, false);
            node.kept.clear();
        }
        state.tell_peers();
        Box::pin(ready(Ok(())))
    }
}

#[cfg(test)]
mod tests;
