//! When the system has no descriptor, or no memory, for one more connection.

use crate::seldom::Seldom;
use std::io;
use std::time::Duration;

/// The first pause; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long nothing could be accepted, and what was said of it.
#[derive(Debug, Default)]
pub(super) struct Exhaustion {
    /// The last pause; `None` while connections are accepted.
    pause: Option<Duration>,
    said: Seldom,
}

impl Exhaustion {
    /// Notes that a connection was not accepted, and returns how long to wait before the next try.
    pub(super) fn pause(&mut self, error: &io::Error) -> Duration {
        if let Some(times) = self.said.happened() {
            tracing::warn!(%error, times, "connections are not accepted");
        }
        let pause = self.pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        self.pause = Some(pause);
        pause
    }

    /// Notes that a connection was accepted.
    pub(super) fn ended(&mut self) {
        self.pause = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_second() {
        let error = io::Error::from_raw_os_error(24);
        let mut exhaustion = Exhaustion::default();
        let pauses: Vec<_> = (0..7).map(|_| exhaustion.pause(&error).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        exhaustion.ended();
        assert_eq!(exhaustion.pause(&error).as_millis(), 50);
    }
}
