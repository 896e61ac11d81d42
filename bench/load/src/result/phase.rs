//! A part of a run, and a second of it.

use super::{Counts, Figure, Latencies};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a phase is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// Connections are made, caches get warm.
    Ramp,
    /// What is measured.
    Steady,
    /// Nothing new is sent; what is on its way arrives.
    Drain,
}

/// A part of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Unique in the run: `connect`, `idle 4x`, `storm`.
    pub name: String,
    /// What it is for.
    pub kind: PhaseKind,
    /// Whether it is in the totals of the run.
    pub counted: bool,
    /// When it began, in seconds from the beginning of the run.
    pub at_s: f64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Sends (or connects, or resumes) a second that the schedule asked for; `None` where each waits for
    /// the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_per_second: Option<f64>,
    /// As many a second as there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved_per_second: Option<f64>,
    /// What happened in it.
    pub counts: Counts,
    /// How long that took.
    pub latencies: Latencies,
    /// What is derived for this phase alone, by the names in [`FIGURES`](super::FIGURES).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, Figure>,
}

/// One second of a run. What was not looked at is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Second {
    /// Connections open at its end.
    pub connections: u64,
    /// Messages sent in it.
    pub sent: u64,
    /// Messages acked in it.
    pub acked: u64,
    /// Deliveries in it.
    pub deliveries: u64,
    /// Median latency of what this run is about (deliveries, else acks, else connects or resumes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    /// Its 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// CPU that the server used, as a share of one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu: Option<f64>,
    /// Resident memory of the server at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_rss_bytes: Option<u64>,
    /// CPU that the client used, as a share of one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cpu: Option<f64>,
}
