//! The search bench: how fast the index follows a log, and how long searches take in it.
//!
//! Messages are random words of a vocabulary in which, as in languages, the n-th word is said 1/n
//! times as often as the first (Zipf). The log is written first, then the index is made anew from it.

use anyhow::Context;
use hdrhistogram::Histogram;
use rookery_engine::search::{Search, SearchError, SearchQuery, Terms};
use rookery_engine::store::{Append, Log, Membership, Projection, Store};
use rookery_protocol::{Event, EventBody, MessageBody, Role, RoomId, Seq, Timestamp, UserId};
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use std::fs;
use std::path::PathBuf;
use tokio::time::Instant;
use uuid::Uuid;

/// Different words.
const VOCABULARY: usize = 50_000;

/// Words of a message.
const WORDS: usize = 12;

/// Who is a member of every tenth room.
const USER: UserId = UserId(Uuid::from_u128(7));

/// Measures the search index.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Messages in the log.
    #[arg(long, default_value_t = 200_000)]
    messages: usize,
    /// Rooms that they are spread over.
    #[arg(long, default_value_t = 200)]
    rooms: usize,
    /// Searches of each kind.
    #[arg(long, default_value_t = 200)]
    searches: usize,
    /// Where the files are made.
    #[arg(long, default_value = "target/bench-search")]
    dir: PathBuf,
}

/// Runs the bench and prints what it found.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    if args.dir.exists() {
        fs::remove_dir_all(&args.dir).with_context(|| format!("empty {}", args.dir.display()))?;
    }
    runtime.block_on(measure(args))?;
    fs::remove_dir_all(&args.dir)?;
    Ok(())
}

async fn measure(args: &Args) -> anyhow::Result<()> {
    let options = SqliteOptions::in_dir(&args.dir);
    let store = SqliteStore::open(&options)?;
    let mut random = fastrand::Rng::with_seed(1);
    let begun = Instant::now();
    write(&store, args, &mut random).await?;
    println!("written: {:.0} messages/s", rate(args.messages, begun));
    store.close().await?;

    fs::remove_file(args.dir.join("search.db"))?;
    let store = SqliteStore::open(&options)?;
    let begun = Instant::now();
    while let Err(error) = store.search(query("w1")?).await {
        anyhow::ensure!(error == SearchError::Behind, "{error}");
    }
    println!("taken in from the beginning: {:.0} messages/s", rate(args.messages, begun));
    for (name, words) in [
        ("rare word", "w40000"),
        ("common word", "\"w1\""),
        ("two common words", "w2 \"w1\""),
        ("beginning", "w12"),
    ] {
        let (mut times, mut hits) = (Histogram::<u64>::new(3)?, 0);
        for _ in 0..args.searches {
            let begun = Instant::now();
            hits = store.search(query(words)?).await?.hits.len();
            times.record(u64::try_from(begun.elapsed().as_micros())?)?;
        }
        let (middle, slow) = (times.value_at_quantile(0.5), times.value_at_quantile(0.99));
        println!("{name}: {hits} hits, p50 {middle} µs, p99 {slow} µs");
    }
    store.close().await?;
    let bytes = |file: &str| fs::metadata(args.dir.join(file)).map(|file| file.len());
    let index = bytes("search.db")? + bytes("search.db-wal")?;
    println!(
        "bytes a message: {} of the log, {} of the index",
        bytes("rookery.db")? / args.messages as u64,
        index / args.messages as u64
    );
    Ok(())
}

fn rate(messages: usize, begun: Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count for people")]
    let messages = messages as f64;
    messages / begun.elapsed().as_secs_f64()
}

fn query(words: &str) -> anyhow::Result<SearchQuery> {
    let (room, from, before, kind, cursor) = (None, None, None, None, None);
    Ok(SearchQuery { user: USER, terms: Terms::parse(words)?, room, from, before, kind, limit: 20, cursor })
}

/// Writes the log: rooms in turn, a full batch each.
async fn write(store: &SqliteStore, args: &Args, random: &mut fastrand::Rng) -> anyhow::Result<()> {
    let batch = rookery_engine::limits::BATCH_EVENTS;
    for number in 0..args.messages.div_ceil(batch) {
        let room = number % args.rooms;
        let expected = Seq((number / args.rooms * batch) as u64);
        let events = (1..=batch as u64).map(|step| event(room, Seq(expected.0 + step), random));
        let append = Append {
            room: room_id(room),
            expected,
            events: events.collect(),
            projections: if expected == Seq::ZERO { joining(room).into() } else { [].into() },
        };
        store.append(append).await?;
    }
    Ok(())
}

fn joining(room: usize) -> Vec<Projection> {
    let membership = Membership {
        room: room_id(room),
        user: USER,
        role: room.is_multiple_of(10).then_some(Role::Member),
        joined: Seq(1),
        joined_ord: 1,
        rev: Seq(1),
    };
    vec![Projection::Member(membership)]
}

fn room_id(room: usize) -> RoomId {
    RoomId(Uuid::from_u128(room as u128))
}

fn event(room: usize, seq: Seq, random: &mut fastrand::Rng) -> Event {
    let words: Vec<String> = (0..WORDS).map(|_| word(random)).collect();
    Event {
        room: room_id(room),
        seq,
        ord: seq.0,
        at: Timestamp(1_700_000_000_000 + i64::try_from(seq.0).unwrap_or(0)),
        by: UserId(Uuid::from_u128(random.u128(1..100))),
        client_id: None,
        target: None,
        reply_to: None,
        body: EventBody::Message(MessageBody::text(words.join(" "))),
    }
}

/// Returns a word: by its rank, whose logarithm is uniform.
fn word(random: &mut fastrand::Rng) -> String {
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let rank = (VOCABULARY as f64).powf(random.f64());
    format!("w{rank:.0}")
}
