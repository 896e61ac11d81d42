//! Sessions that come back to what they have missed: each of their rooms goes on where it was. Measured is from
//! when they are authenticated until the last of them has heard all of it; coming in is what `connect` measures.

use super::chat::{DRAIN_MS, Seats, people};
use super::common::Common;
use super::record::{Used, figure, per};
use super::stage::{AT_ONCE, Stage};
use crate::clock;
use crate::crew::{Coming, Crew};
use crate::result::{Counts, Latencies, RunResult};
use crate::worker::order::{Goal, Pace, Plan, RoomToLoad, Window};
use serde_json::json;
use std::collections::BTreeMap;

/// People that share the same rooms.
const GROUP: u32 = 10;

/// Groups for which one writes while they are away.
const GROUPS_PER_WRITER: u32 = 10;

/// Messages on their way at a time while they are away: enough that many are appended together.
const OUTSTANDING: u32 = 256;

/// The flags of `resume`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Sessions that come back.
    #[arg(long, default_value_t = 5_000)]
    pub sessions: u32,
    /// Rooms of each.
    #[arg(long, default_value_t = 10)]
    pub rooms: u32,
    /// Messages that each room has got meanwhile, about.
    #[arg(long, default_value_t = 5)]
    pub missed: u32,
    /// On their way back at a time.
    #[arg(long, default_value_t = AT_ONCE)]
    pub at_once: u32,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let Args { sessions, rooms, missed, at_once } = *args;
    let parameters = BTreeMap::from([
        ("sessions".to_owned(), json!(sessions)),
        ("rooms".to_owned(), json!(rooms)),
        ("missed".to_owned(), json!(missed)),
        ("at_once".to_owned(), json!(at_once)),
    ]);
    let mut stage = Stage::set(common, "resume", parameters, (sessions + sessions / GROUP).into(), command)?;
    let (seats, writers) = groups(sessions, rooms);
    let mut crew = come(&mut stage, &seats)?;

    stage.connect(&mut crew, 0..seats.people(), Coming::AtATime(AT_ONCE), "connect")?;
    crew.drop_people(0, sessions)?;
    let heads = write(&mut crew, writers, missed)?;
    // What it costs to come in has a figure of its own.
    Stage::come_to(&mut crew, 0..sessions, Coming::AtATime(at_once), Goal::Known)?;
    let (began, before) = (clock::now(), stage.usage());
    crew.measure(Window { from: began, until: u64::MAX })?;
    let (connected, took) = Stage::come(&mut crew, 0..sessions, Coming::AtATime(at_once))?;
    // Whole is who has also heard what there was to hear.
    crew.settle(&heads, DRAIN_MS)?;
    let (ended, used) = (clock::now(), Used { before, after: stage.usage() });
    let counted = crew.report()?;

    let lasted = clock::seconds(ended - began);
    stage.record.client(&counted, lasted);
    let latencies = Latencies { resume: took.latency(), ..Latencies::default() };
    let counts = Counts {
        connected: connected.ready,
        deliveries: counted.sum.window.deliveries,
        bytes_in: counted.sum.window.bytes_in,
        bytes_out: counted.sum.window.bytes_out,
        ..Counts::default()
    };
    let phase = stage.record.counted("resume", (began, ended), &counts, latencies.clone(), &used);
    let sessions = f64::from(sessions);
    phase.achieved_per_second = Some(sessions / lasted);
    phase.figures.extend([
        figure("cpu_s_per_thousand_resumes", per(used.cpu().total_s() * 1e3, sessions)),
        figure("resumes_per_second", sessions / lasted),
        figure("resumes_per_cpu_second", per(sessions, used.cpu().total_s())),
    ]);
    let figures = phase.figures.clone();
    stage.record.found(&counted.sum);
    let run = stage.record.run();
    run.figures.extend(figures);
    run.latencies = latencies;
    Ok(stage.record.finish())
}

/// Returns sessions in groups that share rooms, and behind them those who write to a few groups each, without
/// having a room open; and who of these writes where.
pub(super) fn groups(sessions: u32, rooms_each: u32) -> (Seats, Vec<(u32, u32)>) {
    let groups = sessions.div_ceil(GROUP);
    let rooms_of_group = |group: u32| group * rooms_each..(group + 1) * rooms_each;
    let mut seats = Seats {
        rooms_of: (0..sessions).map(|person| rooms_of_group(person / GROUP).collect()).collect(),
        members_of: Vec::new(),
        stopped_from: None,
    };
    let mut writers = Vec::new();
    for group in 0..groups {
        let writer = sessions + group / GROUPS_PER_WRITER;
        for room in rooms_of_group(group) {
            let members = group * GROUP..((group + 1) * GROUP).min(sessions);
            seats.members_of.push(std::iter::once(writer).chain(members).collect());
            writers.push((writer, room));
        }
    }
    seats.rooms_of.resize((sessions + groups.div_ceil(GROUPS_PER_WRITER)) as usize, Vec::new());
    (seats, writers)
}

/// Makes the accounts and the rooms, and tells the workers of them; nobody comes yet.
pub(super) fn come(stage: &mut Stage, seats: &Seats) -> anyhow::Result<Crew> {
    let accounts = stage.accounts(seats.rooms_of.len())?;
    let rooms = stage.rooms(&accounts, &seats.members_of)?;
    stage.restart_server()?;
    let base = stage.usage();
    stage.note_before(base);
    let mut crew = stage.crew()?;
    let rooms: Vec<_> = rooms.into_iter().map(|id| RoomToLoad { id, is_timed: false }).collect();
    crew.add_rooms(&rooms)?;
    crew.add_people(people(seats, &accounts))?;
    Ok(crew)
}

/// Has so many messages written to each room, as fast as they become durable; returns the rooms' heads.
pub(super) fn write(
    crew: &mut Crew,
    writers: Vec<(u32, u32)>,
    messages: u32,
) -> anyhow::Result<Vec<(u32, u64)>> {
    let plan = Plan {
        publishers: writers,
        pace: Pace::Count { each: messages, outstanding: OUTSTANDING },
        window: Window { from: 0, until: u64::MAX },
        bytes: 128,
    };
    crew.publish(&plan)?;
    crew.finish(DRAIN_MS)
}
