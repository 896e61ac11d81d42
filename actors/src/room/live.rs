//! What an active room knows of itself: its head, its description, its members, its newest events.
//!
//! It changes only by events that are durable: [`Live::apply`] is the one place.

use super::remembered::Remembered;
use super::ring::Ring;
use crate::node::Node;
use rookery_engine::limits::ACTIVATION_EVENTS;
use rookery_engine::store::{Activation, Membership, Projection, Range, RoomRecord, Store, StoreError};
use rookery_protocol::{
    Event, EventBody, Frame, Head, Mention, ReadMarked, Role, RoomId, RoomKind, Seq, UserId,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Members read in one go when a room is activated: below 1 MiB and some 3 ms of one reader, and 10 of
/// the store's turns for the largest room.
const MEMBERS_AT_ONCE: usize = 10_000;

/// The state of one room. A room that does not exist has head 0 and no record.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) head: Head,
    pub(super) record: Option<RoomRecord>,
    /// A map that is made of 100,000 members in their order in a few milliseconds, without a hash of each.
    pub(super) members: BTreeMap<UserId, Membership>,
    pub(super) ring: Ring,
    pub(super) remembered: Remembered,
    /// Whether the two users of a direct room have a block between them. Not in the log: whoever changes
    /// it tells the room to read itself again.
    pub(super) blocked: bool,
}

impl Live {
    /// Takes over one durable event and what it implies, and returns the event's frame.
    pub(super) fn apply(&mut self, event: Event, projections: &[Projection]) -> Frame {
        self.head = Head { seq: event.seq, ord: event.ord, at: event.at };
        self.remembered.note(&event);
        for projection in projections {
            match projection {
                Projection::Room(record) => self.record = Some(record.clone()),
                Projection::Member(member) if member.role.is_some() => {
                    self.members.insert(member.user, *member);
                }
                Projection::Member(member) => {
                    self.members.remove(&member.user);
                }
                Projection::Deleted { target, .. } => self.ring.empty(*target),
                // What is kept for reading only.
                _ => {}
            }
        }
        self.ring.push(event)
    }

    /// Returns how far `user` has read now, where `read` is how it was when the head was `then`. Its own
    /// messages are read by it, with all before them.
    pub(super) fn since(&self, then: Head, user: UserId, mut read: ReadMarked) -> ReadMarked {
        let from = then.seq.next();
        if self.ring.first().is_none_or(|first| first > from) {
            // Too long ago to know whose they are.
            read.unread += self.head.ord.saturating_sub(then.ord);
            return read;
        }
        for event in self.ring.from(from).filter_map(Frame::as_event) {
            if event.body.kind() != "message" {
                continue;
            }
            if event.by == user {
                read = ReadMarked { read: event.seq, unread: 0, mentions: 0 };
                continue;
            }
            read.unread += 1;
            if let EventBody::Message(body) = &event.body {
                let is_meant = |mention: &Mention| [Mention::All, Mention::User(user)].contains(mention);
                read.mentions += u64::from(body.mentions.iter().any(is_meant));
            }
        }
        read
    }

    /// Returns how many owners the room has.
    pub(super) fn owners(&self) -> usize {
        self.members.values().filter(|member| member.role == Some(Role::Owner)).count()
    }
}

/// What was read of a room, and the events that its listeners have not heard.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(super) live: Live,
    /// Everything after the position asked for, or `None` when that is too much to catch up with.
    pub(super) missed: Option<Vec<Event>>,
}

/// Reads a room as it is now. `told` is the last position its listeners were told of, if any are
/// there.
pub(super) async fn load(store: &dyn Store, room: RoomId, told: Option<Seq>) -> Result<Loaded, StoreError> {
    let Some(activation) = store.activation(room, MEMBERS_AT_ONCE, ACTIVATION_EVENTS).await? else {
        return Ok(Loaded { live: Live::default(), missed: Some(Vec::new()) });
    };
    let Activation { head, record, members, events } = activation;
    let mut live = Live { head, record, ..Live::default() };
    // In a list first: a map is made of a whole one faster than of many pieces.
    let mut last = members.len();
    let mut members: Vec<_> = members.into_iter().map(|member| (member.user, member)).collect();
    while last == MEMBERS_AT_ONCE {
        let after = members.last().map(|(user, _)| *user);
        let page = store.members(room, after, MEMBERS_AT_ONCE).await?;
        last = page.len();
        members.extend(page.into_iter().map(|member| (member.user, member)));
    }
    live.members = members.into_iter().collect();
    live.blocked = is_blocked(store, &live).await?;
    for event in events {
        live.remembered.note(&event);
        live.ring.push(event);
    }
    let missed = match told {
        None => Some(Vec::new()),
        Some(told) => missed(store, room, told, head.seq).await?,
    };
    Ok(Loaded { live, missed })
}

/// Counts a first reading that began at `begun`.
pub(super) fn count_activation(node: &Node, begun: Duration, loaded: &Result<Loaded, StoreError>) {
    let rooms = &node.metrics().rooms;
    let result = match loaded {
        Ok(loaded) if loaded.live.record.is_some() => "ready",
        Ok(_) => "absent",
        Err(_) => "failed",
    };
    rooms.activations.of(result).increment(1);
    rooms.activation_seconds.record(node.clock().elapsed().saturating_sub(begun).as_secs_f64());
}

async fn is_blocked(store: &dyn Store, live: &Live) -> Result<bool, StoreError> {
    let is_direct = live.record.as_ref().is_some_and(|record| record.kind == RoomKind::Direct);
    let mut users = live.members.keys().copied();
    match (users.next(), users.next()) {
        (Some(one), Some(other)) if is_direct => Ok(!store.blocks_between(one, &[other]).await?.is_empty()),
        _ => Ok(false),
    }
}

async fn missed(
    store: &dyn Store,
    room: RoomId,
    told: Seq,
    head: Seq,
) -> Result<Option<Vec<Event>>, StoreError> {
    let missing = usize::try_from(head.0.saturating_sub(told.0)).unwrap_or(usize::MAX);
    if missing == 0 {
        return Ok(Some(Vec::new()));
    }
    if missing > rookery_protocol::limits::REPLAY {
        return Ok(None);
    }
    let mut events = store.read(room, Range::After(told), missing).await?;
    events.retain(|event| event.seq <= head);
    Ok(Some(events))
}
