//! The search index over restarts: behind, ahead, lost, damaged, of another version.

use crate::scratch::{Scratch, open};
use rookery_engine::search::{Hit, ScanSearch, Search, SearchError, SearchQuery, Terms};
use rookery_engine::store::{Append, Health, Log, Membership, Projection, RoomRecord, Store, StoreError};
use rookery_protocol::{Event, EventBody, MessageBody, Role, RoomId, RoomKind, Seq, Timestamp, UserId};
use rookery_store_sqlite::{SqliteStore, search_status};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

const USER: UserId = UserId(Uuid::from_u128(7));
const ROOMS: usize = 3;

/// What happens to the index's file.
type Harm = fn(&Path);

/// What is written: the heads of all rooms, and what follows by chance.
struct Story {
    heads: [u64; ROOMS],
    random: fastrand::Rng,
}

impl Story {
    async fn begin(store: &dyn Store) -> Self {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut tale = Self { heads: [0; ROOMS], random: fastrand::Rng::with_seed(seed) };
        for room in 0..ROOMS {
            tale.say(store, room, None, message("hello")).await;
        }
        tale
    }

    /// Appends one event of a room, and its membership with the first.
    async fn say(&mut self, store: &dyn Store, room: usize, target: Option<u64>, body: EventBody) -> u64 {
        let expected = self.heads[room];
        let seq = expected + 1;
        let at = self.heads.iter().sum::<u64>();
        let event = Event {
            room: room_id(room),
            seq: Seq(seq),
            ord: seq,
            at: Timestamp(1_700_000_000_000 + i64::try_from(at).expect("small") * 1000),
            by: USER,
            client_id: None,
            target: target.map(Seq),
            reply_to: None,
            body,
        };
        let projections = if seq == 1 { first_projections(room) } else { Vec::new() };
        let append = Append {
            room: room_id(room),
            expected: Seq(expected),
            events: [event].into(),
            projections: projections.into(),
        };
        store.append(append).await.expect("append");
        self.heads[room] = seq;
        seq
    }

    /// Writes, edits and deletes by chance.
    async fn go_on(&mut self, store: &dyn Store, events: usize) {
        for _ in 0..events {
            let room = self.random.usize(..ROOMS);
            let target = self.random.u64(1..=self.heads[room]);
            let words = format!("word{} word{}", self.random.u8(..5), self.random.u8(..5));
            let edit = EventBody::Edit(rookery_protocol::EditBody { body: MessageBody::text(&words) });
            match self.random.u8(..10) {
                0..2 => self.say(store, room, Some(target), edit).await,
                2 => self.say(store, room, Some(target), delete()).await,
                _ => self.say(store, room, None, message(&words)).await,
            };
        }
    }
}

fn first_projections(room: usize) -> Vec<Projection> {
    let (room, rev) = (room_id(room), Seq(1));
    let member = Membership { room, user: USER, role: Some(Role::Owner), joined: rev, joined_ord: 0, rev };
    let record = RoomRecord {
        room,
        kind: RoomKind::Group,
        title: None,
        about: None,
        avatar: None,
        created_at: Timestamp(1),
        members: 1,
        rev,
    };
    vec![Projection::Member(member), Projection::Room(record)]
}

fn room_id(room: usize) -> RoomId {
    RoomId(Uuid::from_u128(100 + room as u128))
}

fn message(words: &str) -> EventBody {
    EventBody::Message(MessageBody::text(words))
}

fn delete() -> EventBody {
    EventBody::from_json("delete", "{}").expect("it is a delete")
}

async fn found(search: &dyn Search, words: &str) -> Vec<Hit> {
    let terms = Terms::parse(words).expect("it has words");
    let (room, from, before, kind, cursor) = (None, None, None, None, None);
    let query = SearchQuery { user: USER, terms, room, from, before, kind, limit: usize::MAX, cursor };
    search.search(query).await.expect("search").hits
}

