//! What there is to say of a run, section by section.

use super::Named;
use super::charts::{distribution, over_time};
use crate::condition::Condition;
use crate::page::number::{bytes, count, micros, millis, number, percent, with_unit};
use crate::page::{Block, Page, Section, Table};
use crate::result::{Figure, Latencies, Phase, PhaseKind, RunResult, Server, figure_named};
use std::collections::BTreeMap;

/// Returns everything about one run.
pub(super) fn whole(named: &Named) -> Page {
    let title = format!("{}: {}", named.run.scenario.name, parameters(&named.run));
    let mut sections = about(named);
    sections[0].heading = String::new();
    Page { title, sections }
}

/// Returns what several have in common to be asked for, and then each whole.
pub(super) fn side_by_side(runs: &[Named]) -> Page {
    let mut table = Table::new([
        "run",
        "scenario",
        "verdict",
        "sent",
        "acked",
        "deliveries",
        "p50 ms",
        "p99 ms",
        "server CPU s",
        "client core",
    ])
    .words(3);
    for Named { name, run } in runs {
        let main = run.latencies.main().map(|(_, latency)| latency);
        table.push([
            name.clone(),
            run.scenario.name.clone(),
            verdict(run).to_owned(),
            count(run.counts.sent),
            count(run.counts.acked),
            count(run.counts.deliveries),
            main.map(|latency| millis(latency.p50_us)).unwrap_or_default(),
            main.map(|latency| millis(latency.p99_us)).unwrap_or_default(),
            run.server.as_ref().map(|server| number(server.cpu.total_s())).unwrap_or_default(),
            percent(run.client.cpu_share),
        ]);
    }
    let mut blocks = vec![Block::Table(table.without_empty_columns())];
    blocks.extend(distribution(runs).map(|chart| Block::Charts(vec![chart])));
    let mut sections = vec![Section { heading: String::new(), blocks }];
    sections.extend(runs.iter().flat_map(about));
    Page { title: format!("{} runs", runs.len()), sections }
}

fn about(named: &Named) -> Vec<Section> {
    let run = &named.run;
    let mut first = judgement(run);
    first.extend(facts(run));
    first.extend(mitigations(run));
    let mut sections =
        vec![Section { heading: format!("{}: {}", named.name, parameters(run)), blocks: first }];
    let mut push = |heading: &str, blocks: Vec<Block>| {
        if !blocks.is_empty() {
            sections.push(Section { heading: heading.to_owned(), blocks });
        }
    };
    push("Latencies", latencies(&run.latencies).map(Block::Table).into_iter().collect());
    push("Figures", figures(run).map(Block::Table).into_iter().collect());
    push(
        "Over time",
        Some(over_time(named)).filter(|charts| !charts.is_empty()).map(Block::Charts).into_iter().collect(),
    );
    push("Phases", vec![Block::Table(phases(&run.phases))]);
    push("What was counted", vec![Block::Table(counts(run))]);
    push("Server and client", vec![Block::Table(processes(run))]);
    sections
}

