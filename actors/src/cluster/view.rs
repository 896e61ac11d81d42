//! Who is there, who hears whom, and where a room's home is. Plain values; time is passed in or asked of
//! tokio's clock.

use super::said::Pulse;
use crate::node::LinkState;
use rookery_engine::bus::{NodeId, Peers};
use rookery_engine::limits::{BEATS_OF_DOUBT, BEATS_OF_HEARING, BEATS_OF_TRUST, CLUSTER_NODES};
use rookery_protocol::RoomId;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Where a room's drafts are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// On this node.
    Here {
        /// Whether every other node knows so and is heard, so that nobody else should append.
        is_sure: bool,
    },
    /// On another one.
    There {
        /// Which.
        node: NodeId,
        /// The newest of its beats that was heard.
        as_of: u64,
    },
}

/// What a node knows of the others.
#[derive(Debug)]
pub(super) struct View {
    me: NodeId,
    beat: Duration,
    is_connected: bool,
    /// The nodes whose lease holds, ascending.
    nodes: Vec<NodeId>,
    /// Those of them that are not going down.
    homes: Vec<NodeId>,
    draining: Vec<NodeId>,
    links: HashMap<NodeId, Link>,
    /// Nodes that are gone without having said so: they may only have lost the bus, and append.
    vanished: HashMap<NodeId, Instant>,
    is_alone: bool,
}

/// What is known of the way to another node and back.
#[derive(Clone, Copy, Debug)]
struct Link {
    heard_at: Instant,
    beat: u64,
    hears_us: bool,
    /// Whether it chooses homes among the same nodes.
    agrees: bool,
}

impl View {
    pub(super) fn new(me: NodeId, beat: Duration, peers: &Peers) -> Self {
        let (nodes, homes, draining) = Default::default();
        let (links, vanished) = Default::default();
        let mut view =
            Self { me, beat, is_connected: false, nodes, homes, draining, links, vanished, is_alone: false };
        view.take(peers);
        view
    }

    /// Takes over who is there. Returns whether that changes where homes are.
    pub(super) fn take(&mut self, peers: &Peers) -> bool {
        let before = (self.is_connected, self.homes.clone());
        let now = Instant::now();
        let ids = |is_draining: bool| {
            let of = peers.nodes.iter().filter(move |peer| peer.is_draining == is_draining);
            of.map(|peer| peer.id).collect::<Vec<_>>()
        };
        if peers.is_connected {
            for gone in self.nodes.iter().filter(|node| !peers.nodes.iter().any(|peer| peer.id == **node)) {
                self.links.remove(gone);
                if !self.draining.contains(gone) && self.vanished.len() < CLUSTER_NODES {
                    self.vanished.insert(*gone, now);
                }
            }
            self.vanished.retain(|node, _| !peers.nodes.iter().any(|peer| peer.id == *node));
            self.nodes = peers.nodes.iter().map(|peer| peer.id).collect();
            (self.homes, self.draining) = (ids(false), ids(true));
            self.homes.sort_unstable();
        }
        self.is_connected = peers.is_connected;
        self.look_around();
        before != (self.is_connected, self.homes.clone())
    }

    /// Takes over a pulse. Returns whether something is known of its sender that was not.
    pub(super) fn hear(&mut self, from: NodeId, pulse: &Pulse) -> bool {
        if self.links.len() >= CLUSTER_NODES && !self.links.contains_key(&from) {
            return false;
        }
        let was_good = self.link(from).is_some();
        let link = Link {
            heard_at: Instant::now(),
            beat: pulse.beat,
            hears_us: pulse.hears.contains(&self.me),
            agrees: pulse.homes == self.homes,
        };
        self.links.insert(from, link);
        self.is_alone = false;
        was_good != self.link(from).is_some()
    }

