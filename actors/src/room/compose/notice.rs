//! A notice in an inbox: an event of type `message`, so that it is delivered, resumed, counted and read
//! like any.

use super::{Composed, Composition, EventsOf, Place, no_such_room, sent};
use crate::naming::notice_id;
use crate::room::live::Live;
use rookery_engine::store::{Notice, NoticeKind, Receipt};
use rookery_protocol::{BodyKind, EventBody, MessageBody, Meta, RoomId, WireError};

pub(super) fn notice(room: RoomId, live: &Live, notice: Notice, place: Place) -> Result<Composed, WireError> {
    if live.record.is_none() {
        return Err(no_such_room(room));
    }
    let client_id = notice_id(&notice);
    if let Some(receipt) = live.remembered.get(notice.by, client_id) {
        return Ok(Composed::Done(sent(receipt, true)));
    }
    let mut events = EventsOf { room, by: notice.by, place, events: Vec::new() };
    let seq = events.push(EventBody::Message(body(&notice)), Some(client_id), None);
    let answer = sent(Receipt { seq, ord: events.place.ord, at: place.at }, false);
    let (events, projections) = (events.events, Vec::new());
    Ok(Composed::Events(Composition { events, projections, answer, changes_rights: false }))
}

/// Says what happened and where. It holds nothing of what was said there, since that may be deleted.
fn body(notice: &Notice) -> MessageBody {
    let (kind, text) = match notice.kind {
        NoticeKind::Added => ("x.notice.added", "You were added to a room."),
        NoticeKind::Removed => ("x.notice.removed", "You were removed from a room."),
        NoticeKind::Mention => ("x.notice.mention", "You were mentioned."),
    };
    let kind: BodyKind = kind.parse().expect("the kinds of notices are kinds of one's own");
    let meta: Meta = format!(r#"{{"room":"{}","seq":{}}}"#, notice.room, notice.seq)
        .parse()
        .expect("an id and a position make an object");
    MessageBody { kind, meta: Some(meta), ..MessageBody::text(text) }
}
