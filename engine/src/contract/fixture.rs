//! What the cases are made of: ids by number, events in order, batches, accounts.

use crate::store::{Account, Append, LoginSession, Membership, Projection, RefreshToken, RoomRecord, Store};
use rookery_protocol::{
    ClientId, DeleteBody, EditBody, Event, EventBody, MessageBody, PinBody, ReactionBody, Role, RoomId,
    RoomKind, Seq, SessionId, Timestamp, User, UserId,
};
use serde_json::json;
use uuid::Uuid;

/// When the story of every case begins.
pub(super) const START: Timestamp = Timestamp(1_700_000_000_000);

pub(super) const fn room(number: u128) -> RoomId {
    RoomId(Uuid::from_u128((0x0a00 << 64) | number))
}

pub(super) const fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128((0x0b00 << 64) | number))
}

pub(super) const fn client_id(number: u128) -> ClientId {
    ClientId(Uuid::from_u128((0x0c00 << 64) | number))
}

pub(super) const fn session_id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128((0x0d00 << 64) | number))
}

/// Returns a moment `seconds` after [`START`].
pub(super) const fn second(seconds: i64) -> Timestamp {
    START.plus_millis(seconds * 1000)
}

pub(super) fn text(text: &str) -> EventBody {
    body(&json!({ "type": "message", "body": { "kind": "text", "text": text } }))
}

/// Returns the body that `type` and `body` of an event are on the wire.
pub(super) fn body(json: &serde_json::Value) -> EventBody {
    let kind = json["type"].as_str().expect("an event has a type");
    EventBody::from_json(kind, &json["body"].to_string()).expect("the body is one of the protocol")
}

/// Gives a room's events their order, as the one who writes there must.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) room: RoomId,
    pub(super) seq: Seq,
    pub(super) ord: u64,
    pub(super) at: Timestamp,
}

impl Pen {
    pub(super) fn new(room: RoomId) -> Self {
        Self { room, seq: Seq::ZERO, ord: 0, at: START }
    }

    /// Returns the room's next event, a second after the last one.
    pub(super) fn event(&mut self, by: UserId, client_id: Option<ClientId>, body: EventBody) -> Event {
        self.seq = self.seq.next();
        self.ord += u64::from(matches!(body, EventBody::Message(_)));
        self.at = self.at.plus_millis(1000);
        let Self { room, seq, ord, at } = *self;
        Event { room, seq, ord, at, by, client_id, target: None, reply_to: None, body }
    }

    /// Returns the room's next event: `by` says `words`, under a client id that follows from the place.
    pub(super) fn message(&mut self, by: UserId, words: &str) -> Event {
        let number = u128::from(self.seq.next().0) | (self.room.0.as_u128() << 32);
        self.event(by, Some(client_id(number)), text(words))
    }

    /// Returns the next `count` messages.
    pub(super) fn messages(&mut self, by: UserId, count: usize) -> Vec<Event> {
        (0..count).map(|number| self.message(by, &format!("message {number}"))).collect()
    }

    /// Returns the room's next event: `by` changes the message at `target`. With what it implies.
    pub(super) fn change(&mut self, by: UserId, target: Seq, change: &Change) -> (Event, Projection) {
        let body = change.body();
        let event = Event { target: Some(target), ..self.event(by, None, body) };
        let projection = change.of(target, &event);
        (event, projection)
    }

    pub(super) fn membership(&self, user: UserId, role: Option<Role>) -> Projection {
        Projection::Member(Membership {
            room: self.room,
            user,
            role,
            joined: self.seq,
            joined_ord: self.ord,
            rev: self.seq,
        })
    }

    pub(super) fn record(&self, kind: RoomKind, members: u64) -> RoomRecord {
        RoomRecord {
            room: self.room,
            kind,
            title: Some(format!("as of {}", self.seq)),
            about: None,
            avatar: None,
            created_at: START,
            members,
            rev: self.seq,
        }
    }
}

