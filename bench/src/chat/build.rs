//! The three situations, written as a node would write them: batches with what they imply.

use super::Args;
use anyhow::Context;
use futures_util::future::join_all;
use rookery_engine::limits::BATCH_EVENTS;
use rookery_engine::store::{Append, Membership, Projection, RoomRecord, Store};
use rookery_engine::{Random, SeededRandom, uuid_v7};
use rookery_protocol::{
    Change, ClientId, DeleteBody, EditBody, Event, EventBody, MemberChange, MessageBody, ReactionBody, Role,
    RoomChange, RoomId, RoomKind, Seq, Timestamp, UserId,
};
use uuid::Uuid;

/// When the story begins, about when a test node's clock does.
const START: Timestamp = Timestamp(1_780_000_000_000);

/// Batches under way at once, which the committer takes as one group.
const UNDER_WAY: usize = 256;

/// Users who write, and who react.
const WRITERS: u64 = 100;

/// What was built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chat {
    /// The room with many members.
    pub(super) large: RoomId,
    /// The room with many messages.
    pub(super) long: RoomId,
    /// Its newest position.
    pub(super) long_head: Seq,
}

impl Chat {
    /// Builds everything; `reader` is a member of all rooms.
    pub(super) async fn build(store: &dyn Store, reader: UserId, args: &Args) -> anyhow::Result<Self> {
        let random = SeededRandom::new(1);
        let large = large(store, reader, (args.members, &random)).await?;
        let long = long(store, reader, (args.messages, &random)).await?;
        let mut batches = Vec::new();
        for _ in 0..args.rooms {
            batches.extend(listed(store, reader, &random).await?);
            if batches.len() >= UNDER_WAY {
                send(store, &mut batches).await?;
            }
        }
        send(store, &mut batches).await?;
        Ok(Self { large, long: long.room, long_head: long.seq })
    }
}

/// Builds a channel of so many members, who were added batch by batch.
async fn large(
    store: &dyn Store,
    reader: UserId,
    (members, random): (u32, &SeededRandom),
) -> anyhow::Result<RoomId> {
    let mut writer = Writer::new(store, random);
    writer.begin(RoomKind::Channel, u64::from(members));
    writer.add(reader).await?;
    for _ in 1..members {
        writer.add(user(random)).await?;
    }
    for _ in 0..100 {
        writer.say(reader).await?;
    }
    writer.finish().await
}

/// Builds a group of so many messages, of which one in ten gets a reaction, one in fifty is edited and
/// one in two hundred deleted, soon after it was sent.
async fn long<'a>(
    store: &'a dyn Store,
    reader: UserId,
    (messages, random): (u64, &'a SeededRandom),
) -> anyhow::Result<Built> {
    let mut writer = Writer::new(store, random);
    writer.begin(RoomKind::Group, WRITERS + 1);
    writer.add(reader).await?;
    let users: Vec<UserId> = (0..WRITERS).map(|_| user(random)).collect();
    for user in &users {
        writer.add(*user).await?;
    }
    for (number, by) in (0..messages).zip(users.iter().cycle()) {
        let target = writer.say(*by).await?;
        if number % 10 == 0 {
            let emoji = ["\u{1f44d}", "\u{2764}\u{fe0f}", "\u{1f602}"][usize::try_from(number / 10 % 3)?];
            let reactor = users[usize::try_from(number / 7 % WRITERS)?];
            writer.react(reactor, target, emoji).await?;
            writer.react(reader, target, "\u{1f44d}").await?;
        }
        if number % 50 == 0 {
            writer.edit(*by, target).await?;
        }
        if number % 200 == 7 {
            writer.delete(*by, target).await?;
        }
    }
    let seq = writer.seq;
    let room = writer.finish().await?;
    Ok(Built { room, seq })
}

struct Built {
    room: RoomId,
    seq: Seq,
}

/// Builds a room of the list: a direct conversation with a few messages.
async fn listed(store: &dyn Store, reader: UserId, random: &SeededRandom) -> anyhow::Result<Vec<Append>> {
    let other = user(random);
    let mut writer = Writer::new(store, random);
    writer.begin(RoomKind::Direct, 2);
    writer.add(reader).await?;
    writer.add(other).await?;
    for _ in 0..3 {
        let seq = writer.say(other).await?;
        writer.imply(Projection::Mention { user: Some(reader), seq });
    }
    writer.cut();
    Ok(writer.batches)
}

/// Sends batches at once, which reach the committer in their order.
async fn send(store: &dyn Store, batches: &mut Vec<Append>) -> anyhow::Result<()> {
    let answers = join_all(batches.drain(..).map(|batch| store.append(batch))).await;
    answers.into_iter().collect::<Result<(), _>>().context("append what was built")
}

fn user(random: &SeededRandom) -> UserId {
    let mut id = [0; 16];
    random.fill(&mut id);
    UserId(Uuid::from_bytes(id))
}

