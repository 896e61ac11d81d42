//! Random stories: the store and the memory store are told the same and must answer the same.

use super::files::{content, file, upload};
use super::fixture::{Pen, account, batch, body, client_id, room, second, session, session_id, text, user};
use super::log::is_known;
use crate::memory::MemoryStore;
use crate::store::{
    Accounts, Append, AvatarOf, Files, Log, Projection, Range, RefreshToken, Rooms, RoomsCursor, Store,
    StoreError, Ticket,
};
use fastrand::Rng;
use rookery_protocol::{Event, Role, RoomKind, Seq, Timestamp, UserId};
use serde_json::json;
use std::future::Future;
use std::sync::Arc;

super::case_list![random_stories_end_like_in_memory];

const ROOMS: u128 = 4;
const USERS: u128 = 5;
const FILES: u128 = 12;

async fn random_stories_end_like_in_memory(store: &dyn Store) {
    agrees_with_memory(store, 1, 400).await;
}

/// Tells the store, which must be empty, a story of `steps` steps drawn from `seed`.
///
/// # Panics
/// At the first answer that is not the memory store's; the message has the seed and the step.
pub async fn agrees_with_memory(store: &dyn Store, seed: u64, steps: u32) {
    let mut tale = Story::new(seed);
    tale.tell(store, steps).await;
    tale.compare_everything(store).await;
}

/// Like [`agrees_with_memory`], but closes the store after every chapter of `steps` steps and goes on
/// with what `open` then returns, which must be the same store.
///
/// # Panics
/// As there, and when the store does not close.
pub async fn agrees_with_memory_over_restarts<F>(
    seed: u64,
    chapters: u32,
    steps: u32,
    mut open: impl FnMut() -> F,
) where
    F: Future<Output = Arc<dyn Store>>,
{
    let mut tale = Story::new(seed);
    for _ in 0..chapters {
        let store = open().await;
        tale.compare_everything(&*store).await;
        tale.tell(&*store, steps).await;
        store.close().await.expect("a store closes");
    }
    let store = open().await;
    tale.compare_everything(&*store).await;
    store.close().await.expect("a store closes");
}

/// What one room's writer knows.
struct History {
    pen: Pen,
    /// Messages up to each position.
    ords: Vec<u64>,
    newest: Option<Append>,
}

struct Story {
    model: MemoryStore,
    random: Rng,
    seed: u64,
    step: u32,
    rooms: Vec<History>,
}

/// Asks both stores the same and compares the answers.
macro_rules! same {
    ($story:ident, $store:ident . $method:ident ( $($argument:expr),* )) => {{
        let found = $store.$method($($argument),*).await;
        let expected = $story.model.$method($($argument),*).await;
        let call = stringify!($method);
        assert_eq!(found, expected, "{call} in step {} of seed {}", $story.step, $story.seed);
        expected
    }};
}

impl Story {
    fn new(seed: u64) -> Self {
        let rooms =
            (0..ROOMS).map(|number| History { pen: Pen::new(room(number)), ords: vec![0], newest: None });
        let (model, random) = (MemoryStore::new(), Rng::with_seed(seed));
        Self { model, random, seed, step: 0, rooms: rooms.collect() }
    }

    async fn tell(&mut self, store: &dyn Store, steps: u32) {
        for _ in 0..steps {
            self.step += 1;
            match self.random.u8(0..10) {
                0..5 => self.append(store).await,
                5 => self.append_again(store).await,
                6..8 => self.read(store).await,
                8 => self.account(store).await,
                _ => self.file(store).await,
            }
        }
    }

    fn user(&mut self) -> UserId {
        user(self.random.u128(1..=USERS))
    }

    fn now(&self) -> Timestamp {
        second(i64::from(self.step))
    }

    async fn append(&mut self, store: &dyn Store) {
        let chosen = self.random.usize(0..self.rooms.len());
        let mut pen = self.rooms[chosen].pen.clone();
        let mut ords = self.rooms[chosen].ords.clone();
        let is_behind = self.random.u8(0..10) == 0 && pen.seq > Seq::ZERO;
        if is_behind {
            pen.seq = Seq(pen.seq.0 - 1);
        }
        let (mut events, mut projections) = (vec![], vec![]);
        for _ in 0..self.random.usize(1..=5) {
            let event = self.event(&mut pen);
            ords.push(event.ord);
            events.push(event);
            self.project(&pen, &ords, &mut projections);
        }
        let append = batch(events, projections);
        let answer = same!(self, store.append(append.clone()));
        assert_eq!(answer.is_ok(), !is_behind);
        if answer.is_ok() {
            self.rooms[chosen] = History { pen, ords, newest: Some(append) };
        }
    }

