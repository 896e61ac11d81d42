//! `[retention]`: how long what administration keeps is kept.

use super::error::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Ten years: beyond it a number is a mistake.
const DAYS_AT_MOST: u64 = 3650;

/// How long what administration keeps is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// The archive of an export, from its end on.
    pub archives: Duration,
    /// An export or an erasure, from its end on; an archive goes with its job at the latest.
    pub jobs: Duration,
    /// A report, from its closing on.
    pub reports: Duration,
}

/// How long what administration keeps is kept.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "fields are named as in the file")]
pub(super) struct RawRetention {
    /// Days that the archive of an export is kept, from its end on; it goes with its job at the latest.
    #[schemars(range(min = 1, max = 3650))]
    archive_days: u64,
    /// Days that it is kept that a user was exported or erased, from the end of that on.
    #[schemars(range(min = 1, max = 3650))]
    job_days: u64,
    /// Days that a report is kept, from its closing on.
    #[schemars(range(min = 1, max = 3650))]
    report_days: u64,
}

impl Default for RawRetention {
    fn default() -> Self {
        Self { archive_days: 7, job_days: 30, report_days: 365 }
    }
}

impl RawRetention {
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> RetentionConfig {
        let mut days = |key: &str, value| {
            Duration::from_secs(problems.number(key, value, 1, DAYS_AT_MOST) * 24 * 60 * 60)
        };
        RetentionConfig {
            archives: days("retention.archive_days", self.archive_days),
            jobs: days("retention.job_days", self.job_days),
            reports: days("retention.report_days", self.report_days),
        }
    }
}
