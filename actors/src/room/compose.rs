//! From a draft to events: rights are checked here, at the same position as the append.

mod change;
mod create;
mod join;
mod members;
mod moderate;
mod notice;
mod send;

pub(crate) use moderate::SERVER;

use super::draft::{Action, Draft, Known};
use super::live::Live;
use super::policy;
use rookery_engine::store::{Membership, Notice, NoticeKind, Projection, Receipt, RoomRecord};
use rookery_protocol::{
    ClientId, ErrorCode, Event, EventBody, ReplyBody, Role, RoomId, Sent, Seq, Timestamp, UserId, WireError,
};

/// Where the next event goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The position before it.
    pub(super) seq: Seq,
    /// Messages before it.
    pub(super) ord: u64,
    /// When the batch is ordered.
    pub(super) at: Timestamp,
}

/// What a draft comes to.
#[derive(Debug)]
pub(super) enum Composed {
    /// Events to append, and the answer once they are.
    Events(Composition),
    /// Nothing is left to do.
    Done(ReplyBody),
}

/// The events of one draft.
#[derive(Debug)]
pub(super) struct Composition {
    /// At least one.
    pub(super) events: Vec<Event>,
    /// What they imply.
    pub(super) projections: Vec<Projection>,
    /// What its sender is told once they are durable.
    pub(super) answer: ReplyBody,
    /// Whether later drafts must wait until this one is durable, since it changes what they may do.
    pub(super) changes_rights: bool,
}

/// Composes `draft` at `place`, where `known` answers its question.
///
/// # Errors
/// What its sender is told when it is not to happen.
pub(super) fn compose(
    room: RoomId,
    live: &Live,
    draft: &Draft,
    known: Option<&Known>,
    place: Place,
) -> Result<Composed, WireError> {
    if let Some(Known::Addable { missing: Some(missing), .. }) = known {
        return Err(WireError::new(ErrorCode::NotFound, format!("there is no user {missing}")));
    }
    let blocked = match known {
        Some(Known::Addable { blocked, .. }) => &blocked[..],
        _ => &[],
    };
    let composer = || Composer::new(room, live, draft.by, place);
    match &draft.action {
        Action::Create(creation) => {
            if live.record.is_none() {
                policy::may_bring_in(blocked)?;
            }
            create::create(room, live, draft.by, creation, place)
        }
        Action::Join => join::join(room, live, draft.by, place),
        Action::Send(send) => composer()?.send(send, known),
        Action::Update(update) => composer()?.update(update),
        Action::Add { users, role } => composer()?.add(users, *role, blocked),
        Action::Remove(user) => composer()?.remove(*user),
        Action::SetRole { user, role } => composer()?.set_role(*user, *role),
        Action::Edit(edit) => composer()?.edit(edit, known),
        Action::Delete(delete) => composer()?.delete(delete, known),
        Action::React(set) => composer()?.react(set, known),
        Action::Pin(set) => composer()?.pin(set, known),
        Action::Moderate(moderation) => moderate::moderate(room, live, moderation, (known, place)),
        Action::Notice(notice) => notice::notice(room, live, *notice, place),
        Action::Settle => Ok(Composed::Done(ReplyBody::Empty {})),
    }
}

/// What somebody who is not a member is told of a room, whether it exists or not.
pub(crate) fn no_such_room(room: RoomId) -> WireError {
    WireError::new(ErrorCode::NotFound, format!("there is no room {room} for you"))
}

/// The answer to a message that is in the log at `receipt`.
pub(super) fn sent(receipt: Receipt, duplicate: bool) -> ReplyBody {
    ReplyBody::Sent(Sent { seq: receipt.seq, ord: receipt.ord, at: receipt.at, duplicate })
}

/// One draft of a member of a room that exists.
struct Composer<'a> {
    live: &'a Live,
    record: &'a RoomRecord,
    member: &'a Membership,
    role: Role,
    events: EventsOf,
}

impl<'a> Composer<'a> {
    fn new(room: RoomId, live: &'a Live, by: UserId, place: Place) -> Result<Self, WireError> {
        let record = live.record.as_ref().ok_or_else(|| no_such_room(room))?;
        let member = live.members.get(&by).ok_or_else(|| no_such_room(room))?;
        let role = member.role.ok_or_else(|| no_such_room(room))?;
        let events = EventsOf { room, by, place, events: Vec::new() };
        Ok(Self { live, record, member, role, events })
    }

    /// Whether the member may write now, in whatever way: a message, an edit, a reaction, a call.
    fn may_write(&self) -> Result<(), WireError> {
        policy::may_send(self.record.kind, self.role)?;
        policy::may_reach(self.record.kind, self.live.blocked)
    }

    fn composed(self, projections: Vec<Projection>, answer: ReplyBody, changes_rights: bool) -> Composed {
        Composed::Events(Composition { events: self.events.events, projections, answer, changes_rights })
    }
}

/// Numbers the events of one draft.
struct EventsOf {
    room: RoomId,
    by: UserId,
    place: Place,
    events: Vec<Event>,
}

impl EventsOf {
    /// What `user` finds in its inbox of the event at `seq`; nothing of what it did itself.
    fn notice(&self, user: UserId, seq: Seq, kind: NoticeKind) -> Option<Projection> {
        let Self { room, by, place: Place { at, .. }, .. } = *self;
        (user != by).then_some(Projection::Notice(Notice { user, room, seq, kind, by, at }))
    }

    /// Numbers a change of the message at `target`.
    fn push_change(&mut self, body: EventBody, client_id: ClientId, target: Seq) -> Seq {
        let seq = self.push(body, Some(client_id), None);
        if let Some(event) = self.events.last_mut() {
            event.target = Some(target);
        }
        seq
    }

    fn push(&mut self, body: EventBody, client_id: Option<ClientId>, reply_to: Option<Seq>) -> Seq {
        self.place.seq = self.place.seq.next();
        self.place.ord += u64::from(matches!(body, EventBody::Message(_)));
        let Place { seq, ord, at } = self.place;
        let event =
            Event { room: self.room, seq, ord, at, by: self.by, client_id, target: None, reply_to, body };
        self.events.push(event);
        seq
    }
}
