//! The task that says that this node is there, what it follows, and which heads have moved.

use super::Cluster;
use super::said::{Beacon, Follow, Pulse, Unfollow};
use super::view::Home;
use crate::node::Node;
use rookery_engine::bus::{NodeId, Peer};
use rookery_engine::limits::{
    BEATS_BETWEEN_FOLLOWS, BEATS_BETWEEN_LOOKS, BEATS_BETWEEN_ROUNDS, ROOMS_PER_FRAME,
};
use rookery_protocol::RoomId;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Beats until the node is stopped; as long as there is no other node, it waits for one.
pub(super) async fn run(node: Arc<Node>) {
    let cluster = node.cluster();
    let mut peers = cluster.bus.peers();
    // Somebody may have come since the node was made.
    let known = Arc::clone(&peers.borrow_and_update());
    node.heard_peers(&known);
    let mut ticks = interval(cluster.beat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Also of a node without others: whoever comes finds out what it has.
    let mut rounds = interval(cluster.beat * u32::try_from(BEATS_BETWEEN_ROUNDS).unwrap_or(1));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut round, mut good, mut last) = (0_u64, Vec::new(), Instant::now());
    loop {
        let was_alone = cluster.is_alone();
        tokio::select! {
            () = node.tasks().stopped() => return,
            changed = peers.changed() => {
                if changed.is_err() {
                    return;
                }
                let peers = Arc::clone(&peers.borrow_and_update());
                node.heard_peers(&peers);
                continue;
            }
            _ = rounds.tick() => {
                cluster.announce(&node);
                continue;
            }
            _ = ticks.tick(), if !was_alone => {}
        }
        round += 1;
        let (is_connected, now_good) = cluster.change_view(|view| {
            view.look_around();
            (view.is_connected(), view.good())
        });
        if is_connected {
            last = Instant::now();
        } else {
            let away = last.elapsed().as_secs();
            cluster.metrics.cluster.away.increment(away);
            last += Duration::from_secs(away);
        }
        cluster.broadcast(&cluster.pulse());
        if good != now_good {
            good = now_good;
            node.homes_moved();
        }
        if round.is_multiple_of(BEATS_BETWEEN_LOOKS) {
            cluster.send_beacons();
        }
        if round.is_multiple_of(BEATS_BETWEEN_FOLLOWS) {
            cluster.say_what_is_followed(&node);
        }
        if round.is_multiple_of(BEATS_BETWEEN_LOOKS) {
            cluster.doubt_what_is_not_told(&node, round.is_multiple_of(BEATS_BETWEEN_ROUNDS));
        }
    }
}

impl Node {
    fn heard_peers(self: &Arc<Self>, peers: &rookery_engine::bus::Peers) {
        let cluster = self.cluster();
        let has_moved = cluster.change_view(|view| view.take(peers));
        // At once, so that nobody waits for a beat to be trusted.
        cluster.broadcast(&cluster.pulse());
        if has_moved {
            self.homes_moved();
            // Somebody may have gone before its courier came to it.
            self.wake_courier();
        }
    }
}

impl Cluster {
    pub(super) fn pulse(&self) -> Pulse {
        self.view().pulse(self.beats())
    }

    /// Says what this node is now, where that is another thing than was said before.
    pub(crate) fn announce(&self, node: &Node) {
        let said = self.bus.peers().borrow().nodes.iter().find(|peer| peer.id == self.bus.id()).cloned();
        if let Some(said) = said {
            let connections = u64::try_from(node.connections().len()).unwrap_or(u64::MAX);
            let me = Peer { connections, is_draining: node.is_draining(), ..said.clone() };
            if me != said {
                self.bus.announce(me);
            }
        }
    }

    /// Says to each home which of its rooms are heard here.
    pub(super) fn say_what_is_followed(&self, node: &Node) {
        let mut rooms = HashMap::new();
        {
            let view = self.view();
            for room in node.hub().heard_rooms() {
                if let Home::There { node, .. } = view.home_of(room) {
                    rooms.insert(room, node);
                }
            }
        }
        let gone = self.following().now(&rooms);
        for (home, rooms) in gone {
            for rooms in rooms.chunks(ROOMS_PER_FRAME) {
                self.send(home, &Unfollow { rooms: rooms.to_vec() });
            }
        }
        let mut by_home: BTreeMap<NodeId, Vec<RoomId>> = BTreeMap::new();
        for (room, home) in rooms {
            by_home.entry(home).or_default().push(room);
        }
        for (home, rooms) in by_home {
            for rooms in rooms.chunks(ROOMS_PER_FRAME) {
                self.send(home, &Follow { rooms: rooms.to_vec() });
            }
        }
    }

    fn send_beacons(&self) {
        let (beacons, followed) = {
            let mut followers = self.followers();
            followers.expire(self.beat);
            (followers.beacons(), followers.len())
        };
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and the rooms are bounded")]
        self.metrics.cluster.followed.set(followed as f64);
        for (to, heads) in beacons {
            for heads in heads.chunks(ROOMS_PER_FRAME) {
                self.send(to, &Beacon { heads: heads.to_vec() });
            }
        }
    }

    pub(super) fn followed_rooms(&self) -> Vec<RoomId> {
        self.followers().rooms().collect()
    }

    /// Has those rooms compared with the store of which nobody tells this node reliably; and those whose
    /// home is here where it is time for `all` of them.
    fn doubt_what_is_not_told(&self, node: &Node, all: bool) {
        let mut doubtful = Vec::new();
        {
            let (view, following) = (self.view(), self.following());
            if view.is_alone() {
                return;
            }
            let is_told = |room: &RoomId| match view.home_of(*room) {
                Home::Here { is_sure } => is_sure && !all,
                Home::There { node, .. } => following.is_confirmed(*room, node, self.beat),
            };
            doubtful.extend(node.hub().heard_rooms().into_iter().filter(|room| !is_told(room)));
        }
        {
            let (followed, view) = (self.followed_rooms(), self.view());
            let is_doubtful =
                |room: &RoomId| all || !matches!(view.home_of(*room), Home::Here { is_sure: true });
            doubtful.extend(followed.into_iter().filter(is_doubtful));
        }
        if !doubtful.is_empty() {
            self.doubt(doubtful);
        }
    }
}
