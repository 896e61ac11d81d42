//! People in rooms, some of whom write: what most scenarios are.

use super::record::{self, Used, figure, per};
use super::stage::{AT_ONCE, Stage};
use crate::clock;
use crate::crew::{Coming, Counted, Crew};
use crate::ground::Account;
use crate::result::{Counts, Latencies, Phase, PhaseKind};
use crate::worker::order::{Pace, Person, Plan, RoomToLoad, Window};
use serde_json::{Value, json};

/// The time for the last acks, and after that for the last deliveries.
pub(super) const DRAIN_MS: u64 = 30_000;

/// Between the order to send and the first message: every worker has heard of it by then.
const BEFORE_FIRST: u64 = 100 * clock::MILLISECOND;

/// How messages are sent, and how long.
#[derive(Clone, Debug, clap::Args)]
pub struct Sending {
    /// Bytes of a text, 48 at least.
    #[arg(long, default_value_t = 128)]
    pub bytes: usize,
    /// Seconds of sending before anything counts.
    #[arg(long, default_value_t = 3.0)]
    pub ramp: f64,
    /// Seconds that count.
    #[arg(long, default_value_t = 15.0)]
    pub steady: f64,
}

/// A window to come: its name, who sends and where, and how fast.
pub(super) type Part = (String, Vec<(u32, u32)>, Pace);

/// What came of a window.
#[derive(Debug)]
pub(super) struct Talked {
    pub(super) counted: Counted,
    pub(super) window: Window,
    pub(super) used: Used,
}

/// Who is where.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats {
    /// The rooms of each person, ascending.
    pub(super) rooms_of: Vec<Vec<u32>>,
    /// The members of each room, by person, the owner first.
    pub(super) members_of: Vec<Vec<u32>>,
    /// Who stops reading once all is open, from this person on.
    pub(super) stopped_from: Option<u32>,
}

impl Sending {
    pub(super) fn parameters(&self) -> [(String, Value); 3] {
        [
            ("bytes".to_owned(), json!(self.bytes)),
            ("ramp".to_owned(), json!(self.ramp)),
            ("steady".to_owned(), json!(self.steady)),
        ]
    }
}

impl Seats {
    /// Returns so many rooms of so many people each, nobody in two.
    pub(super) fn apart(rooms: u32, people: u32) -> Self {
        let members = |room: u32| (room * people..(room + 1) * people).collect();
        Self {
            rooms_of: (0..rooms * people).map(|person| vec![person / people]).collect(),
            members_of: (0..rooms).map(members).collect(),
            stopped_from: None,
        }
    }

    /// Returns each person of these rooms with their room, room by room in turn.
    pub(super) fn everybody(&self, rooms: u32) -> Vec<(u32, u32)> {
        let members = &self.members_of[..rooms as usize];
        let most = members.iter().map(Vec::len).max().unwrap_or(0);
        let of =
            |place: usize| (0..).zip(members).filter_map(move |(room, own)| Some((*own.get(place)?, room)));
        (0..most).flat_map(of).collect()
    }

    /// Returns how many people there are.
    pub(super) fn people(&self) -> u32 {
        u32::try_from(self.rooms_of.len()).unwrap_or(u32::MAX)
    }
}

/// Makes the accounts and the rooms, and has everybody come in and sit down.
pub(super) fn seat(stage: &mut Stage, seats: &Seats) -> anyhow::Result<Crew> {
    let accounts = stage.accounts(seats.rooms_of.len())?;
    let rooms = stage.rooms(&accounts, &seats.members_of)?;
    stage.restart_server()?;
    let base = stage.usage();
    stage.note_before(base);
    let mut crew = stage.crew()?;
    let rooms: Vec<_> = rooms.into_iter().map(|id| RoomToLoad { id, is_timed: true }).collect();
    crew.add_rooms(&rooms)?;
    crew.add_people(people(seats, &accounts))?;
    stage.connect(&mut crew, 0..seats.people(), Coming::AtATime(AT_ONCE), "connect")?;
    Ok(crew)
}

