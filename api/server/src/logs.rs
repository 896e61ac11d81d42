//! The log: lines on standard error, pretty on a terminal, JSON otherwise.

use anyhow::{Context, Result};
use rookery_api::ChooseLines;
use rookery_api::config::{LogConfig, LogFormat};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::Handle;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

/// What speaks too much by itself; the configured filter may say otherwise.
const QUIET: &str = "ractor=warn";

/// The filter of the installed log, which can be exchanged while the process runs.
#[derive(Debug)]
struct Filter(Handle<EnvFilter, Registry>);

impl ChooseLines for Filter {
    fn choose(&self, filter: &str) -> Result<(), String> {
        let filter = parse(filter).map_err(|error| error.to_string())?;
        self.0.reload(filter).map_err(|error| error.to_string())
    }
}

/// Installs the log, and returns what chooses its lines.
pub(crate) fn install(config: &LogConfig) -> Result<Arc<dyn ChooseLines>> {
    // What no filter names is decided once for each place in the code, so a filter that can be exchanged costs
    // no more than another one.
    let (filter, handle) = reload::Layer::new(parse(&config.filter).context("read log.filter")?);
    let is_pretty = match config.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = if is_pretty {
        lines.with_ansi(io::stderr().is_terminal()).boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    };
    let installed = tracing_subscriber::registry().with(filter).with(lines).try_init();
    installed.context("install the log")?;
    // A panic ends an actor or a request, not the process, so it is one more line of the log.
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a bug")));
    Ok(Arc::new(Filter(handle)))
}

fn parse(filter: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(format!("{QUIET},{filter}"))
}
