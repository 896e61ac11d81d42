//! What the chat bench found, and whether it is what was promised.

use hdrhistogram::Histogram;
use serde::Serialize;

/// What each situation must stay under at the 99th percentile, in milliseconds.
const PROMISED_MS: f64 = 50.0;

/// One situation.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Case {
    name: &'static str,
    samples: u64,
    /// CPU time of the whole process for one, the client's part included, in milliseconds.
    cpu_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Case {
    /// Returns what `latency` has of a situation, which took `cpu` seconds of CPU time in all.
    #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
    pub(super) fn new(name: &'static str, latency: &Histogram<u64>, cpu: f64) -> Self {
        Self {
            name,
            samples: latency.len(),
            cpu_ms: cpu * 1e3 / latency.len().max(1) as f64,
            p50_ms: millis(latency.value_at_quantile(0.5)),
            p99_ms: millis(latency.value_at_quantile(0.99)),
            max_ms: millis(latency.max()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "latencies of seconds at most")]
fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The machine's load average over a minute, before and after.
    load: [f64; 2],
    pub(super) cases: Vec<Case>,
}

impl Report {
    pub(super) fn new(load: f64) -> Self {
        Self { load: [load; 2], cases: Vec::new() }
    }

    pub(super) fn note_load(&mut self, after: f64) {
        self.load[1] = after;
    }

    /// Returns whether every situation keeps what was promised.
    pub(super) fn is_fast(&self) -> bool {
        self.cases.iter().all(|case| case.p99_ms < PROMISED_MS)
    }

    pub(super) fn print(&self) {
        println!(
            "| situation | samples | CPU ms | p50 ms | p99 ms | max ms |\n|---|---:|---:|---:|---:|---:|"
        );
        for Case { name, samples, cpu_ms, p50_ms, p99_ms, max_ms } in &self.cases {
            println!("| {name} | {samples} | {cpu_ms:.1} | {p50_ms:.1} | {p99_ms:.1} | {max_ms:.1} |");
        }
        let [before, after] = self.load;
        let verdict = if self.is_fast() { "kept" } else { "BROKEN" };
        println!("\np99 under {PROMISED_MS} ms: {verdict}. Load average {before} before and {after} after.");
    }

    pub(super) fn print_json(&self) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string_pretty(self)?);
        Ok(())
    }
}
