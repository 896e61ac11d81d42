//! One user as presence knows it: what its connections say of it, here and on other nodes, and what that
//! makes of the user.
//! Policy over plain values; no locks, no clock.

use super::watcher::Watcher;
use super::word::Whereabouts;
use rookery_engine::ConnectionId;
use rookery_engine::bus::NodeId;
use rookery_protocol::{Presence, PresenceState, Seen, SessionId, Timestamp, UserId};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes that the entry of one user in an event has at most, its status aside, in JSON.
const ENTRY_BYTES: usize = 112;

/// The place of what a connection says that has said nothing yet: before everything that is said.
const NEVER: u64 = 0;

/// How a user is shown to those who watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) state: Seen,
    pub(super) last_seen: Option<Timestamp>,
    pub(super) status: Option<Arc<str>>,
}

impl Shown {
    /// As somebody of whom nothing is known, or may be.
    pub(super) const NOWHERE: Self = Self { state: Seen::Offline, last_seen: None, status: None };

    /// Returns what is said of `user` on the wire.
    pub(super) fn of(&self, user: UserId) -> Presence {
        let status = self.status.as_deref().map(str::to_owned);
        Presence { user, state: self.state, last_seen: self.last_seen, status }
    }

    /// Returns how many bytes that has at most. A status has no control characters, so escaping it
    /// at most doubles it.
    pub(super) fn bytes(&self) -> usize {
        ENTRY_BYTES + self.status.as_ref().map_or(0, |status| 2 * status.len())
    }
}

/// What one connection says of its user.
#[derive(Clone, Debug)]
pub(super) struct Says {
    pub(super) state: PresenceState,
    pub(super) status: Option<Arc<str>>,
    /// Of two statuses the one said later counts.
    pub(super) order: u64,
}

/// One connection of a user.
#[derive(Debug)]
struct Device {
    connection: ConnectionId,
    session: SessionId,
    says: Says,
    link: Link,
}

/// Whether a connection still is one.
#[derive(Debug)]
enum Link {
    /// It is, and this is what it watches with.
    Here(Arc<Watcher>),
    /// It went then, and may come back within the grace; until that is over it counts.
    Lingering(Timestamp),
}

/// A user who has connections, or who is watched, or who hides on another node.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any of them goes with any")]
pub(super) struct Person {
    devices: Vec<Device>,
    /// What its connections to other nodes come to: of all nodes where others were asked for it, and
    /// always of those where it hides.
    elsewhere: Vec<(NodeId, Whereabouts)>,
    pub(super) watchers: HashMap<ConnectionId, Arc<Watcher>>,
    /// The other nodes that watch it.
    pub(super) watched_by: Vec<NodeId>,
    /// The other nodes are asked for it.
    pub(super) is_asked: bool,
    /// The other nodes that have to be told of it were not yet.
    pub(super) has_news: bool,
    /// All nodes were told that it hides here.
    pub(super) is_told_to_hide: bool,
    last_seen: Option<Timestamp>,
    /// `last_seen` has moved since it was given to the store.
    has_moved: bool,
    /// Waits to be looked at in the next sweep.
    pub(super) is_pending: bool,
    /// The sweep after which it began to be shown online.
    online_since: u64,
}

impl Person {
    /// Returns a user without connections, whom nobody watches.
    pub(super) fn new(last_seen: Option<Timestamp>) -> Self {
        Self {
            devices: Vec::new(),
            elsewhere: Vec::new(),
            watchers: HashMap::new(),
            watched_by: Vec::new(),
            is_asked: false,
            has_news: false,
            is_told_to_hide: false,
            last_seen,
            has_moved: false,
            is_pending: false,
            online_since: 0,
        }
    }

    /// Returns how it is there by its connections here.
    fn state(&self) -> Option<PresenceState> {
        most_present(self.devices.iter().map(|device| device.says.state))
    }

    /// Returns how it is seen. One connection that says it is invisible hides all the others; else
    /// the most present one counts.
    pub(super) fn seen(&self) -> Seen {
        let elsewhere = self.elsewhere.iter().filter_map(|(_, is)| is.state);
        seen(most_present(self.state().into_iter().chain(elsewhere)))
    }

