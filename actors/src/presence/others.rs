//! The other nodes: which are there, and what they were asked for and have not answered.
//!
//! A word that is lost shows: what was asked is not answered, what was told is behind a
//! [`Heard::Lost`](rookery_engine::bus::Heard::Lost), and in both cases everybody who is watched is asked for
//! again. So nothing is said twice where all is well.

use super::lock;
use super::word::WatchPeople;
use rookery_engine::bus::{NodeId, Peers};
use rookery_engine::limits::{
    BEATS_OF_SILENCE, BEATS_OF_TRUST, CLUSTER_NODES, PRESENCE_ASKED, PRESENCE_GRACE_SWEEPS,
};
use rookery_protocol::{Timestamp, UserId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

/// Tries without an answer after which the pauses between them grow no more: to some ten seconds.
const TRIES: u32 = 4;

/// What a node knows of the others.
#[derive(Debug)]
pub(super) struct Others {
    me: NodeId,
    peers: watch::Receiver<Arc<Peers>>,
    beat: Duration,
    state: Mutex<State>,
    has_answers: Notify,
}

#[derive(Debug, Default)]
struct State {
    nodes: BTreeMap<NodeId, Other>,
    /// What was asked and not answered by all yet, by its number.
    asks: BTreeMap<u64, Ask>,
    /// How often was asked.
    number: u64,
    /// Users whom others are asked for.
    asked: usize,
}

#[derive(Debug)]
struct Other {
    heard_at: Instant,
    /// It is gone since then, and counts until that sweep.
    gone: Option<(u64, Timestamp)>,
    /// It has to be asked for everybody.
    is_behind: bool,
    /// It has not answered in time, so nobody waits for it.
    is_mute: bool,
    /// It was silent for so long that nothing it has said counts.
    is_forgotten: bool,
    /// How often it has not answered in a row, and when it was asked for everybody.
    tries: u32,
    asked_at: Option<Instant>,
}

#[derive(Debug)]
struct Ask {
    users: Vec<UserId>,
    waits_for: Vec<NodeId>,
    since: Instant,
}

/// A node whose word counts no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forgotten {
    /// Its lease is gone: whoever was online there was so until then.
    Gone(NodeId, Timestamp),
    /// It is not heard: nobody knows.
    Silent(NodeId),
}

impl Others {
    /// Returns what `me` knows of the others, which say every `beat` that they are there.
    pub(super) fn new(me: NodeId, peers: watch::Receiver<Arc<Peers>>, beat: Duration) -> Self {
        Self { me, peers, beat, state: Mutex::default(), has_answers: Notify::new() }
    }

    /// Takes over who is there, at `now` and after sweep `tick`.
    pub(super) fn meet(&self, now: Timestamp, tick: u64) {
        let peers = Arc::clone(&self.peers.borrow());
        if !peers.is_connected {
            return;
        }
        let mut state = lock(&self.state);
        for peer in peers.nodes.iter().filter(|peer| peer.id != self.me) {
            let Some(other) = state.admit_node(peer.id) else { continue };
            if other.gone.take().is_some() {
                // It may have taken us for gone as well.
                other.is_behind = true;
            }
        }
        for (node, other) in &mut state.nodes {
            if other.gone.is_none() && !peers.nodes.iter().any(|peer| peer.id == *node) {
                other.gone = Some((tick + PRESENCE_GRACE_SWEEPS, now));
            }
        }
    }

    /// Returns whether there is no other node.
    pub(super) fn is_alone(&self) -> bool {
        lock(&self.state).nodes.is_empty()
    }

    /// A node was heard, be it before its lease was seen: what it says must not outlive it.
    pub(super) fn heard(&self, from: NodeId) {
        let mut state = lock(&self.state);
        if let Some(other) = state.admit_node(from) {
            other.heard_at = Instant::now();
            if std::mem::take(&mut other.is_forgotten) {
                other.is_behind = true;
            }
        }
    }

    /// What any node has said may be lost.
    pub(super) fn doubt(&self) {
        lock(&self.state).nodes.values_mut().for_each(|other| other.is_behind = true);
    }

    /// Returns the nodes whose word counts no more as of sweep `tick`.
    pub(super) fn forget(&self, tick: u64) -> Vec<Forgotten> {
        let mut forgotten = Vec::new();
        let silence = self.beat * BEATS_OF_SILENCE;
        lock(&self.state).nodes.retain(|node, other| {
            match other.gone {
                Some((due, at)) if due <= tick => {
                    forgotten.push(Forgotten::Gone(*node, at));
                    return false;
                }
                None if !other.is_forgotten && other.heard_at.elapsed() > silence => {
                    other.is_forgotten = true;
                    forgotten.push(Forgotten::Silent(*node));
                }
                _ => {}
            }
            true
        });
        forgotten
    }

    /// Returns whether one more user may be asked for, and counts it.
    pub(super) fn admit(&self) -> bool {
        let mut state = lock(&self.state);
        let is_admitted = state.asked < PRESENCE_ASKED;
        state.asked += usize::from(is_admitted);
        is_admitted
    }

    /// A user is asked for no more.
    pub(super) fn dismiss(&self) {
        let mut state = lock(&self.state);
        state.asked = state.asked.saturating_sub(1);
    }