/// Fails unless the index finds what reading everything finds.
async fn check(store: &Arc<SqliteStore>) {
    let scan = ScanSearch::over(store.clone() as Arc<dyn Store>);
    for words in ["word0", "\"word1 word2\"", "word3 word4", "word", "hello"] {
        let (found, there) = (found(&**store, words).await, found(&scan, words).await);
        let differ = found.iter().zip(&there).find(|(found, there)| found != there);
        assert!(found == there, "{words}: {} of {}, from {differ:?} on", found.len(), there.len());
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("make the folder");
    for file in std::fs::read_dir(from).expect("read the folder") {
        let file = file.expect("read the folder");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("copy");
    }
}

/// Puts the files that begin with `name` back to what they were in `from`.
fn set_back(dir: &Path, from: &Path, name: &str) {
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{name}{suffix}");
        drop(std::fs::remove_file(dir.join(&file)));
        drop(std::fs::copy(from.join(&file), dir.join(&file)));
    }
}

#[tokio::test]
async fn an_index_that_is_behind_goes_on_where_it_stood() {
    let scratch = Scratch::new("search-behind");
    let (dir, then) = (scratch.path().join("store"), scratch.path().join("then"));
    let mut store = Arc::new(open(&dir));
    let mut tale = Story::begin(&*store).await;
    tale.go_on(&*store, 300).await;
    check(&store).await;
    store.close().await.expect("close");
    copy(&dir, &then);
    // A crash between commits and their indexing leaves just this: the log is ahead of the index.
    for _ in 0..2 {
        store = Arc::new(open(&dir));
        tale.go_on(&*store, 300).await;
        store.close().await.expect("close");
    }
    set_back(&dir, &then, "search.db");
    let status = search_status(&dir).expect("read").expect("there is one");
    assert_eq!((status.is_usable, status.behind), (true, 600));
    store = Arc::new(open(&dir));
    check(&store).await;
    assert_eq!(store.progress().indexed, 600, "not from the beginning");
    assert_eq!(store.progress().behind, 0);
    store.close().await.expect("close");
}

#[tokio::test]
async fn an_index_of_a_later_log_is_made_anew() {
    let scratch = Scratch::new("search-ahead");
    let (dir, then) = (scratch.path().join("store"), scratch.path().join("then"));
    let mut store = Arc::new(open(&dir));
    let mut tale = Story::begin(&*store).await;
    tale.go_on(&*store, 100).await;
    store.close().await.expect("close");
    copy(&dir, &then);
    let heads = tale.heads;
    store = Arc::new(open(&dir));
    tale.go_on(&*store, 100).await;
    check(&store).await;
    store.close().await.expect("close");
    // A backup is put back, and another tale goes on from there.
    set_back(&dir, &then, "rookery.db");
    tale.heads = heads;
    store = Arc::new(open(&dir));
    tale.go_on(&*store, 200).await;
    check(&store).await;
    store.close().await.expect("close");
}

