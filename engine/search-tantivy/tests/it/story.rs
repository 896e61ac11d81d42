//! Stories by chance: rooms in which people write, change, take back, leave and come back.

use crate::scratch::{START, query};
use rookery_engine::search::{Hit, ScanSearch, Search, SearchQuery};
use rookery_engine::store::{Append, Membership, Projection, RoomRecord, Store};
use rookery_protocol::{
    DeleteBody, EditBody, Event, EventBody, MessageBody, Role, RoomId, RoomKind, Seq, Timestamp, UserId,
};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const ROOMS: u128 = 4;
pub(crate) const USERS: u128 = 3;

/// What people say, among others.
const WORDS: [&str; 8] = ["kettle", "kettledrum", "tea", "the", "東京大学", "café", "don't", "e-mail"];

/// What is looked for.
pub(crate) const QUERIES: [&str; 12] = [
    "tea",
    "the kettle",
    "\"the kettle\"",
    "ket",
    "京大",
    "tea cafe",
    "e-ma",
    "don't tea",
    "\"tea the\" ket",
    "東京ket",
    "the-ket",
    "nothing",
];

pub(crate) struct Story {
    random: fastrand::Rng,
    at: Timestamp,
    rooms: Vec<Room>,
}

struct Room {
    id: RoomId,
    head: u64,
    ord: u64,
    members: Vec<UserId>,
}

pub(crate) const fn room(number: u128) -> RoomId {
    RoomId(Uuid::from_u128(0x0a00_0000 + number))
}

pub(crate) const fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(0x0b00_0000 + number))
}

pub(crate) fn message(words: &str) -> EventBody {
    EventBody::Message(MessageBody::text(words))
}

/// Returns a seed that is printed, so that the test can be run again with it.
pub(crate) fn seed() -> u64 {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    seed
}

impl Story {
    /// Begins a story in an empty store: rooms of one user each.
    pub(crate) async fn begin(store: &dyn Store, seed: u64) -> Self {
        let mut tale = Self { random: fastrand::Rng::with_seed(seed), at: START, rooms: Vec::new() };
        for number in 0..ROOMS {
            tale.rooms.push(Room { id: room(number), head: 0, ord: 0, members: Vec::new() });
            tale.join(store, tale.rooms.len() - 1, user(number % USERS)).await;
        }
        tale
    }

    /// Returns how many events were written.
    pub(crate) fn events(&self) -> u64 {
        self.rooms.iter().map(|room| room.head).sum()
    }

    /// Has something happen, `steps` times.
    pub(crate) async fn go_on(&mut self, store: &dyn Store, steps: usize) {
        for _ in 0..steps {
            self.at = self.at.plus_millis(self.random.i64(0..2));
            let index = self.random.usize(..self.rooms.len());
            let target = Seq(self.random.u64(1..=self.rooms[index].head + 1));
            let user = user(self.random.u128(..USERS));
            let members = &self.rooms[index].members;
            let (is_in, are_more) = (members.contains(&user), members.len() > 1);
            match self.random.u8(..20) {
                0..2 if is_in && are_more => self.leave(store, index, user).await,
                0..2 if !is_in => self.join(store, index, user).await,
                2..6 => {
                    let body = EventBody::Edit(EditBody { body: self.says() });
                    self.write(store, index, (user, Some(target)), body, |_| vec![]).await;
                }
                6..8 => {
                    // Half of them as it is done, with the content taken out of the log; half bare.
                    let redacts = self.random.bool();
                    let gone = |rev| Projection::Deleted { target, rev };
                    let projections = |rev| redacts.then(|| gone(rev)).into_iter().collect();
                    let body = EventBody::Delete(DeleteBody {});
                    self.write(store, index, (user, Some(target)), body, projections).await;
                }
                _ => {
                    let body = EventBody::Message(self.says());
                    self.write(store, index, (user, None), body, |_| vec![]).await;
                }
            }
        }
    }