    /// Forgets who was heard of too long ago to matter.
    pub(super) fn look_around(&mut self) {
        let doubt = self.beat * BEATS_OF_DOUBT;
        self.vanished.retain(|_, since| since.elapsed() < doubt);
        let nodes = &self.nodes;
        self.links.retain(|node, link| nodes.contains(node) || link.heard_at.elapsed() < doubt);
        self.is_alone =
            self.is_connected && self.nodes == [self.me] && self.vanished.is_empty() && self.links.is_empty();
    }

    pub(super) const fn is_alone(&self) -> bool {
        self.is_alone
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// Returns how many other nodes are there.
    pub(super) fn others(&self) -> u64 {
        self.nodes.iter().filter(|node| **node != self.me).count() as u64
    }

    /// Returns what this node says of itself at `beat`.
    pub(super) fn pulse(&self, beat: u64) -> Pulse {
        let hears = self.links.iter().filter(|(_, link)| self.is_fresh(link));
        Pulse { beat, homes: self.homes.clone(), hears: hears.map(|(node, _)| *node).collect() }
    }

    /// Returns the nodes that are heard, hear us and choose homes as we do.
    pub(super) fn good(&self) -> Vec<NodeId> {
        let mut good: Vec<_> = self.links.keys().copied().filter(|node| self.link(*node).is_some()).collect();
        good.sort_unstable();
        good
    }

    /// Returns the home that was chosen for a room, reached or not; `None` where there is nobody to
    /// choose among.
    pub(super) fn chosen(&self, room: RoomId) -> Option<NodeId> {
        self.is_connected.then(|| choose(&self.homes, room)).flatten()
    }

    pub(super) fn home_of(&self, room: RoomId) -> Home {
        if self.is_alone {
            return Home::Here { is_sure: true };
        }
        match self.chosen(room) {
            Some(home) if home == self.me => Home::Here { is_sure: self.is_understood() },
            Some(node) => match self.link(node) {
                Some(link) => Home::There { node, as_of: link.beat },
                None => Home::Here { is_sure: false },
            },
            None => Home::Here { is_sure: false },
        }
    }

    /// Returns how a node is reached.
    pub(super) fn link_state(&self, node: NodeId) -> LinkState {
        if node == self.me {
            return LinkState::Itself;
        }
        let trust = self.beat * BEATS_OF_TRUST;
        match self.links.get(&node) {
            Some(_) if self.link(node).is_some() => LinkState::Good,
            Some(link) if link.heard_at.elapsed() < trust => LinkState::Doubtful,
            _ => LinkState::Silent,
        }
    }

    /// Whether every node that may append is heard, hears us and chooses homes as we do.
    fn is_understood(&self) -> bool {
        let mut others = self.nodes.iter().filter(|node| **node != self.me).chain(self.links.keys());
        let is_understood = |node| self.link(node).is_some_and(|link| self.is_fresh(link));
        self.vanished.is_empty() && others.all(|node| is_understood(*node))
    }

    /// Whether its end was heard just now.
    fn is_fresh(&self, link: &Link) -> bool {
        link.heard_at.elapsed() < self.beat * BEATS_OF_HEARING
    }

    fn link(&self, node: NodeId) -> Option<&Link> {
        let trust = self.beat * BEATS_OF_TRUST;
        let is_good = |link: &&Link| link.hears_us && link.agrees && link.heard_at.elapsed() < trust;
        self.links.get(&node).filter(is_good).filter(|_| self.nodes.contains(&node))
    }
}

/// Chooses a room's home: the node of the highest weight, so that a node that comes or goes moves no
/// rooms but its own (Thaler and Ravishankar, "A name-based mapping scheme for rendezvous", 1996).
fn choose(homes: &[NodeId], room: RoomId) -> Option<NodeId> {
    homes.iter().copied().max_by_key(|node| (weight(*node, room), *node))
}

/// Weighs a node for a room. Nodes of all versions have to agree, so it is written out here.
fn weight(node: NodeId, room: RoomId) -> u64 {
    let (node, room) = (node.0.as_u64_pair(), room.0.as_u64_pair());
    let words = [node.0, node.1, room.0, room.1].into_iter();
    words.fold(0, |weight, word| mix(weight ^ word))
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests;
