//! Signals: the first one drains, the second one exits.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the process exits with when a second signal ends it.
const EXIT_AT_ONCE: i32 = 1;

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts to listen; until then a signal kills.
    pub(crate) fn listen() -> Result<Self> {
        let on = |kind| signal(kind).context("listen for signals");
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for a signal and ends the process: what was acked is on disk already.
    pub(crate) async fn exit_at_next(mut self) -> ! {
        self.next().await;
        tracing::warn!("a second signal: exiting without draining");
        std::process::exit(EXIT_AT_ONCE)
    }
}
