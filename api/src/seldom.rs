//! What may happen a million times and is said once a minute.

use std::time::Duration;
use tokio::time::Instant;

/// How often it is said.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// Since when something was not said, and how often it happened since.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    said: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// Notes that it has happened; returns how often since it was last said, where it is to be said now.
    pub(crate) fn happened(&mut self) -> Option<u64> {
        self.unsaid += 1;
        if self.said.is_some_and(|said| said.elapsed() < SAY_EVERY) {
            return None;
        }
        self.said = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_said_at_the_first_and_then_once_a_minute_with_how_often() {
        let mut seldom = Seldom::default();
        assert_eq!([seldom.happened(), seldom.happened(), seldom.happened()], [Some(1), None, None]);
        tokio::time::advance(SAY_EVERY).await;
        assert_eq!([seldom.happened(), seldom.happened()], [Some(3), None]);
    }
}
