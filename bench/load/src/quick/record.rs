//! From what was counted to the document of the run.

use super::common::Common;
use super::sampler::Sampler;
use crate::clock;
use crate::crew::Counted;
use crate::ground::{Http, Server, cores};
use crate::result::{
    CLIENT_CPU_WARNING, Client, Counts, Cpu, FORMAT, Figure, Latencies, Latency, Load, Machine, Phase,
    PhaseKind, Recorder, RunResult, Scenario, Second, Server as Served, Source, Verdict, config_hash,
    figure_named,
};
use crate::usage::Usage;
use crate::worker::order::{Report, Window};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// A document that is being filled.
#[derive(Debug)]
pub(super) struct Record {
    began: u64,
    run: RunResult,
    sampler: Sampler,
    /// What went wrong besides what counts say.
    problems: Vec<String>,
    flow: BTreeMap<u64, (u64, u64, u64)>,
}

/// What the server used in a window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    pub(super) before: Usage,
    pub(super) after: Usage,
}

impl Used {
    pub(super) fn cpu(&self) -> Cpu {
        self.after.cpu - self.before.cpu
    }
}

impl Record {
    pub(super) fn begin(
        common: &Common,
        name: &str,
        mut parameters: BTreeMap<String, Value>,
        command: Vec<String>,
        pid: Option<u32>,
    ) -> Self {
        parameters.append(&mut common.parameters());
        let settings = if common.url.is_some() { String::new() } else { Server::settings() };
        let config_hash = config_hash(&parameters, &settings);
        let wall = clock_gettime(ClockId::Realtime);
        let wall = UNIX_EPOCH + Duration::from_secs(wall.tv_sec.unsigned_abs());
        let cores = |core| if common.pin { vec![core] } else { Vec::new() };
        let server = Served { pid, cores: cores(cores::SERVER_CORE), ..Served::default() };
        let client =
            Client { processes: common.processes, cores: cores(cores::CLIENT_CORE), ..Client::default() };
        let run = RunResult {
            format: FORMAT,
            started_at: humantime::format_rfc3339_seconds(wall).to_string(),
            command,
            scenario: Scenario { name: name.to_owned(), parameters, config_hash },
            source: Source::of(Path::new(".")),
            machine: Machine::here(),
            server: Some(server),
            client,
            phases: Vec::new(),
            counts: Counts::default(),
            latencies: Latencies::default(),
            seconds: Vec::new(),
            figures: BTreeMap::new(),
            floor: BTreeMap::new(),
            verdict: Verdict::default(),
        };
        let sampler = Sampler::start(pid);
        Self { began: clock::now(), run, sampler, problems: Vec::new(), flow: BTreeMap::new() }
    }

    /// Notes what the server calls itself, and what it uses before anybody has come.
    pub(super) fn before(&mut self, address: std::net::SocketAddrV4, usage: Usage) {
        if let Some(server) = &mut self.run.server {
            let version = Http::connect(address).and_then(|mut http| http.call("GET /version", None, None));
            server.version =
                version.ok().and_then(|said| said["version"].as_str().map(str::to_owned)).unwrap_or_default();
            server.rss_before_bytes = usage.rss_bytes;
        }
    }

    pub(super) fn look_at(&mut self, pid: Option<u32>) {
        self.sampler.look_at(pid);
        if let Some(server) = &mut self.run.server {
            server.pid = pid;
        }
    }

    /// Notes a phase that is not counted and ends now.
    pub(super) fn phase(
        &mut self,
        name: &str,
        kind: PhaseKind,
        began: u64,
        counts: &Counts,
        latencies: Latencies,
    ) {
        self.push(name, kind, false, (began, clock::now()), counts.clone(), latencies);
    }

    /// Notes a phase that is counted; what it found is in the totals.
    pub(super) fn counted(
        &mut self,
        name: &str,
        (began, ended): (u64, u64),
        counts: &Counts,
        latencies: Latencies,
        used: &Used,
    ) -> &mut Phase {
        self.run.counts += counts;
        if let Some(server) = &mut self.run.server {
            let cpu = used.cpu();
            server.cpu.user_s += cpu.user_s;
            server.cpu.system_s += cpu.system_s;
            server.rss_after_bytes = used.after.rss_bytes;
            server.rss_peak_bytes = used.after.peak_bytes;
            server.voluntary_switches +=
                used.after.voluntary_switches.saturating_sub(used.before.voluntary_switches);
            server.involuntary_switches +=
                used.after.involuntary_switches.saturating_sub(used.before.involuntary_switches);
        }
        self.push(name, PhaseKind::Steady, true, (began, ended), counts.clone(), latencies)
    }

    fn push(
        &mut self,
        name: &str,
        kind: PhaseKind,
        counted: bool,
        (began, ended): (u64, u64),
        counts: Counts,
        latencies: Latencies,
    ) -> &mut Phase {
        self.run.phases.push(Phase {
            name: name.to_owned(),
            kind,
            counted,
            at_s: clock::seconds(began.saturating_sub(self.began)),
            seconds: clock::seconds(ended.saturating_sub(began)),
            offered_per_second: None,
            achieved_per_second: None,
            counts,
            latencies,
            figures: BTreeMap::new(),
        });
        self.run.phases.last_mut().expect("it was pushed")
    }

