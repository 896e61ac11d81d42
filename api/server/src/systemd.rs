//! What systemd is told of the server, where it has started it (`sd_notify(3)`). Without it nothing is told.

use anyhow::{Context, Result};
use rookery_actors::CLOSES_WITHIN;
use rookery_api::Edge;
use sd_notify::NotifyState;
use std::future::pending;
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::time::{MissedTickBehavior, interval};

/// Messages that wait for systemd; further ones are dropped. It usually takes each at once.
const WAITING: usize = 16;

/// The way to systemd. Telling it something never waits: a socket that it does not empty would stop the server.
#[derive(Debug)]
pub(crate) struct Systemd(Option<SyncSender<Vec<String>>>);

impl Systemd {
    /// Begins to tell, where systemd wants to hear.
    pub(crate) fn start() -> Result<Self> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self(None));
        }
        let (sender, messages) = sync_channel::<Vec<String>>(WAITING);
        let tell = move || {
            for message in messages {
                let state: Vec<_> = message.iter().map(|line| NotifyState::Custom(line)).collect();
                if let Err(error) = sd_notify::notify(&state) {
                    tracing::warn!(%error, "systemd was not told");
                }
            }
        };
        std::thread::Builder::new().name("systemd".to_owned()).spawn(tell).context("start a thread")?;
        Ok(Self(Some(sender)))
    }

    /// The server takes connections.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The configuration is read again; [`Systemd::ready`] follows. Since systemd 253 the time goes with it
    /// (`systemd.service(5)`, `Type=notify-reload`).
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now, NotifyState::Status("reloading")]),
            Err(error) => tracing::warn!(%error, "systemd is not told of a reload: no clock"),
        }
    }

    /// Tells of a drain, and all the time that the server is not stuck.
    pub(crate) async fn attend(&self, edge: &Edge) -> ! {
        tokio::join!(self.tell_of_drain(edge), self.watch(edge));
        unreachable!("the watchdog looks for ever")
    }

    /// Tells when the drain begins, and that it may take as long as is set.
    async fn tell_of_drain(&self, edge: &Edge) {
        edge.draining().await;
        let config = edge.config();
        let time = config.server.drain_delay + config.server.drain_grace + CLOSES_WITHIN;
        let time = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.tell(&[
            NotifyState::Stopping,
            NotifyState::ExtendTimeoutUsec(time),
            NotifyState::Status("draining: clients are sent away"),
        ]);
    }

    /// Tells at half of the time that it asks for that the server is not stuck, for as long as it is not;
    /// for ever.
    ///
    /// Stuck is a runtime whose sweeper has not looked around, and a committer that has been at one group of writes
    /// for that long: nobody is answered any more, and a restart loses nothing that was acked.
    async fn watch(&self, edge: &Edge) {
        let Some(within) = sd_notify::watchdog_enabled().filter(|within| !within.is_zero()) else {
            return pending().await;
        };
        let mut ticks = interval(within / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_told = false;
        loop {
            ticks.tick().await;
            let (alive, committing) = (edge.node().liveness(), edge.node().committing_for());
            if alive.ok && committing < within {
                self.tell(&[NotifyState::Watchdog]);
                is_told = false;
            } else if !is_told {
                let sweeper = alive.detail;
                tracing::error!(
                    sweeper,
                    ?committing,
                    "the server is stuck, and systemd is not told otherwise"
                );
                is_told = true;
            }
        }
    }

    fn tell(&self, state: &[NotifyState<'_>]) {
        let Some(sender) = &self.0 else { return };
        if sender.try_send(state.iter().map(ToString::to_string).collect()).is_err() {
            tracing::debug!("systemd does not take what it is told");
        }
    }
}
