//! Runs for a spreadsheet: one header, one line for each phase and one for each run as a whole.
//!
//! The columns are the same for every run, so files can be put together; what a run has not got is empty.

use super::Named;
use crate::result::{Counts, Derived, FIGURES, LATENCY_FIGURES};

const ABOUT: [&str; 9] = [
    "run",
    "scenario",
    "config_hash",
    "commit",
    "started_at",
    "phase",
    "seconds",
    "offered_per_second",
    "achieved_per_second",
];
const COUNTS: [&str; 11] = [
    "connected",
    "sent",
    "acked",
    "deliveries",
    "resumed",
    "reconnects",
    "unsent",
    "lost",
    "doubled",
    "reordered",
    "damaged",
];

/// Returns the lines, the header first.
pub(super) fn csv(runs: &[Named]) -> String {
    let figures = || FIGURES.iter().chain(LATENCY_FIGURES).map(|known| known.name);
    let header: Vec<String> = ABOUT.into_iter().chain(COUNTS).chain(figures()).map(str::to_owned).collect();
    let mut lines = vec![line(&header)];
    for Named { name, run } in runs {
        let row = |phase: &str, rates: [Option<f64>; 3], counts: &Counts, of: &dyn Derived| {
            let mut cells = vec![
                name.clone(),
                run.scenario.name.clone(),
                run.scenario.config_hash.clone(),
                run.source.commit.clone().unwrap_or_default(),
                run.started_at.clone(),
                phase.to_owned(),
            ];
            cells.extend(rates.map(optional));
            cells.extend(numbers(counts).map(|number| number.to_string()));
            cells.extend(figures().map(|figure| optional(of.figure(figure))));
            line(&cells)
        };
        for phase in &run.phases {
            let rates = [Some(phase.seconds), phase.offered_per_second, phase.achieved_per_second];
            lines.push(row(&phase.name, rates, &phase.counts, phase));
        }
        let seconds = run.phases.iter().filter(|phase| phase.counted).map(|phase| phase.seconds).sum();
        lines.push(row("", [Some(seconds), None, None], &run.counts, run));
    }
    lines.concat()
}

fn numbers(counts: &Counts) -> [u64; COUNTS.len()] {
    let Counts {
        connected,
        sent,
        acked,
        deliveries,
        resumed,
        reconnects,
        unsent,
        lost,
        doubled,
        reordered,
        damaged,
        ..
    } = *counts;
    [connected, sent, acked, deliveries, resumed, reconnects, unsent, lost, doubled, reordered, damaged]
}

fn optional(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Returns the cells as RFC 4180 has them, but with the line ends of this system.
fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_or_a_quote_stays_in_its_cell() {
        let cells = ["a,b", "c\"d", "e"].map(str::to_owned);
        assert_eq!(line(&cells), "\"a,b\",\"c\"\"d\",e\n");
    }
}
