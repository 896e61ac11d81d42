//! When the system has no descriptor, or no memory, for one more connection.

use std::io;
use std::time::Duration;
use tokio::time::Instant;

/// The first pause; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often it is said.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// How long nothing could be accepted, and what was said of it.
#[derive(Debug, Default)]
pub(super) struct Exhaustion {
    /// The last pause; `None` while connections are accepted.
    pause: Option<Duration>,
    said: Option<Instant>,
    /// Tries that failed since it was said.
    unsaid: u64,
}

impl Exhaustion {
    /// Notes that a connection was not accepted, and returns how long to wait before the next try.
    pub(super) fn pause(&mut self, error: &io::Error) -> Duration {
        self.unsaid += 1;
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            tracing::warn!(%error, times = self.unsaid, "connections are not accepted");
            (self.said, self.unsaid) = (Some(Instant::now()), 0);
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
    async fn pauses_grow_to_a_second_and_it_is_said_once_a_minute() {
        let error = io::Error::from_raw_os_error(24);
        let mut exhaustion = Exhaustion::default();
        let pauses: Vec<_> = (0..7).map(|_| exhaustion.pause(&error).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(exhaustion.unsaid, 6, "said at the first");
        exhaustion.ended();
        assert_eq!(exhaustion.pause(&error).as_millis(), 50);
        assert_eq!(exhaustion.unsaid, 7, "a moment of success is not news");
        tokio::time::advance(SAY_EVERY).await;
        exhaustion.pause(&error);
        assert_eq!(exhaustion.unsaid, 0);
    }
}
