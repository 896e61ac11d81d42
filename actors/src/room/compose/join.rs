//! Somebody who comes in by an invite.

use super::{Composed, Composition, EventsOf, Place};
use crate::request::no_such_invite;
use crate::room::live::Live;
use crate::room::policy;
use rookery_engine::store::{Membership, Projection, RoomRecord};
use rookery_protocol::{Change, EventBody, MemberChange, ReplyBody, RoomId, UserId, WireError};

pub(super) fn join(room: RoomId, live: &Live, by: UserId, place: Place) -> Result<Composed, WireError> {
    // A room that everybody has left is nobody's to come back to.
    let record = live.record.as_ref().filter(|_| !live.members.is_empty()).ok_or_else(no_such_invite)?;
    if live.members.contains_key(&by) {
        return Ok(Composed::Done(ReplyBody::Empty {}));
    }
    let role = policy::joins_as(record.kind).ok_or_else(no_such_invite)?;
    let members = record.members + 1;
    policy::may_have(members)?;
    let mut events = EventsOf { room, by, place, events: Vec::new() };
    let change = MemberChange { user: by, change: Change::Added, role: Some(role) };
    let seq = events.push(EventBody::Member(change), None, None);
    let membership =
        Membership { room, user: by, role: Some(role), joined: seq, joined_ord: place.ord, rev: seq };
    let record = RoomRecord { members, rev: seq, ..record.clone() };
    Ok(Composed::Events(Composition {
        events: events.events,
        projections: vec![Projection::Member(membership), Projection::Room(record)],
        answer: ReplyBody::Empty {},
        changes_rights: true,
    }))
}
