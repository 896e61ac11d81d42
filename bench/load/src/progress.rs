//! Progress bars, on a terminal only.

use crate::clock;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// How often a bar of time moves.
const TICK: Duration = Duration::from_millis(200);

/// Whether and how progress is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    is_shown: bool,
}

/// One bar.
#[derive(Debug)]
pub(crate) struct Bar(Option<ProgressBar>);

impl Progress {
    /// Shows bars where standard error is a terminal.
    pub(crate) fn new() -> Self {
        Self { is_shown: std::io::stderr().is_terminal() }
    }

    /// Returns a bar that counts up to `count`.
    pub(crate) fn counting(self, what: &'static str, count: usize) -> Bar {
        Bar(self.is_shown.then(|| {
            let style = ProgressStyle::with_template("{prefix:>12} {wide_bar} {pos}/{len}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(count as u64).with_style(style).with_prefix(what)
        }))
    }

    /// Says one line about where the run is.
    pub(crate) fn say(line: &str) {
        eprintln!("{line}");
    }

    /// Waits until the monotonic clock shows `until`, with a bar that fills meanwhile.
    pub(crate) fn wait_until(self, what: &'static str, until: u64) {
        let now = clock::now();
        let length = usize::try_from(until.saturating_sub(now) / clock::MILLISECOND).unwrap_or(usize::MAX);
        let bar = self.counting(what, length);
        if bar.0.is_some() {
            while clock::now() + clock::from_seconds(TICK.as_secs_f64()) < until {
                std::thread::sleep(TICK);
                bar.set((clock::now() - now) / clock::MILLISECOND);
            }
        }
        clock::sleep_until(until);
        bar.finish();
    }
}

impl Bar {
    /// One more.
    pub(crate) fn inc(&self) {
        self.0.iter().for_each(|bar| bar.inc(1));
    }

    /// So far.
    pub(crate) fn set(&self, position: u64) {
        self.0.iter().for_each(|bar| bar.set_position(position));
    }

    /// Takes it away.
    pub(crate) fn finish(&self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}