    /// Returns how it is seen by its connections here, unless one elsewhere hides it.
    pub(super) fn seen_here(&self) -> Seen {
        if self.elsewhere.iter().any(|(_, is)| is.hides()) { Seen::Offline } else { seen(self.state()) }
    }

    /// Returns whether a connection here hides it.
    pub(super) fn hides(&self) -> bool {
        self.state() == Some(PresenceState::Invisible)
    }

    /// Returns how it is shown: with the status that was said last, if it is there, and with when it
    /// was online last, if it is not.
    pub(super) fn shown(&self) -> Shown {
        let state = self.seen();
        let says = self.devices.iter().map(|device| &device.says);
        let here = says.filter_map(|says| Some((says.order, says.status.as_deref()?)));
        let elsewhere = self.elsewhere.iter().filter_map(|(_, is)| is.status.as_ref());
        let elsewhere = elsewhere.map(|(order, status)| (*order, status.as_str()));
        let latest = here.chain(elsewhere).max();
        Shown {
            state,
            last_seen: self.last_seen.filter(|_| state != Seen::Online),
            status: latest.filter(|_| state != Seen::Offline).map(|(_, status)| status.into()),
        }
    }

    /// Returns what other nodes are told of it.
    pub(super) fn whereabouts(&self) -> Whereabouts {
        let says = self.devices.iter().map(|device| &device.says);
        let status = says.filter_map(|says| Some((says.order, says.status.as_deref()?.to_owned()))).max();
        let leaves = |device: &Device| {
            matches!(device.link, Link::Lingering(_)) && device.says.state == PresenceState::Invisible
        };
        let left = self.devices.iter().filter(|device| leaves(device)).map(|device| device.session);
        Whereabouts { state: self.state(), last_seen: self.last_seen, status, left: left.collect() }
    }

    /// Returns whether it has a connection, be it one that lingers.
    pub(super) fn is_here(&self) -> bool {
        !self.devices.is_empty()
    }

    /// Returns whether there is nothing left to know of it.
    pub(super) fn is_idle(&self) -> bool {
        let is_known = !self.devices.is_empty() || !self.elsewhere.is_empty();
        let is_watched = self.is_asked || !self.watchers.is_empty() || !self.watched_by.is_empty();
        !is_known && !is_watched && !self.has_news
    }

    /// A connection of a login begins. Where one of the same login lingers it takes the newest
    /// one's place, with what that said; else it says that the user is online, or that it is invisible
    /// where that is what one of the same login said that went elsewhere.
    pub(super) fn arrive(&mut self, watcher: &Arc<Watcher>, session: SessionId) {
        let (connection, link) = (watcher.id(), Link::Here(Arc::clone(watcher)));
        let lingers =
            |device: &&mut Device| device.session == session && matches!(device.link, Link::Lingering(_));
        if let Some(device) = self.devices.iter_mut().filter(lingers).max_by_key(|device| device.connection) {
            (device.connection, device.link) = (connection, link);
        } else {
            let was_hidden = self.elsewhere.iter().any(|(_, is)| is.left.contains(&session));
            let state = if was_hidden { PresenceState::Invisible } else { PresenceState::Online };
            let says = Says { state, status: None, order: NEVER };
            // Most people have one connection; a vector makes room for four at once.
            self.devices.reserve_exact(1);
            self.devices.push(Device { connection, session, says, link });
        }
    }

    /// A connection says how its user is there.
    pub(super) fn say(&mut self, connection: ConnectionId, says: Says) {
        if let Some(device) = self.devices.iter_mut().find(|device| device.connection == connection) {
            device.says = says;
        }
    }

    /// A connection went at `at`, and may come back.
    pub(super) fn linger(&mut self, connection: ConnectionId, at: Timestamp) {
        if let Some(device) = self.devices.iter_mut().find(|device| device.connection == connection) {
            device.link = Link::Lingering(at);
        }
    }

    /// A connection has gone for good. Returns when it went, if it lingered.
    pub(super) fn forget(&mut self, connection: ConnectionId) -> Option<Timestamp> {
        let index = self.devices.iter().position(|device| device.connection == connection)?;
        match self.devices.swap_remove(index).link {
            Link::Lingering(at) => Some(at),
            Link::Here(_) => None,
        }
    }