/// One room while it is written.
struct Writer<'a> {
    store: &'a dyn Store,
    random: &'a SeededRandom,
    room: RoomId,
    seq: Seq,
    ord: u64,
    at: Timestamp,
    events: Vec<Event>,
    projections: Vec<Projection>,
    batches: Vec<Append>,
}

impl<'a> Writer<'a> {
    fn new(store: &'a dyn Store, random: &'a SeededRandom) -> Self {
        // Rooms differ in when something happened last, in no order.
        let mut late = [0; 4];
        random.fill(&mut late);
        let at = START.plus_millis(i64::from(u32::from_le_bytes(late)));
        let room = RoomId(uuid_v7(START, random));
        let (events, projections, batches) = (Vec::new(), Vec::new(), Vec::new());
        Self { store, random, room, seq: Seq::ZERO, ord: 0, at, events, projections, batches }
    }

    fn begin(&mut self, kind: RoomKind, members: u64) {
        let title = (kind != RoomKind::Direct).then(|| "A room of the bench".to_owned());
        let change = RoomChange { kind: Some(kind), title: title.clone(), about: None, avatar: None };
        let event = self.event(UserId(Uuid::nil()), EventBody::Room(change));
        let (room, created_at, rev) = (self.room, event.at, event.seq);
        let record = RoomRecord { room, kind, title, about: None, avatar: None, created_at, members, rev };
        self.events.push(event);
        self.imply(Projection::Room(record));
    }

    async fn add(&mut self, user: UserId) -> anyhow::Result<()> {
        let role = Some(Role::Member);
        let event = self.event(user, EventBody::Member(MemberChange { user, change: Change::Added, role }));
        let (room, joined, joined_ord) = (self.room, event.seq, event.ord);
        let member = Membership { room, user, role, joined, joined_ord, rev: joined };
        self.write(event, Projection::Member(member)).await
    }

    /// Writes a message, which its sender has read, and returns where it is.
    async fn say(&mut self, by: UserId) -> anyhow::Result<Seq> {
        self.ord += 1;
        let text =
            format!("message {} of the room, of about the length that people write in chats", self.ord);
        let event = Event {
            client_id: Some(ClientId(uuid_v7(self.at, self.random))),
            ..self.event(by, EventBody::Message(MessageBody::text(text)))
        };
        let (seq, ord) = (event.seq, event.ord);
        self.write(event, Projection::Read { user: by, seq, ord }).await?;
        Ok(seq)
    }

    async fn react(&mut self, user: UserId, target: Seq, emoji: &str) -> anyhow::Result<()> {
        let (emoji, on) = (emoji.to_owned(), true);
        let event = self.event(user, EventBody::Reaction(ReactionBody { emoji: emoji.clone(), on }));
        let rev = event.seq;
        let event = Event { target: Some(target), ..event };
        self.write(event, Projection::Reacted { target, rev, user, emoji, on }).await
    }

    async fn edit(&mut self, by: UserId, target: Seq) -> anyhow::Result<()> {
        let body = MessageBody::text("what its sender says it should have been");
        let event = self.event(by, EventBody::Edit(EditBody { body: body.clone() }));
        let (rev, at, body) = (event.seq, event.at, Box::new(body));
        self.write(Event { target: Some(target), ..event }, Projection::Edited { target, rev, at, body })
            .await
    }

    async fn delete(&mut self, by: UserId, target: Seq) -> anyhow::Result<()> {
        let event = self.event(by, EventBody::Delete(DeleteBody {}));
        let rev = event.seq;
        self.write(Event { target: Some(target), ..event }, Projection::Deleted { target, rev }).await
    }

    fn event(&mut self, by: UserId, body: EventBody) -> Event {
        self.seq = self.seq.next();
        self.at = self.at.plus_millis(1000);
        let Self { room, seq, ord, at, .. } = *self;
        Event { room, seq, ord, at, by, client_id: None, target: None, reply_to: None, body }
    }

    fn imply(&mut self, projection: Projection) {
        self.projections.push(projection);
    }

    async fn write(&mut self, event: Event, projection: Projection) -> anyhow::Result<()> {
        self.events.push(event);
        self.imply(projection);
        if self.events.len() == BATCH_EVENTS {
            self.cut();
        }
        if self.batches.len() == UNDER_WAY {
            send(self.store, &mut self.batches).await?;
        }
        Ok(())
    }

    /// Ends the batch that is being written.
    fn cut(&mut self) {
        if let Some(first) = self.events.first() {
            let expected = Seq(first.seq.0 - 1);
            let (events, projections) =
                (self.events.drain(..).collect(), self.projections.drain(..).collect());
            self.batches.push(Append { room: self.room, expected, events, projections });
        }
    }

    async fn finish(mut self) -> anyhow::Result<RoomId> {
        self.cut();
        send(self.store, &mut self.batches).await?;
        Ok(self.room)
    }
}
