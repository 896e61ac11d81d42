//! Why two sides cannot quite be compared: what differs beside what was measured, and what spoils a measurement.

use crate::page::number::number;
use crate::repeated::Repeated;
use crate::result::{Machine, RunResult};
use std::collections::BTreeSet;

/// Returns what is to be said before the figures are, one sentence each; nothing for two sides that are alike.
pub(super) fn differences(a: &Repeated, b: &Repeated) -> Vec<String> {
    let mut found = parameters(a.first(), b.first());
    found.extend(machines(a, b));
    found.extend(flaws("A", a));
    found.extend(flaws("B", b));
    found
}

fn parameters(a: &RunResult, b: &RunResult) -> Vec<String> {
    let (before, after) = (&a.scenario.parameters, &b.scenario.parameters);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let said = |side: Option<&serde_json::Value>| side.map_or("nothing".to_owned(), ToString::to_string);
    let mut found: Vec<String> = differ
        .map(|name| format!("{name} was {} and is {}", said(before.get(name)), said(after.get(name))))
        .collect();
    if found.is_empty() && a.scenario.config_hash != b.scenario.config_hash {
        found.push("the servers are configured in different ways".to_owned());
    }
    found
}

fn machines(a: &Repeated, b: &Repeated) -> Vec<String> {
    type Fact = (&'static str, fn(&RunResult) -> String);
    const FACTS: [Fact; 6] = [
        ("CPUs", |run| run.machine.cpu_model.clone()),
        ("cores", |run| run.machine.cores.to_string()),
        ("kernels", |run| run.machine.kernel.clone()),
        ("mitigations", |run| mitigations(&run.machine)),
        ("cores that the server was pinned to", |run| {
            format!("{:?}", run.server.as_ref().map(|server| &server.cores))
        }),
        ("cores that the client was pinned to", |run| format!("{:?}", run.client.cores)),
    ];
    let all = || a.runs().iter().chain(b.runs());
    let differ = FACTS.iter().filter_map(|(what, fact)| {
        let said: BTreeSet<String> = all().map(fact).collect();
        (said.len() > 1).then(|| format!("{what}: {}", said.into_iter().collect::<Vec<_>>().join(" and ")))
    });
    differ.collect()
}

fn mitigations(machine: &Machine) -> String {
    let all = machine.mitigations.iter().map(|(fault, against)| format!("{fault}: {against}"));
    all.collect::<Vec<_>>().join(", ")
}

fn flaws(letter: &str, side: &Repeated) -> Vec<String> {
    let mut found = BTreeSet::new();
    for run in side.runs() {
        if !run.verdict.is_correct {
            found.insert(format!("{letter} is not correct: {}", run.verdict.problems.join(", ")));
        }
        if run.source.is_dirty {
            found.insert(format!("{letter} was measured with changes that are in no commit"));
        }
        if let Some(warning) = &run.client.warning {
            found.insert(format!("the client may be what was measured in {letter}: {warning}"));
        }
        let (load, cores) = (run.machine.before.load_1m, run.machine.cores);
        if load > f64::from(cores) {
            found.insert(format!(
                "the machine was busy before {letter}: load {} on {cores} cores",
                number(load)
            ));
        }
    }
    found.into_iter().collect()
}