    /// Another node says how it is there. A connection here that has said nothing yet takes over that one
    /// of its login was invisible there.
    pub(super) fn hear(&mut self, from: NodeId, is: &Whereabouts) {
        self.learn(is.last_seen);
        for device in &mut self.devices {
            if device.says.order == NEVER && is.left.contains(&device.session) {
                device.says.state = PresenceState::Invisible;
            }
        }
        self.elsewhere.retain(|(node, _)| *node != from);
        if is.hides() || (self.is_asked && is.state.is_some()) {
            self.elsewhere.push((from, is.clone()));
        }
    }

    /// Nothing is known any more of how it is on another node.
    pub(super) fn forget_at(&mut self, node: NodeId) {
        self.elsewhere.retain(|(at, _)| *at != node);
    }

    /// Returns whether anything is known of how it is on another node.
    pub(super) fn is_at(&self, node: NodeId) -> bool {
        self.elsewhere.iter().any(|(at, _)| *at == node)
    }

    /// The others are asked for it no more: that it hides there is known all the same.
    pub(super) fn ask_no_more(&mut self) {
        self.is_asked = false;
        self.elsewhere.retain(|(_, is)| is.hides());
    }

    /// It was online at `at` for the last time where nobody can say so any more.
    pub(super) fn was_last_seen(&mut self, at: Timestamp) {
        if self.last_seen < Some(at) {
            (self.last_seen, self.has_moved) = (Some(at), true);
        }
    }

    /// Returns its connections, in the order in which they go: first those that linger, by when they
    /// went.
    pub(super) fn connections(&self) -> Vec<ConnectionId> {
        let mut connections: Vec<_> = self
            .devices
            .iter()
            .map(|device| match device.link {
                Link::Lingering(at) => (at, device.connection),
                Link::Here(_) => (Timestamp(i64::MAX), device.connection),
            })
            .collect();
        connections.sort_unstable();
        connections.into_iter().map(|(_, connection)| connection).collect()
    }

    /// Returns what its connections watch with.
    pub(super) fn own_watchers(&self) -> Vec<Arc<Watcher>> {
        let watcher = |device: &Device| match &device.link {
            Link::Here(watcher) => Some(Arc::clone(watcher)),
            Link::Lingering(_) => None,
        };
        self.devices.iter().filter_map(watcher).collect()
    }

    /// Takes note of a change at `at`, after sweep `tick`, of one that was seen here as `before`.
    ///
    /// Whoever was online here and is no more was last seen then, if nowhere else later: each node knows when
    /// that was of its own connections, and the latest moment counts. Becoming invisible does not show unless
    /// being online did: somebody who connects to be invisible leaves no trace.
    pub(super) fn changed(&mut self, before: Seen, at: Timestamp, tick: u64) {
        let now = self.seen_here();
        if before == Seen::Online && now != Seen::Online {
            let has_hidden = now == Seen::Offline && self.is_here();
            if !has_hidden || tick > self.online_since {
                self.has_moved = true;
                self.learn(Some(at));
            }
        } else if before != Seen::Online && now == Seen::Online {
            self.online_since = tick;
        }
    }

    /// Learns of a moment at which it was there; the latest one counts.
    pub(super) fn learn(&mut self, last_seen: Option<Timestamp>) {
        self.last_seen = self.last_seen.max(last_seen);
    }

    /// Returns when it was last seen, once it has gone and the store does not know that yet.
    pub(super) fn take_unsaved(&mut self) -> Option<Timestamp> {
        let is_due = !self.is_here() && std::mem::take(&mut self.has_moved);
        self.last_seen.filter(|_| is_due)
    }
}

/// Returns what several connections say together.
fn most_present(states: impl Iterator<Item = PresenceState>) -> Option<PresenceState> {
    states.max_by_key(|state| match state {
        PresenceState::Invisible => 2,
        PresenceState::Online => 1,
        PresenceState::Away => 0,
    })
}

/// Returns how whoever is there in this way is seen.
const fn seen(state: Option<PresenceState>) -> Seen {
    match state {
        Some(PresenceState::Online) => Seen::Online,
        Some(PresenceState::Away) => Seen::Away,
        Some(PresenceState::Invisible) | None => Seen::Offline,
    }
}
