//! `quick`: one scenario of each kind, chosen by a few flags.
//!
//! | file | what |
//! |---|---|
//! | `quick/common.rs` | the flags that all have |
//! | `quick/stage.rs` | the server, the workers, the people: what a scenario plays on |
//! | `quick/record.rs` | from what was counted to the document of the run |
//! | `quick/sampler.rs` | the server's CPU and memory, every second |
//! | `quick/settle.rs` | waiting until memory stands still |
//! | `quick/phases.rs` | what a scenario's file says phase by phase |
//! | `quick/chat.rs` | people in rooms, some of whom write: what most scenarios are |
//! | the others | one scenario each |

mod chat;
mod common;
mod connect;
mod fanout;
pub(crate) mod floor;
mod fsync;
mod idle;
mod mixed;
mod phases;
mod publish;
mod record;
mod resume;
mod rooms;
mod sampler;
mod settle;
mod stage;
mod stopped;
mod storm;

pub use common::{Common, server_beside};
pub(crate) use phases::Phases;

use crate::report::told;
use crate::result::RunResult;
use clap::Subcommand;
use std::process::ExitCode;

/// A scenario with its flags.
#[derive(Clone, Debug, Subcommand)]
pub enum Quick {
    /// What coming in costs: connect and authenticate.
    Connect(connect::Args),
    /// What connections cost that do nothing, from few to many.
    Idle(idle::Args),
    /// Many who write, each in a room of their own: how fast it is durable.
    Publish(publish::Args),
    /// One room that everybody hears; beside it, in the same run, the bare loop that writes as many frames.
    Fanout(fanout::Args),
    /// Many small rooms.
    Rooms(rooms::Args),
    /// Sessions that come back to what they have missed.
    Resume(resume::Args),
    /// Everybody comes back at once, while others go on.
    Storm(storm::Args),
    /// Small rooms and a large one, people who come and go, readers that stop.
    Mixed(mixed::Args),
}

impl Quick {
    /// Plays it.
    ///
    /// # Errors
    /// When it could not be played; a run that found faults is a result.
    pub fn play(&self, common: &Common, command: Vec<String>) -> anyhow::Result<RunResult> {
        match self {
            Self::Connect(args) => connect::play(common, args, command),
            Self::Idle(args) => idle::play(common, args, command),
            Self::Publish(args) => publish::play(common, args, command),
            Self::Fanout(args) => fanout::play(common, args, command),
            Self::Rooms(args) => rooms::play(common, args, command),
            Self::Resume(args) => resume::play(common, args, command),
            Self::Storm(args) => storm::play(common, args, command),
            Self::Mixed(args) => mixed::play(common, args, command),
        }
    }
}

/// Plays a scenario, says what came of it and keeps it where it was asked to: exit code 1 where anything was lost,
/// doubled, reordered or damaged, or otherwise wrong.
///
/// # Errors
/// As [`Quick::play`], and when the result cannot be written.
pub fn quick(scenario: &Quick, common: &Common) -> anyhow::Result<ExitCode> {
    let run = scenario.play(common, std::env::args().collect())?;
    finish(&run, common)
}

/// Says what came of a run and keeps it where it was asked to.
pub(crate) fn finish(run: &RunResult, common: &Common) -> anyhow::Result<ExitCode> {
    if let Some(path) = &common.out {
        std::fs::write(path, serde_json::to_vec_pretty(run)?)?;
    }
    print!("{}", told(run));
    Ok(if run.verdict.is_correct { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(subcommand)]
        scenario: Quick,
        #[command(flatten)]
        common: Common,
    }

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("quick").chain(line.split_whitespace()))
    }

    #[test]
    fn every_scenario_plays_by_its_name_alone_and_its_flags_hold_together() {
        Cli::command().debug_assert();
        for name in ["connect", "idle", "publish", "fanout", "rooms", "resume", "storm", "mixed"] {
            assert!(parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn flags_are_read_before_and_behind_the_name() {
        let cli =
            parse("--pin fanout --connections 250,1000 --outstanding 8 --codec json --sources 4").unwrap();
        let Quick::Fanout(args) = cli.scenario else { panic!("{:?}", cli.scenario) };
        assert_eq!((args.connections, args.outstanding), (vec![250, 1_000], Some(8)));
        assert!(cli.common.pin && cli.common.sources == 4);
        let url = |line| parse(line).unwrap().common.url.map(|url| url.to_string());
        assert_eq!(url("idle --url http://127.0.0.1:7080/"), Some("127.0.0.1:7080".to_owned()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "",
            "storms",
            "idle --pid 7",
            "idle --url localhost",
            "idle --url 127.0.0.1:1 --server x",
            "fanout --processes 0",
            "publish --outstanding 2 --rate 9",
            "rooms --codec xml",
            "idle --sizes 5,x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_server_that_does_not_start_is_told_with_its_path() {
        let cli = parse("fanout --server /nowhere/rookery").unwrap();
        let error = cli.scenario.play(&cli.common, Vec::new()).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/rookery"), "{error:#}");
    }
}
