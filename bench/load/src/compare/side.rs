//! One side of a comparison: one run, or several that repeat each other.

use crate::result::{Derived, RunResult};
use anyhow::{bail, ensure};
use std::path::PathBuf;

/// One side: at least one run, all of one scenario with the same parameters.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) letter: &'static str,
    names: Vec<String>,
    runs: Vec<RunResult>,
}

impl Side {
    /// Reads the runs of a side.
    ///
    /// # Errors
    ///
    /// When one is no result, or they do not repeat each other.
    pub(super) fn read(letter: &'static str, paths: &[PathBuf]) -> anyhow::Result<Self> {
        let runs: Vec<RunResult> =
            paths.iter().map(|path| RunResult::read(path)).collect::<Result<_, _>>()?;
        let Some(first) = runs.first() else { bail!("{letter} has no run") };
        for (path, run) in paths.iter().zip(&runs) {
            ensure!(
                run.scenario == first.scenario,
                "{} is no repetition of {}: its scenario or its parameters are others",
                path.display(),
                paths[0].display()
            );
        }
        let name = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { letter, names: paths.iter().map(name).collect(), runs })
    }

    pub(super) fn runs(&self) -> &[RunResult] {
        &self.runs
    }

    /// Returns one that stands for all where they are alike.
    pub(super) fn first(&self) -> &RunResult {
        &self.runs[0]
    }

    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn name(&self) -> String {
        self.names.join(", ")
    }

    pub(super) fn scenario(&self) -> &str {
        &self.first().scenario.name
    }

    pub(super) fn is_correct(&self) -> bool {
        self.runs.iter().all(|run| run.verdict.is_correct)
    }

    /// Returns the median of a figure that every run has; the mean of the two in the middle for an even number.
    pub(super) fn median(&self, name: &str) -> Option<f64> {
        let values = self.values(name)?;
        let middle = values.len() / 2;
        Some(if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        })
    }

    /// Returns the least and the most of a figure that every run has.
    pub(super) fn spread(&self, name: &str) -> Option<(f64, f64)> {
        let values = self.values(name)?;
        Some((*values.first()?, *values.last()?))
    }

    fn values(&self, name: &str) -> Option<Vec<f64>> {
        let mut values: Vec<f64> = self.runs.iter().map(|run| run.figure(name)).collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        Some(values)
    }
}
