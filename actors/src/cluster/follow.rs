//! Which nodes hear of which rooms: at a room's home, and at those that follow it.

use rookery_engine::bus::NodeId;
use rookery_engine::limits::{BEATS_OF_FOLLOWING, FOLLOWED_ROOMS};
use rookery_protocol::{RoomId, Seq};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// At a home: who follows its rooms.
#[derive(Debug, Default)]
pub(super) struct Followers {
    rooms: HashMap<RoomId, Followed>,
    /// Rooms whose head has moved since the last beacon.
    moved: HashSet<RoomId>,
}

#[derive(Debug, Default)]
struct Followed {
    by: Vec<(NodeId, Instant)>,
    /// The newest position that followers were told of; 0 for none.
    head: Seq,
}

impl Followers {
    /// Notes that a node follows a room, now. Returns the newest head that followers were told of, or
    /// `None` where it is not noted: the rooms are too many.
    pub(super) fn follow(&mut self, room: RoomId, by: NodeId) -> Option<Seq> {
        if self.rooms.len() >= FOLLOWED_ROOMS && !self.rooms.contains_key(&room) {
            return None;
        }
        let (followed, now) = (self.rooms.entry(room).or_default(), Instant::now());
        match followed.by.iter_mut().find(|(node, _)| *node == by) {
            Some((_, since)) => *since = now,
            None => followed.by.push((by, now)),
        }
        Some(followed.head)
    }

    pub(super) fn unfollow(&mut self, room: RoomId, by: NodeId) {
        if let Some(followed) = self.rooms.get_mut(&room) {
            followed.by.retain(|(node, _)| *node != by);
            if followed.by.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    pub(super) fn of(&self, room: RoomId) -> Vec<NodeId> {
        self.rooms
            .get(&room)
            .map(|followed| followed.by.iter().map(|(node, _)| *node).collect())
            .unwrap_or_default()
    }

    /// Notes that followers were told of a head.
    pub(super) fn moved(&mut self, room: RoomId, head: Seq) {
        if let Some(followed) = self.rooms.get_mut(&room).filter(|followed| followed.head < head) {
            followed.head = head;
            self.moved.insert(room);
        }
    }

    /// Takes what followers are to be told of heads that have moved.
    pub(super) fn beacons(&mut self) -> BTreeMap<NodeId, Vec<(RoomId, Seq)>> {
        let mut beacons: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for room in std::mem::take(&mut self.moved) {
            if let Some(followed) = self.rooms.get(&room) {
                for (node, _) in &followed.by {
                    beacons.entry(*node).or_default().push((room, followed.head));
                }
            }
        }
        beacons
    }

    /// Forgets those who have not said again that they follow.
    pub(super) fn expire(&mut self, beat: Duration) {
        let lease = beat * BEATS_OF_FOLLOWING;
        self.rooms.retain(|_, followed| {
            followed.by.retain(|(_, since)| since.elapsed() < lease);
            !followed.by.is_empty()
        });
    }

    pub(super) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.keys().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }
}

/// At a follower: which homes know that it follows.
#[derive(Debug, Default)]
pub(super) struct Following {
    rooms: HashMap<RoomId, Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    home: NodeId,
    confirmed_at: Option<Instant>,
}

impl Following {
    /// Notes that a room is followed at `home`. Returns whether it was not.
    pub(super) fn is_news(&mut self, room: RoomId, home: NodeId) -> bool {
        let is_known = self.rooms.get(&room).is_some_and(|known| known.home == home);
        if !is_known {
            self.rooms.insert(room, Known { home, confirmed_at: None });
        }
        !is_known
    }

    /// A home has said that it knows. Returns whether it had not.
    pub(super) fn confirm(&mut self, room: RoomId, home: NodeId, beat: Duration) -> bool {
        let Some(known) = self.rooms.get_mut(&room).filter(|known| known.home == home) else { return false };
        let was_confirmed = known.is_confirmed(beat);
        known.confirmed_at = Some(Instant::now());
        !was_confirmed
    }

    /// Whether `home` knows, as of a moment ago.
    pub(super) fn is_confirmed(&self, room: RoomId, home: NodeId, beat: Duration) -> bool {
        self.rooms.get(&room).is_some_and(|known| known.home == home && known.is_confirmed(beat))
    }

    /// Takes over which rooms are followed where. Returns those that are not any more, by their home.
    pub(super) fn now(&mut self, rooms: &HashMap<RoomId, NodeId>) -> BTreeMap<NodeId, Vec<RoomId>> {
        let mut gone: BTreeMap<_, Vec<_>> = BTreeMap::new();
        self.rooms.retain(|room, known| {
            let stays = rooms.get(room) == Some(&known.home);
            if !stays {
                gone.entry(known.home).or_default().push(*room);
            }
            stays
        });
        for (room, home) in rooms {
            self.rooms.entry(*room).or_insert(Known { home: *home, confirmed_at: None });
        }
        gone
    }
}

impl Known {
    fn is_confirmed(&self, beat: Duration) -> bool {
        self.confirmed_at.is_some_and(|at| at.elapsed() < beat * BEATS_OF_FOLLOWING)
    }
}
