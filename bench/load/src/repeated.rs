//! One run, or several that repeat each other: what is typical of them, and how far they lie apart.

use crate::result::{Derived, RunResult};
use anyhow::{bail, ensure};
use std::path::PathBuf;

/// At least one run, all of one scenario with the same parameters.
#[derive(Debug)]
pub(crate) struct Repeated {
    names: Vec<String>,
    runs: Vec<RunResult>,
}

impl Repeated {
    /// Reads the runs.
    ///
    /// # Errors
    ///
    /// When one is no result, or they do not repeat each other.
    pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let runs: Vec<RunResult> =
            paths.iter().map(|path| RunResult::read(path)).collect::<Result<_, _>>()?;
        let Some(first) = runs.first() else { bail!("there is no run") };
        for (path, run) in paths.iter().zip(&runs) {
            ensure!(
                run.scenario == first.scenario,
                "{} is no repetition of {}: its scenario or its parameters are others",
                path.display(),
                paths[0].display()
            );
        }
        let name = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { names: paths.iter().map(name).collect(), runs })
    }

    pub(crate) fn runs(&self) -> &[RunResult] {
        &self.runs
    }

    /// Returns one that stands for all where they are alike.
    pub(crate) fn first(&self) -> &RunResult {
        &self.runs[0]
    }

    pub(crate) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Returns the names of their files, without the ending.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &RunResult)> {
        self.names.iter().map(String::as_str).zip(&self.runs)
    }

    pub(crate) fn scenario(&self) -> &str {
        &self.first().scenario.name
    }

    pub(crate) fn is_correct(&self) -> bool {
        self.runs.iter().all(|run| run.verdict.is_correct)
    }

    /// Returns the median of a figure that every run has; the mean of the two in the middle for an even number.
    pub(crate) fn median(&self, name: &str) -> Option<f64> {
        let values = self.values(name)?;
        let middle = values.len() / 2;
        Some(if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        })
    }

    /// Returns the least and the most of a figure that every run has.
    pub(crate) fn spread(&self, name: &str) -> Option<(f64, f64)> {
        let values = self.values(name)?;
        Some((*values.first()?, *values.last()?))
    }

    fn values(&self, name: &str) -> Option<Vec<f64>> {
        let mut values: Vec<f64> = self.runs.iter().map(|run| run.figure(name)).collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        Some(values)
    }
}