#[tokio::test]
async fn an_index_that_is_lost_damaged_or_of_another_version_is_made_anew() {
    let scratch = Scratch::new("search-lost");
    let dir = scratch.path().join("store");
    let mut store = Arc::new(open(&dir));
    let mut tale = Story::begin(&*store).await;
    tale.go_on(&*store, 100).await;
    let file = dir.join("search.db");
    let harms: [(&str, Harm); 5] = [
        ("lost", |file| std::fs::remove_file(file).expect("remove")),
        ("empty", |file| std::fs::write(file, "").expect("write")),
        ("text", |file| std::fs::write(file, "not a database".repeat(1000)).expect("write")),
        ("of another version", |file| {
            let index = Connection::open(file).expect("open");
            index.pragma_update(None, "user_version", 77).expect("write");
        }),
        ("without a table", |file| {
            let index = Connection::open(file).expect("open");
            index.execute_batch("DROP TABLE position").expect("write");
        }),
    ];
    for (harm, harmed) in harms {
        store.close().await.expect("close");
        for suffix in ["-wal", "-shm"] {
            let _ = Connection::open(&file)
                .and_then(|index| index.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
            drop(std::fs::remove_file(dir.join(format!("search.db{suffix}"))));
        }
        harmed(&file);
        store = Arc::new(open(&dir));
        check(&store).await;
        assert_eq!(store.progress().indexed, tale.heads.iter().sum::<u64>(), "{harm}");
        tale.go_on(&*store, 20).await;
        check(&store).await;
    }
    store.close().await.expect("close");
}

#[tokio::test]
async fn many_batches_are_taken_in_whole() {
    let scratch = Scratch::new("search-many");
    let dir = scratch.path().join("store");
    let mut store = Arc::new(open(&dir));
    let mut tale = Story::begin(&*store).await;
    tale.go_on(&*store, 2500).await;
    check(&store).await;
    store.close().await.expect("close");
    std::fs::remove_file(dir.join("search.db")).expect("remove");
    store = Arc::new(open(&dir));
    check(&store).await;
    store.close().await.expect("close");
}

#[tokio::test]
async fn what_was_deleted_or_edited_is_not_in_the_file_any_more() {
    let scratch = Scratch::new("search-secret");
    let dir = scratch.path().join("store");
    let store = open(&dir);
    let mut tale = Story::begin(&store).await;
    let gone = tale.say(&store, 0, None, message("xylophone one")).await;
    let changed = tale.say(&store, 0, None, message("xylophone two")).await;
    tale.say(&store, 0, None, message("saxophone")).await;
    assert_eq!(found(&store, "xylophone").await.len(), 2);
    tale.say(&store, 0, Some(gone), delete()).await;
    let edit = EventBody::Edit(rookery_protocol::EditBody { body: MessageBody::text("trombone") });
    tale.say(&store, 0, Some(changed), edit).await;
    assert_eq!(found(&store, "xylophone").await, []);
    store.close().await.expect("close");
    let file = dir.join("search.db");
    let index = Connection::open(&file).expect("open");
    index.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpoint");
    drop(index);
    let bytes = std::fs::read(file).expect("read");
    let has = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(has("saxophone") && has("trombone") && !has("xylophone"));
}

#[tokio::test]
async fn an_index_that_is_damaged_while_it_is_used_finds_nothing_and_harms_nothing() {
    let scratch = Scratch::new("search-damaged");
    let dir = scratch.path().join("store");
    let mut store = Arc::new(open(&dir));
    let mut tale = Story::begin(&*store).await;
    tale.go_on(&*store, 100).await;
    check(&store).await;
    // A part of the index is gone.
    let index = Connection::open(dir.join("search.db")).expect("open");
    index.execute("DELETE FROM messages_data WHERE id > 10", []).expect("write");
    drop(index);
    let terms = Terms::parse("word0").expect("it has words");
    let (room, from, before, kind, cursor) = (None, None, None, None, None);
    let query = SearchQuery { user: USER, terms, room, from, before, kind, limit: 1, cursor };
    let answer = store.search(query.clone()).await;
    assert!(matches!(answer, Err(SearchError::Store(StoreError::Refused(_)))), "{answer:?}");
    assert_eq!(store.health(), Health::Ready);
    tale.go_on(&*store, 100).await;
    let answer = store.search(query).await;
    assert!(matches!(answer, Err(SearchError::Store(StoreError::Refused(_)))), "{answer:?}");
    store.close().await.expect("close");
    store = Arc::new(open(&dir));
    check(&store).await;
    store.close().await.expect("close");
}

#[tokio::test]
async fn a_closed_store_does_not_search() {
    let scratch = Scratch::new("search-closed");
    let store = open(scratch.path());
    store.close().await.expect("close");
    let terms = Terms::parse("x").expect("it has words");
    let (room, from, before, kind, cursor) = (None, None, None, None, None);
    let query = SearchQuery { user: USER, terms, room, from, before, kind, limit: 1, cursor };
    let answer = store.search(query).await;
    assert!(matches!(answer, Err(SearchError::Store(StoreError::Refused(_)))));
    assert_eq!(store.head(room_id(0)).await, Err(StoreError::Refused("the store is closed".to_owned())));
}
