//! The percentile distribution of one run in the text that `HdrHistogram` and its plotters write and read.
//!
//! Values are milliseconds. Source: `AbstractHistogram.outputPercentileDistribution` of the Java library, with
//! five ticks to each half of what is left.

use super::Named;
use crate::result::Latency;
use anyhow::{Context, anyhow, bail};
use hdrhistogram::Histogram;
use std::fmt::Write;

/// Lines for each halving of the distance to 100 %.
const TICKS: u32 = 5;

/// Returns the distribution of the latencies of that name; of what the run is about without one.
pub(super) fn hgrm(runs: &[Named], name: Option<&str>) -> anyhow::Result<String> {
    let [Named { run, .. }] = runs else { bail!("--hgrm takes one run, not {}", runs.len()) };
    let latency = match name {
        Some(name) => run.latencies.named().find(|(other, _)| *other == name),
        None => run.latencies.main(),
    };
    let (_, latency) = latency.with_context(|| {
        let there: Vec<&str> = run.latencies.named().map(|(name, _)| name).collect();
        format!("the run has no latencies of {}; it has: {}", name.unwrap_or("anything"), there.join(", "))
    })?;
    Ok(written(&latency.histogram().map_err(|reason| anyhow!(reason))?, latency)?)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of minutes at most")]
fn written(histogram: &Histogram<u64>, latency: &Latency) -> Result<String, std::fmt::Error> {
    let millis = |micros: u64| micros as f64 / 1e3;
    let mut text =
        format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut sum = 0;
    for step in histogram.iter_quantiles(TICKS) {
        sum += step.count_since_last_iteration();
        let (value, quantile) = (millis(step.value_iterated_to()), step.quantile_iterated_to());
        write!(text, "{value:12.3} {quantile:2.12} {sum:10}")?;
        if quantile < 1.0 {
            write!(text, " {:14.2}", 1.0 / (1.0 - quantile))?;
        }
        text.push('\n');
    }
    writeln!(
        text,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
        latency.mean_us / 1e3,
        histogram.stdev() / 1e3
    )?;
    writeln!(text, "#[Max     = {:12.3}, Total count    = {:12}]", millis(histogram.max()), histogram.len())?;
    writeln!(
        text,
        "#[Buckets = {:12}, SubBuckets     = {:12}]",
        histogram.buckets(),
        (2 * 10_u32.pow(u32::from(histogram.sigfig()))).next_power_of_two()
    )?;
    Ok(text)
}
