//! A room that is made: what describes it, and its founders.

use super::{Composed, Composition, EventsOf, Place, no_such_room};
use crate::room::draft::Creation;
use crate::room::live::Live;
use rookery_engine::store::{Membership, NoticeKind, Projection, RoomRecord};
use rookery_protocol::{
    Change, EventBody, MemberChange, ReplyBody, RoomChange, RoomId, RoomKind, UserId, WireError,
};

pub(super) fn create(
    room: RoomId,
    live: &Live,
    by: UserId,
    creation: &Creation,
    place: Place,
) -> Result<Composed, WireError> {
    if live.record.is_some() {
        return if live.members.contains_key(&by) {
            Ok(Composed::Done(ReplyBody::Empty {}))
        } else {
            Err(no_such_room(room))
        };
    }
    let record = RoomRecord {
        room,
        kind: creation.kind,
        title: creation.title.clone(),
        about: None,
        avatar: None,
        created_at: place.at,
        members: creation.founders.len() as u64,
        rev: place.seq.next(),
    };
    let described = EventBody::Room(RoomChange {
        kind: Some(creation.kind),
        title: creation.title.clone(),
        ..RoomChange::default()
    });
    let mut events = EventsOf { room, by, place, events: Vec::new() };
    events.push(described, creation.client_id, None);
    // Founders are there from the first event on, which describes the room.
    let first = place.seq.next();
    let mut projections = vec![Projection::Room(record)];
    for (user, role) in &creation.founders {
        let change = MemberChange { user: *user, change: Change::Added, role: Some(*role) };
        let rev = events.push(EventBody::Member(change), None, None);
        projections.push(Projection::Member(Membership {
            room,
            user: *user,
            role: Some(*role),
            joined: first,
            joined_ord: place.ord,
            rev,
        }));
        if matches!(creation.kind, RoomKind::Group | RoomKind::Channel) {
            projections.extend(events.notice(*user, rev, NoticeKind::Added));
        }
    }
    Ok(Composed::Events(Composition {
        events: events.events,
        projections,
        answer: ReplyBody::Empty {},
        changes_rights: true,
    }))
}
