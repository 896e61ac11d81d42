//! Figures: the numbers that runs are judged by, each with its unit and which way is better.

use super::{Latencies, Phase, RunResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number and its unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// How much.
    pub value: f64,
    /// Of what: `s`, `µs`, `B`, `1/s`, `ratio`, or empty.
    pub unit: String,
}

/// Which way a figure should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Costs and waiting.
    Lower,
    /// Rates.
    Higher,
}

/// A figure that is known by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// As it stands in a document.
    pub name: &'static str,
    /// As it stands in a document.
    pub unit: &'static str,
    /// Which way it should go.
    pub better: Better,
    /// For people.
    pub meaning: &'static str,
}

const fn lower(name: &'static str, unit: &'static str, meaning: &'static str) -> Known {
    Known { name, unit, better: Better::Lower, meaning }
}

const fn higher(name: &'static str, unit: &'static str, meaning: &'static str) -> Known {
    Known { name, unit, better: Better::Higher, meaning }
}

/// Every figure that is known. Others may be in a document; lower is better for them.
pub const FIGURES: &[Known] = &[
    lower("cpu_s_per_million_deliveries", "s", "server CPU a million deliveries"),
    higher("deliveries_per_second", "1/s", "deliveries a second"),
    higher(
        "deliveries_per_cpu_second",
        "1/s",
        "deliveries a second of the server's CPU: what one core could do",
    ),
    higher("acks_per_second", "1/s", "durable acks a second"),
    higher("acks_per_cpu_second", "1/s", "durable acks a second of the server's CPU"),
    lower("cpu_us_per_ack", "µs", "server CPU an acked message"),
    lower("cpu_s_per_thousand_connects", "s", "server CPU a thousand connections made and authenticated"),
    higher("connects_per_second", "1/s", "connections made and authenticated a second"),
    lower("cpu_s_per_thousand_resumes", "s", "server CPU a thousand resumed sessions"),
    higher("resumes_per_second", "1/s", "resumed sessions a second"),
    higher("resumes_per_cpu_second", "1/s", "resumed sessions a second of the server's CPU"),
    lower("cpu_user_s_per_million_deliveries", "s", "of these, in its own code and not in the kernel"),
    higher("deliveries_per_client_read", "", "deliveries that one read of the client's sockets gave"),
    lower("server_cpu_share", "ratio", "share of a core that the server used"),
    lower("server_cpu_user_share", "ratio", "of this, in its own code and not in the kernel"),
    lower("switches_per_second", "1/s", "how often the server's threads gave a core away or lost it"),
    lower("cpu_us_per_connection_second", "µs", "server CPU that an idle connection costs a second"),
    lower("rss_bytes_per_connection", "B", "resident memory of the server a connection"),
    lower("kernel_bytes_per_connection", "B", "memory of the kernel for sockets a connection"),
    lower("rss_bytes_per_stopped_reader", "B", "resident memory of the server a reader that stopped reading"),
    lower("bystander_p99_ratio", "ratio", "p99 of everybody else against the quiet before"),
    lower("floor_ratio", "ratio", "server CPU a delivery against the bare loop of the same run"),
    lower("growth_ratio", "ratio", "the cost of one at the largest size against the smallest"),
    lower("fsync_p50_us", "µs", "median of a bare write and fsync on the server's disk, in the same run"),
    lower("ack_p50_fsyncs", "ratio", "median ack against the median of a bare write and fsync"),
    lower("storm_seconds", "s", "from the first reconnect of a storm to the last session being whole"),
];

/// Returns the figure that is known by a name, latencies (`delivery_p99_us`) included.
pub fn figure_named(name: &str) -> Option<Known> {
    if let Some(known) = FIGURES.iter().find(|known| known.name == name) {
        return Some(*known);
    }
    LATENCY_FIGURES.iter().find(|known| known.name == name).copied()
}

