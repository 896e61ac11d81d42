//! A chart of lines: what it shows, not how it is drawn.

/// A chart of lines over one axis.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    /// What the numbers upwards are.
    pub(crate) unit: &'static str,
    pub(crate) across: Across,
    pub(crate) upwards: Upwards,
    pub(crate) lines: Vec<Line>,
    /// Spans that are marked behind the lines, with their names: the phases of a run.
    pub(crate) spans: Vec<(f64, f64, String)>,
}

/// What goes from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Across {
    /// Seconds from the beginning.
    Seconds,
    /// `log10(1 / (1 - quantile))`: 0 is the lowest, 1 is 90 %, 2 is 99 %.
    Nines,
}

/// How what goes upwards is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upwards {
    /// From zero, evenly.
    Even,
    /// By powers of ten.
    Powers,
}

/// A line and its name.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// From left to right. `NaN` upwards is a gap.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Line {
    /// Returns whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        !self.points.iter().any(|(_, y)| y.is_finite())
    }
}

/// Numbers at which a line is drawn across, and between which all the rest is.
#[derive(Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// Returns a scale from zero to `most`, with four to six ticks at round numbers.
    pub(super) fn even(most: f64) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|round| round * power);
        let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(10.0 * power);
        let steps = (most / step - 1e-9).ceil().max(1.0);
        Self { from: 0.0, to: steps * step, ticks: ticks(steps, |at| at * step) }
    }

    /// Returns a scale of whole powers of ten around both.
    pub(super) fn powers(least: f64, most: f64) -> Self {
        let least = if least > 0.0 { least } else { 1e-3 };
        let from = (least.log10() + 1e-9).floor();
        let to = (most.max(least).log10() - 1e-9).ceil().max(from + 1.0);
        Self { from, to, ticks: ticks(to - from, |at| from + at) }
    }

    /// Returns where `value` is, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

fn ticks(steps: f64, at: impl Fn(f64) -> f64) -> Vec<f64> {
    (0_u16..=1_000).map(f64::from).take_while(|step| *step <= steps + 0.5).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_that_hold_everything() {
        assert_eq!(Scale::even(19.4).ticks, [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(Scale::even(0.0).ticks.last(), Some(&1.0));
        assert_eq!(Scale::even(100.0).ticks, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        let powers = Scale::powers(0.3, 120.0);
        assert_eq!(powers.ticks, [-1.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(Scale::powers(10.0, 10.0).ticks, [1.0, 2.0]);
        assert_eq!((powers.place(-1.0), powers.place(3.0), powers.place(9.0)), (0.0, 1.0, 1.0));
    }
}
