//! `quick`: one scenario of each kind, chosen by a few flags.
//!
//! | file | what |
//! |---|---|
//! | `quick/common.rs` | the flags that all have |
//! | `quick/stage.rs` | the server, the workers, the people: what a scenario plays on |
//! | `quick/record.rs` | from what was counted to the document of the run |
//! | `quick/sampler.rs` | the server's CPU and memory, every second |
//! | `quick/settle.rs` | waiting until memory stands still |
//! | `quick/chat.rs` | people in rooms, some of whom write: what most scenarios are |
//! | the others | one scenario each |

mod chat;
mod common;
mod fanout;
pub(crate) mod floor;
mod idle;
mod record;
mod sampler;
mod settle;
mod stage;

pub use common::Common;

use crate::result::RunResult;
use clap::Subcommand;
use std::process::ExitCode;

/// A scenario with its flags.
#[derive(Clone, Debug, Subcommand)]
pub enum Quick {
    /// What connections cost that do nothing, from few to many.
    Idle(idle::Args),
    /// One room that everybody hears; beside it, in the same run, the bare loop that writes as many frames.
    Fanout(fanout::Args),
}

impl Quick {
    /// Plays it.
    ///
    /// # Errors
    /// When it could not be played; a run that found faults is a result.
    pub fn play(&self, common: &Common, command: Vec<String>) -> anyhow::Result<RunResult> {
        match self {
            Self::Idle(args) => idle::play(common, args, command),
            Self::Fanout(args) => fanout::play(common, args, command),
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
    print!("{}", record::summary(run));
    Ok(if run.verdict.is_correct { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
