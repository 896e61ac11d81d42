//! One room that everybody hears, and beside it, in the same run, the bare loop that writes as many frames.

use super::chat::{self, Seats, Sending};
use super::common::Common;
use super::floor::{self, Floor};
use super::record::{figure, per};
use super::stage::Stage;
use super::stopped;
use crate::result::{Figure, RunResult};
use crate::worker::order::Pace;
use serde_json::json;
use std::collections::BTreeMap;

/// What it costs, for short.
const COST: &str = "cpu_s_per_million_deliveries";

/// The flags of `fanout`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Connections in the room; several, ascending, are a room each, played one after another.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000])]
    pub connections: Vec<u32>,
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
    /// After a first part without them, so many more come into the room and stop reading.
    #[arg(long, default_value_t = 0)]
    pub stopped: u32,
}

impl Args {
    pub(super) const fn pace(&self) -> Pace {
        match self.outstanding {
            Some(outstanding) => Pace::Closed { outstanding },
            None => Pace::Open { per_second: self.rate },
        }
    }
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let most = args.connections.iter().copied().max().unwrap_or(0);
    let mut parameters = BTreeMap::from([
        ("connections".to_owned(), json!(args.connections)),
        ("rate".to_owned(), json!(args.outstanding.is_none().then_some(args.rate))),
        ("outstanding".to_owned(), json!(args.outstanding)),
        ("floor".to_owned(), json!(!args.no_floor)),
        ("stopped".to_owned(), json!(args.stopped)),
    ]);
    parameters.extend(args.sending.parameters());
    let mut stage = Stage::set(common, "fanout", parameters, (most + args.stopped).into(), command)?;
    if args.stopped > 0 {
        return stopped::play(stage, args, most);
    }
    let seats = nested(&args.connections, most);
    let crew = chat::seat(&mut stage, &seats)?;
    let steps = (0..).zip(&args.connections);
    let steps = steps.map(|(room, size)| (format!("{size} connections"), vec![(0, room)], args.pace()));
    let mut stage = chat::steps(stage, crew, &args.sending, COST, steps.collect())?;
    if !args.no_floor {
        let floor = floor_of(&mut stage, args, most);
        let figures = floor::beside(&stage, common, &floor)?;
        let value = |figures: &BTreeMap<String, Figure>| figures.get(COST).map_or(0.0, |figure| figure.value);
        let run = stage.record.run();
        let ratio = per(value(&run.figures), value(&figures));
        run.figures.extend([figure("floor_ratio", ratio)]);
        run.floor = figures;
    }
    Ok(stage.record.finish())
}

/// Returns a room for each size, each with those of the smaller ones.
fn nested(sizes: &[u32], most: u32) -> Seats {
    let rooms = |person: u32| (0..).zip(sizes).filter(move |(_, size)| person < **size).map(|(room, _)| room);
    Seats {
        rooms_of: (0..most).map(|person| rooms(person).collect()).collect(),
        members_of: sizes.iter().map(|size| (0..*size).collect()).collect(),
        stopped_from: None,
    }
}

/// Returns the loop that does what the last step did: as many frames in one write as there were on their way, at the
/// rate that the server came to.
fn floor_of(stage: &mut Stage, args: &Args, connections: u32) -> Floor {
    let achieved = stage.record.run().phases.iter().rev().find_map(|phase| phase.achieved_per_second);
    let (rate, together) = match args.outstanding {
        Some(together) => (achieved.unwrap_or(1.0).max(1.0) / f64::from(together), together),
        None => (args.rate, 1),
    };
    Floor { connections, rate, together, bytes: args.sending.bytes, steady: args.sending.steady }
}
