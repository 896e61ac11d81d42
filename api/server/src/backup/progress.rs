//! How far it is, on a terminal, once a second.

use rookery_backup::Tally;
use std::io::{self, IsTerminal};
use std::time::Duration;
use tokio::time::Instant;

/// How often it is told.
const EVERY: Duration = Duration::from_secs(1);

/// One line that is written over and over, and nothing where nobody looks.
#[derive(Debug)]
pub(super) struct Progress {
    /// `None` where there is no terminal.
    next: Option<Instant>,
    has_told: bool,
}

impl Progress {
    pub(super) fn begin() -> Self {
        let next = io::stderr().is_terminal().then(|| Instant::now() + EVERY);
        Self { next, has_told: false }
    }

    pub(super) fn tell(&mut self, tally: &Tally) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            eprint!("\r{tally}\x1b[K");
            (self.next, self.has_told) = (Some(now + EVERY), true);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.has_told {
            eprint!("\r\x1b[K");
        }
    }
}
