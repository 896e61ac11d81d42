//! The cases of transfers: what comes out of one store and goes into another is the same there, in whatever
//! pieces and however often interrupted.

mod story;

pub use story::tell_a_full_story;

use super::files::file;
use super::fixture::{room, second, session_id, user};
use crate::memory::MemoryStore;
use crate::store::{Export, Import, Part, Progress, Range, Reading, Record, Store, is_empty};
use rookery_protocol::Seq;
use std::future::Future;
use std::sync::Arc;
use story::{FILES, ROOMS, USERS};
use uuid::Uuid;

/// The backup of every case.
const BACKUP: Uuid = Uuid::from_u128(7);

/// Steps of a story; some hundred records of every part.
const STEPS: u32 = 600;

/// Runs every case of transfers against stores that `make` returns empty, and closes them.
///
/// # Panics
/// When a store does not do what a case says; the seed is in the message.
pub async fn run_transfer<S, F>(mut make: impl FnMut() -> F)
where
    S: Store + Export + Import,
    F: Future<Output = Arc<S>>,
{
    for seed in 0..3 {
        eprintln!("contract of transfers: out of memory, into the store and out of it, seed {seed}");
        let told = MemoryStore::new();
        tell_a_full_story(&told, seed, STEPS).await;
        let (store, back) = (make().await, MemoryStore::new());
        assert_eq!(is_empty(&*store).await, Ok(true), "a new store");
        copy(&told, &*store, 64).await;
        assert_eq!(is_empty(&*store).await, Ok(false));
        same_records(&told, &*store, seed).await;
        same_answers(&told, &*store, seed).await;
        copy(&*store, &back, 1).await;
        same_records(&told, &back, seed).await;
        same_answers(&told, &back, seed).await;
        store.close().await.expect("a store closes");
    }
    eprintln!("contract of transfers: a store that was told itself gives the same");
    let (told, store) = (MemoryStore::new(), make().await);
    tell_a_full_story(&told, 9, STEPS).await;
    tell_a_full_story(&*store, 9, STEPS).await;
    same_records(&told, &*store, 9).await;
    store.close().await.expect("a store closes");

    eprintln!("contract of transfers: what is sent again changes nothing, and the progress is kept");
    let store = make().await;
    assert_eq!(store.importing().await, Ok(None));
    let records = all(&told).await;
    for (number, piece) in (1..).zip(records.chunks(40)) {
        let progress = Progress { backup: BACKUP, done: number };
        store.import(piece, progress).await.expect("an import");
        // As somebody does who went on from an earlier progress.
        store.import(piece, Progress { done: number - 1, ..progress }).await.expect("the same once more");
        assert_eq!(store.importing().await, Ok(Some(Progress { done: number - 1, ..progress })));
    }
    store.import(&records, Progress { backup: BACKUP, done: 1 }).await.expect("all of it once more");
    same_records(&told, &*store, 9).await;
    for _ in 0..2 {
        store.end_import().await.expect("an end");
        assert_eq!(store.importing().await, Ok(None));
    }
    store.close().await.expect("a store closes");
}

/// Copies everything, `piece` records at a time.
async fn copy(source: &dyn Export, target: &dyn Import, piece: usize) {
    let mut done = 0;
    for records in all(source).await.chunks(piece) {
        done += records.len() as u64;
        target.import(records, Progress { backup: BACKUP, done }).await.expect("an import");
    }
    target.end_import().await.expect("an end");
}

async fn all(source: &dyn Export) -> Vec<Record> {
    let (mut reading, mut all) = (Reading::of(source), Vec::new());
    while let Some(records) = reading.next().await.expect("a read") {
        all.extend(records);
    }
    let place = |wanted: Part| all.iter().position(|record| record.part() == wanted);
    assert!(place(Part::Files) <= place(Part::Logs), "a file is before the messages that carry it");
    assert!(place(Part::Invites) <= place(Part::InviteUses), "an invite is before its uses");
    all
}

async fn same_records(one: &dyn Export, other: &dyn Export, seed: u64) {
    let [mut one, mut other] = [all(one).await, all(other).await];
    // Each store has its own order within a part.
    for records in [&mut one, &mut other] {
        records.sort_by_cached_key(|record| (record.part(), format!("{record:?}")));
    }
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other, "seed {seed}");
    }
    assert_eq!(one.len(), other.len(), "seed {seed}");
}

/// Asks both stores what a server asks.
async fn same_answers(one: &dyn Store, other: &dyn Store, seed: u64) {
    let everything = Range::After(Seq::ZERO);
    let users: Vec<_> = (1..=USERS).map(user).collect();
    let now = second(1);
    macro_rules! same {
        ($method:ident ( $($argument:expr),* )) => {{
            let expected = one.$method($($argument),*).await;
            assert_eq!(other.$method($($argument),*).await, expected, "{} of seed {seed}", stringify!($method));
            expected.expect("a read")
        }};
    }
    for room in (1..=ROOMS).map(room) {
        let log = same!(read(room, everything, usize::MAX));
        for event in log.iter().filter(|event| event.client_id.is_some()) {
            let name = event.client_id.expect("it has one");
            same!(find(room, event.by, name));
        }
        same!(head(room));
        same!(room(room));
        same!(members(room, None, usize::MAX));
        same!(cursors(room, usize::MAX));
        same!(room_states(room, &users));
        for user in &users {
            same!(page(room, everything, usize::MAX, *user));
        }
    }
    same!(notices(None, usize::MAX));
    let files: Vec<_> = (0..FILES).map(file).collect();
    for (number, user) in (1..).zip(&users) {
        same!(rooms_of(*user, None, usize::MAX));
        same!(total_unread(*user));
        same!(blocks_between(*user, &users));
        same!(session(session_id(number)));
        let of = |mut found: Vec<crate::store::FileRecord>| {
            found.sort_by_key(|record| record.upload.file);
            found
        };
        let found = [one, other].map(|store| store.readable_files(*user, &files, now));
        let [one, other] = futures_util::future::join_all(found).await.try_into().expect("two answers");
        assert_eq!(of(one.expect("a read")), of(other.expect("a read")), "files of seed {seed}");
    }
}