/// What a document says of latencies, by the names that thresholds and comparisons use.
pub const LATENCY_FIGURES: &[Known] = &[
    lower("ack_p50_us", "µs", "send to ack, median"),
    lower("ack_p90_us", "µs", "send to ack, 90th percentile"),
    lower("ack_p99_us", "µs", "send to ack, 99th percentile"),
    lower("ack_p999_us", "µs", "send to ack, 99.9th percentile"),
    lower("ack_max_us", "µs", "send to ack, the longest"),
    lower("delivery_p50_us", "µs", "send to delivery, median"),
    lower("delivery_p90_us", "µs", "send to delivery, 90th percentile"),
    lower("delivery_p99_us", "µs", "send to delivery, 99th percentile"),
    lower("delivery_p999_us", "µs", "send to delivery, 99.9th percentile"),
    lower("delivery_max_us", "µs", "send to delivery, the longest"),
    lower("last_delivery_p50_us", "µs", "send to the last of its deliveries, median"),
    lower("last_delivery_p90_us", "µs", "send to the last of its deliveries, 90th percentile"),
    lower("last_delivery_p99_us", "µs", "send to the last of its deliveries, 99th percentile"),
    lower("last_delivery_p999_us", "µs", "send to the last of its deliveries, 99.9th percentile"),
    lower("last_delivery_max_us", "µs", "send to the last of its deliveries, the longest"),
    lower("connect_p50_us", "µs", "connect and authenticate, median"),
    lower("connect_p90_us", "µs", "connect and authenticate, 90th percentile"),
    lower("connect_p99_us", "µs", "connect and authenticate, 99th percentile"),
    lower("connect_p999_us", "µs", "connect and authenticate, 99.9th percentile"),
    lower("connect_max_us", "µs", "connect and authenticate, the longest"),
    lower("resume_p50_us", "µs", "resume of all rooms, median"),
    lower("resume_p90_us", "µs", "resume of all rooms, 90th percentile"),
    lower("resume_p99_us", "µs", "resume of all rooms, 99th percentile"),
    lower("resume_p999_us", "µs", "resume of all rooms, 99.9th percentile"),
    lower("resume_max_us", "µs", "resume of all rooms, the longest"),
    lower("bystander_p50_us", "µs", "send to delivery to everybody else, median"),
    lower("bystander_p90_us", "µs", "send to delivery to everybody else, 90th percentile"),
    lower("bystander_p99_us", "µs", "send to delivery to everybody else, 99th percentile"),
    lower("bystander_p999_us", "µs", "send to delivery to everybody else, 99.9th percentile"),
    lower("bystander_max_us", "µs", "send to delivery to everybody else, the longest"),
];

/// Whatever has figures: a run, or one phase of it.
pub trait Derived {
    /// Returns a figure by its name: a derived one, or one of a latency (`delivery_p99_us`).
    fn figure(&self, name: &str) -> Option<f64>;
}

/// A name may begin with that of a phase and `:`.
impl Derived for RunResult {
    fn figure(&self, name: &str) -> Option<f64> {
        match name.rsplit_once(':') {
            Some((phase, name)) => self.phase(phase)?.figure(name),
            None => of(&self.figures, &self.latencies, name),
        }
    }
}

impl RunResult {
    /// Returns the phase of that name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// Returns the latencies of a phase, or of the run.
    pub(crate) fn phase_latencies(&self, phase: Option<&str>) -> Option<&Latencies> {
        phase.map_or(Some(&self.latencies), |name| Some(&self.phase(name)?.latencies))
    }

    /// Returns the names of all figures that there are: derived ones first, then those of latencies.
    pub(crate) fn figure_names(&self) -> Vec<String> {
        let catalogue = || FIGURES.iter().chain(LATENCY_FIGURES).map(|known| known.name);
        let of = |of: &dyn Derived, derived: &BTreeMap<String, Figure>, prefix: &str| {
            let known = catalogue().filter(|name| of.figure(name).is_some()).map(str::to_owned);
            let others = derived.keys().filter(|name| !catalogue().any(|known| known == *name)).cloned();
            known.chain(others).map(|name| format!("{prefix}{name}")).collect::<Vec<_>>()
        };
        let mut names = of(self, &self.figures, "");
        for phase in &self.phases {
            names.extend(of(phase, &phase.figures, &format!("{}:", phase.name)));
        }
        names
    }

    /// Returns the unit of a figure by its name, that of a phase included; empty for what is not there.
    pub(crate) fn unit(&self, name: &str) -> String {
        let (figures, name) = match name.rsplit_once(':') {
            Some((phase, name)) => (self.phase(phase).map(|phase| &phase.figures), name),
            None => (Some(&self.figures), name),
        };
        let derived = figures.and_then(|figures| figures.get(name)).map(|figure| figure.unit.clone());
        derived.or_else(|| Some(figure_named(name)?.unit.to_owned())).unwrap_or_default()
    }
}

impl Derived for Phase {
    fn figure(&self, name: &str) -> Option<f64> {
        of(&self.figures, &self.latencies, name)
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of minutes at most")]
fn of(figures: &BTreeMap<String, Figure>, latencies: &Latencies, name: &str) -> Option<f64> {
    if let Some(figure) = figures.get(name) {
        return Some(figure.value);
    }
    let (latency, percentile) = name.strip_suffix("_us")?.rsplit_once('_')?;
    let (_, latency) = latencies.named().find(|(name, _)| *name == latency)?;
    let micros = match percentile {
        "p50" => latency.p50_us,
        "p90" => latency.p90_us,
        "p99" => latency.p99_us,
        "p999" => latency.p999_us,
        "max" => latency.max_us,
        _ => return None,
    };
    Some(micros as f64)
}
