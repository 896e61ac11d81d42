//! A run that never was: the same every time, with everything in it that a run can have.

use rookery_load::result::{
    Client, Counts, Cpu, FORMAT, Figure, Latencies, Load, Machine, Phase, PhaseKind, Recorder, RunResult,
    Scenario, Second, Server, Source, Threshold, Verdict, config_hash, figure_named,
};
use serde_json::json;
use std::collections::BTreeMap;

/// Seconds of its phases: connecting, what is counted, and what is still on its way.
const PHASES: [u32; 3] = [6, 30, 4];

/// Returns a run in which everything took `slower` times as long as in the first one.
pub(crate) fn fanout(slower: f64) -> RunResult {
    let mut random = fastrand::Rng::with_seed(7);
    let parameters = [("connections", json!(1_000)), ("rate", json!(20)), ("payload", json!(128))];
    let parameters: BTreeMap<_, _> = parameters.map(|(name, value)| (name.to_owned(), value)).into();
    let seconds = seconds(&mut random, slower);
    let total = |of: fn(&Second) -> u64| seconds.iter().skip(6).map(of).sum();
    let counts = Counts {
        sent: total(|second| second.sent),
        acked: total(|second| second.acked),
        deliveries: total(|second| second.deliveries),
        bytes_in: 148_000_000,
        bytes_out: 190_000,
        refused: [("limited".to_owned(), 3)].into(),
        ..Counts::default()
    };
    let latencies = Latencies {
        ack: distribution(&mut random, 600, 900.0 * slower),
        delivery: distribution(&mut random, 20_000, 1_800.0 * slower),
        last_delivery: distribution(&mut random, 600, 4_000.0 * slower),
        ..Latencies::default()
    };
    let connect = Latencies { connect: distribution(&mut random, 1_000, 700.0), ..Latencies::default() };
    RunResult {
        format: FORMAT,
        started_at: "2026-11-21T09:30:00Z".to_owned(),
        command: ["rookery-bench", "quick", "fanout", "--rate", "20"].map(str::to_owned).into(),
        scenario: Scenario {
            name: "fanout".to_owned(),
            config_hash: config_hash(&parameters, "limits.relaxed = true"),
            parameters,
        },
        source: Source {
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            is_dirty: false,
        },
        machine: machine(),
        server: Some(server(slower)),
        client: Client {
            processes: 1,
            cores: vec![1],
            cpu: Cpu { user_s: 4.1, system_s: 5.3 },
            cpu_share: 0.31,
            late_us: 1_250,
            warning: None,
        },
        phases: vec![
            phase("connect", PhaseKind::Ramp, 0, [Some(200.0), Some(199.6)], (connected(), connect)),
            phase(
                "steady",
                PhaseKind::Steady,
                6,
                [Some(20.0), Some(20.0)],
                (counts.clone(), latencies.clone()),
            ),
            phase("drain", PhaseKind::Drain, 36, [None, None], Default::default()),
        ],
        counts: counts.clone(),
        latencies,
        seconds,
        figures: figures(&[
            ("cpu_s_per_million_deliveries", 7.21 * slower),
            ("deliveries_per_second", 20_000.0),
            ("floor_ratio", 1.36 * slower),
            ("rss_bytes_per_connection", 7_100.0),
        ]),
        floor: figures(&[("cpu_s_per_million_deliveries", 5.3)]),
        verdict: Verdict {
            thresholds: vec![Threshold {
                text: "delivery_p99 <= 25ms".to_owned(),
                measured: Some(9_000.0 * slower),
                is_kept: true,
            }],
            ..Verdict::of(&counts, Vec::new())
        },
    }
}

fn figures(all: &[(&str, f64)]) -> BTreeMap<String, Figure> {
    let figure = |(name, value): &(&str, f64)| {
        let unit = figure_named(name).expect("a figure of the catalogue").unit.to_owned();
        ((*name).to_owned(), Figure { value: (value * 1e3).round() / 1e3, unit })
    };
    all.iter().map(figure).collect()
}

fn machine() -> Machine {
    Machine {
        cpu_model: "A CPU of 2.2 GHz".to_owned(),
        cores: 2,
        kernel: "Linux 6.18.0".to_owned(),
        memory_bytes: 4 << 30,
        fd_limit: 65_536,
        mitigations: [("spectre_v2".to_owned(), "Mitigation: Retpolines".to_owned())].into(),
        before: Load { load_1m: 0.2, load_5m: 0.3, stolen_s: 10.0 },
        after: Load { load_1m: 1.1, load_5m: 0.6, stolen_s: 10.5 },
    }
}

fn server(slower: f64) -> Server {
    Server {
        pid: Some(4_711),
        version: "0.1.0".to_owned(),
        cores: vec![0],
        allocator: "glibc".to_owned(),
        cpu: Cpu { user_s: (1.6 * slower * 1e3).round() / 1e3, system_s: 2.7 },
        rss_before_bytes: 14 << 20,
        rss_after_bytes: 21 << 20,
        rss_peak_bytes: 22 << 20,
        voluntary_switches: 61_000,
        involuntary_switches: 40,
    }
}

fn connected() -> Counts {
    Counts { connected: 1_000, bytes_in: 900_000, bytes_out: 700_000, ..Counts::default() }
}

fn phase(
    name: &str,
    kind: PhaseKind,
    at: u32,
    [offered_per_second, achieved_per_second]: [Option<f64>; 2],
    (counts, latencies): (Counts, Latencies),
) -> Phase {
    let number = [PhaseKind::Ramp, PhaseKind::Steady, PhaseKind::Drain].iter().position(|one| *one == kind);
    Phase {
        name: name.to_owned(),
        kind,
        counted: kind == PhaseKind::Steady,
        at_s: f64::from(at),
        seconds: f64::from(PHASES[number.expect("one of the three")]),
        offered_per_second,
        achieved_per_second,
        counts,
        latencies,
        figures: BTreeMap::new(),
    }
}

/// Returns the seconds of all phases; the server's memory is not looked at in one of them.
fn seconds(random: &mut fastrand::Rng, slower: f64) -> Vec<Second> {
    let second = |at: u32| {
        let is_steady = at >= PHASES[0] && at < PHASES[0] + PHASES[1];
        let sent = if is_steady { 20 } else { 0 };
        let p50_us = is_steady.then(|| micros(1_800.0 * slower) + random.u64(0..300));
        Second {
            connections: u64::from((at + 1).min(5) * 200),
            sent,
            acked: sent,
            deliveries: sent * 1_000,
            p50_us,
            p99_us: p50_us.map(|p50| p50 * 4 + random.u64(0..2_000)),
            server_cpu: Some(if is_steady { 0.14 + random.f64() * 0.02 } else { 0.03 }),
            server_rss_bytes: (at != 20).then_some((14 << 20) + u64::from(at.min(12)) * 600_000),
            client_cpu: Some(if is_steady { 0.30 } else { 0.05 }),
        }
    };
    (0..PHASES.iter().sum()).map(second).collect()
}

/// Returns a distribution with a long tail around `median_us`.
fn distribution(
    random: &mut fastrand::Rng,
    count: u32,
    median_us: f64,
) -> Option<rookery_load::result::Latency> {
    let mut recorder = Recorder::default();
    for _ in 0..count {
        let spread = (random.f64() + random.f64() + random.f64()) / 3.0 - 0.5;
        recorder.note_us(micros(median_us * (spread * 5.0).exp()));
    }
    recorder.latency()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds of a sample")]
fn micros(value: f64) -> u64 {
    value as u64
}
