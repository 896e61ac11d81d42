//! The bench of several servers: the same play at full speed over one server and over several of one store.
//!
//! All of them share one machine, so several servers cannot be faster than one here: what is told is what
//! talking to each other costs, as CPU of a message and as time on its way.

use crate::replay::{self, Report};
use anyhow::ensure;

/// Measures a play at full speed over one server and over several, with a store of the same kind.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many servers, in turn.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 3], value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: Vec<u8>,
    /// How often all is measured; the ratios are of medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    replay: replay::Args,
}

/// Runs the bench and prints what it found.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    for _ in 0..args.rounds {
        for nodes in args.nodes.iter().copied() {
            let (report, verdict) = replay::played(&args.replay.over(nodes))?;
            ensure!(report.is_clean(), "{verdict}\n{report}");
            runs.push((nodes, report));
        }
    }
    println!(
        "{:>5} {:>8} {:>8} {:>13} {:>12} {:>12} {:>15} {:>15}",
        "nodes",
        "messages",
        "acks/s",
        "deliveries/s",
        "ack p50 ms",
        "ack p99 ms",
        "delivery p50 ms",
        "CPU ms a message"
    );
    for (nodes, report) in &runs {
        println!(
            "{nodes:>5} {:>8} {:>8.0} {:>13.0} {:>12.1} {:>12.1} {:>15.1} {:>15.2}",
            report.messages,
            report.acks_per_second,
            report.deliveries_per_second,
            report.send_to_ack_ms.p50,
            report.send_to_ack_ms.p99,
            report.send_to_delivery_ms.p50,
            cpu_ms(report)
        );
    }
    let median = |nodes: u8, of: fn(&Report) -> f64| {
        let mut values: Vec<f64> = runs.iter().filter(|run| run.0 == nodes).map(|run| of(&run.1)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    if let [few, .., many] = args.nodes[..] {
        for (what, of) in RATIOS {
            println!("{many} to {few} nodes, {what}: {:.2}", median(many, of) / median(few, of));
        }
    }
    Ok(())
}

/// What several are compared by, and its name.
type Figure = (&'static str, fn(&Report) -> f64);

const RATIOS: [Figure; 4] = [
    ("acks a second", |report| report.acks_per_second),
    ("median to the ack", |report| report.send_to_ack_ms.p50),
    ("median to a delivery", |report| report.send_to_delivery_ms.p50),
    ("CPU of the servers a message", cpu_ms),
];

fn cpu_ms(report: &Report) -> f64 {
    let messages = u32::try_from(report.messages.max(1)).map_or(f64::MAX, f64::from);
    report.server_cpu_seconds * 1e3 / messages
}
