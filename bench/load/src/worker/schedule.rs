//! An open schedule: when each message is due, whatever becomes of those before.
//!
//! Evenly: the `k`th after `k / rate`. Growing from `a` to `b` within `T`: after the `t` at which
//! `a t + (b - a) t² / 2T` messages are due, which is `k`. By chance: after as many waits as messages, each
//! `-ln(u) / rate`, which is how independent people send (a Poisson process).

use super::order::{Pace, Plan, Window};
use crate::clock;
use fastrand::Rng;

/// The moments of a plan that does not wait for answers.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    window: Window,
    /// Messages that were due and taken.
    taken: u64,
    /// When the next one is, in seconds from the window's beginning.
    next_s: f64,
    random: Rng,
}

impl Schedule {
    /// Returns the schedule of a plan; `None` for one in which each waits for the one before it.
    pub(super) fn of(plan: &Plan, seed: u64) -> Option<Self> {
        if matches!(plan.pace, Pace::Closed { .. } | Pace::Count { .. }) {
            return None;
        }
        let random = Rng::with_seed(seed);
        let mut schedule = Self { pace: plan.pace, window: plan.window, taken: 0, next_s: 0.0, random };
        schedule.next_s = schedule.wait();
        Some(schedule)
    }

    /// Returns when the next one is due; `None` at the end.
    pub(super) fn due(&self) -> Option<u64> {
        let due = self.window.from + clock::from_seconds(self.next_s);
        (self.next_s.is_finite() && due < self.window.until).then_some(due)
    }

    /// Takes the next one, and returns how many were taken before it.
    pub(super) fn take(&mut self) -> u64 {
        self.taken += 1;
        self.next_s = self.wait();
        self.taken - 1
    }

    /// Returns how many are left.
    pub(super) fn left(&self) -> u64 {
        let Self { pace, window, taken, next_s, ref random } = *self;
        let mut rest = Self { pace, window, taken, next_s, random: random.clone() };
        std::iter::from_fn(|| rest.due().map(|_| rest.take())).fold(0, |count, _| count + 1)
    }

    /// Returns when the next one is, by how many were taken.
    #[expect(clippy::cast_precision_loss, reason = "2^53 messages")]
    fn wait(&mut self) -> f64 {
        let count = self.taken as f64;
        match self.pace {
            Pace::Open { per_second } => count / per_second,
            Pace::Ramp { from, to } => {
                let growth = (to - from) / clock::seconds(self.window.until - self.window.from);
                if growth.abs() < f64::EPSILON {
                    return count / from;
                }
                // There is no such moment where a falling rate comes to nothing before: no number.
                ((from * from + 2.0 * growth * count).sqrt() - from) / growth
            }
            Pace::Poisson { per_second } => self.next_s - (1.0 - self.random.f64()).ln() / per_second,
            Pace::Closed { .. } | Pace::Count { .. } => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the moments of a schedule of ten seconds, in seconds.
    fn moments(pace: Pace) -> Vec<f64> {
        let window = Window { from: clock::SECOND, until: 11 * clock::SECOND };
        let plan = Plan { publishers: vec![(0, 0)], pace, window, bytes: 48 };
        let mut schedule = Schedule::of(&plan, 7).unwrap();
        let left = schedule.left();
        let all: Vec<f64> = std::iter::from_fn(|| {
            let due = schedule.due()?;
            schedule.take();
            Some(clock::seconds(due - window.from))
        })
        .collect();
        assert_eq!(all.len() as u64, left);
        assert_eq!(schedule.left(), 0);
        assert!(all.is_sorted());
        all
    }

    fn within(moments: &[f64], from: f64, until: f64) -> usize {
        moments.iter().filter(|at| (from..until).contains(at)).count()
    }

    #[test]
    fn an_even_one_is_due_at_equal_distances() {
        let all = moments(Pace::Open { per_second: 20.0 });
        assert_eq!(all.len(), 200);
        assert!((all[199] - 9.95).abs() < 1e-6);
    }

    #[test]
    fn a_growing_one_has_the_rates_of_its_ends_and_a_falling_one_too() {
        let all = moments(Pace::Ramp { from: 0.0, to: 200.0 });
        assert_eq!(all.len(), 1_000);
        assert_eq!([within(&all, 0.0, 1.0), within(&all, 9.0, 10.0)], [10, 190]);
        let all = moments(Pace::Ramp { from: 200.0, to: 100.0 });
        assert_eq!(within(&all, 0.0, 1.0), 195);
        assert_eq!(within(&all, 9.0, 10.0), 105);
        assert_eq!(moments(Pace::Ramp { from: 20.0, to: 20.0 }).len(), 200);
        assert_eq!(moments(Pace::Ramp { from: 200.0, to: 0.0 }).len(), 1_000);
    }

    #[test]
    fn one_by_chance_has_the_rate_and_the_spread_of_one() {
        let all = moments(Pace::Poisson { per_second: 1_000.0 });
        // The deviation of a count of 10,000 is 100.
        assert!(all.len().abs_diff(10_000) < 500, "{}", all.len());
        let gaps: Vec<f64> = all.windows(2).map(|two| two[1] - two[0]).collect();
        let shorter = gaps.iter().filter(|gap| **gap < 0.001).count();
        // 1 - 1/e of the gaps are shorter than the mean one.
        assert!(shorter.abs_diff(gaps.len() * 632 / 1_000) < gaps.len() / 20, "{shorter} of {}", gaps.len());
    }
}