    /// Has user 0 say the same a number of times in room 0.
    pub(crate) async fn repeat(&mut self, store: &dyn Store, words: &str, times: usize) {
        for _ in 0..times {
            self.write(store, 0, (user(0), None), message(words), |_| vec![]).await;
        }
    }

    /// Has user 0 take a message back in room 0.
    pub(crate) async fn take_back(&mut self, store: &dyn Store, target: Seq) {
        let gone = |rev| vec![Projection::Deleted { target, rev }];
        self.write(store, 0, (user(0), Some(target)), EventBody::Delete(DeleteBody {}), gone).await;
    }

    fn says(&mut self) -> MessageBody {
        let words: Vec<&str> =
            (0..self.random.usize(1..5)).map(|_| WORDS[self.random.usize(..WORDS.len())]).collect();
        let kind = if self.random.u8(..4) == 0 { "location" } else { "text" };
        MessageBody { kind: kind.parse().expect("a kind"), ..MessageBody::text(words.join(" ")) }
    }

    async fn join(&mut self, store: &dyn Store, index: usize, user: UserId) {
        self.rooms[index].members.push(user);
        self.change_members(store, index, user, Some(Role::Member)).await;
    }

    async fn leave(&mut self, store: &dyn Store, index: usize, user: UserId) {
        self.rooms[index].members.retain(|member| *member != user);
        self.change_members(store, index, user, None).await;
    }

    async fn change_members(&mut self, store: &dyn Store, index: usize, user: UserId, role: Option<Role>) {
        let Room { id: room, ord, ref members, .. } = self.rooms[index];
        let change = if role.is_some() { "added" } else { "left" };
        let body = format!(r#"{{ "user": "{user}", "change": "{change}" }}"#);
        let body = EventBody::from_json("member", &body).expect("it is a change of members");
        let members = members.len() as u64;
        self.write(store, index, (user, None), body, |rev| {
            let membership = Membership { room, user, role, joined: rev, joined_ord: ord, rev };
            let (title, about, avatar) = (None, None, None);
            let kind = RoomKind::Group;
            let record = RoomRecord { room, kind, title, about, avatar, created_at: START, members, rev };
            vec![Projection::Room(record), Projection::Member(membership)]
        })
        .await;
    }

    async fn write(
        &mut self,
        store: &dyn Store,
        index: usize,
        (by, target): (UserId, Option<Seq>),
        body: EventBody,
        projections: impl FnOnce(Seq) -> Vec<Projection>,
    ) {
        let at = self.at;
        let room = &mut self.rooms[index];
        let expected = Seq(room.head);
        room.head += 1;
        room.ord += u64::from(matches!(body, EventBody::Message(_)));
        let seq = Seq(room.head);
        let (ord, room) = (room.ord, room.id);
        let event = Event { room, seq, ord, at, by, client_id: None, target, reply_to: None, body };
        let (events, projections) = ([event].into(), projections(seq).into());
        store.append(Append { room, expected, events, projections }).await.expect("append");
    }
}

/// Fails unless the indexes, asked in turn for one page after the other, find what reading everything finds.
pub(crate) async fn check(indexes: &[&dyn Search], store: &Arc<dyn Store>) {
    let scan = ScanSearch::over(Arc::clone(store));
    for by in 0..=USERS {
        for words in QUERIES {
            let all = query(user(by), words);
            let middle = START.plus_millis(20);
            let narrow = SearchQuery { limit: 4, ..all.clone() };
            for query in [
                SearchQuery { room: Some(room(by)), from: Some(user(1)), ..all.clone() },
                SearchQuery { before: Some(middle), kind: "location".parse().ok(), ..narrow.clone() },
                narrow,
            ] {
                let there = pages(&[&scan], query.clone()).await;
                assert_eq!(pages(indexes, query.clone()).await, there, "{query:?}");
            }
        }
    }
}

async fn pages(indexes: &[&dyn Search], mut query: SearchQuery) -> Vec<Hit> {
    let mut hits = Vec::new();
    for index in indexes.iter().cycle() {
        let page = index.search(query.clone()).await.expect("search");
        hits.extend(page.hits);
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    hits
}
