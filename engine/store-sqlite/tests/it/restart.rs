//! Closing and opening again, one process at a time, and a log that stays short meanwhile.

use crate::scratch::{Scratch, open};
use futures_util::future::join_all;
use rookery_engine::contract::agrees_with_memory_over_restarts;
use rookery_engine::store::{Append, AppendError, Health, Log, Range, Store, StoreError};
use rookery_protocol::{ClientId, Event, EventBody, MessageBody, RoomId, Seq, Timestamp, UserId};
use rookery_store_sqlite::{
    MigrationState, OpenError, SqliteOptions, SqliteStore, migrations_status, quick_check,
};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use uuid::Uuid;

#[tokio::test]
async fn a_story_goes_on_over_restarts_like_in_memory() {
    let scratch = Scratch::new("restart");
    agrees_with_memory_over_restarts(300, 6, 100, || async {
        Arc::new(open(scratch.path())) as Arc<dyn Store>
    })
    .await;
    assert_eq!(quick_check(scratch.path()).expect("read"), [""; 0]);
}

#[tokio::test]
async fn one_process_has_the_directory_until_it_closes() {
    let scratch = Scratch::new("lock");
    let options = SqliteOptions::in_dir(scratch.path());
    let first = open(scratch.path());
    let second = SqliteStore::open(&options);
    assert!(
        matches!(&second, Err(OpenError::InUse { lock }) if lock.starts_with(scratch.path())),
        "{second:?}"
    );
    first.close().await.expect("close");
    let second = open(scratch.path());
    assert_eq!(second.health(), Health::Ready);
}

#[tokio::test]
async fn nobody_else_reads_the_database() {
    let scratch = Scratch::new("mode");
    let store = open(scratch.path());
    store.append(message(1, 1, None)).await.expect("append");
    for file in ["rookery.db", "rookery.db-wal", "rookery.db-shm", "rookery.lock"] {
        let mode = std::fs::metadata(scratch.path().join(file)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_closed_store_has_done_what_it_accepted_and_refuses_the_rest() {
    let scratch = Scratch::new("close");
    let store = open(scratch.path());
    let rooms = (0..50).map(|number| store.append(message(number, 1, None)));
    let (answers, closed) = futures_util::future::join(join_all(rooms), store.close()).await;
    assert_eq!(closed, Ok(()));
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(store.close().await, Ok(()), "again");
    let refused = |error| matches!(error, StoreError::Refused(_));
    assert!(store.probe().await.is_err_and(refused));
    assert!(store.head(room(1)).await.is_err_and(refused));

    let store = open(scratch.path());
    for number in 0..50 {
        assert_eq!(
            store.read(room(number), Range::After(Seq::ZERO), 10).await.map(|events| events.len()),
            Ok(1)
        );
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_applied_spoils_no_other_of_its_group() {
    let scratch = Scratch::new("group");
    let store = open(scratch.path());
    let name = Some(ClientId(Uuid::from_u128(9)));
    assert_eq!(store.append(message(0, 1, name)).await, Ok(()));
    let mut group: Vec<_> = (1..100).map(|number| message(number, 1, None)).collect();
    // The same sender and name once more in that room, in the middle of what is committed together.
    for place in [3, 50] {
        group.insert(place, message(0, 2, name));
    }
    let answers = join_all(group.into_iter().map(|append| store.append(append))).await;
    for (place, answer) in answers.iter().enumerate() {
        let is_refused = matches!(answer, Err(AppendError::Duplicate { .. }));
        assert_eq!(is_refused, [3, 50].contains(&place), "{place}: {answer:?}");
    }
    assert_eq!(store.health(), Health::Ready);
    assert_eq!(store.head(room(0)).await.map(|head| head.map(|head| head.seq)), Ok(Some(Seq(1))));
    assert_eq!(store.append(message(0, 2, None)).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_stays_short_under_load() {
    let scratch = Scratch::new("wal");
    let options = SqliteOptions { wal_bytes: 1 << 20, ..SqliteOptions::in_dir(scratch.path()) };
    let store = SqliteStore::open(&options).expect("open the store");
    let longest = std::sync::atomic::AtomicU64::new(0);
    let write = |number: u128| {
        let (store, longest, options) = (&store, &longest, &options);
        async move {
            for seq in 1..=60 {
                store.append(long_message(number, seq)).await.expect("append");
                store.read(room(number), Range::Before(Seq(u64::MAX)), 20).await.expect("read");
                let wal = std::fs::metadata(scratch_wal(options)).expect("there is a log").len();
                longest.fetch_max(wal, std::sync::atomic::Ordering::Relaxed);
            }
        }
    };
    join_all((0..64).map(write)).await;
    // Without checkpoints it would have been 64 × 60 messages of 4 KiB, which is 15 MiB.
    let longest = longest.into_inner();
    assert!((1 << 20..6 << 20).contains(&longest), "{longest} bytes");
    store.close().await.expect("close");
    assert_eq!(std::fs::metadata(scratch_wal(&options)).map_or(0, |wal| wal.len()), 0, "copied at the end");
    assert_eq!(quick_check(scratch.path()).expect("read"), [""; 0]);
}

#[tokio::test]
async fn a_running_store_can_be_looked_at() {
    let scratch = Scratch::new("look");
    let store = open(scratch.path());
    store.append(message(1, 1, None)).await.expect("append");
    let status = migrations_status(scratch.path()).expect("read");
    assert!(!status.is_empty());
    for (status, number) in status.iter().zip(1..) {
        assert_eq!(status.number, number);
        assert!(
            matches!(status.state, MigrationState::Applied { at } if at > 1_700_000_000_000),
            "{status:?}"
        );
    }
    assert_eq!(quick_check(scratch.path()).expect("read"), [""; 0]);
    assert!(migrations_status(&scratch.path().join("nowhere")).is_err());
}

fn scratch_wal(options: &SqliteOptions) -> std::path::PathBuf {
    options.dir.join("rookery.db-wal")
}

const fn room(number: u128) -> RoomId {
    RoomId(Uuid::from_u128(number))
}

fn message(number: u128, seq: u64, client_id: Option<ClientId>) -> Append {
    append(number, seq, client_id, "hello")
}

fn long_message(number: u128, seq: u64) -> Append {
    append(number, seq, None, &"hello, ".repeat(600))
}

fn append(number: u128, seq: u64, client_id: Option<ClientId>, text: &str) -> Append {
    let event = Event {
        room: room(number),
        seq: Seq(seq),
        ord: seq,
        at: Timestamp(1_700_000_000_000),
        by: UserId(Uuid::from_u128(7)),
        client_id,
        target: None,
        reply_to: None,
        body: EventBody::Message(MessageBody::text(text)),
    };
    Append { room: room(number), expected: Seq(seq - 1), events: [event].into(), projections: [].into() }
}
