//! What coming in costs: connect and authenticate, the inbox opened with it.

use super::common::Common;
use super::record::{Used, figure, per};
use super::settle::settle;
use super::stage::{AT_ONCE, Stage};
use crate::clock;
use crate::crew::Coming;
use crate::result::{Counts, Latencies, Recorder, RunResult};
use crate::worker::order::{Person, Window};
use serde_json::json;
use std::collections::BTreeMap;

/// Seconds between two rounds: what was dropped is gone by then.
const BETWEEN_SECONDS: f64 = 2.0;

/// The flags of `connect`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Connections of a round.
    #[arg(long, default_value_t = 3_000)]
    pub connections: u32,
    /// Rounds; the one before the first does not count.
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// On their way at a time.
    #[arg(long, default_value_t = AT_ONCE)]
    pub at_once: u32,
    /// Instead: so many a second, whatever became of those before.
    #[arg(long)]
    pub rate: Option<f64>,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let Args { connections, rounds, at_once, rate } = *args;
    let parameters = BTreeMap::from([
        ("connections".to_owned(), json!(connections)),
        ("rounds".to_owned(), json!(rounds)),
        ("at_once".to_owned(), json!(at_once)),
        ("rate".to_owned(), json!(rate)),
    ]);
    let mut stage = Stage::set(common, "connect", parameters, connections.into(), command)?;
    let accounts = stage.accounts(connections as usize)?;
    stage.restart_server()?;
    let base = stage.usage();
    stage.note_before(base);
    let mut crew = stage.crew()?;
    let person = |token: String| Person { token, rooms: Vec::new(), stops: false };
    crew.add_people(accounts.into_iter().map(|account| person(account.token)))?;
    let coming = rate.map_or(Coming::AtATime(at_once), Coming::PerSecond);
    stage.connect(&mut crew, 0..connections, coming, "warm")?;

    let (mut cpu, mut took, mut seconds) = (0.0, Recorder::default(), 0.0);
    for round in 1..=rounds {
        crew.drop_people(0, connections)?;
        settle(&stage, "apart", BETWEEN_SECONDS);
        let (began, before) = (clock::now(), stage.usage());
        crew.measure(Window { from: began, until: u64::MAX })?;
        let (connected, latency) = Stage::come(&mut crew, 0..connections, coming)?;
        let used = Used { before, after: stage.usage() };
        let counted = crew.report()?;
        let lasted = clock::seconds(connected.done_at - began);
        let counts = Counts { connected: connected.ready, ..Counts::default() };
        let latencies = Latencies { connect: latency.latency(), ..Latencies::default() };
        stage.record.client(&counted, lasted);
        let phase = stage.record.counted(
            &format!("round {round}"),
            (began, connected.done_at),
            &counts,
            latencies,
            &used,
        );
        phase.offered_per_second = rate;
        phase.achieved_per_second = Some(f64::from(connections) / lasted);
        phase.figures.extend(figures(used.cpu().total_s(), f64::from(connections), lasted));
        cpu += used.cpu().total_s();
        seconds += lasted;
        took.add(&latency);
    }
    stage.record.found(&crew.report()?.sum);
    let run = stage.record.run();
    run.figures.extend(figures(cpu, f64::from(connections * rounds), seconds));
    run.latencies.connect = took.latency();
    Ok(stage.record.finish())
}

fn figures(cpu: f64, connects: f64, seconds: f64) -> [(String, crate::result::Figure); 2] {
    [
        figure("cpu_s_per_thousand_connects", per(cpu * 1e3, connects)),
        figure("connects_per_second", per(connects, seconds)),
    ]
}
