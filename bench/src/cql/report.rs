//! What the bench of the cluster's store found: medians over the rounds, and what a condition costs.

use super::Measured;
use serde::Serialize;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Case {
    /// Appends of the store.
    Append,
    /// Batches of the driver without a condition.
    Plain,
    /// The same batches with one.
    Conditional,
}

/// One measurement.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Row {
    case: Case,
    writers: usize,
    /// In each batch.
    events: usize,
    batches_per_second: f64,
    events_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// CPU of a batch, in microseconds: of this process, and of Cassandra.
    own_cpu_us: f64,
    cassandra_cpu_us: f64,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "counts and latencies of a few seconds")]
    pub(super) fn new(case: Case, writers: usize, events: usize, measured: &Measured) -> Self {
        let Measured { latency, elapsed, cpu } = measured;
        let batches = latency.len() as f64;
        let millis = |quantile| latency.value_at_quantile(quantile) as f64 / 1e6;
        let [own, cassandra] = cpu.map(|seconds| seconds * 1e6 / batches);
        Self {
            case,
            writers,
            events,
            batches_per_second: batches / elapsed.as_secs_f64(),
            events_per_second: batches * events as f64 / elapsed.as_secs_f64(),
            p50_ms: millis(0.5),
            p99_ms: millis(0.99),
            own_cpu_us: own,
            cassandra_cpu_us: cassandra,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.case, self.writers, self.events) == (other.case, other.writers, other.events)
    }
}

/// Prints the medians, and the ratios of a conditional batch to a plain one.
pub(super) fn print(rows: &[Row]) {
    println!(
        "{:>12} {:>8} {:>7} {:>10} {:>10} {:>8} {:>8} {:>8} {:>10}",
        "", "writers", "events", "batches/s", "events/s", "p50 ms", "p99 ms", "CPU µs", "CPU C* µs"
    );
    let medians = medians(rows);
    for row in &medians {
        println!(
            "{:>12} {:>8} {:>7} {:>10.0} {:>10.0} {:>8.2} {:>8.2} {:>8.0} {:>10.0}",
            format!("{:?}", row.case),
            row.writers,
            row.events,
            row.batches_per_second,
            row.events_per_second,
            row.p50_ms,
            row.p99_ms,
            row.own_cpu_us,
            row.cassandra_cpu_us
        );
    }
    println!("CPU of a batch: of this process with the driver, and of Cassandra");
    let of = |case| medians.iter().filter(move |row| row.case == case);
    for (plain, conditional) in of(Case::Plain).zip(of(Case::Conditional)) {
        println!(
            "{} writers: a condition makes {:.2} of the batches, and takes {:.2} of the median and {:.2} of Cassandra's CPU",
            plain.writers,
            conditional.batches_per_second / plain.batches_per_second,
            conditional.p50_ms / plain.p50_ms,
            conditional.cassandra_cpu_us / plain.cassandra_cpu_us
        );
    }
}

/// Returns the run in the middle of each kind, by its pace, in the order in which they were first measured.
fn medians(rows: &[Row]) -> Vec<Row> {
    let firsts = rows.iter().enumerate().filter(|(at, row)| !rows[..*at].iter().any(|one| one.is_like(row)));
    let median = |(_, first): (usize, &Row)| {
        let mut runs: Vec<&Row> = rows.iter().filter(|row| row.is_like(first)).collect();
        runs.sort_by(|a, b| a.batches_per_second.total_cmp(&b.batches_per_second));
        *runs[runs.len() / 2]
    };
    firsts.map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::Histogram;
    use std::time::Duration;

    #[test]
    fn the_run_in_the_middle_stands_for_all_of_its_kind() {
        let row = |case, batches| {
            let mut latency = Histogram::new(3).expect("3 digits are allowed");
            latency.record_n(1_000_000, batches).expect("it has no upper bound");
            Row::new(case, 1, 4, &Measured { latency, elapsed: Duration::from_secs(1), cpu: [1.0, 2.0] })
        };
        let rows = [row(Case::Plain, 30), row(Case::Append, 7), row(Case::Plain, 10), row(Case::Plain, 20)];
        let medians: Vec<_> = medians(&rows).iter().map(|row| (row.case, row.events_per_second)).collect();
        assert_eq!(medians, [(Case::Plain, 80.0), (Case::Append, 28.0)]);
    }
}
