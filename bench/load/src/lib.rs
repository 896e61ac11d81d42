//! The load harness: a client that is lighter than the server it loads, the scenarios that it plays,
//! and what they come to.
//!
//! ```text
//! scenario --> engine --> result (one JSON document) --> report | compare | bench/RESULTS.md
//! ```
//!
//! Playing and reading meet in nothing but that document, so a run can be read anywhere and later. It
//! knows of the server only what is said on the wire.

mod clock;
pub mod compare;
pub mod condition;
mod crew;
mod ground;
mod page;
mod play;
mod progress;
mod quick;
mod repeated;
pub mod report;
pub mod result;
pub mod results;
pub mod scenario;
mod usage;
mod verify;
mod wire;
mod worker;

pub use quick::{Common, Quick, quick, server_beside};

use clap::Subcommand;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// What the harness can do, to be mounted among a program's subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Load {
    /// Plays one scenario, chosen by a few flags.
    Quick {
        /// Which.
        #[command(subcommand)]
        scenario: Quick,
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// Plays the scenario of a file, with what has to hold of it.
    Run(play::Args),
    /// Reads the results of runs and writes what they found.
    Report(report::Args),
    /// Compares two results, or several of the same scenario on each side, and fails where one says so.
    Compare(compare::Args),
    /// Makes RESULTS.md anew of the prose, the scenarios and the committed runs.
    Results(results::Args),
    /// Writes the same bytes to as many sockets in a bare loop: what writing costs here and now.
    Floor {
        /// What.
        #[command(flatten)]
        floor: quick::floor::Floor,
        /// Where and how.
        #[command(flatten)]
        common: Common,
    },
    /// Is a process of the client.
    #[command(name = crew::WORKER, hide = true)]
    Worker,
    /// Is the process of the bare loop.
    #[command(name = quick::floor::FLOOR, hide = true)]
    Loop,
}

/// Does it.
///
/// # Errors
/// When it could not be done; a run that found faults ends with exit code 1 instead.
pub fn run(load: &Load) -> anyhow::Result<ExitCode> {
    match load {
        Load::Quick { scenario, common } => quick(scenario, common),
        Load::Run(args) => play::run(args),
        Load::Report(args) => report::run(args).map(|()| ExitCode::SUCCESS),
        Load::Compare(args) => Ok(compare::run(args)),
        Load::Results(args) => results::run(args),
        Load::Floor { floor, common } => {
            let run = quick::floor::alone(common, floor, std::env::args().collect())?;
            quick::finish(&run, common)
        }
        Load::Worker => {
            let line = rustix::stdio::stdin().as_fd().try_clone_to_owned()?;
            worker::work(UnixStream::from(line)).map(|()| ExitCode::SUCCESS)
        }
        Load::Loop => quick::floor::write().map(|()| ExitCode::SUCCESS),
    }
}
