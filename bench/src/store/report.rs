//! What the store bench found: medians over the rounds, and the two ratios that must hold.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// One measurement of the bare loop.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Bare {
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
}

impl Bare {
    #[expect(clippy::cast_precision_loss, reason = "a count of a few seconds")]
    pub(super) fn new(latency: &Histogram<u64>) -> Self {
        let seconds = latency.mean() * latency.len() as f64 / 1e9;
        Self {
            per_second: latency.len() as f64 / seconds,
            p50_us: micros(latency, 0.5),
            p99_us: micros(latency, 0.99),
        }
    }
}

/// One measurement of the store.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Case {
    writers: usize,
    appends: u64,
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_seconds: f64,
    /// CPU time of an append, in microseconds.
    cpu_us: f64,
    /// Length of the database afterwards, in bytes an append.
    bytes: f64,
}

impl Case {
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    pub(super) fn new(
        writers: usize,
        latency: &Histogram<u64>,
        elapsed: Duration,
        cpu: f64,
        bytes: u64,
    ) -> Self {
        let appends = latency.len();
        Self {
            writers,
            appends,
            per_second: appends as f64 / elapsed.as_secs_f64(),
            p50_us: micros(latency, 0.5),
            p99_us: micros(latency, 0.99),
            cpu_seconds: cpu,
            cpu_us: cpu * 1e6 / appends as f64,
            bytes: bytes as f64 / appends as f64,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "latencies of seconds at most")]
fn micros(latency: &Histogram<u64>, quantile: f64) -> f64 {
    latency.value_at_quantile(quantile) as f64 / 1e3
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// What one commit of one writer adds to the log, and one turn of the bare loop writes.
    commit_bytes: u64,
    pub(super) bare: Vec<Bare>,
    pub(super) cases: Vec<Case>,
}

/// The medians and what follows from them.
#[derive(Debug, Serialize)]
struct Summary {
    commit_bytes: u64,
    bare: Bare,
    cases: Vec<Case>,
    /// Appends a second of the most writers to those of the fewest; at least 15.
    speedup: f64,
    /// Median latency of the fewest writers in bare fsyncs; at most 2.
    fsyncs: f64,
}

impl Report {
    pub(super) const fn new(commit_bytes: u64) -> Self {
        Self { commit_bytes, bare: Vec::new(), cases: Vec::new() }
    }

    pub(super) fn print_json(&self) -> anyhow::Result<()> {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "summary": self.summary(), "runs": self }))?
        );
        Ok(())
    }

    pub(super) fn print(&self) {
        let Summary { commit_bytes, bare, cases, speedup, fsyncs } = self.summary();
        println!(
            "{:>8} {:>10} {:>9} {:>9} {:>8} {:>8} {:>7}",
            "writers", "appends/s", "p50 µs", "p99 µs", "CPU s", "CPU µs", "bytes"
        );
        let Bare { per_second, p50_us, p99_us } = bare;
        println!(
            "{:>8} {per_second:>10.0} {p50_us:>9.0} {p99_us:>9.0} {:>8} {:>8} {commit_bytes:>7}",
            "bare", "", ""
        );
        for Case { writers, per_second, p50_us, p99_us, cpu_seconds, cpu_us, bytes, .. } in cases {
            println!(
                "{writers:>8} {per_second:>10.0} {p50_us:>9.0} {p99_us:>9.0} {cpu_seconds:>8.2} {cpu_us:>8.1} {bytes:>7.0}"
            );
        }
        println!("most writers to fewest: {speedup:.1} times the appends (at least 15)");
        println!("median of the fewest: {fsyncs:.2} bare fsyncs (at most 2)");
        println!("bytes: of one bare write, as of one commit of one writer; else of the database, an append");
    }

    fn summary(&self) -> Summary {
        let mut writers: Vec<_> = self.cases.iter().map(|case| case.writers).collect();
        writers.sort_unstable();
        writers.dedup();
        let runs = |writers| self.cases.iter().filter(move |case| case.writers == writers).copied();
        let cases: Vec<_> =
            writers.into_iter().filter_map(|writers| median(runs(writers), |case| case.per_second)).collect();
        let nothing = Bare { per_second: f64::NAN, p50_us: f64::NAN, p99_us: f64::NAN };
        let bare = median(self.bare.iter().copied(), |bare| bare.p50_us).unwrap_or(nothing);
        let ratio =
            |first: Option<f64>, second: Option<f64>| first.zip(second).map_or(f64::NAN, |(a, b)| a / b);
        let (fewest, most) = (cases.first(), cases.last());
        let speedup = ratio(most.map(|case| case.per_second), fewest.map(|case| case.per_second));
        let fsyncs = ratio(fewest.map(|case| case.p50_us), Some(bare.p50_us));
        Summary { commit_bytes: self.commit_bytes, bare, cases, speedup, fsyncs }
    }
}

/// Returns the run in the middle by `key`.
fn median<T>(runs: impl Iterator<Item = T>, key: impl Fn(&T) -> f64) -> Option<T> {
    let mut runs: Vec<T> = runs.collect();
    runs.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let middle = runs.len() / 2;
    runs.into_iter().nth(middle)
}