    fn event(&mut self, pen: &mut Pen) -> Event {
        let by = self.user();
        pen.at = pen.at.plus_millis(self.random.i64(-1000..100_000));
        // The step and the place make it new in this story, also when the append is stale.
        let name = client_id((u128::from(self.step) << 32) | u128::from(pen.seq.0));
        let name = self.random.bool().then_some(name);
        let change = json!({ "type": "member", "body": { "user": by, "change": "left" } });
        match self.random.u8(0..4) {
            0 => pen.event(by, name, body(&change)),
            _ => pen.event(by, name, text(&format!("step {} \u{1f426}", self.step))),
        }
    }

    /// Adds what the newest event might imply, and now and then something that is out of date.
    fn project(&mut self, pen: &Pen, ords: &[u64], projections: &mut Vec<Projection>) {
        let who = self.user();
        let role =
            self.random.choice([None, Some(Role::Owner), Some(Role::Member), Some(Role::Reader)]).flatten();
        let kind = self.random.choice([RoomKind::Group, RoomKind::Channel, RoomKind::Inbox]);
        let old = self.random.usize(0..ords.len());
        let seq = Seq(old as u64);
        let files = (0..self.random.u128(0..3)).map(|_| file(self.random.u128(0..FILES))).collect();
        projections.extend(match self.random.u8(0..8) {
            7 => Some(Projection::Attach { seq, files, rev: pen.seq }),
            0 => kind.map(|kind| Projection::Room(pen.record(kind, 3))),
            1 => kind.map(|kind| Projection::Room(Pen { seq, ..pen.clone() }.record(kind, 2))),
            2 => Some(pen.membership(who, role)),
            3 => Some(Pen { seq, ord: ords[old], ..pen.clone() }.membership(who, role)),
            4 => Some(Projection::Read { user: who, seq, ord: ords[old] }),
            5 => Some(Projection::Mention { user: role.map(|_| who), seq: pen.seq }),
            _ => None,
        });
    }

    /// Sends a batch again that is in the log; both stores must go on from the same state.
    async fn append_again(&mut self, store: &dyn Store) {
        let chosen = self.random.usize(0..self.rooms.len());
        if let Some(append) = self.rooms[chosen].newest.clone() {
            let answer = store.append(append.clone()).await;
            assert!(is_known(&answer), "{answer:?} in step {} of seed {}", self.step, self.seed);
        }
    }

    async fn read(&mut self, store: &dyn Store) {
        let room = room(self.random.u128(0..=ROOMS));
        let seq = Seq(self.random.u64(0..100));
        let limit = self.random.usize(0..20);
        let who = self.user();
        match self.random.u8(0..9) {
            0 => drop(same!(self, store.read(room, Range::After(seq), limit))),
            1 => drop(same!(self, store.read(room, Range::Before(seq), limit))),
            2 => drop(same!(self, store.head(room))),
            3 => drop(same!(self, store.room(room))),
            4 => drop(same!(self, store.room_state(room, who))),
            5 => drop(same!(self, store.members(room, Some(who), limit))),
            6 => drop(same!(self, store.total_unread(who))),
            7 => {
                let name =
                    client_id((u128::from(self.random.u32(0..=self.step)) << 32) | u128::from(seq.0 % 20));
                drop(same!(self, store.find(room, who, name)));
            }
            _ => {
                let page = same!(self, store.rooms_of(who, None, limit)).unwrap_or_default();
                if let Some(last) = page.last() {
                    let cursor = RoomsCursor { at: last.head.at, room: last.record.room };
                    drop(same!(self, store.rooms_of(who, Some(cursor), limit)));
                }
            }
        }
    }