/// What can be done to a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    Edit(&'a str),
    Delete,
    React(&'a str),
    Unreact(&'a str),
    Pin,
    Unpin,
}

impl Change<'_> {
    fn body(&self) -> EventBody {
        let reaction = |emoji: &str, on| EventBody::Reaction(ReactionBody { emoji: emoji.to_owned(), on });
        match self {
            Self::Edit(words) => EventBody::Edit(EditBody { body: MessageBody::text(*words) }),
            Self::Delete => EventBody::Delete(DeleteBody {}),
            Self::React(emoji) => reaction(emoji, true),
            Self::Unreact(emoji) => reaction(emoji, false),
            Self::Pin => EventBody::Pin(PinBody { on: true }),
            Self::Unpin => EventBody::Pin(PinBody { on: false }),
        }
    }

    /// Returns what `event`, which makes this change of the message at `target`, implies.
    pub(super) fn of(&self, target: Seq, event: &Event) -> Projection {
        let (rev, user) = (event.seq, event.by);
        let reacted =
            |emoji: &str, on| Projection::Reacted { target, rev, user, emoji: emoji.to_owned(), on };
        match self {
            Self::Edit(words) => {
                let body = Box::new(MessageBody::text(*words));
                Projection::Edited { target, rev, at: event.at, body }
            }
            Self::Delete => Projection::Deleted { target, rev },
            Self::React(emoji) => reacted(emoji, true),
            Self::Unreact(emoji) => reacted(emoji, false),
            Self::Pin => Projection::Pinned { target, rev, on: true },
            Self::Unpin => Projection::Pinned { target, rev, on: false },
        }
    }
}

/// Appends one change of the message at `target`. Returns its position.
pub(super) async fn change(
    store: &dyn Store,
    pen: &mut Pen,
    (by, target): (UserId, Seq),
    change: Change<'_>,
) -> Seq {
    let (event, projection) = pen.change(by, target, &change);
    append(store, vec![event], vec![projection]).await;
    pen.seq
}

/// Returns the batch of `events`, on the head before the first of them.
pub(super) fn batch(events: Vec<Event>, projections: Vec<Projection>) -> Append {
    let first = events.first().expect("a batch has events");
    let (room, expected) = (first.room, Seq(first.seq.0 - 1));
    Append { room, expected, events: events.into(), projections: projections.into() }
}

/// Appends what must succeed.
pub(super) async fn append(store: &dyn Store, events: Vec<Event>, projections: Vec<Projection>) {
    store.append(batch(events, projections)).await.expect("the head is the expected one");
}

/// Opens `room` with `members`, each with the role `member`, in one batch. Returns its pen.
pub(super) async fn open_room(store: &dyn Store, room: RoomId, kind: RoomKind, members: &[UserId]) -> Pen {
    let mut pen = Pen::new(room);
    let by = members[0];
    let mut events =
        vec![pen.event(by, None, body(&json!({ "type": "room", "body": { "title": "a room" } })))];
    let mut projections = vec![];
    for member in members {
        let change = json!({ "user": member, "change": "added", "role": "member" });
        events.push(pen.event(by, None, body(&json!({ "type": "member", "body": change }))));
        projections.push(pen.membership(*member, Some(Role::Member)));
    }
    projections.push(Projection::Room(pen.record(kind, members.len() as u64)));
    append(store, events, projections).await;
    pen
}

pub(super) fn account(number: u128, email: &str, handle: &str) -> Account {
    let user = User {
        id: user(number),
        handle: handle.to_owned(),
        name: format!("User {number}"),
        avatar: None,
        about: number.is_multiple_of(2).then(|| "says nothing".to_owned()),
    };
    Account {
        user,
        email: email.to_owned(),
        password: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        created_at: START,
        confirmed_at: None,
    }
}

/// Returns a session of 1000 seconds from [`START`] on.
pub(super) fn session(number: u128) -> LoginSession {
    LoginSession {
        session: session_id(number),
        user: user(number),
        device: None,
        device_name: Some("a \u{1f4f1} of mine".to_owned()),
        created_at: START,
        expires_at: second(1000),
        revoked_at: None,
    }
}

/// Returns a token that is good for 100 seconds from [`START`] on.
pub(super) fn token(number: u8) -> RefreshToken {
    RefreshToken { hash: [number; 32], expires_at: second(100) }
}
