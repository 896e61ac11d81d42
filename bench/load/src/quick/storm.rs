//! Everybody comes back at once, to what they have missed, while others go on as if nothing were: each part has
//! workers of its own, so that what the others feel is the server.

use super::chat::{self, Seats, Sending, drain, seat};
use super::common::Common;
use super::record::{self, Used, figure, p99_us, per};
use super::resume::{come, groups, write};
use super::stage::{AT_ONCE, Stage};
use crate::clock;
use crate::crew::Coming;
use crate::result::{Counts, Latencies, RunResult};
use crate::worker::order::{Pace, Plan, Window};
use serde_json::json;
use std::collections::BTreeMap;

/// Seconds in the life of a plan that ends by another one.
const ENDLESS_SECONDS: f64 = 86_400.0;

/// Milliseconds in which everything that was missed has to have come.
const WHOLE_MS: u64 = 120_000;

/// The flags of `storm`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Connections that come back at once.
    #[arg(long, default_value_t = 10_000)]
    pub connections: u32,
    /// Rooms of each.
    #[arg(long, default_value_t = 1)]
    pub rooms: u32,
    /// Messages that each room has got meanwhile.
    #[arg(long, default_value_t = 3)]
    pub missed: u32,
    /// Those in another room, who go on.
    #[arg(long, default_value_t = 100)]
    pub bystanders: u32,
    /// Messages a second in their room.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// How these are sent; `steady` is how long the quiet before lasts.
    #[command(flatten)]
    pub sending: Sending,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let Args { connections, rooms, missed, bystanders, rate, .. } = *args;
    let mut parameters = BTreeMap::from([
        ("connections".to_owned(), json!(connections)),
        ("rooms".to_owned(), json!(rooms)),
        ("missed".to_owned(), json!(missed)),
        ("bystanders".to_owned(), json!(bystanders)),
        ("rate".to_owned(), json!(rate)),
    ]);
    parameters.extend(args.sending.parameters());
    let descriptors = u64::from(connections) + u64::from(connections / 10 + bystanders);
    let mut stage = Stage::set(common, "storm", parameters, descriptors, command)?;
    let (seats, writers) = groups(connections, rooms);
    // The server starts anew in both, on the same port; nobody has come yet in the first.
    let mut many = come(&mut stage, &seats)?;
    let mut few = seat(&mut stage, &Seats::apart(1, bystanders))?;
    stage.connect(&mut many, 0..seats.people(), Coming::AtATime(AT_ONCE), "connect")?;

    let pace = Pace::Open { per_second: rate };
    let quiet = chat::talk(&mut stage, &mut few, vec![(0, 0)], pace, &args.sending)?;
    let before = chat::note(&mut stage, "quiet", &quiet, Some(rate)).latencies.delivery.clone();

    many.drop_people(0, connections)?;
    let heads = write(&mut many, writers, missed)?;
    let began = clock::now();
    let endless = Window { from: began, until: began + clock::from_seconds(ENDLESS_SECONDS) };
    few.measure(endless)?;
    many.measure(endless)?;
    let plan = Plan { publishers: vec![(0, 0)], pace, window: endless, bytes: args.sending.bytes };
    few.publish(&plan)?;
    let usage = stage.usage();
    let (connected, took) = Stage::come(&mut many, 0..connections, Coming::AllAtOnce)?;
    many.settle(&heads, WHOLE_MS)?;
    let (ended, used) = (clock::now(), Used { before: usage, after: stage.usage() });
    // Nobody sends any more.
    few.publish(&Plan { publishers: Vec::new(), ..plan })?;
    drain(&mut stage, &mut few)?;

    let (storm, others) = (many.report()?, few.report()?);
    let lasted = clock::seconds(ended - began);
    stage.record.client(&storm, lasted);
    let window = Window { from: began, until: ended };
    let mut latencies = record::latencies(&others, window);
    latencies.bystander = latencies.delivery.take();
    latencies.resume = took.latency();
    let mut counts: Counts = record::counts(&others);
    counts.connected = connected.ready;
    counts.deliveries += storm.sum.window.deliveries;
    let phase = stage.record.counted("storm", (began, ended), &counts, latencies.clone(), &used);
    let connections = f64::from(connections);
    phase.figures.extend([
        figure("storm_seconds", lasted),
        figure("resumes_per_second", connections / lasted),
        figure("resumes_per_cpu_second", per(connections, used.cpu().total_s())),
        figure("cpu_s_per_thousand_resumes", per(used.cpu().total_s() * 1e3, connections)),
        figure("bystander_p99_ratio", per(p99_us(latencies.bystander.as_ref()), p99_us(before.as_ref()))),
    ]);
    let figures = phase.figures.clone();
    stage.record.found(&storm.sum);
    stage.record.found(&others.sum);
    let run = stage.record.run();
    run.figures.extend(figures);
    run.latencies = Latencies { delivery: before, ..latencies };
    Ok(stage.record.finish())
}
