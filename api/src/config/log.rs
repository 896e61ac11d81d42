//! `[log]`: what is logged, and how.

use super::error::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Which lines: a level, then targets with theirs, as in `info,rookery_api=debug`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLog {
    /// Which lines: a level (`error warn info debug trace off`), then targets with theirs, as in `info,rookery_api=debug`.
    #[schemars(extend("x-reload" = true))]
    filter: String,
    /// How a line looks: `auto` (pretty on a terminal, JSON otherwise), `pretty` or `json`.
    #[schemars(extend("enum" = ["auto", "pretty", "json"]))]
    format: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: "auto".to_owned() }
    }
}

impl RawLog {
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> LogConfig {
        if !is_filter(&self.filter) {
            problems.value("log.filter", &self.filter, "levels and targets, as in info,rookery_api=debug");
        }
        let format = match self.format.as_str() {
            "auto" => LogFormat::Auto,
            "pretty" => LogFormat::Pretty,
            "json" => LogFormat::Json,
            other => {
                problems.value("log.format", other, "auto, pretty or json");
                LogFormat::Auto
            }
        };
        LogConfig { filter: self.filter.clone(), format }
    }
}

/// Returns whether `text` chooses lines: levels and targets with theirs, with commas between.
pub(crate) fn is_filter(text: &str) -> bool {
    text.split(',').all(is_directive)
}

/// A level, or a target with its level.
fn is_directive(text: &str) -> bool {
    let text = text.trim();
    let level = match text.split_once('=') {
        Some((target, level)) if is_target(target) => level,
        Some(_) => return false,
        None => text,
    };
    matches!(level, "error" | "warn" | "info" | "debug" | "trace" | "off")
}

/// The path of a module.
fn is_target(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}
