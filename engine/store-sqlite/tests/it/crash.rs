//! Kills: a process that appends is killed without warning, again and again, in one directory.

use crate::scratch::{Scratch, open};
use rookery_engine::store::{Append, Log, Range, Store};
use rookery_protocol::{ClientId, Event, EventBody, RoomId, Seq, Timestamp, UserId};
use rookery_store_sqlite::quick_check;
use rustix::process::{Signal, getpid, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

const ROOMS: u128 = 8;
const KILLS: u32 = 20;

/// Where the child works; without it [`child`] does nothing.
const DIR: &str = "ROOKERY_CRASH_DIR";

/// After how many acks the child kills itself; without it, it waits to be killed.
const ACKS: &str = "ROOKERY_CRASH_ACKS";

/// Appends in every room until it is killed, and says what was acked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process that the other test kills"]
async fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let store = open(Path::new(&dir));
    let acks = std::env::var_os(ACKS).and_then(|acks| acks.to_str()?.parse().ok());
    let left = AtomicU64::new(acks.unwrap_or(u64::MAX));
    let writers = (0..ROOMS).map(|number| append_for_ever(&store, number, &left));
    futures_util::future::join_all(writers).await;
}

/// Appends until `left` acks have been said, by all rooms together; then nothing else is done any more.
async fn append_for_ever(store: &dyn Store, number: u128, left: &AtomicU64) {
    let room = RoomId(Uuid::from_u128(number));
    let mut head = store.head(room).await.expect("read").map_or(Seq::ZERO, |head| head.seq);
    loop {
        // The size follows from the place, so that a torn batch is known by what it lacks.
        let events: Vec<_> =
            (1..=batch_size(room, head)).map(|step| event(room, Seq(head.0 + step))).collect();
        let newest = events.last().expect("a batch has events").seq;
        let append = Append { room, expected: head, events: events.into(), projections: [].into() };
        store.append(append).await.expect("append");
        head = newest;
        writeln!(std::io::stdout().lock(), "acked {number} {head}").expect("the parent listens");
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            kill_process(getpid(), Signal::KILL).expect("one may kill oneself");
        }
    }
}

/// How many events the batch has that follows `head`.
fn batch_size(room: RoomId, head: Seq) -> u64 {
    (head.0 * 7 + room.0.as_u64_pair().1 * 3) % 9 + 1
}

/// The one event that belongs at this place.
fn event(room: RoomId, seq: Seq) -> Event {
    let words = format!("{seq} ").repeat(usize::try_from(seq.0 * 37 % 300).expect("small") + 1);
    let body = serde_json::json!({ "kind": "text", "text": words });
    Event {
        room,
        seq,
        ord: seq.0,
        at: Timestamp(i64::try_from(seq.0).expect("small")),
        by: UserId(room.0),
        client_id: Some(ClientId(Uuid::from_u64_pair(seq.0, room.0.as_u64_pair().1))),
        target: None,
        reply_to: None,
        body: EventBody::from_json("message", &body.to_string()).expect("it is a message"),
    }
}

#[tokio::test]
async fn a_killed_store_keeps_what_it_acked_whole_and_in_order() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let scratch = Scratch::new("crash");
    let mut acked = BTreeMap::new();
    for kill in 1..=KILLS {
        let acks = random.usize(1..300);
        // Killed from outside it may be anywhere; by itself, it is just past an ack.
        let killer = if random.bool() { Killer::Parent } else { Killer::Itself };
        acked.extend(append_and_kill(scratch.path(), acks, killer));
        check(scratch.path(), &acked, kill).await;
    }
    assert_eq!(acked.len() as u128, ROOMS);
    assert_eq!(quick_check(scratch.path()).expect("read"), [""; 0]);
}

#[derive(Clone, Copy)]
enum Killer {
    Parent,
    Itself,
}

/// Runs the child, has it killed when it has said `acks` acks, and returns each room's newest acked position.
fn append_and_kill(dir: &Path, acks: usize, killer: Killer) -> BTreeMap<u128, Seq> {
    let mut child = Command::new(std::env::current_exe().expect("this test has a path"));
    child.args(["--ignored", "--exact", "crash::child", "--nocapture"]).env(DIR, dir).stdout(Stdio::piped());
    if let Killer::Itself = killer {
        child.env(ACKS, acks.to_string());
    }
    let mut child = child.spawn().expect("start the child");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let lines = lines.map(|line| line.expect("read the child"));
    let mut lines = lines.filter_map(|line| parse(line.strip_prefix("acked ")?));
    let mut acked = BTreeMap::new();
    acked.extend(lines.by_ref().take(acks));
    if let Killer::Parent = killer {
        child.kill().expect("kill the child");
    }
    // What it still managed to say is acked as well.
    acked.extend(lines);
    child.wait().expect("bury the child");
    acked
}

/// Returns room and position of `"3 17"`, or `None` where the kill cut the line off.
fn parse(line: &str) -> Option<(u128, Seq)> {
    let (room, seq) = line.split_once(' ')?;
    Some((room.parse().ok()?, Seq(seq.parse().ok()?)))
}

async fn check(dir: &Path, acked: &BTreeMap<u128, Seq>, kill: u32) {
    let store = open(dir);
    for (number, newest) in acked {
        let room = RoomId(Uuid::from_u128(*number));
        let found = store.read(room, Range::After(Seq::ZERO), usize::MAX).await.expect("read");
        let head = Seq(found.len() as u64);
        assert!(
            head >= *newest,
            "room {number} lost what is after {head}, acked up to {newest}, kill {kill}"
        );
        for (found, seq) in found.iter().zip(1..) {
            assert_eq!(*found, event(room, Seq(seq)), "kill {kill}");
        }
        for newest in found.iter().rev().take(100) {
            let name = newest.client_id.expect("it has one");
            let receipt = store.find(room, newest.by, name).await.expect("read");
            assert_eq!(receipt.map(|receipt| receipt.seq), Some(newest.seq), "kill {kill}");
        }
        let mut end = Seq::ZERO;
        while end < head {
            end = Seq(end.0 + batch_size(room, end));
        }
        assert_eq!(end, head, "room {number} ends inside a batch, kill {kill}");
    }
    store.close().await.expect("close");
}
