//! The document of a run and what reads it, through the commands that people type.
//!
//! `UPDATE=1 cargo test -p rookery-load` writes anew what is in `bench/load/tests/golden/` and
//! `schemas/bench-run.schema.json`. A change of a document that is there already breaks reading old runs.

mod compare;
mod golden;
mod report;
mod results;
mod sample;
mod scenario;
mod schema;

use clap::Parser;
use rookery_load::Load;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The commands, as `rookery-bench` mounts them.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    load: Load,
}

/// Returns a file of this crate's tests.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Parses a command line, without the program's name.
fn cli(args: &[&str]) -> Load {
    parsed(args).expect("a command line that is right")
}

fn parsed(args: &[&str]) -> Result<Load, clap::Error> {
    Cli::try_parse_from([&["rookery-bench"], args].concat()).map(|cli| cli.load)
}

/// Whether generated files are to be written anew and not compared.
#[expect(clippy::disallowed_methods, reason = "what a test is asked for comes by the environment")]
fn is_update() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

/// Fails when a file is not what the code makes of it now; writes it instead when that is asked for.
#[track_caller]
fn expect_file(path: &Path, now: &str) {
    if is_update() {
        std::fs::write(path, now).expect("write the file");
    }
    let there = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE=1 writes it", path.display()));
    let line = there.lines().zip(now.lines()).position(|(there, now)| there != now);
    assert!(
        there == now,
        "{} is out of date, first in line {}: UPDATE=1 cargo test -p rookery-load writes it anew",
        path.display(),
        line.unwrap_or_else(|| there.lines().count().min(now.lines().count())) + 1
    );
}

/// Returns a new folder of one test's own, which the test removes.
fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("rookery-load-{}-{number}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder of this name is not there yet");
    folder
}
