//! Many small rooms, in each of which everybody writes in turn.

use super::chat::{self, Seats, Sending};
use super::common::Common;
use super::stage::Stage;
use crate::result::RunResult;
use crate::worker::order::Pace;
use serde_json::json;
use std::collections::BTreeMap;

/// The flags of `rooms`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Rooms that are written in; several, ascending, are played one after another.
    #[arg(long, value_delimiter = ',', default_values_t = [500])]
    pub rooms: Vec<u32>,
    /// People in each.
    #[arg(long, default_value_t = 10)]
    pub members: u32,
    /// Messages a second in all rooms together.
    #[arg(long, default_value_t = 1_000.0)]
    pub rate: f64,
    /// How they are sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let most = args.rooms.iter().copied().max().unwrap_or(0);
    let mut parameters = BTreeMap::from([
        ("rooms".to_owned(), json!(args.rooms)),
        ("members".to_owned(), json!(args.members)),
        ("rate".to_owned(), json!(args.rate)),
    ]);
    parameters.extend(args.sending.parameters());
    let mut stage = Stage::set(common, "rooms", parameters, (most * args.members).into(), command)?;
    let seats = Seats::apart(most, args.members);
    let crew = chat::seat(&mut stage, &seats)?;
    let pace = Pace::Open { per_second: args.rate };
    let steps = args.rooms.iter().map(|&count| (format!("{count} rooms"), seats.everybody(count), pace));
    let stage = chat::steps(stage, crew, &args.sending, "cpu_s_per_million_deliveries", steps.collect())?;
    Ok(stage.record.finish())
}
