//! Exit codes: one for each thing that a script treats differently.

use rookery_api::config::ConfigErrors;
use rookery_client::ApiError;
use std::io;
use std::process::ExitCode;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const REFUSED: u8 = 3;
const UNREACHABLE: u8 = 4;

/// It failed, and what was printed says why.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("see above")]
pub(crate) struct Failed;

/// Prints what went wrong, if anything, and returns the code of it.
pub(crate) fn code(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if error.is::<Failed>() {
        return ExitCode::from(FAILED);
    }
    if let Some(ConfigErrors(errors)) = error.downcast_ref() {
        errors.iter().for_each(|error| eprintln!("rookery: failed to {error}"));
        return ExitCode::from(USAGE);
    }
    eprintln!("rookery: failed to {error:#}");
    ExitCode::from(cause(&error))
}

fn cause(error: &anyhow::Error) -> u8 {
    FAILED
}