/// Plays several windows of talk one after another: each a counted phase with these publishers and this pace. The
/// figures of the last are the run's; with more than one, `figure` of it against the first is the growth.
pub(super) fn steps(
    mut stage: Stage,
    mut crew: Crew,
    sending: &Sending,
    figure: &str,
    steps: Vec<Part>,
) -> anyhow::Result<Stage> {
    let mut grown = Vec::new();
    for (name, publishers, pace) in steps {
        let talked = talk(&mut stage, &mut crew, publishers, pace, sending)?;
        let phase = note(&mut stage, &name, &talked, pace.offered());
        grown.push(phase.figures.get(figure).map_or(0.0, |figure| figure.value));
        let (figures, latencies) = (phase.figures.clone(), phase.latencies.clone());
        let run = stage.record.run();
        run.figures.extend(figures);
        run.latencies = latencies;
    }
    if let [first, .., last] = *grown {
        stage.record.run().figures.extend([record::figure("growth_ratio", per(last, first))]);
    }
    stage.record.found(&crew.report()?.sum);
    Ok(stage)
}

/// Returns the people of these seats.
pub(super) fn people(seats: &Seats, accounts: &[Account]) -> Vec<Person> {
    let person = |(number, (account, rooms)): (u32, (&Account, &Vec<u32>))| Person {
        token: account.token.clone(),
        rooms: rooms.clone(),
        stops: seats.stopped_from.is_some_and(|first| number >= first),
    };
    (0..).zip(accounts.iter().zip(&seats.rooms_of)).map(person).collect()
}

/// Has these publishers send, and returns what was counted in the window, which window, and what the server used in
/// it. Waits for everything to arrive.
pub(super) fn talk(
    stage: &mut Stage,
    crew: &mut Crew,
    publishers: Vec<(u32, u32)>,
    pace: Pace,
    sending: &Sending,
) -> anyhow::Result<Talked> {
    let first = clock::now() + BEFORE_FIRST;
    let from = first + clock::from_seconds(sending.ramp);
    let window = Window { from, until: from + clock::from_seconds(sending.steady) };
    crew.measure(window)?;
    crew.publish(&Plan { publishers, pace, window: Window { from: first, ..window }, bytes: sending.bytes })?;
    stage.progress.wait_until("ramp", window.from);
    stage.record.phase("ramp", PhaseKind::Ramp, first, &Counts::default(), Latencies::default());
    let before = stage.usage();
    stage.progress.wait_until("steady", window.until);
    let used = Used { before, after: stage.usage() };
    drain(stage, crew)?;
    Ok(Talked { counted: crew.report()?, window, used })
}

/// Waits for the end of what is being sent, and for all of it to arrive.
pub(super) fn drain(stage: &mut Stage, crew: &mut Crew) -> anyhow::Result<()> {
    let from = clock::now();
    let heads = crew.finish(DRAIN_MS)?;
    crew.settle(&heads, DRAIN_MS)?;
    stage.record.phase("drain", PhaseKind::Drain, from, &Counts::default(), Latencies::default());
    Ok(())
}

/// Notes a window of talk as a counted phase, with the figures that all talk has.
#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
pub(super) fn note<'a>(
    stage: &'a mut Stage,
    name: &str,
    Talked { counted, window, used }: &Talked,
    offered: Option<f64>,
) -> &'a mut Phase {
    let seconds = clock::seconds(window.until - window.from);
    stage.record.client(counted, seconds);
    let counts = record::counts(counted);
    let latencies = record::latencies(counted, *window);
    let (cpu, deliveries, acks) = (used.cpu(), counts.deliveries as f64, counts.acked as f64);
    let reads = counted.sum.window.reads as f64;
    let switches = used.after.voluntary_switches.saturating_sub(used.before.voluntary_switches)
        + used.after.involuntary_switches.saturating_sub(used.before.involuntary_switches);
    let phase = stage.record.counted(name, (window.from, window.until), &counts, latencies, used);
    phase.offered_per_second = offered;
    phase.achieved_per_second = Some(counts.acked as f64 / seconds);
    phase.figures.extend([
        figure("acks_per_second", acks / seconds),
        figure("acks_per_cpu_second", per(acks, cpu.total_s())),
        figure("cpu_us_per_ack", per(cpu.total_s() * 1e6, acks)),
        figure("server_cpu_share", cpu.total_s() / seconds),
        figure("server_cpu_user_share", cpu.user_s / seconds),
        figure("switches_per_second", switches as f64 / seconds),
    ]);
    if deliveries > 0.0 {
        phase.figures.extend([
            figure("cpu_s_per_million_deliveries", per(cpu.total_s() * 1e6, deliveries)),
            figure("cpu_user_s_per_million_deliveries", per(cpu.user_s * 1e6, deliveries)),
            figure("deliveries_per_second", deliveries / seconds),
            figure("deliveries_per_cpu_second", per(deliveries, cpu.total_s())),
            figure("deliveries_per_client_read", per(deliveries, reads)),
        ]);
    }
    phase
}
