//! The two sides of a run: the server and the harness.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Sub;

/// Above this share of a core the client, not the server, may be what was measured.
pub const CLIENT_CPU_WARNING: f64 = 0.7;

/// CPU time, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// In its own code.
    pub user_s: f64,
    /// In the kernel on its behalf.
    pub system_s: f64,
}

impl Cpu {
    /// Returns both together.
    pub fn total_s(self) -> f64 {
        self.user_s + self.system_s
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { user_s: self.user_s - before.user_s, system_s: self.system_s - before.system_s }
    }
}

/// The server under load. What it used is over the counted phases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its process on this machine; `None` for one elsewhere, of which nothing below is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// As it tells it.
    pub version: String,
    /// The cores it was pinned to; empty where it was not.
    pub cores: Vec<u32>,
    /// What its memory comes from: `glibc`, `mimalloc`, `jemalloc`, or empty where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub allocator: String,
    /// What it used.
    pub cpu: Cpu,
    /// Resident memory before the first connection.
    pub rss_before_bytes: u64,
    /// Resident memory at the end of the last counted phase.
    pub rss_after_bytes: u64,
    /// The most there ever was.
    pub rss_peak_bytes: u64,
    /// How often it gave the core away by itself.
    pub voluntary_switches: u64,
    /// How often the core was taken from it: above a few a second somebody else was on it.
    pub involuntary_switches: u64,
}

/// The harness: how much of it there was, and whether it was the bottleneck.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// How many processes.
    pub processes: u32,
    /// The cores they were pinned to; empty where they were not.
    pub cores: Vec<u32>,
    /// What all of them used over the counted phases.
    pub cpu: Cpu,
    /// The busiest one's CPU over the counted phases, as a share of a core.
    pub cpu_share: f64,
    /// How late the latest send was against its schedule, in microseconds; 0 where there was none.
    #[serde(default)]
    pub late_us: u64,
    /// Why its figures should not be believed, for people; `None` when there is no such reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
