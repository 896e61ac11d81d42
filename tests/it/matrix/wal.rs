//! What is left of the embedded store's log when its file was torn: the beginning, as it was. One that has
//! rotted is not gone on with, since what was acknowledged is lost.

use crate::folder::Folder;
use rookery_engine::store::{Append, Log, Range, Store};
use rookery_protocol::{Event, EventBody, RoomId, Seq, Timestamp, UserId};
use rookery_store_sqlite::{OpenError, SqliteOptions, SqliteStore};
use std::path::Path;
use uuid::Uuid;

const ROOM: RoomId = RoomId(Uuid::from_u128(1));

/// Appends whose log is damaged. Append number `n` has `n % 3 + 1` events.
const APPENDS: u64 = 8;

/// Places where it is cut or flipped, spread over the whole file; each costs an opening of the store.
const PLACES: usize = 120;

/// The log's head of 32 bytes, and a frame: 24 bytes of its own and a page
/// (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).
const HEAD: usize = 32;
const FRAME: usize = 24 + 4096;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteOptions::in_dir(folder)).expect("a torn log is no reason not to open")
}

/// The one event that belongs there.
fn event(seq: u64) -> Event {
    let text = format!("{seq} ").repeat(50);
    let body = serde_json::json!({ "kind": "text", "text": text }).to_string();
    let body = EventBody::from_json("message", &body).expect("it is a message");
    let (by, at) = (UserId(Uuid::from_u128(7)), Timestamp(1));
    let (target, reply_to, client_id) = (None, None, None);
    Event { room: ROOM, seq: Seq(seq), ord: seq, at, by, client_id, target, reply_to, body }
}

/// Returns how many events there are after each append.
fn ends() -> Vec<u64> {
    (0..=APPENDS)
        .scan(0, |end, number| {
            let before = *end;
            *end += number % 3 + 1;
            Some(before)
        })
        .collect()
}

/// A database with the schema only, and its log with all that was acked.
struct Files {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Files {
    async fn make(name: &str) -> Self {
        let folder = Folder::new(name);
        let store = open(&folder.0);
        store.close().await.expect("a sound disk");
        drop(store);
        let store = open(&folder.0);
        for two in ends().windows(2) {
            let events: Vec<_> = (two[0] + 1..=two[1]).map(event).collect();
            let append =
                Append { room: ROOM, expected: Seq(two[0]), events: events.into(), projections: [].into() };
            store.append(append).await.expect("a sound disk");
        }
        // As a kill leaves them: the store is still open.
        let read = |file: &str| std::fs::read(folder.at(file)).expect("it is there");
        let files = Self { database: read("rookery.db"), log: read("rookery.db-wal") };
        drop(store);
        files
    }

    /// Puts this log beside the database.
    fn put(&self, log: &[u8], folder: &Folder) {
        std::fs::remove_dir_all(&folder.0).expect("it is there");
        std::fs::create_dir(&folder.0).expect("it was there");
        std::fs::write(folder.at("rookery.db"), &self.database).expect("a sound disk");
        std::fs::write(folder.at("rookery.db-wal"), log).expect("a sound disk");
    }

    /// Opens the store with this log, and returns how many of the events are there: the first ones, all as
    /// they were, and only whole batches.
    async fn survivors(&self, log: &[u8], folder: &Folder, what: &str) -> u64 {
        self.put(log, folder);
        let store = open(&folder.0);
        let found = store.read(ROOM, Range::After(Seq::ZERO), usize::MAX).await.expect("it can be read");
        for (found, seq) in found.iter().zip(1..) {
            assert_eq!(*found, event(seq), "{what}");
        }
        let count = found.len() as u64;
        assert!(ends().contains(&count), "{what}: {count} events end inside a batch");
        // Whoever goes on goes on there.
        let next = Append {
            room: ROOM,
            expected: Seq(count),
            events: [event(count + 1)].into(),
            projections: [].into(),
        };
        assert_eq!(store.append(next).await, Ok(()), "{what}");
        count
    }

    /// Returns places of the log: the ends of its frames, what is beside them, and others by chance.
    fn places(&self, chance: &mut fastrand::Rng) -> Vec<usize> {
        let frames = (0..).map(|frame| HEAD + frame * FRAME).take_while(|at| *at < self.log.len());
        let mut places: Vec<_> = frames.flat_map(|at| [at - 1, at, at + 1]).collect();
        chance.shuffle(&mut places);
        places.truncate(PLACES / 2);
        places.extend(std::iter::repeat_with(|| chance.usize(..self.log.len())).take(PLACES / 2));
        places
    }
}

#[tokio::test]
async fn a_torn_log_ends_before_the_first_append_that_is_not_whole() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let files = Files::make("torn").await;
    let folder = Folder::new("torn-again");
    let all = *ends().last().expect("there are some");
    assert_eq!(files.survivors(&files.log, &folder, "whole").await, all);
    let mut places = files.places(&mut fastrand::Rng::with_seed(seed));
    places.sort_unstable();
    let mut before = 0;
    for place in places {
        let left = files.survivors(&files.log[..place], &folder, &format!("cut at {place}")).await;
        assert!(left >= before, "cut at {place}: less than of a shorter log");
        before = left;
        // What follows a tear is whatever was on the disk.
        let mut garbage = files.log[..place].to_vec();
        garbage.resize(files.log.len(), 0xa5);
        assert_eq!(files.survivors(&garbage, &folder, &format!("garbage from {place}")).await, left);
    }
    assert!(before > 0, "nothing was ever left");
}

#[tokio::test]
async fn a_bit_that_flips_in_the_log_is_found_and_what_was_acked_is_not_silently_lost() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let files = Files::make("rot").await;
    let folder = Folder::new("rot-again");
    let (all, before_last) = (ends()[ends().len() - 1], ends()[ends().len() - 2]);
    let (mut refused, mut gone_on) = (0, 0);
    for place in files.places(&mut chance) {
        let mut log = files.log.clone();
        log[place] ^= 1 << chance.u8(..8);
        files.put(&log, &folder);
        match SqliteStore::open(&SqliteOptions::in_dir(&folder.0)) {
            Err(OpenError::RottenLog { path, commits }) => {
                assert_eq!(path, folder.at("rookery.db-wal"));
                assert!(commits > 1, "a bit of byte {place}: {commits} commits");
                assert_eq!(std::fs::read(&path).expect("it is there"), log, "nothing is made of it");
                refused += 1;
            }
            Err(other) => panic!("a bit of byte {place}: {other}"),
            Ok(store) => {
                drop(store);
                let left = files.survivors(&log, &folder, &format!("a bit of byte {place}")).await;
                // The last commit may not have been synced; without its head a log says nothing.
                assert!(left >= before_last || place < HEAD, "a bit of byte {place}: {left} of {all}");
                gone_on += 1;
            }
        }
    }
    assert!(refused > PLACES / 2, "{refused} refused, {gone_on} gone on with");
}