/// Returns what was chosen, as one would say it.
fn parameters(run: &RunResult) -> String {
    let said = run.scenario.parameters.iter().map(|(name, value)| match value {
        serde_json::Value::String(text) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

fn verdict(run: &RunResult) -> &'static str {
    match (run.verdict.is_correct, run.verdict.keeps_thresholds()) {
        (false, _) => "WRONG",
        (true, false) => "over its limits",
        (true, true) => "correct",
    }
}

fn judgement(run: &RunResult) -> Vec<Block> {
    let mut blocks = Vec::new();
    if run.verdict.is_correct {
        blocks.push(Block::Good("Correct: nothing lost, doubled, reordered or damaged.".to_owned()));
    }
    blocks.extend(run.verdict.problems.iter().map(|problem| Block::Warning(format!("Wrong: {problem}"))));
    let broken = run.verdict.thresholds.iter().filter(|threshold| !threshold.is_kept);
    blocks.extend(broken.map(|threshold| {
        let unit = || threshold.text.parse::<Condition>().ok()?.name_in(run).ok().map(|name| run.unit(&name));
        let measured = threshold.measured.map_or("not measured".to_owned(), |value| {
            format!("measured {}", with_unit(value, &unit().unwrap_or_default()))
        });
        Block::Warning(format!("Over its limit: {} ({measured})", threshold.text))
    }));
    blocks.extend(run.client.warning.iter().map(|warning| Block::Warning(format!("The client: {warning}"))));
    if run.source.is_dirty {
        blocks.push(Block::Warning("Measured with changes that are in no commit.".to_owned()));
    }
    blocks
}

/// Returns what no figure can be read without: when, by which command, on what.
pub(crate) fn facts(run: &RunResult) -> [Block; 3] {
    let machine = &run.machine;
    let commit = run.source.commit.as_deref().map_or("unknown", |commit| commit.get(..12).unwrap_or(commit));
    let dirty = if run.source.is_dirty { " with changes that are in no commit" } else { "" };
    let load = format!("{} before, {} after", number(machine.before.load_1m), number(machine.after.load_1m));
    let stolen = machine.after.stolen_s - machine.before.stolen_s;
    [
        Block::Command(run.command.join(" ")),
        Block::Text(format!(
            "{}, commit {commit}{dirty}, configuration {}",
            run.started_at, run.scenario.config_hash
        )),
        Block::Text(format!(
            "{}, {} cores, {}, {}, {} descriptors; load {load}; {} s taken by the host",
            machine.cpu_model,
            machine.cores,
            bytes(float(machine.memory_bytes)),
            machine.kernel,
            count(machine.fd_limit),
            number(stolen)
        )),
    ]
}

fn mitigations(run: &RunResult) -> Option<Block> {
    let against = run.machine.mitigations.iter().map(|(fault, what)| format!("{fault}: {what}"));
    let against = against.collect::<Vec<_>>().join("; ");
    (!against.is_empty()).then(|| Block::Text(format!("Mitigations: {against}")))
}

/// Returns the percentiles of all there are, in milliseconds.
pub(crate) fn latencies(latencies: &Latencies) -> Option<Table> {
    let mut table = Table::new(["ms", "count", "mean", "p50", "p90", "p99", "p99.9", "max"]);
    for (name, latency) in latencies.named() {
        table.push([
            name.replace('_', " "),
            count(latency.count),
            number(latency.mean_us / 1e3),
            millis(latency.p50_us),
            millis(latency.p90_us),
            millis(latency.p99_us),
            millis(latency.p999_us),
            millis(latency.max_us),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Returns what was derived, beside the same of the bare loop.
pub(crate) fn figures(run: &RunResult) -> Option<Table> {
    let mut table = Table::new(["figure", "of what", "measured", "bare loop"]).words(2);
    add_figures(&mut table, &run.figures, &run.floor, "");
    // Those of the only phase are the run's.
    let counted = run.phases.iter().filter(|phase| phase.counted).count();
    for phase in run.phases.iter().filter(|phase| !phase.counted || counted > 1) {
        add_figures(&mut table, &phase.figures, &BTreeMap::new(), &phase.name);
    }
    (!table.rows.is_empty()).then(|| table.without_empty_columns())
}

fn add_figures(
    table: &mut Table,
    figures: &BTreeMap<String, Figure>,
    floor: &BTreeMap<String, Figure>,
    phase: &str,
) {
    for (name, figure) in figures {
        let meaning = figure_named(name).map_or("", |known| known.meaning);
        table.push([
            if phase.is_empty() { name.clone() } else { format!("{phase}:{name}") },
            meaning.to_owned(),
            with_unit(figure.value, &figure.unit),
            floor.get(name).map(|figure| with_unit(figure.value, &figure.unit)).unwrap_or_default(),
        ]);
    }
}

fn phases(phases: &[Phase]) -> Table {
    let mut table = Table::new([
        "phase",
        "kind",
        "from s",
        "for s",
        "offered/s",
        "achieved/s",
        "sent",
        "acked",
        "deliveries",
        "p50 ms",
        "p99 ms",
    ])
    .words(2);
    for phase in phases {
        let main = phase.latencies.main().map(|(_, latency)| latency);
        let kind = match phase.kind {
            PhaseKind::Ramp => "ramp",
            PhaseKind::Steady => "steady",
            PhaseKind::Drain => "drain",
        };
        table.push([
            phase.name.clone(),
            if phase.counted { kind.to_owned() } else { format!("{kind}, not counted") },
            number(phase.at_s),
            number(phase.seconds),
            phase.offered_per_second.map(number).unwrap_or_default(),
            phase.achieved_per_second.map(number).unwrap_or_default(),
            count(phase.counts.sent),
            count(phase.counts.acked),
            count(phase.counts.deliveries),
            main.map(|latency| millis(latency.p50_us)).unwrap_or_default(),
            main.map(|latency| millis(latency.p99_us)).unwrap_or_default(),
        ]);
    }
    table.without_empty_columns()
}

fn counts(run: &RunResult) -> Table {
    let counts = &run.counts;
    let mut table = Table::new(["what", "how many"]);
    let mut push = |what: &str, number: String| table.push([what.to_owned(), number]);
    let always = [
        ("lost", counts.lost),
        ("doubled", counts.doubled),
        ("reordered", counts.reordered),
        ("damaged", counts.damaged),
    ];
    let some = [
        ("connected", counts.connected),
        ("sent", counts.sent),
        ("acked", counts.acked),
        ("deliveries", counts.deliveries),
        ("resumed", counts.resumed),
        ("reconnects", counts.reconnects),
        ("unsent", counts.unsent),
    ];
    for (what, number) in some.into_iter().filter(|(_, number)| *number > 0).chain(always) {
        push(what, count(number));
    }
    push("read", bytes(float(counts.bytes_in)));
    push("written", bytes(float(counts.bytes_out)));
    for (code, number) in &counts.refused {
        push(&format!("refused: {code}"), count(*number));
    }
    table
}

fn processes(run: &RunResult) -> Table {
    let cores = |cores: &[u32]| {
        if cores.is_empty() {
            "any".to_owned()
        } else {
            cores.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
        }
    };
    let mut table = Table::new(["", "server", "client"]);
    let client = &run.client;
    let of_server = |what: &dyn Fn(&Server) -> String| run.server.as_ref().map(what).unwrap_or_default();
    let mut push = |what: &str, server: &dyn Fn(&Server) -> String, client: String| {
        table.push([what.to_owned(), of_server(server), client]);
    };
    push("version", &|server| server.version.clone(), String::new());
    push("processes", &|_| "1".to_owned(), client.processes.to_string());
    push("cores", &|server| cores(&server.cores), cores(&client.cores));
    push("CPU s, own code", &|server| number(server.cpu.user_s), number(client.cpu.user_s));
    push("CPU s, kernel", &|server| number(server.cpu.system_s), number(client.cpu.system_s));
    push("share of a core, the busiest", &|_| String::new(), percent(client.cpu_share));
    push("latest send", &|_| String::new(), micros(float(client.late_us)));
    push("allocator", &|server| server.allocator.clone(), String::new());
    push("memory before", &|server| bytes(float(server.rss_before_bytes)), String::new());
    push("memory after", &|server| bytes(float(server.rss_after_bytes)), String::new());
    push("memory, most", &|server| bytes(float(server.rss_peak_bytes)), String::new());
    push("gave the core away", &|server| count(server.voluntary_switches), String::new());
    push("lost the core", &|server| count(server.involuntary_switches), String::new());
    table.rows.retain(|row| row[1..].iter().any(|cell| !cell.is_empty()));
    table.without_empty_columns()
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn float(number: u64) -> f64 {
    number as f64
}
