//! What an operator asks a node: who else is there, and which rooms are heard here.

use super::Node;
use crate::cluster::Home;
use rookery_engine::Pace;
use rookery_engine::bus::{NodeId, Peer};
use rookery_protocol::{RoomId, Seq};
use serde::{Deserialize, Serialize};

/// The nodes, as one of them sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodesStanding {
    /// Whether the bus is there; while it is not, the nodes are those that were known last.
    pub is_connected: bool,
    /// All of them, ascending by name, then by id.
    pub nodes: Vec<NodeStanding>,
}

/// One node, as another one sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStanding {
    /// What it says of itself; some seconds old where it is another one.
    #[serde(flatten)]
    pub peer: Peer,
    /// How it is reached.
    pub link: LinkState,
}

/// How one node reaches another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It is the one that was asked.
    Itself,
    /// It is heard, hears us, and chooses the homes of rooms among the same nodes.
    Good,
    /// It is heard, but does not hear us or chooses otherwise: rooms at home there are ordered here meanwhile.
    Doubtful,
    /// Its lease holds, but nothing is heard of it.
    Silent,
}

/// The rooms that are heard on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomsStanding {
    /// Rooms that have an actor here.
    pub active: u64,
    /// Rooms that somebody hears here.
    pub heard: u64,
    /// Those with the most listeners first, as many as were asked for.
    pub rooms: Vec<RoomStanding>,
}

/// One room, as a node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomStanding {
    /// Which.
    pub room: RoomId,
    /// Whether it has an actor here.
    pub is_active: bool,
    /// Connections that hear it here.
    pub listeners: u64,
    /// The position up to which they were told; 0 where nobody was.
    pub told: Seq,
    /// The node that orders what is written in it, as this node would have it now.
    pub home: NodeId,
    /// That node's name.
    pub home_name: String,
    /// Whether `home` is this node only because the one that was chosen is not reached.
    pub is_stand_in: bool,
    /// The nodes that hear it from here.
    pub followers: Vec<NodeId>,
}

/// The rooms in which the most goes on, on one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HotRooms {
    /// Those with the most deliveries and events together first, as many as were asked for.
    pub rooms: Vec<HotRoom>,
}

/// What goes on in a room, a second, over the last minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HotRoom {
    /// Which.
    pub room: RoomId,
    /// Events told here.
    pub events_per_second: f64,
    /// The same, times the connections that each was queued to.
    pub deliveries_per_second: f64,
    /// Connections that hear it here now.
    pub listeners: u64,
}

impl Node {
    /// Returns the `limit` rooms in which the most goes on here. It looks at every room that is active or heard.
    pub fn hot_rooms(&self, limit: usize) -> HotRooms {
        let mut paces = self.hub.paces(self.clock().elapsed());
        let heat = |pace: &Pace| pace.events + pace.deliveries;
        paces.sort_unstable_by(|(room, one), (next, other)| {
            heat(other).total_cmp(&heat(one)).then(room.cmp(next))
        });
        let hot = |(room, pace): (RoomId, Pace)| HotRoom {
            room,
            events_per_second: pace.events,
            deliveries_per_second: pace.deliveries,
            listeners: u64::try_from(self.hub.listeners(room)).unwrap_or(u64::MAX),
        };
        HotRooms { rooms: paces.into_iter().take(limit).map(hot).collect() }
    }

    /// Returns who is there, as this node sees it.
    pub fn nodes(&self) -> NodesStanding {
        let peers = self.cluster.peers();
        let standing = |peer: &Peer| {
            let (mut peer, link) = (peer.clone(), self.cluster.link_state(peer.id));
            if link == LinkState::Itself {
                peer.connections = u64::try_from(self.connections.len()).unwrap_or(u64::MAX);
                peer.is_draining = self.is_draining();
            }
            NodeStanding { peer, link }
        };
        let mut nodes: Vec<_> = peers.nodes.iter().map(standing).collect();
        nodes.sort_by(|one, other| (&one.peer.name, one.peer.id).cmp(&(&other.peer.name, other.peer.id)));
        NodesStanding { is_connected: peers.is_connected, nodes }
    }

    /// Returns the `limit` rooms with the most listeners here. It looks at every room that is heard here: some
    /// milliseconds for 100,000 of them.
    pub fn rooms(&self, limit: usize) -> RoomsStanding {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut heard: Vec<_> =
            self.hub.heard_rooms().into_iter().map(|room| (self.hub.listeners(room), room)).collect();
        let (active, all) = (count(self.rooms.len()), count(heard.len()));
        heard.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        let rooms = heard.into_iter().take(limit).map(|(_, room)| self.room(room)).collect();
        RoomsStanding { active, heard: all, rooms }
    }

    /// Returns how a room stands here. Nobody is asked whether there is such a room.
    pub fn room(&self, room: RoomId) -> RoomStanding {
        let (home, is_stand_in) = match self.cluster.home_of(room) {
            Home::Here { .. } => (self.cluster.id(), self.cluster.is_stand_in(room)),
            Home::There { node, .. } => (node, false),
        };
        let peers = self.cluster.peers();
        let named = peers.nodes.iter().find(|peer| peer.id == home);
        let listeners = self.hub.listeners(room);
        RoomStanding {
            room,
            is_active: self.rooms.get(room).is_some(),
            listeners: u64::try_from(listeners).unwrap_or(u64::MAX),
            told: self.hub.told(room).unwrap_or(Seq::ZERO),
            home,
            home_name: named.map_or_else(|| self.name().to_owned(), |peer| peer.name.clone()),
            is_stand_in,
            followers: self.cluster.followers_of(room),
        }
    }
}
