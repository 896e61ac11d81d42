//! `report RUN.json…`: what runs found, for a terminal, for a page, for a spreadsheet, for a plotter.

mod charts;
mod csv;
mod hgrm;
mod sections;

use crate::page::{Page, html, markdown, terminal};
use crate::result::RunResult;
use anyhow::Context;
pub(crate) use sections::{facts, figures, latencies};
use sections::{side_by_side, whole};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Reads the results of runs and writes what they found.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What `run` and `quick` wrote.
    #[arg(required = true, value_name = "RUN.json")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    shape: Shape,
    /// Which latencies `--hgrm` writes: ack, delivery, `last_delivery`, connect, resume, bystander; what the run is
    /// about, if it is not said.
    #[arg(long, value_name = "LATENCY", requires = "hgrm")]
    of: Option<String>,
    /// Write into this file instead of to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is written; a table for a terminal, if nothing is said.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "flags of which at most one is given")]
struct Shape {
    /// Markdown.
    #[arg(long)]
    md: bool,
    /// One HTML file with charts, which needs no network.
    #[arg(long)]
    html: bool,
    /// One line for each phase of each run and one for the run as a whole, under one header.
    #[arg(long)]
    csv: bool,
    /// The percentile distribution of one run, as plotters of `HdrHistogram` read it.
    #[arg(long)]
    hgrm: bool,
}

/// A run and the file that it was in.
#[derive(Debug)]
pub(crate) struct Named {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) run: RunResult,
}

impl Named {
    /// Reads a run.
    ///
    /// # Errors
    ///
    /// Those of [`RunResult::read`].
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, run: RunResult::read(path)? })
    }
}

/// Writes the report.
///
/// # Errors
///
/// When a file is not the result of a run, when it has not got what is asked for, or when the report cannot
/// be written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let runs: Vec<Named> = args.runs.iter().map(|path| Named::read(path)).collect::<anyhow::Result<_>>()?;
    let text = match args.shape {
        Shape { csv: true, .. } => csv::csv(&runs),
        Shape { hgrm: true, .. } => hgrm::hgrm(&runs, args.of.as_deref())?,
        Shape { html: true, .. } => html(&page(&runs)),
        Shape { md: true, .. } => markdown(&page(&runs), 1),
        _ => terminal(&page(&runs)),
    };
    match &args.out {
        Some(path) => fs::write(path, text).with_context(|| format!("write {}", path.display())),
        // A reader that has seen enough (`| head`) is no error.
        None => match std::io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            done => Ok(done?),
        },
    }
}

/// Returns what a run found, for a terminal.
pub(crate) fn told(run: &RunResult) -> String {
    terminal(&whole(&Named { name: run.scenario.name.clone(), run: run.clone() }))
}

fn page(runs: &[Named]) -> Page {
    match runs {
        [one] => whole(one),
        several => side_by_side(several),
    }
}
