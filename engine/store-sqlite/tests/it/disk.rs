//! Disks that are full or that fail an fsync: what is refused, what goes on, what is there afterwards.
//!
//! The faults come from `tests/faults/disk_fault.c`, preloaded into this same test binary, which is
//! run once more for each story.

use crate::scratch::{Scratch, open};
use rookery_engine::store::{Account, Accounts, Append, AppendError, Health, Log, Range, Store, StoreError};
use rookery_protocol::{Event, EventBody, RoomId, Seq, Timestamp, User, UserId};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use uuid::Uuid;

/// Where a story works; without it the stories do nothing.
const DIR: &str = "ROOKERY_FAULT_DIR";

/// The file that says which fault is on.
const FLAG: &str = "DISK_FAULT_FLAG";

const ROOM: RoomId = RoomId(Uuid::from_u128(1));

#[tokio::test]
async fn a_full_disk_refuses_writes_until_it_has_room_and_reads_go_on() {
    let scratch = Scratch::new("full");
    tell("disk::full_story", scratch.path());
    assert_eq!(positions(&open(&scratch.path().join("store"))).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_failed_fsync_fails_the_store_for_good_and_is_not_tried_again() {
    let scratch = Scratch::new("sync");
    tell("disk::sync_story", scratch.path());
    let hits = fs::read(scratch.path().join("flag.hits")).expect("the fault was met");
    assert_eq!(hits.len(), 1, "one fsync failed and none was made after it");

    let store = open(&scratch.path().join("store"));
    assert_eq!(store.health(), Health::Ready, "another process may try");
    let found = positions(&store).await;
    // The batch that was never acked may be there, whole, or not.
    assert!(found == [1, 2, 3] || found == [1, 2, 3, 4], "{found:?}");
    let next = found.len() as u64 + 1;
    assert_eq!(store.append(message(next)).await, Ok(()));
}

#[tokio::test]
#[ignore = "it is run by another test, with a disk that fails"]
async fn full_story() {
    let Some((store, flag)) = begin().await else { return };
    fs::write(&flag, "enospc").expect("turn the fault on");
    for _ in 0..3 {
        let answer = store.append(message(4)).await;
        assert!(matches!(answer, Err(AppendError::Store(StoreError::Refused(_)))), "{answer:?}");
    }
    let answer = store.create_account(account()).await;
    assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    assert!(matches!(store.probe().await, Err(StoreError::Refused(_))));
    let health = store.health();
    assert!(matches!(&health, Health::Refusing(reason) if reason.contains("full")), "{health:?}");
    assert_eq!(store.take_ticket([9; 32], Timestamp(1)).await, Ok(None));
    assert_eq!(store.health(), health, "what writes nothing does not show that the disk has room");
    assert_eq!(positions(&store).await, [1, 2, 3], "reads go on");

    fs::remove_file(&flag).expect("turn the fault off");
    assert_eq!(store.probe().await, Ok(()));
    assert_eq!(store.health(), Health::Ready);
    assert_eq!(store.append(message(4)).await, Ok(()));
    assert_eq!(store.account_by_email("a@example.org").await, Ok(None));
    assert_eq!(store.close().await, Ok(()));
}

#[tokio::test]
#[ignore = "it is run by another test, with a disk that fails"]
async fn sync_story() {
    let Some((store, flag)) = begin().await else { return };
    fs::write(&flag, "eio-sync").expect("turn the fault on");
    for _ in 0..3 {
        let answer = store.append(message(4)).await;
        assert!(matches!(answer, Err(AppendError::Store(StoreError::Fatal(_)))), "{answer:?}");
        let answer = store.create_account(account()).await;
        assert!(matches!(answer, Err(StoreError::Fatal(_))), "{answer:?}");
        assert!(matches!(store.probe().await, Err(StoreError::Fatal(_))));
        assert!(matches!(store.health(), Health::Failed(_)));
        assert_eq!(positions(&store).await, [1, 2, 3], "what was not acked is not seen");
    }
    assert_eq!(store.head(ROOM).await.map(|head| head.map(|head| head.seq)), Ok(Some(Seq(3))));
    assert!(matches!(store.close().await, Err(StoreError::Fatal(_))));
}

/// Runs the story `name` in a process of its own, whose disk can fail.
fn tell(name: &str, dir: &Path) {
    let library = build_fault(dir);
    let story = Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env(DIR, dir)
        .env(FLAG, dir.join("flag"))
        .env("LD_PRELOAD", library)
        .output()
        .expect("start the story");
    let said = String::from_utf8_lossy(&story.stdout);
    assert!(
        story.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&story.stderr)
    );
}

fn build_fault(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/faults/disk_fault.c");
    let library = dir.join("disk_fault.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-o"]).args([&library, &source]).arg("-ldl");
    assert!(compiler.status().expect("there is a C compiler").success());
    library
}

/// Opens the store of a story with three events, or nothing when no test has asked for it.
async fn begin() -> Option<(impl Store, PathBuf)> {
    let dir = PathBuf::from(std::env::var_os(DIR)?);
    let store = open(&dir.join("store"));
    for seq in 1..=3 {
        assert_eq!(store.append(message(seq)).await, Ok(()));
    }
    Some((store, dir.join("flag")))
}

async fn positions(store: &dyn Store) -> Vec<u64> {
    let events = store.read(ROOM, Range::After(Seq::ZERO), 100).await.expect("reads go on");
    events.iter().map(|event| event.seq.0).collect()
}

fn message(seq: u64) -> Append {
    let body = EventBody::from_json("message", r#"{"kind":"text","text":"hello"}"#).expect("it is a message");
    let (by, at) = (UserId(Uuid::from_u128(7)), Timestamp(1_700_000_000_000));
    let (target, reply_to, client_id) = (None, None, None);
    let event = Event { room: ROOM, seq: Seq(seq), ord: seq, at, by, client_id, target, reply_to, body };
    Append { room: ROOM, expected: Seq(seq - 1), events: [event].into(), projections: [].into() }
}

fn account() -> Account {
    let user = User {
        id: UserId(Uuid::from_u128(7)),
        handle: "ada".to_owned(),
        name: "Ada".to_owned(),
        avatar: None,
        about: None,
    };
    let (email, password) = ("a@example.org".to_owned(), "hash".to_owned());
    Account { user, email, password, created_at: Timestamp(1_700_000_000_000), confirmed_at: None }
}
