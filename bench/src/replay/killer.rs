//! Has something go wrong at points of the run that a seed decides.

use super::ground::Ground;
use super::stage::Stage;
use fastrand::Rng;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often progress is looked at: much less than a restart takes.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Returns after how many of `steps` steps something goes wrong: once in each of `kills` equal parts of
/// the run, somewhere in it.
fn points(kills: usize, steps: u64, rng: &mut Rng) -> Vec<u64> {
    let part = |number: usize| steps * number as u64 / kills as u64;
    (0..kills).map(|number| rng.u64(part(number)..part(number + 1).max(part(number) + 1))).collect()
}

/// Disturbs the servers `kills` times while `steps` steps are played.
pub(crate) async fn kill(
    ground: Arc<Mutex<Ground>>,
    stage: Arc<Stage>,
    kills: usize,
    steps: u64,
    mut rng: Rng,
) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(LOOK_EVERY);
    for point in points(kills, steps, &mut rng) {
        while stage.done() < point {
            look.tick().await;
        }
        let ground = Arc::clone(&ground);
        let mut own = rng.fork();
        let disturb = move || ground.lock().unwrap_or_else(PoisonError::into_inner).disturb(&mut own);
        tokio::task::spawn_blocking(disturb).await??;
        look.reset();
    }
    Ok(())
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
