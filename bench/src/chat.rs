//! The chat bench: what must stay fast in a chat that has grown, through a whole node in process.
//!
//! Three situations are built through the store port, in a SQLite store on the disk, and then met by
//! a client over a WebSocket on loopback. A time is from the command to its decoded reply, so the
//! client's own work is in it, and the machine's other work too.

mod build;
mod measure;
mod report;

use crate::process::load;
use anyhow::Context;
use build::Chat;
use measure::Visitor;
use report::Report;
use rookery_engine::store::Store;
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Measures opening a large room, pages of a long one, and a long list of rooms; fails when one of
/// them takes 50 ms or more at the 99th percentile.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Members of the large room.
    #[arg(long, default_value_t = 100_000)]
    members: u32,
    /// Messages of the long room.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Rooms of the list.
    #[arg(long, default_value_t = 5_000)]
    rooms: u32,
    /// How often each is measured.
    #[arg(long, default_value_t = 400)]
    samples: u32,
    /// Where the database is made; the folder is emptied first and removed in the end.
    #[arg(long, default_value = "target/bench-chat")]
    dir: PathBuf,
    /// Print JSON instead of the table.
    #[arg(long)]
    json: bool,
}

/// Runs the bench and prints what it found.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if args.dir.exists() {
        fs::remove_dir_all(&args.dir).with_context(|| format!("empty {}", args.dir.display()))?;
    }
    let report = runtime.block_on(in_a_node(args))?;
    fs::remove_dir_all(&args.dir)?;
    if args.json {
        report.print_json()?;
    } else {
        report.print();
    }
    Ok(if report.is_fast() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn in_a_node(args: &Args) -> anyhow::Result<Report> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&SqliteOptions::in_dir(&args.dir))?);
    // A room may be passivated as soon as the bench says so.
    let room_idle = Duration::from_millis(1);
    let options = TestNodeOptions { store: Arc::clone(&store), room_idle, ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let reader = node.user("reader").await;

    let begun = Instant::now();
    let chat = Chat::build(&*store, reader.id(), args).await?;
    eprintln!(
        "built in {:.1} s: {} MiB",
        begun.elapsed().as_secs_f64(),
        fs::metadata(args.dir.join("rookery.db"))?.len() >> 20
    );
    let mut report = Report::new(load());
    let mut visitor = Visitor::new(&node, reader.token(), args.samples).await;
    report.cases.push(visitor.cold_opens(chat.large).await?);
    report.cases.push(visitor.warm_opens(chat.large).await?);
    report.cases.push(visitor.pages(chat.long, chat.long_head).await?);
    report.cases.push(visitor.first_pages().await?);
    report.cases.push(visitor.later_pages(args.rooms + 2).await?);
    report.note_load(load());
    drop(visitor);
    node.stop().await;
    store.close().await?;
    Ok(report)
}
