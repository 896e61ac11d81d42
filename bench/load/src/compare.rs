//! `compare A.json B.json`: what changed, whether it is more than the spread of each side, and whether that may be.

mod differences;

use crate::condition::{Condition, change};
use crate::page::number::{number, with_unit};
use crate::page::{Block, Page, Section, Table, markdown, terminal};
use crate::repeated::Repeated;
use crate::result::{Better, figure_named};
use anyhow::bail;
use differences::differences;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compares two results, or several of the same scenario on each side, and fails where one says so.
///
/// Ends with 1 when a condition came true or the second side lost, doubled, reordered or damaged something, and with
/// 2 when there is nothing to compare.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What it was: one result, or several divided by commas.
    #[arg(value_name = "A.json", value_parser = paths)]
    a: Paths,
    /// What it is now: one result, or several divided by commas.
    #[arg(value_name = "B.json", value_parser = paths)]
    b: Paths,
    /// A change that may not be: 'p99>+10%', '`deliveries_per_second`<-5%', '`delivery_p99`>25ms'. May be given often.
    #[arg(long, value_name = "CONDITION")]
    fail_on: Vec<Condition>,
    /// End with 2 where the two sides cannot quite be compared.
    #[arg(long)]
    strict: bool,
    /// Write Markdown.
    #[arg(long)]
    md: bool,
}

/// The files of one side.
#[derive(Clone, Debug)]
struct Paths(Vec<PathBuf>);

#[expect(clippy::unnecessary_wraps, reason = "what clap takes")]
fn paths(text: &str) -> Result<Paths, String> {
    Ok(Paths(text.split(',').map(PathBuf::from).collect()))
}

/// What a comparison came to.
#[derive(Debug)]
pub struct Comparison {
    /// The table, and what there is to say about it.
    pub text: String,
    /// Whether nothing is as it may not be.
    pub is_kept: bool,
}

/// Compares and prints. The exit code is 0 where all is well, 1 where something is as it may not be, and 2 where
/// there was nothing to compare.
pub fn run(args: &Args) -> ExitCode {
    match compare(args) {
        Ok(comparison) => {
            print!("{}", comparison.text);
            ExitCode::from(u8::from(!comparison.is_kept))
        }
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Compares.
///
/// # Errors
///
/// When a file is no result, the two are of different scenarios, a condition is about a figure that is not there, or
/// the sides differ in what matters and that was asked to be an error.
pub fn compare(args: &Args) -> anyhow::Result<Comparison> {
    let (a, b) = (Repeated::read(&args.a.0)?, Repeated::read(&args.b.0)?);
    if a.scenario() != b.scenario() {
        bail!("A is of the scenario {} and B of {}: there is nothing to compare", a.scenario(), b.scenario());
    }
    let differences = differences(&a, &b);
    if args.strict && !differences.is_empty() {
        bail!("the two cannot be compared:\n  {}", differences.join("\n  "));
    }
    let mut is_kept = b.is_correct();
    let mut judgement: Vec<Block> = Vec::new();
    for condition in &args.fail_on {
        let (is_true, said) = judge(condition, &a, &b)?;
        is_kept &= !is_true;
        judgement.push(if is_true {
            Block::Warning(format!("broken: {said}"))
        } else {
            Block::Good(format!("kept: {said}"))
        });
    }
    let warnings =
        differences.into_iter().map(|what| Block::Warning(format!("not quite comparable: {what}")));
    let mut blocks: Vec<Block> = warnings.collect();
    blocks.push(Block::Table(table(&a, &b)));
    blocks.extend(judgement);
    let sections = vec![Section { heading: String::new(), blocks }];
    let page = Page {
        title: format!("{}: A {}, B {}", a.scenario(), a.names().join(", "), b.names().join(", ")),
        sections,
    };
    Ok(Comparison { text: if args.md { markdown(&page, 1) } else { terminal(&page) }, is_kept })
}

fn judge(condition: &Condition, a: &Repeated, b: &Repeated) -> anyhow::Result<(bool, String)> {
    let name = condition.name_in(b.first())?;
    let unit = b.first().unit(&name);
    let (before, after) = (a.median(&name), b.median(&name));
    let Some(after) = after else { bail!("`{condition}`: not all runs of B have {name}") };
    let is_true = condition.is_true(&name, &unit, after, before)?;
    let said = match before {
        Some(before) => {
            let (from, to) = (with_unit(before, &unit), with_unit(after, &unit));
            format!("{condition}: {name} was {from} and is {to} ({})", percents(change(before, after)))
        }
        None => format!("{condition}: {name} is {}", with_unit(after, &unit)),
    };
    Ok((is_true, said))
}

fn table(a: &Repeated, b: &Repeated) -> Table {
    let mut table = Table::new(["figure", "A", "A from to", "B", "B from to", "change", ""]);
    let names = a.first().figure_names().into_iter();
    for name in names.filter(|name| !name.ends_with("_p90_us") && !is_said_of_the_run(name, a)) {
        let (Some(before), Some(after)) = (a.median(&name), b.median(&name)) else { continue };
        let unit = a.first().unit(&name);
        let spread = |side: &Repeated| match side.spread(&name) {
            Some((least, most)) if side.len() > 1 => {
                format!("{} {}", with_unit(least, &unit), with_unit(most, &unit))
            }
            _ => String::new(),
        };
        table.push([
            name.clone(),
            with_unit(before, &unit),
            spread(a),
            with_unit(after, &unit),
            spread(b),
            percents(change(before, after)),
            direction(&name, a, b).to_owned(),
        ]);
    }
    table.without_empty_columns()
}

/// Whether a figure is one of the only phase that is counted, so that it is the run's own.
fn is_said_of_the_run(name: &str, side: &Repeated) -> bool {
    let Some((phase, name)) = name.rsplit_once(':') else { return false };
    let mut counted = side.first().phases.iter().filter(|phase| phase.counted);
    let is_only = counted.next().is_some_and(|counted| counted.name == phase) && counted.next().is_none();
    is_only && side.median(name).is_some()
}

/// Returns which way a figure went, when it went further than the runs of each side lie apart.
fn direction(name: &str, a: &Repeated, b: &Repeated) -> &'static str {
    let (Some((a_least, a_most)), Some((b_least, b_most))) = (a.spread(name), b.spread(name)) else {
        return "";
    };
    let better =
        figure_named(name.rsplit(':').next().unwrap_or(name)).map_or(Better::Lower, |known| known.better);
    match (b_least > a_most, b_most < a_least, better) {
        (true, _, Better::Lower) | (_, true, Better::Higher) => "worse",
        (true, _, Better::Higher) | (_, true, Better::Lower) => "better",
        (false, false, _) => "the same",
    }
}

fn percents(share: f64) -> String {
    if share.is_infinite() {
        return "from nothing".to_owned();
    }
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{} %", number(share * 100.0))
}
