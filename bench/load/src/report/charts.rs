//! The charts of a run: its seconds, and its percentiles.

use super::Named;
use crate::page::{Across, Chart, Line, Upwards};
use crate::result::{Latency, RunResult, Second};

/// Points a power of ten on the way of a percentile line: as fine as can be seen.
const POINTS: u32 = 24;

/// What a line shows of a second; nothing where nobody looked.
type Value<'a> = &'a dyn Fn(&Second) -> Option<f64>;

/// Returns the charts over the seconds of a run, and over the percentiles of its latencies.
pub(super) fn over_time(named: &Named) -> Vec<Chart> {
    let run = &named.run;
    let series = |title, unit, upwards, lines: Vec<(&str, Value)>| {
        let lines = lines.into_iter().map(|(name, value)| line(name, &run.seconds, value)).collect();
        Chart { title, unit, across: Across::Seconds, upwards, lines, spans: spans(run) }
    };
    let millis = |micros: Option<u64>| Some(float(micros?) / 1e3);
    let mebibytes = |bytes: Option<u64>| Some(float(bytes?) / f64::from(1 << 20));
    let mut charts = vec![
        series(
            "Deliveries",
            "a second",
            Upwards::Even,
            vec![("deliveries", &|second| some(second.deliveries))],
        ),
        series(
            "Messages",
            "a second",
            Upwards::Even,
            vec![("sent", &|second| some(second.sent)), ("acked", &|second| some(second.acked))],
        ),
        series(
            "Latency",
            "ms",
            Upwards::Powers,
            vec![("p99", &|second| millis(second.p99_us)), ("p50", &|second| millis(second.p50_us))],
        ),
        series(
            "CPU",
            "% of a core",
            Upwards::Even,
            vec![
                ("server", &|second| Some(second.server_cpu? * 100.0)),
                ("client", &|second| Some(second.client_cpu? * 100.0)),
            ],
        ),
        series(
            "Memory of the server",
            "MiB",
            Upwards::Even,
            vec![("resident", &|second| mebibytes(second.server_rss_bytes))],
        ),
        series(
            "Connections",
            "open",
            Upwards::Even,
            vec![("connections", &|second| some(second.connections))],
        ),
    ];
    let percentiles =
        run.latencies.named().filter_map(|(name, latency)| percentiles(&name.replace('_', " "), latency));
    charts.push(spectrum(percentiles.collect()));
    charts.retain(|chart| chart.lines.iter().any(is_told));
    charts
}

/// Returns one chart of what each run is about; `None` where none has latencies.
pub(super) fn distribution(runs: &[Named]) -> Option<Chart> {
    let lines = runs.iter().filter_map(|Named { name, run }| {
        let (what, latency) = run.latencies.main()?;
        percentiles(&format!("{name}: {what}"), latency)
    });
    let chart = spectrum(lines.collect());
    (!chart.lines.is_empty()).then_some(chart)
}

fn spectrum(lines: Vec<Line>) -> Chart {
    Chart {
        title: "Latency by percentile",
        unit: "ms",
        across: Across::Nines,
        upwards: Upwards::Powers,
        lines,
        spans: Vec::new(),
    }
}

/// Returns the line of a distribution, up to the percentile that one value still decides.
fn percentiles(name: &str, latency: &Latency) -> Option<Line> {
    let histogram = latency.histogram().ok()?;
    let last = float(histogram.len()).log10();
    let steps = (0..).map(|step| f64::from(step) / f64::from(POINTS)).take_while(|nines| *nines <= last);
    let at = |nines: f64| (nines, float(histogram.value_at_quantile(1.0 - 10_f64.powf(-nines))) / 1e3);
    let points = steps.chain([last]).map(at).collect();
    Some(Line { name: name.to_owned(), points })
}

fn line(name: &str, seconds: &[Second], value: Value) -> Line {
    let points = (0_u32..).zip(seconds);
    let points = points.map(|(at, second)| (f64::from(at), value(second).unwrap_or(f64::NAN))).collect();
    Line { name: name.to_owned(), points }
}

/// Whether a line says anything: one that is zero throughout does not.
fn is_told(line: &Line) -> bool {
    line.points.iter().any(|(_, y)| y.is_finite() && *y > 0.0)
}

fn spans(run: &RunResult) -> Vec<(f64, f64, String)> {
    run.phases.iter().map(|phase| (phase.at_s, phase.at_s + phase.seconds, phase.name.clone())).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "what is counted is always there; the other values may not be")]
fn some(number: u64) -> Option<f64> {
    Some(float(number))
}

#[expect(clippy::cast_precision_loss, reason = "for a chart")]
fn float(number: u64) -> f64 {
    number as f64
}