    /// Returns what is said to all nodes to be told of `users` from now on; nothing where there are none.
    pub(super) fn ask_all(&self, users: Vec<UserId>) -> Option<WatchPeople> {
        let mut state = lock(&self.state);
        let of: Vec<_> = state.nodes.keys().copied().collect();
        (!of.is_empty() && !users.is_empty()).then(|| state.ask(of, users, false))
    }

    /// Returns what is said to one node to be told of `users` from now on; where `is_first`, of nobody else.
    pub(super) fn ask_anew(&self, of: NodeId, users: Vec<UserId>, is_first: bool) -> WatchPeople {
        lock(&self.state).ask(vec![of], users, is_first)
    }

    /// Returns the nodes that have to be asked for everybody, each once, and gives up what they have not
    /// answered in time.
    pub(super) fn take_behind(&self) -> Vec<NodeId> {
        let patience = self.beat * BEATS_OF_TRUST;
        let mut state = lock(&self.state);
        let State { nodes, asks, .. } = &mut *state;
        asks.retain(|_, ask| {
            let is_late = ask.since.elapsed() > patience;
            for node in ask.waits_for.iter().filter(|_| is_late) {
                if let Some(other) = nodes.get_mut(node) {
                    (other.is_behind, other.is_mute) = (true, true);
                    other.tries += 1;
                }
            }
            !is_late
        });
        let mut behind = Vec::new();
        for (node, other) in nodes.iter_mut().filter(|(_, other)| other.is_due(patience)) {
            (other.is_behind, other.asked_at) = (false, Some(Instant::now()));
            behind.push(*node);
        }
        for ask in asks.values_mut() {
            ask.waits_for.retain(|node| !behind.contains(node));
        }
        asks.retain(|_, ask| !ask.waits_for.is_empty());
        drop(state);
        self.tell_answered();
        behind
    }

    /// Takes the answer of a node. Returns whom it was asked for, if the answer is waited for.
    pub(super) fn answer(&self, from: NodeId, number: u64) -> Option<Vec<UserId>> {
        let mut state = lock(&self.state);
        if let Some(other) = state.nodes.get_mut(&from) {
            (other.is_mute, other.tries) = (false, 0);
        }
        let ask = state.asks.get_mut(&number)?;
        let index = ask.waits_for.iter().position(|node| *node == from)?;
        ask.waits_for.swap_remove(index);
        if ask.waits_for.is_empty() {
            state.asks.remove(&number).map(|ask| ask.users)
        } else {
            Some(ask.users.clone())
        }
    }

    /// Has those look who wait for answers.
    pub(super) fn tell_answered(&self) {
        self.has_answers.notify_waiters();
    }

    /// Returns the number of the newest question that is not answered; `None` where all are.
    pub(super) fn newest(&self) -> Option<u64> {
        lock(&self.state).asks.keys().next_back().copied()
    }

    /// Waits until all that was asked up to `number` is answered by whoever answers, or it is late.
    ///
    /// # Cancel safety
    /// Safe.
    pub(super) async fn answered(&self, number: u64) {
        let all = async {
            loop {
                let notified = self.has_answers.notified();
                tokio::pin!(notified);
                // From here on, so that no answer comes between.
                notified.as_mut().enable();
                if self.is_answered(number) {
                    return;
                }
                notified.await;
            }
        };
        // Who has not answered by then is told of as a change, once it has.
        drop(timeout(self.beat * BEATS_OF_TRUST, all).await);
    }

    fn is_answered(&self, number: u64) -> bool {
        let state = lock(&self.state);
        let is_mute = |node| state.nodes.get(node).is_none_or(|other| other.is_mute || other.gone.is_some());
        state.asks.range(..=number).all(|(_, ask)| ask.waits_for.iter().all(is_mute))
    }
}

impl Other {
    /// One that has just been met: it may be there for long, and be heard of late.
    fn new() -> Self {
        Self {
            heard_at: Instant::now(),
            gone: None,
            is_behind: true,
            is_mute: false,
            is_forgotten: false,
            tries: 0,
            asked_at: None,
        }
    }
}

impl Other {
    /// Whether it is to be asked for everybody now. One that never answers, as one of an older version, is
    /// asked less and less often.
    fn is_due(&self, patience: Duration) -> bool {
        let pause = patience * (1 << self.tries.min(TRIES)) / 2;
        let has_rested = self.tries == 0 || self.asked_at.is_none_or(|at| at.elapsed() > pause);
        self.is_behind && !self.is_forgotten && self.gone.is_none() && has_rested
    }
}

impl State {
    /// Returns what is known of a node; `None` for one more than may be known.
    fn admit_node(&mut self, node: NodeId) -> Option<&mut Other> {
        let is_full = self.nodes.len() >= CLUSTER_NODES && !self.nodes.contains_key(&node);
        (!is_full).then(|| self.nodes.entry(node).or_insert_with(Other::new))
    }

    fn ask(&mut self, of: Vec<NodeId>, users: Vec<UserId>, is_all: bool) -> WatchPeople {
        self.number += 1;
        let ask = Ask { users: users.clone(), waits_for: of, since: Instant::now() };
        self.asks.insert(self.number, ask);
        WatchPeople { number: self.number, is_all, users }
    }
}
