//! One room that everybody hears, and beside it, in the same run, the bare loop that writes as many frames.

use super::chat::{self, Seats, Sending};
use super::common::Common;
use super::floor::{self, Floor};
use super::record::per;
use super::stage::Stage;
use crate::result::{Figure, RunResult};
use crate::worker::order::Pace;
use serde_json::json;
use std::collections::BTreeMap;

/// The flags of `fanout`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Connections in the room.
    #[arg(long, default_value_t = 1_000)]
    pub connections: u32,
    /// Messages a second.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Instead of a rate: so many messages on their way at all times, each replaced when everybody has it.
    #[arg(long)]
    pub outstanding: Option<u32>,
    /// How they are sent.
    #[command(flatten)]
    pub sending: Sending,
    /// Leaves the bare loop out.
    #[arg(long)]
    pub no_floor: bool,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let Args { connections, rate, outstanding, .. } = *args;
    let mut parameters = BTreeMap::from([
        ("connections".to_owned(), json!(connections)),
        ("rate".to_owned(), json!(outstanding.is_none().then_some(rate))),
        ("outstanding".to_owned(), json!(outstanding)),
        ("floor".to_owned(), json!(!args.no_floor)),
    ]);
    parameters.extend(args.sending.parameters());
    let mut stage = Stage::set(common, "fanout", parameters, connections.into(), command)?;
    let seats = Seats::apart(1, connections);
    let mut crew = chat::seat(&mut stage, &seats)?;
    let pace = match outstanding {
        Some(outstanding) => Pace::Closed { outstanding },
        None => Pace::Open { per_second: rate },
    };
    let talked = chat::talk(&mut stage, &mut crew, vec![(0, 0)], pace, &args.sending)?;
    let offered = outstanding.is_none().then_some(rate);
    let phase = chat::note(&mut stage, "steady", &talked, offered);
    let (figures, latencies) = (phase.figures.clone(), phase.latencies.clone());
    let achieved = phase.achieved_per_second.unwrap_or(0.0);
    let run = stage.record.run();
    run.figures.extend(figures);
    run.latencies = latencies;
    drop(crew);
    if !args.no_floor {
        // As many frames in one write as the server had to write at a time, at the rate it came to.
        let (rate, together) = match outstanding {
            Some(together) => (achieved / f64::from(together), together),
            None => (rate, 1),
        };
        let bytes = args.sending.bytes;
        let floor = Floor { connections, rate, together, bytes, steady: args.sending.steady };
        let figures = floor::beside(&stage, common, &floor)?;
        let value = |figures: &BTreeMap<String, Figure>| {
            figures.get("cpu_s_per_million_deliveries").map_or(0.0, |figure| figure.value)
        };
        let run = stage.record.run();
        let ratio = per(value(&run.figures), value(&figures));
        run.figures.extend([super::record::figure("floor_ratio", ratio)]);
        run.floor = figures;
    }
    Ok(stage.record.finish())
}
