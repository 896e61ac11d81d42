//! What systemd is told of the server, where it has started it (sd_notify(3)). Without it nothing is told.

use rookery_actors::CLOSES_WITHIN;
use rookery_api::Edge;
use sd_notify::NotifyState;
use std::future::pending;
use tokio::time::{MissedTickBehavior, interval};

/// The server takes connections.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is read again; [`ready`] follows. Since systemd 253 the time goes with it
/// (systemd.service(5), `Type=notify-reload`).
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, NotifyState::Status("reloading")]),
        Err(error) => tracing::warn!(%error, "systemd is not told of a reload: no clock"),
    }
}

/// Tells systemd of a drain, and all the time that the server is not stuck.
pub(crate) async fn attend(edge: &Edge) -> ! {
    tokio::join!(tell_of_drain(edge), watchdog(edge));
    unreachable!("the watchdog looks for ever")
}

/// Tells systemd when the drain begins, and that it may take as long as is set.
async fn tell_of_drain(edge: &Edge) {
    edge.draining().await;
    let config = edge.config();
    let time = config.server.drain_delay + config.server.drain_grace + CLOSES_WITHIN;
    let time = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Stopping,
        NotifyState::ExtendTimeoutUsec(time),
        NotifyState::Status("draining: clients are sent away"),
    ]);
}

/// Tells systemd at half of the time that it asks for that the server is not stuck, for as long as it is not;
/// for ever.
///
/// Stuck is a runtime whose sweeper has not looked around, and a committer that has been at one group of writes
/// for that long: nobody is answered any more, and a restart loses nothing that was acked.
async fn watchdog(edge: &Edge) {
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
            tell(&[NotifyState::Watchdog]);
            is_told = false;
        } else if !is_told {
            let sweeper = alive.detail;
            tracing::error!(sweeper, ?committing, "the server is stuck, and systemd is not told otherwise");
            is_told = true;
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd was not told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_systemd_nothing_is_told() {
        ready("serving");
        assert_eq!(sd_notify::watchdog_enabled(), None);
    }
}
