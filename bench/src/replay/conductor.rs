//! Gives the cues: a room's steps in the day's order, no more than a window of them at a time.

use super::player::Cue;
use super::script::Script;
use anyhow::Context;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

/// Steps of one room that are under way at a time.
///
/// A step may overtake this many before it: the order of a day stays loosely kept, and a few slow
/// clients do not hold up the rest.
pub(crate) const WINDOW: usize = 128;

/// How fast a day is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Speed {
    /// As fast as the server answers.
    Max,
    /// This many times as fast as it was.
    Times(f64),
    /// Evenly, so that it lasts this long.
    Lasting(Duration),
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err("a speed is `max` or a number above 0".to_owned()),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Times(times) => times.fmt(f),
            Self::Lasting(time) => write!(f, "{} min", time.as_secs() / 60),
        }
    }
}

/// Gives every cue of room number `room`; `players` are those of the script.
pub(crate) async fn conduct(
    room: usize,
    script: Arc<Script>,
    players: Vec<mpsc::Sender<Cue>>,
    speed: Speed,
) -> anyhow::Result<()> {
    let turns = Arc::new(Semaphore::new(WINDOW));
    let begun = Instant::now();
    for (number, step) in script.steps.iter().enumerate() {
        let at = match speed {
            Speed::Max => Duration::ZERO,
            Speed::Times(times) => step.at.div_f64(times),
            Speed::Lasting(time) => share(time, number, script.steps.len()),
        };
        tokio::time::sleep_until(begun + at).await;
        let turn = Arc::clone(&turns).acquire_owned().await.context("turns are never closed")?;
        let cue = Cue { room, number, step: step.clone(), turn };
        players[step.user].send(cue).await.context("a player is gone")?;
    }
    Ok(())
}

/// Returns when step `number` of `steps` begins.
fn share(time: Duration, number: usize, steps: usize) -> Duration {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    time.mul_f64(f64::from(count(number)) / f64::from(count(steps.max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_spread_evenly_over_the_time_that_they_last() {
        let time = Duration::from_secs(100);
        assert_eq!((share(time, 0, 50), share(time, 25, 50)), (Duration::ZERO, time / 2));
    }

    #[test]
    fn a_speed_is_max_or_a_number_above_zero() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("2.5".parse(), Ok(Speed::Times(2.5)));
        for bad in ["0", "-1", "inf", "fast", ""] {
            assert!(bad.parse::<Speed>().is_err(), "{bad}");
        }
    }
}
