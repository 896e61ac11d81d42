//! `run SCENARIO.toml`: what `quick` does, with the options of a file and with what has to hold.

use crate::quick::{Common, Quick, finish};
use crate::scenario::{Scenario, ScenarioError, Word};
use anyhow::bail;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches, Parser};
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit code of a run that is correct and breaks one of its scenario's thresholds.
///
/// 1 is that of a run that lost, doubled, reordered or damaged something, and 2 that of a wrong command line.
const OVER_A_THRESHOLD: u8 = 3;

/// Plays the scenario of a file.
///
/// Ends with 1 when anything was lost, doubled, reordered or damaged, and with 3 when a threshold of the file does not
/// hold.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The scenario.
    #[arg(value_name = "SCENARIO.toml")]
    scenario: PathBuf,
    /// Options of `quick` that replace those of the file: `--out run.json --pin --steady 5`.
    #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// What stands behind `quick` on a command line.
#[derive(Debug, Parser)]
#[command(name = "quick", args_override_self = true)]
pub(crate) struct Played {
    #[command(subcommand)]
    quick: Option<Quick>,
    #[command(flatten)]
    common: Common,
}

/// Plays the scenario, says what came of it and keeps it where it was asked to.
///
/// # Errors
///
/// When the file is no scenario, with the line, or when it could not be played.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let scenario = Scenario::read(&args.scenario)?;
    let played = played(&scenario, &args.options)?;
    let command = std::env::args().collect();
    let mut run = match (&played.quick, &scenario.phases) {
        (Some(quick), None) => quick.play(&played.common, command)?,
        (None, Some(phases)) => phases.play(&played.common, command)?,
        _ => bail!("{} plays two things: `quick` and phases", args.scenario.display()),
    };
    run.scenario.name.clone_from(&scenario.name);
    run.verdict.thresholds = scenario.judge(&run)?;
    let done = finish(&run, &played.common)?;
    let is_over = run.verdict.is_correct && !run.verdict.keeps_thresholds();
    Ok(if is_over { ExitCode::from(OVER_A_THRESHOLD) } else { done })
}

/// Returns what a scenario plays, with options of the command line instead of some of the file's.
///
/// # Errors
///
/// When there is no such play, or it has no such option, or not of that value; with the line of the file.
pub(crate) fn played(scenario: &Scenario, options: &[String]) -> Result<Played, ScenarioError> {
    let words = scenario.words()?;
    // A list would otherwise be made longer, not another.
    let is_replaced = |word: &&Word| {
        word.text.starts_with("--") && options.iter().any(|option| name(option) == name(&word.text))
    };
    let typed = words.iter().filter(|word| !is_replaced(word)).map(|word| &word.text).chain(options);
    let command = Played::command().no_binary_name(true);
    let matches = command.try_get_matches_from(typed).and_then(|matches| Played::from_arg_matches(&matches));
    matches.map_err(|error| scenario.wrong(reason(&error, &words)))
}

/// Returns the option without its value.
fn name(word: &str) -> &str {
    word.split('=').next().unwrap_or(word)
}

/// Returns what is wrong with a command line, and the line of the file that the wrong word is from.
fn reason(error: &clap::Error, words: &[Word]) -> String {
    let wrong = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand].into_iter().find_map(|kind| {
        let Some(ContextValue::String(wrong)) = error.get(kind) else { return None };
        // `--rate <RATE>` where a value is wrong.
        let wrong = wrong.split([' ', '=']).next()?;
        words.iter().find(|word| name(&word.text) == wrong)
    });
    let said = error.render().to_string();
    let said = said.trim_start_matches("error: ").split("\n\nUsage").next().unwrap_or_default().trim();
    match wrong {
        Some(word) => format!("line {}: {said}", word.line),
        None => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn an_option_of_the_command_line_replaces_that_of_the_file() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fanout.toml");
        let scenario = Scenario::read(&file).unwrap();
        let connections = |options: &[&str]| {
            let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
            let played = played(&scenario, &options).unwrap();
            let Some(Quick::Fanout(args)) = played.quick else { panic!("{:?}", played.quick) };
            (args.connections, args.rate, played.common.pin)
        };
        assert_eq!(connections(&[]), (vec![1_000], 20.0, true));
        assert_eq!(connections(&["--connections", "5,6"]), (vec![5, 6], 20.0, true));
        assert_eq!(connections(&["--connections=7", "--rate=3", "--pin"]), (vec![7], 3.0, true));
    }
}