    /// Notes what the client used of its core in a window of so many seconds.
    pub(super) fn client(&mut self, counted: &Counted, seconds: f64) {
        let client = &mut self.run.client;
        client.cpu.user_s += counted.cpu.iter().map(|cpu| cpu.user_s).sum::<f64>();
        client.cpu.system_s += counted.cpu.iter().map(|cpu| cpu.system_s).sum::<f64>();
        let own = counted.cpu.iter().map(|cpu| cpu.total_s());
        // On one core they are one.
        let busiest = if client.cores.len() == 1 { own.sum() } else { own.fold(0.0, f64::max) };
        client.cpu_share = client.cpu_share.max(busiest / seconds.max(f64::EPSILON));
        client.late_us = client.late_us.max(counted.sum.late_us);
        if client.cpu_share > CLIENT_CPU_WARNING {
            let share = client.cpu_share * 100.0;
            client.warning =
                Some(format!("the client used {share:.0} % of its core: it may be what was measured"));
        }
    }

    /// Adds to the counts what was found since the beginning, last; and to the problems what was not answered.
    pub(super) fn found(&mut self, report: &Report) {
        let counts = &mut self.run.counts;
        counts.lost += report.faults.lost;
        counts.doubled += report.faults.doubled;
        counts.reordered += report.faults.reordered;
        counts.damaged += report.faults.damaged;
        counts.resumed += report.resumed;
        counts.reconnects += report.broken;
        counts.unsent += report.unsent;
        for (what, times) in &report.noticed {
            *counts.refused.entry(what.clone()).or_default() += times;
        }
        if report.unanswered > 0 {
            self.problems.push(format!("{} messages were never answered", report.unanswered));
        }
        for (second, (sent, acked, delivered)) in &report.seconds {
            let known = self.flow.entry(*second).or_default();
            *known = (known.0 + sent, known.1 + acked, known.2 + delivered);
        }
    }

    /// Returns the most resident memory of the server in any second since then.
    pub(super) fn peak_since(&self, since: u64) -> u64 {
        let samples = self.sampler.samples();
        samples.range(since / clock::SECOND..).map(|(_, (_, rss))| *rss).max().unwrap_or(0)
    }

    /// Notes something that is wrong.
    pub(super) fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(what.into());
    }

    pub(super) fn run(&mut self) -> &mut RunResult {
        &mut self.run
    }

    /// Closes the document.
    pub(super) fn finish(mut self) -> RunResult {
        self.run.machine.after = Load::now();
        let samples = self.sampler.samples();
        let first = self.began / clock::SECOND;
        let last = clock::now() / clock::SECOND;
        self.run.seconds = (first..last)
            .map(|second| {
                let (sent, acked, deliveries) = self.flow.get(&second).copied().unwrap_or_default();
                let sample = samples.get(&second);
                Second {
                    sent,
                    acked,
                    deliveries,
                    server_cpu: sample.map(|(cpu, _)| *cpu),
                    server_rss_bytes: sample.map(|(_, rss)| *rss),
                    ..Second::default()
                }
            })
            .collect();
        self.run.verdict = Verdict::of(&self.run.counts, self.problems);
        self.run
    }
}

/// Returns a figure with the unit that its name has.
pub(super) fn figure(name: &str, value: f64) -> (String, Figure) {
    let unit = figure_named(name).map_or("", |known| known.unit).to_owned();
    (name.to_owned(), Figure { value, unit })
}

/// Returns the counts of a window.
pub(super) fn counts(counted: &Counted) -> Counts {
    let flow = counted.sum.window;
    Counts {
        sent: flow.sent,
        acked: flow.acked,
        deliveries: flow.deliveries,
        bytes_in: flow.bytes_in,
        bytes_out: flow.bytes_out,
        ..Counts::default()
    }
}

/// Returns the latencies of a window.
pub(super) fn latencies(counted: &Counted, window: Window) -> Latencies {
    let mut last = Recorder::default();
    for fan in counted.fans.values().filter(|fan| fan.seen > 0 && window.holds(fan.due)) {
        last.note_us(fan.last.saturating_sub(fan.due) / 1_000);
    }
    Latencies {
        ack: counted.ack.latency(),
        delivery: counted.delivery.latency(),
        last_delivery: last.latency(),
        ..Latencies::default()
    }
}

/// Returns the 99th percentile in microseconds; 0 where there is none.
#[expect(clippy::cast_precision_loss, reason = "microseconds of minutes at most")]
pub(super) fn p99_us(latency: Option<&Latency>) -> f64 {
    latency.map_or(0.0, |latency| latency.p99_us as f64)
}

/// Returns a number of things a second, or of seconds a thing; 0 where there are none.
pub(super) fn per(value: f64, of: f64) -> f64 {
    if of > 0.0 { value / of } else { 0.0 }
}
