//! Has something go wrong at points of the run that a seed decides.

use super::ground::Ground;
use super::stage::Stage;
use fastrand::Rng;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often progress is looked at: much less than a restart takes.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The longest rest between two faults: those who had to find another server are there again.
const REST: Duration = Duration::from_secs(6);

/// Returns after how many of `steps` steps something goes wrong: once in each of `kills` equal parts of
/// the run, somewhere in it.
fn points(kills: usize, steps: u64, rng: &mut Rng) -> Vec<u64> {
    let part = |number: usize| steps * number as u64 / kills as u64;
    (0..kills).map(|number| rng.u64(part(number)..part(number + 1).max(part(number) + 1))).collect()
}

/// When something goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kills {
    /// So often, spread over the steps.
    Times(usize),
    /// Again and again for as long as there are steps, with rests between.
    Throughout,
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(kills) => write!(f, "{kills} kills"),
            Self::Throughout => f.write_str("kills throughout"),
        }
    }
}

/// Disturbs the servers while `steps` steps are played.
pub(crate) async fn kill(
    ground: Arc<Mutex<Ground>>,
    stage: Arc<Stage>,
    kills: Kills,
    steps: u64,
    mut rng: Rng,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut points = match kills {
        Kills::Times(kills) => points(kills, steps, &mut rng),
        Kills::Throughout => Vec::new(),
    }
    .into_iter();
    loop {
        match kills {
            Kills::Times(_) => {
                let Some(point) = points.next() else { return Ok(()) };
                while stage.done() < point {
                    look.tick().await;
                }
            }
            Kills::Throughout => {
                tokio::time::sleep(REST.mul_f64(rng.f64())).await;
                if stage.done() >= steps {
                    return Ok(());
                }
            }
        }
        let ground = Arc::clone(&ground);
        let mut own = rng.fork();
        let disturb = move || ground.lock().unwrap_or_else(PoisonError::into_inner).disturb(&mut own);
        let disturbed = tokio::task::spawn_blocking(disturb).await??;
        stage.disturbed(disturbed, stage.done() < steps);
        look.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_spread_over_the_run_and_within_it() {
        let points = points(20, 1_700, &mut Rng::with_seed(1));
        assert_eq!(points.len(), 20);
        assert!(points.is_sorted());
        assert!(
            points.iter().zip(0..).all(|(point, number)| (85 * number..85 * (number + 1)).contains(point))
        );
        assert!(super::points(0, 10, &mut Rng::with_seed(1)).is_empty());
    }
}
