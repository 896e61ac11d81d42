//! Signals: SIGHUP reloads; the first other one drains, the second one exits.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the process exits with when a second signal ends it.
const EXIT_AT_ONCE: i32 = 1;

/// SIGTERM, SIGINT and SIGHUP.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// To end.
    End,
    /// To read the configuration again.
    Reload,
}

impl Signals {
    /// Starts to listen; until then a signal kills.
    pub(crate) fn listen() -> Result<Self> {
        let on = |kind| signal(kind).context("listen for signals");
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hang_up: on(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::End,
            _ = self.interrupt.recv() => Told::End,
            _ = self.hang_up.recv() => Told::Reload,
        }
    }

    /// Waits for a signal to end and ends the process: what was acked is on disk already.
    pub(crate) async fn exit_at_next(mut self) -> ! {
        while self.next().await != Told::End {}
        tracing::warn!("a second signal: exiting without draining");
        std::process::exit(EXIT_AT_ONCE)
    }
}