    async fn account(&mut self, store: &dyn Store) {
        let now = self.now();
        let number = self.random.u128(1..=USERS);
        let [old, new, third] = [(); 3].map(|()| self.random.u8(0..12));
        let until = |number: u8, seconds: i64| RefreshToken {
            hash: [number; 32],
            expires_at: now.plus_millis(seconds * 1000),
        };
        match self.random.u8(0..11) {
            0 => {
                let account = account(number, &format!("{old}@example.org"), &format!("user{new}"));
                drop(same!(self, store.create_account(account.clone())));
            }
            1 => drop(same!(self, store.account_by_email(&format!("{old}@example.org")))),
            2 => {
                drop(same!(self, store.replace_password(user(number), &format!("{old}"), &format!("{new}"))));
            }
            3 => drop(same!(self, store.users(&[user(number), user(2), user(9)]))),
            4 => drop(same!(self, store.begin_session(session(number), until(old, 200)))),
            5 => drop(same!(self, store.session(session_id(number)))),
            6 | 7 if old != new => {
                drop(same!(self, store.rotate([old; 32], until(new, i64::from(third) * 20), now)));
            }
            8 => drop(same!(self, store.revoke(session_id(number), now))),
            9 => drop(same!(self, store.purge(now.plus_millis(-50_000)))),
            _ => self.ticket(store, old, new).await,
        }
    }

    async fn file(&mut self, store: &dyn Store) {
        let (who, now) = (self.user(), self.now());
        let number = self.random.u128(0..FILES);
        match self.random.u8(0..8) {
            0 | 1 => {
                let expires_at = now.plus_millis(self.random.i64(0..90_000));
                let upload = crate::store::Upload { expires_at, ..upload(number, who) };
                drop(same!(self, store.begin_upload(upload.clone(), 40_000)));
            }
            2 | 3 => {
                let content = content(self.random.u8(0..2));
                drop(same!(self, store.complete_upload(file(number), content.clone(), now)));
            }
            4 => drop(same!(self, store.hold_avatar(AvatarOf::User(who), Some(file(number)), now))),
            5 => {
                let of = AvatarOf::Room(room(self.random.u128(0..ROOMS)));
                let held = self.random.bool().then(|| file(number));
                drop(same!(self, store.hold_avatar(of, held, now)));
            }
            6 => {
                let doomed = same!(self, store.doom_files(now, 2)).unwrap_or_default();
                drop(same!(self, store.forget_files(&doomed)));
            }
            _ => self.compare_files(store, who).await,
        }
    }

    async fn compare_files(&mut self, store: &dyn Store, who: UserId) {
        let (all, now): (Vec<_>, _) = ((0..FILES).map(file).collect(), self.now());
        let mut found = store.readable_files(who, &all, now).await.expect("read");
        found.sort_by_key(|record| record.upload.file);
        let expected = self.model.readable_files(who, &all, now).await.expect("read");
        assert_eq!(found, expected, "readable_files in step {} of seed {}", self.step, self.seed);
        for file in all {
            drop(same!(self, store.file(file, now)));
        }
    }

    async fn ticket(&mut self, store: &dyn Store, put: u8, take: u8) {
        let expires_at = self.now().plus_millis(30_000);
        let ticket = Ticket { hash: [put; 32], user: user(1), session: session_id(1), expires_at };
        drop(same!(self, store.put_ticket(ticket)));
        let taken = store.take_ticket([take; 32], self.now()).await;
        let expected = self.model.take_ticket([take; 32], self.now()).await;
        // A taker who did not hear the answer cannot ask again.
        if !matches!(taken, Err(StoreError::Unknown(_))) {
            assert_eq!(taken, expected, "take_ticket in step {} of seed {}", self.step, self.seed);
        }
    }

    async fn compare_everything(&mut self, store: &dyn Store) {
        for room in (0..ROOMS).map(room) {
            drop(same!(self, store.read(room, Range::After(Seq::ZERO), usize::MAX)));
            drop(same!(self, store.room(room)));
            drop(same!(self, store.members(room, None, usize::MAX)));
            for user in (1..=USERS).map(user) {
                drop(same!(self, store.room_state(room, user)));
            }
        }
        for number in 1..=USERS {
            drop(same!(self, store.rooms_of(user(number), None, usize::MAX)));
            drop(same!(self, store.total_unread(user(number))));
            drop(same!(self, store.session(session_id(number))));
            self.compare_files(store, user(number)).await;
        }
    }
}
