//! The bench of the cluster's store, on a Cassandra of its own: appends by the size of a batch, and what a
//! condition costs.
//!
//! Every writer has a room of its own and one append under way. Rounds are interleaved, so that a machine that
//! gets slower meanwhile slows all alike. CPU is told of this process (the driver and the store) and of
//! Cassandra apart.

mod condition;
mod report;

use crate::process::cpu_seconds;
use crate::replay::cluster::Cluster;
use crate::store::{Writer, write_until};
use anyhow::Context;
use condition::Condition;
use hdrhistogram::Histogram;
use report::{Case, Row, print};
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Measures appends to the cluster's store, and a conditional batch against a plain one.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many write at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32])]
    writers: Vec<usize>,
    /// Events in each append.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16, 64])]
    batch: Vec<usize>,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How often all is measured; the tables give medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the servers keep their data, in a folder that must be new.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench-cluster")]
    dir: PathBuf,
    /// Print JSON instead of the tables.
    #[arg(long)]
    json: bool,
}

/// What was measured once, by several writers.
#[derive(Debug)]
struct Measured {
    /// Nanoseconds from asking to the answer.
    latency: Histogram<u64>,
    elapsed: Duration,
    /// CPU seconds of this process and of Cassandra.
    cpu: [f64; 2],
}

/// Runs the bench and prints what it found.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    std::fs::create_dir(&args.dir).with_context(|| format!("make {}", args.dir.display()))?;
    let done = runtime.block_on(measure(args));
    std::fs::remove_dir_all(&args.dir)?;
    let rows = done?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print(&rows);
    }
    Ok(())
}

async fn measure(args: &Args) -> anyhow::Result<Vec<Row>> {
    // No server of ours runs: the script only has to see that there is one.
    let cluster = Cluster::start(&std::env::current_exe()?, 0, &args.dir).await?;
    let cassandra = cluster.process("c1")?.to_owned();
    let store = cluster.open_store().await?;
    let condition = Condition::prepare(cluster.address("c1")?).await?;
    let (mut rows, mut number) = (Vec::new(), 0);
    for round in 0..=args.rounds {
        // What the first round measures is how Cassandra's code is compiled.
        if round == 1 {
            rows.clear();
        }
        for writers in args.writers.iter().copied() {
            for events in args.batch.iter().copied() {
                let first = number;
                number += writers;
                let until = Instant::now() + Duration::from_secs_f64(args.seconds);
                let all = (first..number).map(|number| {
                    let store = store.clone();
                    async move { Ok(write_until(&*store, Writer::new(number as u128), events, until).await) }
                });
                rows.push(Row::new(Case::Append, writers, events, &together(all, &cassandra).await?));
            }
            for case in [Case::Plain, Case::Conditional] {
                let until = Instant::now() + Duration::from_secs_f64(args.seconds);
                let all = (0..writers).map(|_| condition.write_until(case == Case::Conditional, until));
                rows.push(Row::new(case, writers, 1, &together(all, &cassandra).await?));
            }
        }
    }
    store.close().await?;
    Ok(rows)
}

/// Has all write at once, and measures what that takes.
async fn together<F>(writers: impl Iterator<Item = F>, cassandra: &str) -> anyhow::Result<Measured>
where
    F: Future<Output = anyhow::Result<Histogram<u64>>> + Send + 'static,
{
    let used = || anyhow::Ok([cpu_seconds("self")?, cpu_seconds(cassandra)?]);
    let (started, before) = (Instant::now(), used()?);
    let mut writing: JoinSet<_> = writers.collect();
    let mut latency = Histogram::new(3)?;
    while let Some(mine) = writing.join_next().await {
        latency.add(mine??)?;
    }
    let (elapsed, after) = (started.elapsed(), used()?);
    Ok(Measured { latency, elapsed, cpu: [after[0] - before[0], after[1] - before[1]] })
}
