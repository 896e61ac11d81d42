//! Conditions on figures, as people write them: `p99>+10%`, `delivery_p99 <= 25 ms`, `acks_per_second < -5%`.
//!
//! ```text
//! condition = figure ( "<" | "<=" | ">" | ">=" ) bound
//! figure    = [ phase ":" ] name      as in a document; `_us` may be left out; `p99` is what the run is about
//! bound     = number [ unit ]         a value          with "+" or "-" before it: a change
//!           | ( "+" | "-" ) number "%"                  a change against what it was
//! unit      = "us" | "ms" | "s" | "B" | "KiB" | "MiB" | "GiB"     that of the figure if it is left out
//! ```
//!
//! It says nothing of what follows when it is true: a comparison then fails, a scenario then keeps its promise.

use crate::page::number::with_unit;
use crate::result::{Derived, Known, RunResult, figure_named};
use std::fmt;
use std::str::FromStr;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    phase: Option<String>,
    name: String,
    order: Order,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    LessOrSame,
    More,
    MoreOrSame,
}

/// What a figure is held against.
#[derive(Clone, Debug, PartialEq)]
enum Bound {
    Value(Amount),
    Change(Amount),
    /// As a share: 0.1 for `+10%`.
    Share(f64),
}

/// A number with a unit that has to fit the figure's; empty for the figure's own.
#[derive(Clone, Debug, PartialEq)]
struct Amount {
    number: f64,
    unit: String,
}

/// Why a text is no condition, or one that nothing can be said of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is no `<` and no `>` in it.
    #[error(
        "`{0}` compares nothing: write it as `figure > number`, like `p99>+10%` or `delivery_p99 <= 25ms`"
    )]
    NoOrder(String),
    /// What stands behind is no number.
    #[error("`{0}`: `{1}` is no number with a unit")]
    NoNumber(String, String),
    /// The unit is not one of the figure's.
    #[error("`{text}`: {name} is not counted in {unit}")]
    Unit {
        /// The condition.
        text: String,
        /// The figure.
        name: String,
        /// What was written.
        unit: String,
    },
    /// There is no such figure.
    #[error("`{text}`: there is no figure {name}; there are: {there}")]
    NoFigure {
        /// The condition.
        text: String,
        /// What was asked for.
        name: String,
        /// What could have been.
        there: String,
    },
    /// A change needs something that it is a change of.
    #[error("`{0}` is a change, and there is nothing to compare with here")]
    NoBefore(String),
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let no_order = || ConditionError::NoOrder(text.to_owned());
        let at = text.find(['<', '>']).ok_or_else(no_order)?;
        let (name, rest) = text.split_at(at);
        let (order, bound) = match rest.as_bytes() {
            [b'<', b'=', ..] => (Order::LessOrSame, &rest[2..]),
            [b'>', b'=', ..] => (Order::MoreOrSame, &rest[2..]),
            [b'<', ..] => (Order::Less, &rest[1..]),
            _ => (Order::More, &rest[1..]),
        };
        let (phase, name) = match name.trim().rsplit_once(':') {
            Some((phase, name)) => (Some(phase.trim().to_owned()), name.trim()),
            None => (None, name.trim()),
        };
        if name.is_empty() {
            return Err(no_order());
        }
        let name = name.replace("p99.9", "p999");
        Ok(Self { text: text.trim().to_owned(), phase, name, order, bound: bound_of(text, bound.trim())? })
    }
}

