//! `results`: `bench/RESULTS.md` of what people wrote and what runs found.
//!
//! `RESULTS.in.md` is the prose. Two lines in it stand for what is made: `<!-- promises -->` for the table of what
//! the scenarios promise, `<!-- runs -->` for a section on each run. So no figure is copied by hand.

use crate::page::number::with_unit;
use crate::page::{Block, Page, Section, Table, markdown, table};
use crate::repeated::Repeated;
use crate::report::{facts, figures, latencies};
use crate::result::RunResult;
use crate::scenario::{Promise, Scenario, files};
use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const PROMISES: &str = "<!-- promises -->";
const RUNS: &str = "<!-- runs -->";
const NOTE: &str =
    "<!-- Made of RESULTS.in.md, runs/ and scenarios/ by `rookery-bench results`. Do not edit. -->\n\n";

/// Makes `RESULTS.md` anew of `RESULTS.in.md`, `scenarios/` and `runs/`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Where all of them are.
    #[arg(long, value_name = "FOLDER", default_value = "bench")]
    dir: PathBuf,
    /// Only say whether it is up to date: 1 where it is not.
    #[arg(long)]
    check: bool,
}

/// Makes the page, or says whether it is up to date.
///
/// # Errors
///
/// Those of [`page`], and those of the file system.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let path = args.dir.join("RESULTS.md");
    let now = page(&args.dir)?;
    if fs::read_to_string(&path).is_ok_and(|there| there == now) {
        return Ok(ExitCode::SUCCESS);
    }
    if args.check {
        println!("{} is out of date: rookery-bench results", path.display());
        return Ok(ExitCode::FAILURE);
    }
    fs::write(&path, now).with_context(|| format!("write {}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the page as it should be.
///
/// # Errors
///
/// When something it is made of is missing or broken, or when runs of one scenario do not repeat each other.
pub fn page(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("RESULTS.in.md");
    let prose = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    for mark in [PROMISES, RUNS] {
        let count = prose.lines().filter(|line| *line == mark).count();
        ensure!(count == 1, "{} has {count} lines `{mark}`, not one", path.display());
    }
    let scenarios = Scenario::read_all(&folder.join("scenarios"))?;
    let runs = runs(&folder.join("runs"))?;
    let lines = prose.lines().map(|line| match line {
        PROMISES => promises(&scenarios, &runs),
        RUNS => Ok(about_runs(&scenarios, &runs)),
        line => Ok(line.to_owned()),
    });
    let lines: Vec<String> = lines.collect::<anyhow::Result<_>>()?;
    Ok(format!("{NOTE}{}\n", lines.join("\n")))
}

/// Returns the runs of each scenario, by its name.
fn runs(folder: &Path) -> anyhow::Result<BTreeMap<String, Repeated>> {
    let mut by_name: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut paths = files(folder, "json")?;
    paths.sort();
    for path in paths {
        by_name.entry(RunResult::read(&path)?.scenario.name).or_default().push(path);
    }
    by_name.into_iter().map(|(name, paths)| Ok((name, Repeated::read(&paths)?))).collect()
}

fn promises(scenarios: &[Scenario], runs: &BTreeMap<String, Repeated>) -> anyhow::Result<String> {
    let mut rows = Table::new(["promise", "limit", "measured", "kept", "runs", "command"]).words(6);
    for scenario in scenarios {
        for threshold in &scenario.thresholds {
            let Some(promise) = &threshold.promise else { continue };
            let run = runs.get(&scenario.name);
            let (limit, measured, is_kept) = measured(threshold, run)?;
            let links =
                run.map(|run| run.names().iter().map(|name| format!("[{name}](runs/{name}.json)")).collect());
            let links: Vec<String> = links.unwrap_or_default();
            rows.push([
                promise.clone(),
                limit,
                measured,
                is_kept.to_owned(),
                links.join(", "),
                format!("`rookery-bench run bench/scenarios/{}.toml`", scenario.name),
            ]);
        }
    }
    Ok(table(&rows))
}

/// Returns a promise's limit, what was measured, and whether it is kept: as one reads them.
fn measured(threshold: &Promise, runs: Option<&Repeated>) -> anyhow::Result<(String, String, &'static str)> {
    let holds = &threshold.holds;
    let written =
        || holds.known().and_then(|known| holds.limit(known).ok()).unwrap_or_else(|| holds.to_string());
    let Some(runs) = runs else { return Ok((written(), "not measured yet".to_owned(), "")) };
    let name = holds.name_in(runs.first())?;
    let unit = runs.first().unit(&name);
    let Some((median, (least, most))) = runs.median(&name).zip(runs.spread(&name)) else {
        return Ok((written(), "not by all runs".to_owned(), ""));
    };
    // Who lost something has kept nothing.
    let is_kept = runs.is_correct() && holds.is_true(&name, &unit, median, None)?;
    let said = with_unit(median, &unit);
    let said = match runs.len() {
        1 => said,
        _ => format!("{said} ({} to {})", with_unit(least, &unit), with_unit(most, &unit)),
    };
    Ok((written(), said, if is_kept { "yes" } else { "**no**" }))
}

fn about_runs(scenarios: &[Scenario], runs: &BTreeMap<String, Repeated>) -> String {
    if runs.is_empty() {
        return "No run is committed yet.".to_owned();
    }
    let section = |(name, repeated): (&String, &Repeated)| {
        let scenario = scenarios.iter().find(|scenario| scenario.name == *name);
        let mut blocks: Vec<Block> =
            scenario.map(|scenario| Block::Text(scenario.about.clone())).into_iter().collect();
        for (name, run) in repeated.named() {
            if repeated.len() > 1 {
                blocks.push(Block::Text(format!("{name}:")));
            }
            blocks.extend(facts(run));
            blocks.extend(
                run.verdict.problems.iter().map(|problem| Block::Warning(format!("Wrong: {problem}"))),
            );
            blocks.extend(run.client.warning.iter().map(|warning| Block::Warning(warning.clone())));
            blocks.extend(latencies(&run.latencies).map(Block::Table));
            blocks.extend(figures(run).map(Block::Table));
        }
        markdown(&Page { title: name.clone(), sections: vec![Section { heading: String::new(), blocks }] }, 3)
    };
    runs.iter().map(section).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
