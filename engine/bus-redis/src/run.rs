//! One session after another, until the bus is closed.

use crate::bus::{Shared, Stage};
use crate::session::Session;
use std::sync::Arc;
use std::time::Duration;

/// The first pause after a session that has failed; each further one doubles.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest such pause: within it, half of it on average and the time to connect, the bus is back
/// after Redis is.
const PAUSE_AT_MOST: Duration = Duration::from_secs(1);

/// Runs the bus of a node. Ends once it was closed, or when it is dropped with its task.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut failures = 0;
    for number in 1.. {
        let opened = tokio::select! {
            opened = Session::open(&shared, number) => opened,
            () = shared.closing() => break,
        };
        let ended = match opened {
            Ok(session) => {
                tracing::info!(session = number, "the bus is there");
                failures = 0;
                session.run().await
            }
            Err(broken) => Err(broken),
        };
        shared.disconnected();
        match ended {
            Ok(()) => return shared.enter(Stage::Left),
            // Once for each absence: what follows says the same again and again.
            Err(broken) if failures == 0 => tracing::warn!(error = %broken, "the bus is away"),
            Err(broken) => tracing::debug!(error = %broken, "the bus is still away"),
        }
        failures += 1;
        tokio::select! {
            () = tokio::time::sleep(pause(failures, shared.seed(number))) => {}
            () = shared.closing() => break,
        }
    }
    shared.enter(Stage::Gone);
}

/// Returns how long to wait after so many failures in a row: nodes that were cut off together do not come
/// back together.
fn pause(failures: u32, seed: u64) -> Duration {
    let longest = PAUSE.saturating_mul(1 << failures.clamp(1, 16)).min(PAUSE_AT_MOST);
    longest.mul_f64(0.5 + 0.5 * fastrand::Rng::with_seed(seed).f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second_and_differ() {
        for failures in 1..40 {
            let longest = Duration::from_millis(100 << (failures - 1).min(4)).min(PAUSE_AT_MOST);
            for seed in 0..20 {
                let pause = pause(failures, seed);
                assert!(pause <= longest && pause >= longest / 2, "{failures} {pause:?}");
            }
        }
        assert_ne!(pause(9, 1), pause(9, 2));
    }
}