fn bound_of(text: &str, bound: &str) -> Result<Bound, ConditionError> {
    let no_number = || ConditionError::NoNumber(text.to_owned(), bound.to_owned());
    let is_change = bound.starts_with(['+', '-']);
    let end = bound.find(|letter: char| !letter.is_ascii_digit() && !"+-._".contains(letter));
    let (digits, unit) = bound.split_at(end.unwrap_or(bound.len()));
    let number: f64 = digits.replace('_', "").parse().map_err(|_| no_number())?;
    let amount = |unit: &str| Amount { number, unit: unit.to_owned() };
    match (is_change, unit.trim()) {
        (true, "%") => Ok(Bound::Share(number / 100.0)),
        (false, "%") => Err(no_number()),
        (true, unit) => Ok(Bound::Change(amount(unit))),
        (false, unit) => Ok(Bound::Value(amount(unit))),
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    /// Returns the whole name of its figure in a run: the phase, the kind of latency and the unit said.
    ///
    /// # Errors
    ///
    /// When the run has no such figure.
    pub(crate) fn name_in(&self, run: &RunResult) -> Result<String, ConditionError> {
        let prefix = self.phase.as_ref().map(|phase| format!("{phase}:")).unwrap_or_default();
        let main = run.phase_latencies(self.phase.as_deref()).and_then(|latencies| latencies.main());
        let of_main = main.map(|(main, _)| format!("{prefix}{main}_{}_us", self.name));
        let names = [format!("{prefix}{}", self.name), format!("{prefix}{}_us", self.name)];
        let found = names.into_iter().chain(of_main).find(|name| run.figure(name).is_some());
        found.ok_or_else(|| ConditionError::NoFigure {
            text: self.text.clone(),
            name: format!("{prefix}{}", self.name),
            there: run.figure_names().join(", "),
        })
    }

    /// Returns whether a figure of a whole name is as the condition says.
    ///
    /// # Errors
    ///
    /// When the figure is not counted in the unit, or `before` is needed and not given.
    pub(crate) fn is_true(
        &self,
        name: &str,
        unit: &str,
        value: f64,
        before: Option<f64>,
    ) -> Result<bool, ConditionError> {
        let before = || before.ok_or_else(|| ConditionError::NoBefore(self.text.clone()));
        let (value, bound) = match &self.bound {
            Bound::Value(amount) => (value, self.in_unit(amount, name, unit)?),
            Bound::Change(amount) => (value - before()?, self.in_unit(amount, name, unit)?),
            Bound::Share(share) => (change(before()?, value), *share),
        };
        Ok(match self.order {
            Order::Less => value < bound,
            Order::LessOrSame => value <= bound,
            Order::More => value > bound,
            Order::MoreOrSame => value >= bound,
        })
    }

    /// Returns the bound as one reads it, when it is a value.
    ///
    /// # Errors
    ///
    /// When it is a change, or not in a unit of the figure's.
    pub(crate) fn limit(&self, known: Known) -> Result<String, ConditionError> {
        let Bound::Value(amount) = &self.bound else {
            return Err(ConditionError::NoBefore(self.text.clone()));
        };
        let value = with_unit(self.in_unit(amount, known.name, known.unit)?, known.unit);
        Ok(match self.order {
            Order::Less => format!("under {value}"),
            Order::LessOrSame => format!("at most {value}"),
            Order::More => format!("over {value}"),
            Order::MoreOrSame => format!("at least {value}"),
        })
    }

    fn in_unit(&self, amount: &Amount, name: &str, unit: &str) -> Result<f64, ConditionError> {
        let factor = match (unit, amount.unit.as_str()) {
            (_, "")
            | ("µs", "us" | "µs")
            | ("s", "s")
            | ("B", "B")
            | ("1/s", "/s" | "1/s")
            | ("ratio", "x") => 1.0,
            ("µs", "ms") => 1e3,
            ("µs", "s") => 1e6,
            ("s", "ms") => 1e-3,
            ("s", "us" | "µs") => 1e-6,
            ("B", "KiB") => 1024.0,
            ("B", "MiB") => 1024.0 * 1024.0,
            ("B", "GiB") => 1024.0 * 1024.0 * 1024.0,
            _ => {
                let (text, name, unit) = (self.text.clone(), name.to_owned(), amount.unit.clone());
                return Err(ConditionError::Unit { text, name, unit });
            }
        };
        Ok(amount.number * factor)
    }

    /// Returns what the figure is, without a run that has it.
    pub(crate) fn known(&self) -> Option<Known> {
        figure_named(&self.name).or_else(|| figure_named(&format!("{}_us", self.name)))
    }
}

/// Returns by which share a figure changed; from nothing to something is without end.
pub(crate) fn change(before: f64, after: f64) -> f64 {
    // Nothing to nothing is no change, which a division does not know.
    if (after - before).abs() < f64::EPSILON { 0.0 } else { (after - before) / before.abs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_true(text: &str, unit: &str, value: f64, before: Option<f64>) -> Result<bool, ConditionError> {
        text.parse::<Condition>()?.is_true("figure", unit, value, before)
    }

    #[test]
    fn a_bound_is_a_value_a_change_or_a_share() {
        assert_eq!(is_true("a<5", "", 4.9, None), Ok(true));
        assert_eq!(is_true("a < 5", "", 5.0, None), Ok(false));
        assert_eq!(is_true("a<=5", "", 5.0, None), Ok(true));
        assert_eq!(is_true("a>=5", "", 5.0, None), Ok(true));
        assert_eq!(is_true("a>+10%", "", 111.0, Some(100.0)), Ok(true));
        assert_eq!(is_true("a > +10 %", "", 109.0, Some(100.0)), Ok(false));
        assert_eq!(is_true("a<-5%", "", 94.0, Some(100.0)), Ok(true));
        assert_eq!(is_true("a>+2", "", 103.0, Some(100.0)), Ok(true));
        assert_eq!(is_true("a>+10%", "", 0.0, Some(0.0)), Ok(false));
        assert_eq!(is_true("a>+10%", "", 1.0, Some(0.0)), Ok(true));
    }

    #[test]
    fn units_are_those_of_the_figure() {
        assert_eq!(is_true("a<=25ms", "µs", 25_000.0, None), Ok(true));
        assert_eq!(is_true("a<=25 ms", "µs", 25_001.0, None), Ok(false));
        assert_eq!(is_true("a<=8 KiB", "B", 8_192.0, None), Ok(true));
        assert_eq!(is_true("a>=250_000/s", "1/s", 250_000.0, None), Ok(true));
        assert_eq!(is_true("a>+1ms", "µs", 3_000.0, Some(1_000.0)), Ok(true));
        assert!(matches!(is_true("a<8KiB", "µs", 1.0, None), Err(ConditionError::Unit { .. })));
    }

    #[test]
    fn what_is_no_condition_is_said_to_be_none() {
        let no = |text: &str| text.parse::<Condition>().unwrap_err().to_string();
        assert!(no("p99").contains("compares nothing"));
        assert!(no("> 5").contains("compares nothing"));
        assert!(no("p99 > ten").contains("`ten` is no number"));
        assert!(no("p99 > 10%").contains("`10%` is no number"), "a share without a sign is a share of what?");
        assert!(matches!(is_true("a>+10%", "", 1.0, None), Err(ConditionError::NoBefore(_))));
    }
}
