//! Nodes that have only their presence, and the ways between them: words come late, and some are lost.

use super::tests::{join, presence_on};
use super::word::Word;
use super::{Letter, Presence};
use fastrand::Rng;
use rookery_engine::ManualClock;
use rookery_engine::bus::{Bus, MemoryBus, MemoryBuses, NodeId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Several nodes. Who is there is known by a bus; what they say goes here.
#[derive(Debug)]
pub(super) struct Net {
    buses: MemoryBuses,
    nodes: Vec<(Arc<MemoryBus>, Arc<Presence>)>,
    ways: BTreeMap<(NodeId, NodeId), VecDeque<Word>>,
    /// Ways on which words were lost since the receiver last heard of it.
    gaps: BTreeSet<(NodeId, NodeId)>,
    joined: u8,
    /// Words that were said.
    pub(super) said: usize,
}

impl Net {
    pub(super) fn new(nodes: usize, clock: &Arc<ManualClock>) -> Self {
        let (buses, ways, gaps) = (MemoryBuses::new(), BTreeMap::new(), BTreeSet::new());
        let mut net = Self { buses, nodes: Vec::new(), ways, gaps, joined: 0, said: 0 };
        for _ in 0..nodes {
            let node = net.join(clock);
            net.nodes.push(node);
        }
        net
    }

    fn join(&mut self, clock: &Arc<ManualClock>) -> (Arc<MemoryBus>, Arc<Presence>) {
        self.joined += 1;
        let bus = join(&self.buses, self.joined);
        let presence = presence_on(&*bus, Arc::clone(clock));
        (bus, presence)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn presence(&self, node: usize) -> &Arc<Presence> {
        &self.nodes[node].1
    }

    pub(super) fn each(&self, turn: impl Fn(&Presence)) {
        self.nodes.iter().for_each(|(_, presence)| turn(presence));
    }

    /// A node dies, and another one takes its place.
    pub(super) fn replace(&mut self, node: usize, clock: &Arc<ManualClock>) {
        let gone = self.nodes[node].0.id();
        self.buses.expire(gone);
        self.ways.retain(|(from, to), _| *from != gone && *to != gone);
        self.nodes[node] = self.join(clock);
    }

    /// Puts on its way what nodes have to say.
    pub(super) fn post(&mut self) {
        let ids: Vec<_> = self.nodes.iter().map(|(bus, _)| bus.id()).collect();
        for (bus, presence) in &self.nodes {
            for Letter { to, word } in presence.letters() {
                let others = ids.iter().filter(|id| **id != bus.id() && to.is_none_or(|to| to == **id));
                for other in others {
                    self.said += 1;
                    self.ways.entry((bus.id(), *other)).or_default().push_back(word.clone());
                }
            }
        }
    }

    /// Returns a way on which something is.
    fn busy(&self, random: &mut Rng) -> Option<(NodeId, NodeId)> {
        let busy: Vec<_> =
            self.ways.iter().filter(|(_, words)| !words.is_empty()).map(|(way, _)| *way).collect();
        (!busy.is_empty()).then(|| busy[random.usize(0..busy.len())])
    }

    /// Brings the next words of some way.
    pub(super) fn deliver(&mut self, random: &mut Rng) {
        if let Some(way) = self.busy(random) {
            for _ in 0..random.usize(1..4) {
                self.bring(way);
            }
        }
    }

    /// Loses the next word of some way.
    pub(super) fn lose(&mut self, random: &mut Rng) {
        if let Some(way) = self.busy(random) {
            self.ways.entry(way).or_default().pop_front();
            self.gaps.insert(way);
        }
    }

    /// Brings everything, with the answers to it, and has everybody hear of what was lost.
    pub(super) fn deliver_all(&mut self) {
        for (_, to) in std::mem::take(&mut self.gaps) {
            self.nodes.iter().filter(|(bus, _)| bus.id() == to).for_each(|(_, presence)| presence.doubt());
        }
        self.post();
        while let Some(way) = self.ways.iter().find(|(_, words)| !words.is_empty()).map(|(way, _)| *way) {
            self.bring(way);
        }
        let ids: Vec<_> = self.nodes.iter().map(|(bus, _)| bus.id()).collect();
        self.each(|presence| ids.iter().for_each(|id| presence.heard(*id)));
    }

    /// Returns whether nobody has anything to say, and nothing is on its way.
    pub(super) fn is_silent(&mut self) -> bool {
        self.post();
        self.ways.values().all(VecDeque::is_empty)
    }

    fn bring(&mut self, way: (NodeId, NodeId)) {
        let (from, to) = way;
        let Some(word) = self.ways.get_mut(&way).and_then(VecDeque::pop_front) else { return };
        if let Some((_, presence)) = self.nodes.iter().find(|(bus, _)| bus.id() == to) {
            if self.gaps.remove(&way) {
                presence.doubt();
            }
            presence.heard(from);
            match word {
                Word::Watch(watch) => presence.hear_watch(from, watch),
                Word::Unwatch(unwatch) => presence.hear_unwatch(from, unwatch),
                Word::Are(are) => presence.hear_people(from, are),
            }
        }
        self.post();
    }
}
