//! Readers that stop in a busy room: what the server keeps for them until it cuts them off, and what everybody else
//! feels of it.

use super::chat::{self, Seats, note, people};
use super::fanout::Args;
use super::record::{figure, p99_us, per};
use super::stage::{AT_ONCE, Stage};
use crate::clock;
use crate::crew::{Coming, Crew};
use crate::result::RunResult;
use crate::worker::order::RoomToLoad;

/// Plays it: a part without them, a part with them, and a look at the memory meanwhile.
pub(super) fn play(mut stage: Stage, args: &Args, readers: u32) -> anyhow::Result<RunResult> {
    let mut seats = Seats::apart(1, readers + args.stopped);
    seats.stopped_from = Some(readers);
    let mut crew = come(&mut stage, &seats, readers)?;
    let quiet = chat::talk(&mut stage, &mut crew, vec![(0, 0)], args.pace(), &args.sending)?;
    let before = note(&mut stage, "without them", &quiet, None).latencies.delivery.clone();

    let rss_before = stage.usage().rss_bytes;
    stage.connect(&mut crew, readers..seats.people(), Coming::AtATime(AT_ONCE), "they come, and stop")?;
    let busy = chat::talk(&mut stage, &mut crew, vec![(0, 0)], args.pace(), &args.sending)?;
    let phase = note(&mut stage, "with them", &busy, None);
    let (figures, latencies) = (phase.figures.clone(), phase.latencies.clone());
    let peak =
        stage.record.peak_since(busy.window.from.saturating_sub(clock::from_seconds(args.sending.ramp)));
    let run = stage.record.run();
    run.figures.extend(figures);
    run.latencies = latencies;
    run.latencies.bystander = run.latencies.delivery.clone();
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
    let grown = peak.saturating_sub(rss_before) as f64 / f64::from(args.stopped);
    run.figures.extend([
        figure("rss_bytes_per_stopped_reader", grown),
        figure("bystander_p99_ratio", per(p99_us(run.latencies.bystander.as_ref()), p99_us(before.as_ref()))),
    ]);
    stage.record.found(&crew.report()?.sum);
    Ok(stage.record.finish())
}

/// As [`chat::seat`], but only the readers come.
fn come(stage: &mut Stage, seats: &Seats, readers: u32) -> anyhow::Result<Crew> {
    let accounts = stage.accounts(seats.rooms_of.len())?;
    let rooms = stage.rooms(&accounts, &seats.members_of)?;
    stage.restart_server()?;
    let base = stage.usage();
    stage.note_before(base);
    let mut crew = stage.crew()?;
    let rooms: Vec<_> = rooms.into_iter().map(|id| RoomToLoad { id, is_timed: true }).collect();
    crew.add_rooms(&rooms)?;
    crew.add_people(people(seats, &accounts))?;
    stage.connect(&mut crew, 0..readers, Coming::AtATime(AT_ONCE), "connect")?;
    Ok(crew)
}
