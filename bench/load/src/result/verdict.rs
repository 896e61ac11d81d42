//! Whether a run may be believed, and what it broke.

use super::Counts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a run may be believed, and what it broke.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Nothing was lost, doubled, reordered or damaged, and nothing else went wrong.
    pub is_correct: bool,
    /// What went wrong, for people: one line each, the first twenty.
    pub problems: Vec<String>,
    /// The limits that the scenario set itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
}

/// A limit that a scenario set itself, and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// As it was written: `delivery_p99_us <= 25000`.
    pub text: String,
    /// `None` when the run has no such figure, which breaks the limit.
    pub measured: Option<f64>,
    /// Whether it held.
    pub is_kept: bool,
}

impl Verdict {
    /// Most problems that are told one by one.
    const PROBLEMS: usize = 20;

    /// Judges what was counted, and what else went wrong.
    pub fn of(counts: &Counts, mut problems: Vec<String>) -> Self {
        let broken = [
            ("lost", counts.lost),
            ("doubled", counts.doubled),
            ("reordered", counts.reordered),
            ("damaged", counts.damaged),
        ];
        let told = broken.iter().filter(|(_, count)| *count > 0);
        problems.splice(0..0, told.map(|(what, count)| format!("{count} events {what}")));
        let is_correct = problems.is_empty();
        problems.truncate(Self::PROBLEMS);
        Self { is_correct, problems, thresholds: Vec::new() }
    }

    /// Returns whether every limit held.
    pub fn keeps_thresholds(&self) -> bool {
        self.thresholds.iter().all(|threshold| threshold.is_kept)
    }
}
