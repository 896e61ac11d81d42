//! An ordinary day, faster: small rooms and a large one, people who come and go all the time, some who stop reading.

use super::chat::{self, Seats, Sending, drain};
use super::common::Common;
use super::record::Used;
use super::stage::Stage;
use crate::clock;
use crate::crew::Coming;
use crate::result::{Counts, Latencies, PhaseKind, RunResult};
use crate::worker::order::{Pace, Plan, Window};
use serde_json::json;
use std::collections::BTreeMap;

/// Which room is the large one: the last.
const SMALL: u32 = 10;

/// The flags of `mixed`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// People: ten in a small room, and all of them in a large one.
    #[arg(long, default_value_t = 1_000)]
    pub people: u32,
    /// Messages a second in the small rooms together.
    #[arg(long, default_value_t = 200.0)]
    pub rate: f64,
    /// People who break off every second, and come back to what they have missed.
    #[arg(long, default_value_t = 10)]
    pub churn: u32,
    /// People who stop reading as soon as they are there.
    #[arg(long, default_value_t = 10)]
    pub stopped: u32,
    /// How messages are sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let Args { rate, churn, stopped, .. } = *args;
    let people = args.people.next_multiple_of(SMALL);
    let mut parameters = BTreeMap::from([
        ("people".to_owned(), json!(people)),
        ("rate".to_owned(), json!(rate)),
        ("churn".to_owned(), json!(churn)),
        ("stopped".to_owned(), json!(stopped)),
    ]);
    parameters.extend(args.sending.parameters());
    let mut stage = Stage::set(common, "mixed", parameters, people.into(), command)?;
    let rooms = people / SMALL;
    let mut seats = Seats::apart(rooms, SMALL);
    seats.members_of.push((0..people).collect());
    seats.rooms_of.iter_mut().for_each(|own| own.push(rooms));
    let reading = people.saturating_sub(stopped);
    seats.stopped_from = Some(reading);
    let mut crew = chat::seat(&mut stage, &seats)?;

    // Who writes stays; the large room gets a message for every round of the small ones.
    let mut publishers: Vec<_> =
        (0..rooms).map(|room| (room * SMALL, room)).filter(|(one, _)| *one < reading).collect();
    publishers.push((0, rooms));
    let first = clock::now() + clock::SECOND / 10;
    let from = first + clock::from_seconds(args.sending.ramp);
    let window = Window { from, until: from + clock::from_seconds(args.sending.steady) };
    crew.measure(window)?;
    let pace = Pace::Open { per_second: rate };
    crew.publish(&Plan {
        publishers,
        pace,
        window: Window { from: first, ..window },
        bytes: args.sending.bytes,
    })?;
    stage.progress.wait_until("ramp", window.from);
    stage.record.phase("ramp", PhaseKind::Ramp, first, &Counts::default(), Latencies::default());
    let before = stage.usage();
    let came = come_and_go(&mut crew, reading, churn, window)?;
    stage.progress.wait_until("steady", window.until);
    let used = Used { before, after: stage.usage() };
    drain(&mut stage, &mut crew)?;

    let talked = chat::Talked { counted: crew.report()?, window, used };
    let phase = chat::note(&mut stage, "steady", &talked, Some(rate));
    phase.counts.connected = came;
    let (figures, latencies) = (phase.figures.clone(), phase.latencies.clone());
    stage.record.found(&talked.counted.sum);
    let run = stage.record.run();
    run.figures.extend(figures);
    run.latencies = latencies;
    Ok(stage.record.finish())
}

/// Every second breaks off a few who do not write, and has them come back.
fn come_and_go(
    crew: &mut crate::crew::Crew,
    reading: u32,
    churn: u32,
    window: Window,
) -> anyhow::Result<u64> {
    let (mut came, mut next, mut second) = (0, 1, window.from);
    while churn > 0 && second + clock::SECOND < window.until {
        clock::sleep_until(second);
        second += clock::SECOND;
        for _ in 0..churn {
            if next % SMALL == 0 || next >= reading {
                next = if next + 1 >= reading { 1 } else { next + 1 };
            }
            crew.drop_people(next, next + 1)?;
            came += Stage::come(crew, next..next + 1, Coming::AllAtOnce)?.0.ready;
            next += 1;
        }
    }
    Ok(came)
}
