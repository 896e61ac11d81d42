//! The checker on the journals that a replay kept.

use anyhow::Context;
use rookery_tests::checker::check_folder;
use std::path::PathBuf;
use std::process::ExitCode;

/// Judges a folder of journals; fails when a promise was broken.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// What `replay --keep` kept.
    folder: PathBuf,
}

/// Runs the checker and prints its verdict.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let verdict = check_folder(&args.folder).with_context(|| format!("read {}", args.folder.display()))?;
    println!("{verdict}");
    let is_proof = verdict.is_clean() && verdict.counts.events > 0;
    Ok(if is_proof { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
