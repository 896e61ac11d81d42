//! Exit codes: one for each thing that a script treats differently.

use rookery_api::config::ConfigErrors;
use rookery_client::{BadServerUrl, GaveUp, HttpError};
use rookery_protocol::WireError;
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

/// The server refused, and what was printed says why.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("have {0} of the messages taken")]
pub(crate) struct Refused(pub(crate) usize);

/// Prints what went wrong, if anything, and returns the code of it.
pub(crate) fn code(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if error.is::<Failed>() {
        return ExitCode::from(FAILED);
    }
    if let Some(ConfigErrors(errors)) = error.downcast_ref() {
        for error in errors {
            eprintln!("rookery: failed to {error}");
        }
        return ExitCode::from(USAGE);
    }
    // Whoever read what was printed has gone: nothing is wrong.
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("rookery: failed to {error:#}");
    ExitCode::from(error.chain().find_map(cause).unwrap_or(FAILED))
}

/// Returns whether the server refused, so that asking again is no use.
pub(crate) fn is_refusal(error: &anyhow::Error) -> bool {
    error.chain().find_map(cause) == Some(REFUSED)
}

fn cause(error: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(error) = error.downcast_ref() {
        return Some(of_http(error));
    }
    if let Some(error) = error.downcast_ref() {
        return Some(match error {
            GaveUp::Closed(_) => REFUSED,
            GaveUp::Login(error) => of_http(error),
            GaveUp::Ended => FAILED,
        });
    }
    if error.is::<WireError>() || error.is::<Refused>() {
        return Some(REFUSED);
    }
    error.is::<BadServerUrl>().then_some(USAGE)
}

const fn of_http(error: &HttpError) -> u8 {
    match error {
        HttpError::Refused(_) => REFUSED,
        HttpError::Connect(_) | HttpError::Exchange(_) | HttpError::Late => UNREACHABLE,
        HttpError::Unreadable(_) | HttpError::Unwritable(_) => FAILED,
    }
}
