//! Power cuts: what was written and not synced is gone, or half of it is. What was acked is there.
//!
//! A kill leaves what the system has in memory, so it shows nothing of this. `faults/power_cut.c`, preloaded
//! into this same test binary, remembers each file as it was at its last sync; after a kill the rest of it is
//! taken away.

use crate::disk::preloaded;
use crate::folder::Folder;
use rookery_engine::store::{Append, Log, Range, Store};
use rookery_protocol::{Event, EventBody, RoomId, Seq, Timestamp, UserId};
use rookery_store_sqlite::{SqliteOptions, SqliteStore, quick_check};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use uuid::Uuid;

const ROOMS: u128 = 4;
const CUTS: usize = 12;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// Where the child works; without it [`child`] does nothing.
const DIR: &str = "POWER_CUT_DIR";

/// Short, so that the log goes into the database all the time.
const WAL_BYTES: u64 = 256 << 10;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteOptions { wal_bytes: WAL_BYTES, ..SqliteOptions::in_dir(folder) })
        .expect("it opens after a power cut")
}

/// The one event that belongs there.
fn event(room: RoomId, seq: Seq) -> Event {
    let text = format!("{seq} ").repeat(usize::try_from(seq.0 * 37 % 300).expect("small") + 1);
    let body = serde_json::json!({ "kind": "text", "text": text }).to_string();
    let body = EventBody::from_json("message", &body).expect("it is a message");
    let (by, at) = (UserId(room.0), Timestamp(1));
    let (target, reply_to, client_id) = (None, None, None);
    Event { room, seq, ord: seq.0, at, by, client_id, target, reply_to, body }
}

/// Appends pairs of events in every room until it is killed, and says what was acked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process whose power the other test cuts"]
async fn child() {
    let Some(folder) = std::env::var_os(DIR) else { return };
    let store = open(Path::new(&folder));
    let append_for_ever = async |number| {
        let room = RoomId(Uuid::from_u128(number));
        let mut head = store.head(room).await.expect("read").map_or(Seq::ZERO, |head| head.seq);
        loop {
            let next = head.next();
            let events = [event(room, next), event(room, next.next())].into();
            let append = Append { room, expected: head, events, projections: [].into() };
            store.append(append).await.expect("append");
            head = next.next();
            writeln!(std::io::stdout().lock(), "acked {number} {head}").expect("the parent listens");
        }
    };
    futures_util::future::join_all((1..=ROOMS).map(append_for_ever)).await;
}

/// Runs the child until it has said `acks` acks, kills it, and returns each room's newest acked position.
fn append_and_kill(folder: &Path, library: &Path, acks: usize) -> BTreeMap<u128, Seq> {
    let mut child = Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--ignored", "--exact", "matrix::power::child", "--nocapture"])
        .env(DIR, folder)
        .env("LD_PRELOAD", library)
        .stdout(Stdio::piped())
        .spawn()
        .expect("start the child");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut acked = BTreeMap::new();
    let mut take = |line: &str| {
        let (room, seq) = line.strip_prefix("acked ")?.split_once(' ')?;
        acked.insert(room.parse().ok()?, Seq(seq.parse().ok()?))
    };
    for (number, line) in lines.map(|line| line.expect("read the child")).enumerate() {
        if number == acks {
            child.kill().expect("kill the child");
        }
        // What it still managed to say is acked as well; the last line may be cut off, which says less.
        take(&line);
    }
    child.wait().expect("bury the child");
    acked
}

/// Has each file be as it was synced, with as much of what was written since as `chance` says, by sectors.
fn cut_power(folder: &Path, chance: &mut fastrand::Rng) {
    let read = |path: &Path| std::fs::read(path).unwrap_or_default();
    let written = [0.0, 0.5, 1.0][chance.usize(..3)];
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
        if name.ends_with("-shm") || name.ends_with(".syncing") {
            std::fs::remove_file(&path).expect("it is there");
        } else if !name.ends_with(".synced") && path.is_file() {
            let kept = folder.join(format!("{name}.synced"));
            let (synced, mut file) = (read(&kept), read(&path));
            if !chance.bool() {
                file.resize(synced.len(), 0);
            }
            for (number, sector) in file.chunks_mut(SECTOR).enumerate() {
                if chance.f64() >= written {
                    let before = synced.get(number * SECTOR..).unwrap_or_default();
                    let length = sector.len().min(before.len());
                    sector.fill(0);
                    sector[..length].copy_from_slice(&before[..length]);
                }
            }
            for path in [&path, &kept] {
                std::fs::write(path, &file).expect("a sound disk");
            }
        }
    }
}

#[tokio::test]
async fn what_was_acked_survives_power_cuts_whole_and_in_order() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let folder = Folder::new("power");
    let (data, library) = (folder.at("data"), preloaded("power_cut", &folder.0));
    std::fs::create_dir(&data).expect("a sound disk");
    let mut acked: BTreeMap<u128, Seq> = BTreeMap::new();
    for cut in 0..CUTS {
        acked.extend(append_and_kill(&data, &library, chance.usize(20..400)));
        cut_power(&data, &mut chance);
        let store = open(&data);
        for (number, newest) in &acked {
            let room = RoomId(Uuid::from_u128(*number));
            let found = store.read(room, Range::After(Seq::ZERO), usize::MAX).await.expect("read");
            let count = found.len() as u64;
            assert!(count >= newest.0, "cut {cut}: room {number} has {count}, acked up to {newest}");
            assert_eq!(count % 2, 0, "cut {cut}: room {number} ends inside a batch");
            for (found, seq) in found.iter().zip(1..) {
                assert_eq!(*found, event(room, Seq(seq)), "cut {cut}");
            }
        }
        store.close().await.expect("close");
        // What this process has done is not known to the child's disk.
        for file in ["rookery.db", "rookery.db-wal"] {
            std::fs::copy(data.join(file), data.join(format!("{file}.synced"))).expect("a sound disk");
        }
    }
    assert_eq!(acked.len() as u128, ROOMS);
    assert_eq!(quick_check(&data).expect("read"), [""; 0]);
}
