//! The store bench: appends by 1, 32 and 256 writers, beside a bare write and fsync loop.
//!
//! Every writer has a room of its own and one append outstanding, so what is measured is group
//! commit, not batching. The bare loop writes as many bytes as one commit of one writer does, to a file
//! that is begun again when it is as long as the store's log may be, because that is what the
//! store's log does. Rounds are interleaved, so that a disk that gets slower meanwhile slows all alike.

mod report;

use crate::process::cpu_seconds;
use anyhow::Context;
use hdrhistogram::Histogram;
use report::{Bare, Case, Report};
use rookery_engine::store::{Append, Log, Store};
use rookery_engine::{Random, SeededRandom, Tasks, uuid_v7};
use rookery_protocol::{ClientId, Event, EventBody, RoomId, Seq, Timestamp, UserId};
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use uuid::Uuid;

/// Bytes of text in each message.
const TEXT_BYTES: usize = 200;

/// Appends that tell how many bytes one commit writes.
const PROBES: u64 = 200;

/// Measures durable appends of 200-byte messages.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many write at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 256])]
    writers: Vec<usize>,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How often all is measured; the table gives medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the files are made, on the disk that is to be measured.
    #[arg(long, default_value = "target/bench-store")]
    dir: PathBuf,
    /// How many times as long as it worked the search indexer rests; a great number keeps it still.
    #[arg(long, default_value_t = 3)]
    index_rest: u32,
    /// Print JSON instead of the table.
    #[arg(long)]
    json: bool,
}

/// Runs the bench and prints what it found.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    let seconds = Duration::from_secs_f64(args.seconds);
    let commit_bytes = runtime.block_on(commit_bytes(&args.dir))?;
    let mut report = Report::new(commit_bytes);
    for _ in 0..args.rounds {
        for writers in &args.writers {
            report.bare.push(bare(&args.dir, commit_bytes, seconds / 3)?);
            report.cases.push(append(&runtime, args, *writers)?);
        }
    }
    fs::remove_dir_all(&args.dir)?;
    if args.json {
        report.print_json()?;
    } else {
        report.print();
    }
    Ok(())
}

/// Opens a store in `dir`, which is emptied first.
fn open(dir: &Path, index_rest: u32) -> anyhow::Result<SqliteStore> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("empty {}", dir.display()))?;
    }
    Ok(SqliteStore::open(&SqliteOptions { index_rest, ..SqliteOptions::in_dir(dir) })?)
}

/// Returns how many bytes one commit of one message adds to the write-ahead log.
async fn commit_bytes(dir: &Path) -> anyhow::Result<u64> {
    let store = open(dir, 0)?;
    let length = || fs::metadata(dir.join("rookery.db-wal")).map(|wal| wal.len());
    let mut writer = Writer::new(0);
    store.append(writer.next(1)).await?;
    let before = length()?;
    for _ in 0..PROBES {
        store.append(writer.next(1)).await?;
    }
    let bytes = (length()? - before) / PROBES;
    store.close().await?;
    Ok(bytes)
}

/// Measures the disk alone: `bytes` written and synced, again and again.
fn bare(dir: &Path, bytes: u64, time: Duration) -> anyhow::Result<Bare> {
    let path = dir.join("bare");
    let file = File::create(&path)?;
    let buffer = vec![7; usize::try_from(bytes)?];
    let laps = SqliteOptions::in_dir(dir).wal_bytes / bytes;
    let mut latency = Histogram::<u64>::new(3)?;
    let started = Instant::now();
    while started.elapsed() < time {
        let begun = Instant::now();
        file.write_all_at(&buffer, latency.len() % laps * bytes)?;
        file.sync_data()?;
        latency.record(nanos(begun))?;
    }
    fs::remove_file(&path)?;
    Ok(Bare::new(&latency))
}

/// Measures `writers` that each append one message after the other.
fn append(runtime: &Runtime, args: &Args, writers: usize) -> anyhow::Result<Case> {
    let (dir, time) = (&args.dir, Duration::from_secs_f64(args.seconds));
    let store = Arc::new(open(dir, args.index_rest)?);
    let latency = Arc::new(Mutex::new(Histogram::<u64>::new(3)?));
    let tasks = Tasks::new();
    let (started, cpu) = (Instant::now(), cpu_seconds("self")?);
    for number in 0..writers {
        let (store, latency) = (store.clone(), latency.clone());
        runtime.block_on(async {
            tasks.spawn(async move {
                let mine = write_until(&*store, Writer::new(number as u128), 1, started + time).await;
                latency.lock().unwrap_or_else(PoisonError::into_inner).add(mine).expect("the same bounds");
            });
        });
    }
    anyhow::ensure!(runtime.block_on(tasks.finished(time * 10)), "the writers do not end");
    let (elapsed, cpu) = (started.elapsed(), cpu_seconds("self")? - cpu);
    runtime.block_on(store.close())?;
    let bytes = fs::metadata(dir.join("rookery.db"))?.len();
    let latency = latency.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Case::new(writers, &latency, elapsed, cpu, bytes))
}

/// Appends batches of so many events, one after the other, until then. Returns nanoseconds of each.
pub(crate) async fn write_until(
    store: &dyn Store,
    mut writer: Writer,
    events: usize,
    end: Instant,
) -> Histogram<u64> {
    let mut latency = Histogram::new(3).expect("3 digits are allowed");
    while Instant::now() < end {
        let append = writer.next(events);
        let begun = Instant::now();
        store.append(append).await.expect("the store takes writes");
        latency.record(nanos(begun)).expect("it has no upper bound");
    }
    latency
}

/// What one writer says in its room.
#[derive(Debug)]
pub(crate) struct Writer {
    room: RoomId,
    by: UserId,
    seq: Seq,
    random: SeededRandom,
    text: String,
}

impl Writer {
    pub(crate) fn new(number: u128) -> Self {
        let random = SeededRandom::new(u64::try_from(number).unwrap_or(0));
        let mut id = [0; 16];
        random.fill(&mut id);
        let (room, by) = (RoomId(Uuid::from_bytes(id)), UserId(Uuid::from_u128(number)));
        Self {
            room,
            by,
            seq: Seq::ZERO,
            random,
            text: "lorem ipsum ".repeat(TEXT_BYTES)[..TEXT_BYTES].to_owned(),
        }
    }

    fn next(&mut self, events: usize) -> Append {
        let expected = self.seq;
        let events = (0..events).map(|_| self.say()).collect();
        Append { room: self.room, expected, events, projections: [].into() }
    }

    fn say(&mut self) -> Event {
        self.seq = self.seq.next();
        let at = Timestamp(1_700_000_000_000 + i64::try_from(self.seq.0).unwrap_or(0));
        Event {
            room: self.room,
            seq: self.seq,
            ord: self.seq.0,
            at,
            by: self.by,
            client_id: Some(ClientId(uuid_v7(at, &self.random))),
            target: None,
            reply_to: None,
            body: EventBody::Message(rookery_protocol::MessageBody::text(&self.text)),
        }
    }
}

fn nanos(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
