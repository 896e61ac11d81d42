//! The log: lines on standard error, pretty on a terminal, JSON otherwise.

use anyhow::{Context, Result};
use rookery_api::config::{LogConfig, LogFormat};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// What speaks too much by itself; the configured filter may say otherwise.
const QUIET: &str = "ractor=warn";

/// Installs the log.
pub(crate) fn install(config: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.filter)).context("read log.filter")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let is_pretty = match config.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let installed = if is_pretty {
        log.with_ansi(io::stderr().is_terminal()).try_init()
    } else {
        log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("install the log: {error}"))?;
    // A panic ends an actor or a request, not the process, so it is one more line of the log.
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a bug")));
    Ok(())
}
