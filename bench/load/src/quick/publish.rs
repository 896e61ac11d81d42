//! Many who write, each in a room of their own that nobody has open: how fast it is durable.

use super::chat::{self, Seats, Sending};
use super::common::Common;
use super::fsync::fsyncs;
use super::record::{figure, per};
use super::stage::Stage;
use crate::result::RunResult;
use crate::worker::order::Pace;
use serde_json::json;
use std::collections::BTreeMap;

/// The flags of `publish`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Publishers, each with a room; several, ascending, are played one after another.
    #[arg(long, value_delimiter = ',', default_values_t = [256])]
    pub publishers: Vec<u32>,
    /// Messages of each on their way at all times.
    #[arg(long, default_value_t = 1)]
    pub outstanding: u32,
    /// Instead: so many a second of all together.
    #[arg(long, conflicts_with = "outstanding")]
    pub rate: Option<f64>,
    /// How they are sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let most = args.publishers.iter().copied().max().unwrap_or(0);
    let mut parameters = BTreeMap::from([
        ("publishers".to_owned(), json!(args.publishers)),
        ("outstanding".to_owned(), json!(args.rate.is_none().then_some(args.outstanding))),
        ("rate".to_owned(), json!(args.rate)),
    ]);
    parameters.extend(args.sending.parameters());
    let mut stage = Stage::set(common, "publish", parameters, most.into(), command)?;
    let mut seats = Seats::apart(most, 1);
    seats.rooms_of.iter_mut().for_each(Vec::clear);
    let crew = chat::seat(&mut stage, &seats)?;
    let pace = match args.rate {
        Some(per_second) => Pace::Open { per_second },
        None => Pace::Closed { outstanding: args.outstanding },
    };
    let steps = args.publishers.iter();
    let steps = steps
        .map(|&count| (format!("{count} publishers"), (0..count).map(|each| (each, each)).collect(), pace));
    let mut stage = chat::steps(stage, crew, &args.sending, "cpu_us_per_ack", steps.collect())?;
    if let Some(server) = &stage.server {
        let fsync = fsyncs(server.folder())?.quantile_us(0.5);
        let run = stage.record.run();
        let ack = run.latencies.ack.as_ref().map_or(0, |ack| ack.p50_us);
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a write")]
        let (fsync, ack) = (fsync as f64, ack as f64);
        run.figures.extend([figure("fsync_p50_us", fsync), figure("ack_p50_fsyncs", per(ack, fsync))]);
    }
    Ok(stage.record.finish())
}
