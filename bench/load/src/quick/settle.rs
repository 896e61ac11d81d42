//! Waiting until memory stands still: what is freed is freed a little later, by another thread.

use super::stage::Stage;
use crate::clock;
use crate::usage::Usage;
use std::collections::VecDeque;

/// Looks that have to agree.
const LOOKS: usize = 8;

/// Nanoseconds between two of them.
const BETWEEN: u64 = 500 * clock::MILLISECOND;

/// How much they may differ, as a part of what is there: less than a page in a thousand.
const DIFFERENCE: f64 = 0.001;

/// Nanoseconds after which it is taken as it is.
const AT_MOST: u64 = 30 * clock::SECOND;

/// Waits for `seconds`, and then until the server's memory stands still; returns what it uses then, and whether it
/// stood still.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
pub(super) fn settle(stage: &Stage, what: &'static str, seconds: f64) -> (Usage, bool) {
    let from = clock::now() + clock::from_seconds(seconds);
    stage.progress.wait_until(what, from);
    let mut looks = VecDeque::from([stage.usage()]);
    while clock::now() < from + AT_MOST {
        clock::sleep_until(clock::now() + BETWEEN);
        looks.push_back(stage.usage());
        if looks.len() > LOOKS {
            looks.pop_front();
            let sizes = || looks.iter().map(|usage| usage.rss_bytes);
            let (least, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
            if (most - least) as f64 <= most as f64 * DIFFERENCE {
                return (stage.usage(), true);
            }
        }
    }
    (stage.usage(), false)
}
