//! From a draft to events: rights are checked here, at the same position as the append.

use super::draft::{Action, Creation, Draft, Known};
use super::live::Live;
use super::policy;
use rookery_engine::limits::ROOM_MEMBERS;
use rookery_engine::store::{Membership, Projection, Receipt, RoomRecord};
use rookery_protocol::{
    Change, ClientId, ErrorCode, Event, EventBody, MemberChange, Mention, MessageSend, ReplyBody, Role,
    RoomChange, RoomId, RoomUpdate, Sent, Seq, Timestamp, UserId, WireError, Written,
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
    if let Some(Known::Missing(users)) = known
        && let Some(missing) = users.first()
    {
        return Err(WireError::new(ErrorCode::NotFound, format!("there is no user {missing}")));
    }
    let composer = || Composer::new(room, live, draft.by, place);
    match &draft.action {
        Action::Create(creation) => create(room, live, draft.by, creation, place),
        Action::Send(send) => composer()?.send(send, known),
        Action::Update(update) => composer()?.update(update),
        Action::Add { users, role } => composer()?.add(users, *role),
        Action::Remove(user) => composer()?.remove(*user),
        Action::SetRole { user, role } => composer()?.set_role(*user, *role),
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

fn create(
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
    }
    Ok(Composed::Events(Composition {
        events: events.events,
        projections,
        answer: ReplyBody::Empty {},
        changes_rights: true,
    }))
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

    fn send(mut self, send: &MessageSend, known: Option<&Known>) -> Result<Composed, WireError> {
        let remembered = self.live.remembered.get(self.events.by, send.client_id);
        if let Some(receipt) = remembered.or(match known {
            Some(Known::Written(receipt)) => *receipt,
            _ => None,
        }) {
            return Ok(Composed::Done(sent(receipt, true)));
        }
        policy::may_send(self.record.kind, self.role)?;
        let before = self.events.place.seq;
        if send.reply_to.is_some_and(|target| target > before || target < self.member.joined) {
            return Err(
                WireError::new(ErrorCode::Invalid, "no event of this room is there").field("reply_to")
            );
        }
        let by = self.events.by;
        let seq =
            self.events.push(EventBody::Message(send.body.clone()), Some(send.client_id), send.reply_to);
        let ord = self.events.place.ord;
        let mut projections = vec![Projection::Read { user: by, seq, ord }];
        projections.extend(self.mentions(send, seq));
        let answer = sent(Receipt { seq, ord, at: self.events.place.at }, false);
        Ok(self.composed(projections, answer, false))
    }

    fn mentions(&self, send: &MessageSend, seq: Seq) -> Vec<Projection> {
        if send.body.mentions.contains(&Mention::All) {
            return vec![Projection::Mention { user: None, seq }];
        }
        let mut users: Vec<_> = send
            .body
            .mentions
            .iter()
            .filter_map(|mention| match mention {
                Mention::User(user) if self.live.members.contains_key(user) => Some(*user),
                _ => None,
            })
            .collect();
        users.sort_unstable();
        users.dedup();
        users.into_iter().map(|user| Projection::Mention { user: Some(user), seq }).collect()
    }

    fn update(mut self, update: &RoomUpdate) -> Result<Composed, WireError> {
        policy::may_update(self.record.kind, self.role)?;
        let change = RoomChange {
            kind: None,
            title: update.title.clone(),
            about: update.about.clone(),
            avatar: update.avatar.clone(),
        };
        let record = self.record.clone();
        let rev = self.events.push(EventBody::Room(change), None, None);
        let projection = Projection::Room(RoomRecord {
            title: update.title.clone().or(record.title),
            about: update.about.clone().or(record.about),
            avatar: update.avatar.clone().or(record.avatar),
            rev,
            ..record
        });
        Ok(self.composed(vec![projection], ReplyBody::Empty {}, true))
    }

    fn add(mut self, users: &[UserId], role: Role) -> Result<Composed, WireError> {
        policy::may_add(self.record.kind, self.role, role)?;
        let mut new: Vec<_> =
            users.iter().copied().filter(|user| !self.live.members.contains_key(user)).collect();
        new.sort_unstable();
        new.dedup();
        if new.is_empty() {
            return Ok(Composed::Done(ReplyBody::Written(Written { seq: self.live.head.seq })));
        }
        let members = self.record.members + new.len() as u64;
        if members > ROOM_MEMBERS {
            return Err(WireError::new(
                ErrorCode::TooLarge,
                format!("a room has at most {ROOM_MEMBERS} members"),
            ));
        }
        let mut projections = Vec::with_capacity(new.len() + 1);
        let mut last = self.live.head.seq;
        for user in new {
            let change = MemberChange { user, change: Change::Added, role: Some(role) };
            last = self.events.push(EventBody::Member(change), None, None);
            projections.push(self.membership(user, Some(role), Some(last), last));
        }
        projections.push(self.with_members(members, last));
        Ok(self.composed(projections, ReplyBody::Written(Written { seq: last }), true))
    }

    fn remove(mut self, user: UserId) -> Result<Composed, WireError> {
        let target = self.role_of(user)?;
        let change = if user == self.events.by {
            policy::may_leave(self.record.kind, self.role, self.live.owners(), self.live.members.len())?;
            Change::Left
        } else {
            policy::may_remove(self.record.kind, self.role, target)?;
            Change::Removed
        };
        let change = MemberChange { user, change, role: None };
        let seq = self.events.push(EventBody::Member(change), None, None);
        let projections =
            vec![self.membership(user, None, None, seq), self.with_members(self.record.members - 1, seq)];
        Ok(self.composed(projections, ReplyBody::Written(Written { seq }), true))
    }

    fn set_role(mut self, user: UserId, role: Role) -> Result<Composed, WireError> {
        let old = self.role_of(user)?;
        policy::may_set_role(self.record.kind, self.role, old, role, self.live.owners())?;
        if old == role {
            return Ok(Composed::Done(ReplyBody::Written(Written { seq: self.live.head.seq })));
        }
        let change = MemberChange { user, change: Change::Role, role: Some(role) };
        let seq = self.events.push(EventBody::Member(change), None, None);
        let projections = vec![self.membership(user, Some(role), None, seq)];
        Ok(self.composed(projections, ReplyBody::Written(Written { seq }), true))
    }

    fn role_of(&self, user: UserId) -> Result<Role, WireError> {
        self.live.members.get(&user).and_then(|member| member.role).ok_or_else(|| {
            WireError::new(ErrorCode::NotFound, format!("{user} is not a member")).field("user")
        })
    }

    /// The membership of `user` as of `rev`: joined there, or still where it had joined.
    fn membership(&self, user: UserId, role: Option<Role>, joined: Option<Seq>, rev: Seq) -> Projection {
        let old = self.live.members.get(&user);
        let ord = self.events.place.ord;
        Projection::Member(Membership {
            room: self.events.room,
            user,
            role,
            joined: joined.or(old.map(|old| old.joined)).unwrap_or(rev),
            joined_ord: if joined.is_some() { ord } else { old.map_or(ord, |old| old.joined_ord) },
            rev,
        })
    }

    fn with_members(&self, members: u64, rev: Seq) -> Projection {
        Projection::Room(RoomRecord { members, rev, ..self.record.clone() })
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
