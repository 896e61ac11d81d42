//! What a run leaves: one JSON document, `schemas/bench-run.schema.json`.
//!
//! Written once by the engine, read by reports, by comparisons and by whoever has `jq`. Whatever is added is
//! optional; [`FORMAT`] rises when something that was there means something else.
//!
//! Times are microseconds from the **intended** moment (an open schedule), CPU is seconds, memory is bytes,
//! rates are a second.

mod counts;
mod figure;
mod latency;
mod machine;
mod phase;
mod process;
mod read;
mod source;
mod verdict;

pub use counts::Counts;
pub use figure::{Better, Derived, FIGURES, Figure, Known, LATENCY_FIGURES, figure_named};
pub use latency::{Latencies, Latency, Recorder};
pub use machine::{Load, Machine};
pub use phase::{Phase, PhaseKind, Second};
pub use process::{CLIENT_CPU_WARNING, Client, Cpu, Server};
pub use read::ReadError;
pub use source::{Scenario, Source, config_hash};
pub use verdict::{Threshold, Verdict};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the document that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// Everything that one run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunResult {
    /// [`FORMAT`] of the build that wrote it.
    pub format: u32,
    /// When the first phase began, RFC 3339 in UTC.
    pub started_at: String,
    /// The command line, as one would type it again.
    pub command: Vec<String>,
    /// What was played.
    pub scenario: Scenario,
    /// The code that was measured.
    pub source: Source,
    /// Where.
    pub machine: Machine,
    /// The server under load; `None` where it is another's, or where there is none (`floor`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// The harness itself.
    pub client: Client,
    /// In their order. Those that are not `counted` warm up or wind down and are in no total.
    pub phases: Vec<Phase>,
    /// The sum over the counted phases, together with what the last look at every subscriber found.
    pub counts: Counts,
    /// Over the counted phases.
    pub latencies: Latencies,
    /// One entry a second from `started_at` on, all phases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seconds: Vec<Second>,
    /// What is derived from the rest, by the names in [`FIGURES`]; also others, which then have a unit only.
    pub figures: BTreeMap<String, Figure>,
    /// The same figures of the bare loop of the same run (`floor`); empty where it was not run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub floor: BTreeMap<String, Figure>,
    /// Whether it may be believed and what it broke.
    pub verdict: Verdict,
}
