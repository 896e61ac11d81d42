//! Operation: what is let in, and how the configuration was read again.

use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::Count;
use metrics::{Counter, Gauge};

const ADMISSIONS: &[&str] = &["connection", "login", "registration", "search", "history", "upload"];
const RELOADED: &[&str] = &["ok", "failed"];

subject! {
    /// Counts what is refused under pressure, and reloads.
    OperationMetrics {
        admission_level: Gauge = Row::of("rookery_admission_level", Count, "What is let in: 0 everything, 1 nobody new, 2 nothing costly either.");
        admission_refused: By<Counter> = Row::of("rookery_admission_refused_total", Count, "What was refused because the node was short of memory or time.").by(&["what"], Each(ADMISSIONS));
        memory_used: Gauge = Row::of("rookery_memory_used_ratio", Count, "Memory that cannot be given back, as a share of what there may be.");
        reloads: By<Counter> = Row::of("rookery_config_reloads_total", Count, "Reloads of the configuration.").by(&["result"], Each(RELOADED));
        reload_success: Gauge = Row::of("rookery_config_reload_success", Count, "Whether the last reload of the configuration succeeded: 1 or 0; 1 before the first.");
    }
}
