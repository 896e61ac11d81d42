//! What a replay found: the verdict and the table.

use super::server::Usage;
use super::stage::Ledger;
use hdrhistogram::Histogram;
use rookery_client::Totals;
use rookery_tests::checker::Verdict;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Pauses over which some server must have tried to write when it woke, and have been refused: after one or two
/// there may have been nothing to write.
const MANY_PAUSES: u64 = 6;

/// The outcome of a replay.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) days: Vec<String>,
    pub(crate) rooms: usize,
    pub(crate) clients: u64,
    pub(crate) speed: String,
    pub(crate) seed: u64,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
    /// Servers that stood still beyond their lease and woke while there was something to do.
    pub(crate) pauses: u64,
    /// Writes that those tried, and that were refused.
    pub(crate) refused_on_waking: u64,
    /// From the first step to the last answer.
    pub(crate) seconds: f64,
    pub(crate) messages: u64,
    pub(crate) events: u64,
    pub(crate) edits: u64,
    pub(crate) deletes: u64,
    pub(crate) reactions: u64,
    pub(crate) pins: u64,
    pub(crate) marks: u64,
    /// How often somebody was told how far one is, or who is typing.
    pub(crate) signals: u64,
    pub(crate) deliveries: u64,
    pub(crate) read_from_pages: u64,
    pub(crate) acks_per_second: f64,
    pub(crate) deliveries_per_second: f64,
    pub(crate) send_to_ack_ms: Percentiles,
    pub(crate) send_to_delivery_ms: Percentiles,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) sends_repeated: u64,
    pub(crate) resumes: u64,
    pub(crate) resets: u64,
    pub(crate) lagged: u64,
    pub(crate) reconnects: u64,
    pub(crate) server_cpu_seconds: f64,
    pub(crate) server_peak_mib: u64,
    pub(crate) client_cpu_seconds: f64,
    /// By error code; a replay asks for nothing that may be refused for good.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Changes of what was deleted meanwhile, and marks of who had left.
    pub(crate) too_late: u64,
    /// By rule.
    pub(crate) violations: BTreeMap<String, u64>,
}

/// Latencies in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

/// How it was played.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) days: Vec<String>,
    pub(crate) rooms: usize,
    pub(crate) speed: String,
    pub(crate) seed: u64,
}

/// What it took.
#[derive(Debug)]
pub(crate) struct Effort {
    pub(crate) played: Duration,
    pub(crate) totals: Totals,
    pub(crate) server: Usage,
    pub(crate) client: Usage,
}

impl Report {
    pub(crate) fn new(setting: Setting, effort: &Effort, ledger: &Ledger, verdict: &Verdict) -> Self {
        let counts = &verdict.counts;
        let seconds = effort.played.as_secs_f64();
        Self {
            days: setting.days,
            rooms: setting.rooms,
            clients: counts.clients,
            speed: setting.speed,
            seed: setting.seed,
            faults: ledger.faults.clone(),
            pauses: ledger.pauses,
            refused_on_waking: ledger.refused_on_waking,
            seconds,
            messages: counts.messages,
            events: counts.events,
            edits: counts.edits,
            deletes: counts.deletes,
            reactions: counts.reactions,
            pins: counts.pins,
            marks: counts.marks,
            signals: counts.standings + counts.typing,
            deliveries: counts.deliveries,
            read_from_pages: counts.reads,
            acks_per_second: rate(counts.acks, seconds),
            deliveries_per_second: rate(counts.deliveries, seconds),
            send_to_ack_ms: Percentiles::of(&ledger.acked),
            send_to_delivery_ms: Percentiles::of(&ledger.delivered),
            bytes_in: effort.totals.bytes_in,
            bytes_out: effort.totals.bytes_out,
            sends_repeated: counts.repeats,
            resumes: counts.resumes,
            resets: counts.resets,
            lagged: counts.lagged,
            reconnects: u64::from(effort.totals.connections).saturating_sub(counts.clients),
            server_cpu_seconds: effort.server.cpu_seconds,
            server_peak_mib: effort.server.peak_bytes >> 20,
            client_cpu_seconds: effort.client.cpu_seconds,
            refused: ledger.refused.iter().map(|(code, number)| (code.clone(), *number)).collect(),
            too_late: ledger.too_late,
            violations: verdict.found.iter().map(|(rule, number)| (rule.to_string(), *number)).collect(),
        }
    }

    /// Returns whether everything was said, heard and kept, and whether who was paused has tried to do harm:
    /// a pause that nobody noticed shows nothing.
    pub(crate) fn is_clean(&self) -> bool {
        let is_shown = self.pauses < MANY_PAUSES || self.refused_on_waking > 0;
        self.violations.is_empty() && self.refused.is_empty() && is_shown
    }
}

impl Percentiles {
    fn of(micros: &Histogram<u64>) -> Self {
        let millis = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1_000.0;
        let at = |quantile| millis(micros.value_at_quantile(quantile));
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: millis(micros.max()) }
    }
}

fn rate(number: u64, seconds: f64) -> f64 {
    let number = u32::try_from(number).map_or(f64::from(u32::MAX), f64::from);
    if seconds > 0.0 { number / seconds } else { 0.0 }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1}", self.p50, self.p99, self.p999, self.max)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "| {name:<31} | {value:>52} |");
        row("days", self.days.join(" "))?;
        row("rooms, clients", format!("{}, {}", self.rooms, self.clients))?;
        row("speed, seed", format!("{}, {}", self.speed, self.seed))?;
        row("seconds", format!("{:.1}", self.seconds))?;
        row("messages, events", format!("{}, {}", self.messages, self.events))?;
        row(
            "edits, deletes, reactions, pins",
            format!("{}, {}, {}, {}", self.edits, self.deletes, self.reactions, self.pins),
        )?;
        row("marks, signals", format!("{}, {}", self.marks, self.signals))?;
        row("deliveries, read from pages", format!("{}, {}", self.deliveries, self.read_from_pages))?;
        row(
            "acks/s, deliveries/s",
            format!("{:.0}, {:.0}", self.acks_per_second, self.deliveries_per_second),
        )?;
        row("send to ack, ms", self.send_to_ack_ms.to_string())?;
        row("send to delivery, ms", self.send_to_delivery_ms.to_string())?;
        row("bytes in, out", format!("{}, {}", self.bytes_in, self.bytes_out))?;
        for (fault, times) in &self.faults {
            row(&format!("fault {fault}"), times.to_string())?;
        }
        row("pauses, refused on waking", format!("{}, {}", self.pauses, self.refused_on_waking))?;
        row("reconnects", self.reconnects.to_string())?;
        row("resumes, resets, lagged", format!("{}, {}, {}", self.resumes, self.resets, self.lagged))?;
        row("sends repeated", self.sends_repeated.to_string())?;
        row("server CPU s, peak MiB", format!("{:.1}, {}", self.server_cpu_seconds, self.server_peak_mib))?;
        row("client CPU s", format!("{:.1}", self.client_cpu_seconds))?;
        row("refused, too late", format!("{:?}, {}", self.refused, self.too_late))?;
        row("violations", format!("{:?}", self.violations))
    }
}
