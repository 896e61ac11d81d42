//! A play of one's own: rooms of several sizes, and phases in which some of their members send, as a scenario's file
//! says. What a file may say is in bench/README.md.

use super::chat::{self, Seats, Sending, Talked};
use super::common::Common;
use super::record::{figure, per};
use super::stage::Stage;
use crate::result::{Latencies, Latency, Recorder, RunResult};
use crate::worker::order::Pace;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// A play.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phases {
    rooms: Vec<Rooms>,
    phase: Vec<Phase>,
}

/// Rooms of one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rooms {
    name: String,
    #[serde(default = "one")]
    count: u32,
    members: u32,
}

/// What happens for some time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phase {
    name: String,
    seconds: f64,
    /// Which rooms are sent into; all, if it is not said.
    into: Option<String>,
    /// How many members of each of these rooms send.
    #[serde(default = "one")]
    senders: u32,
    send: Speed,
    /// Bytes of a text.
    #[serde(default = "bytes")]
    bytes: usize,
}

/// How fast, all senders together.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Speed {
    /// So many a second.
    Even { rate: f64 },
    /// From one rate to another.
    Ramp { from: f64, to: f64 },
    /// So many a second, at moments that nothing tells before.
    Chance { poisson: f64 },
    /// So many on their way at all times, of each sender.
    Closed { outstanding: u32 },
}

fn one() -> u32 {
    1
}

fn bytes() -> usize {
    128
}

impl From<Speed> for Pace {
    fn from(speed: Speed) -> Self {
        match speed {
            Speed::Even { rate } => Self::Open { per_second: rate },
            Speed::Ramp { from, to } => Self::Ramp { from, to },
            Speed::Chance { poisson } => Self::Poisson { per_second: poisson },
            Speed::Closed { outstanding } => Self::Closed { outstanding },
        }
    }
}

impl Phases {
    /// Sees whether it can be played.
    ///
    /// # Errors
    ///
    /// What is wrong, for people.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.rooms.is_empty() || self.phase.is_empty() {
            return Err("it needs at least one [[phases.rooms]] and one [[phases.phase]]".to_owned());
        }
        for (number, phase) in self.phase.iter().enumerate() {
            let wrong = |what: &str| Err(format!("phase {}: {what}", phase.name));
            if self.phase[..number].iter().any(|other| other.name == phase.name) {
                return wrong("there are two of this name");
            }
            if let Some(into) =
                phase.into.as_ref().filter(|into| self.rooms.iter().all(|rooms| rooms.name != **into))
            {
                return wrong(&format!("there are no rooms {into}"));
            }
            if self.rooms.iter().any(|rooms| phase.is_into(rooms) && rooms.members < phase.senders) {
                return wrong("there are more senders than members");
            }
            if !(phase.seconds > 0.0 && phase.senders > 0) {
                return wrong("it takes no time, or nobody sends");
            }
        }
        Ok(())
    }

    /// Plays it.
    ///
    /// # Errors
    ///
    /// When it could not be played; a run that found faults is a result.
    pub(crate) fn play(&self, common: &Common, command: Vec<String>) -> anyhow::Result<RunResult> {
        let seats = self.seats();
        let parameters = BTreeMap::from([("phases".to_owned(), json!(self))]);
        let mut stage = Stage::set(common, "phases", parameters, seats.people().into(), command)?;
        let mut crew = chat::seat(&mut stage, &seats)?;
        let mut all = Vec::new();
        for phase in &self.phase {
            let pace = Pace::from(phase.send);
            let sending = Sending { bytes: phase.bytes, ramp: 0.0, steady: phase.seconds };
            let talked = chat::talk(&mut stage, &mut crew, self.senders(phase, &seats), pace, &sending)?;
            let noted = chat::note(&mut stage, &phase.name, &talked, pace.offered());
            all.push((talked, noted.latencies.clone()));
        }
        stage.record.found(&crew.report()?.sum);
        let run = stage.record.run();
        run.latencies = together(&all)?;
        run.figures.extend(cost(run, &all));
        Ok(stage.record.finish())
    }

    fn seats(&self) -> Seats {
        let mut seats = Seats::default();
        for rooms in &self.rooms {
            for _ in 0..rooms.count {
                let room = u32::try_from(seats.members_of.len()).unwrap_or(u32::MAX);
                let first = seats.people();
                seats.members_of.push((first..first + rooms.members).collect());
                seats.rooms_of.extend((0..rooms.members).map(|_| vec![room]));
            }
        }
        seats
    }

    /// Returns who sends into which room: the first of each room, then the second of each, in turn.
    fn senders(&self, phase: &Phase, seats: &Seats) -> Vec<(u32, u32)> {
        let of = self.rooms.iter().flat_map(|rooms| (0..rooms.count).map(|_| phase.is_into(rooms)));
        let rooms: Vec<u32> = (0..).zip(of).filter_map(|(room, is_into)| is_into.then_some(room)).collect();
        let sender = |place: u32, room: u32| (seats.members_of[room as usize][place as usize], room);
        (0..phase.senders).flat_map(|place| rooms.iter().map(move |&room| sender(place, room))).collect()
    }
}

impl Phase {
    fn is_into(&self, rooms: &Rooms) -> bool {
        self.into.as_ref().is_none_or(|into| *into == rooms.name)
    }
}

/// Returns the latencies of all phases as one.
fn together(all: &[(Talked, Latencies)]) -> anyhow::Result<Latencies> {
    let sum = |of: fn(&Latencies) -> &Option<Latency>| {
        let mut recorder = Recorder::default();
        for latency in all.iter().filter_map(|(_, latencies)| of(latencies).as_ref()) {
            recorder.add_latency(latency).map_err(anyhow::Error::msg).context("add latencies up")?;
        }
        anyhow::Ok(recorder.latency())
    };
    Ok(Latencies {
        ack: sum(|latencies| &latencies.ack)?,
        delivery: sum(|latencies| &latencies.delivery)?,
        last_delivery: sum(|latencies| &latencies.last_delivery)?,
        ..Latencies::default()
    })
}

/// Returns what one of each costs over all phases.
#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn cost(run: &RunResult, all: &[(Talked, Latencies)]) -> [(String, crate::result::Figure); 2] {
    let cpu: f64 = all.iter().map(|(talked, _)| talked.used.cpu().total_s()).sum();
    [
        figure("cpu_s_per_million_deliveries", per(cpu * 1e6, run.counts.deliveries as f64)),
        figure("cpu_us_per_ack", per(cpu * 1e6, run.counts.acked as f64)),
    ]
}
