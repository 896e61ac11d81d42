//! What the conductor orders of a worker, and what it answers: one answer to each order, in their order, each one
//! line of JSON.

use crate::result::{Cpu, Latency};
use crate::verify::Faults;
use rookery_protocol::Codec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use uuid::Uuid;

/// What is true for all that a worker does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ground {
    /// Which worker it is, from 0.
    pub(crate) number: u32,
    /// Where the server is.
    pub(crate) server: SocketAddrV4,
    /// How it is spoken to.
    pub(crate) codec: WireCodec,
    /// Addresses 127.0.0.1, 127.0.0.2 … that connections come from; 1 leaves it to the system.
    pub(crate) sources: u8,
    /// Whether the other end is the bare loop, which speaks first and only.
    pub(crate) is_floor: bool,
    /// What makes the run's names other than those of another run.
    pub(crate) seed: u64,
}

/// A codec, as it is said to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum WireCodec {
    /// Binary frames.
    #[value(name = "msgpack")]
    MessagePack,
    /// Text frames.
    Json,
}

impl From<WireCodec> for Codec {
    fn from(codec: WireCodec) -> Self {
        match codec {
            WireCodec::MessagePack => Self::MessagePack,
            WireCodec::Json => Self::Json,
        }
    }
}

/// An order. Connections and rooms are named by their numbers, from 0, in the order in which they were told of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// The first one.
    Begin(Ground),
    /// More rooms.
    Rooms(Vec<RoomToLoad>),
    /// More connections, not yet made.
    People(Vec<Person>),
    /// Makes those that are not there, `at_once` on their way at a time, or so many a second: answered by
    /// [`Told::Connected`].
    Connect { from: u32, until: u32, at_once: u32, per_second: Option<f64>, goal: Goal },
    /// Breaks them off.
    Drop { from: u32, until: u32 },
    /// Has each send so many pings in one frame.
    Burst { from: u32, until: u32, pings: u32 },
    /// Forgets what was measured, and measures then.
    Measure(Window),
    /// Begins to send.
    Publish(Plan),
    /// Waits for the plan's end and its acks: answered by [`Told::Heads`].
    Finish { within_ms: u64 },
    /// Waits until every subscriber has heard its rooms up to these heads; who has not by then has lost something.
    Settle { heads: Vec<(u32, u64)>, within_ms: u64 },
    /// Asks for [`Told::Report`].
    Report,
    /// The last one.
    Stop,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// It is done.
    Done,
    /// To `Connect`.
    Connected(Connected),
    /// To `Finish`: the greatest position known of each room, by its number.
    Heads(Vec<(u32, u64)>),
    /// To `Report`.
    Report(Box<Report>),
}

/// A room.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct RoomToLoad {
    pub(crate) id: Uuid,
    /// Whether what arrives in it is timed.
    pub(crate) is_timed: bool,
}

/// A connection to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    /// The access token.
    pub(crate) token: String,
    /// The rooms it opens, ascending.
    pub(crate) rooms: Vec<u32>,
    /// Whether it stops reading once its rooms are open.
    pub(crate) stops: bool,
}

/// What came of `Connect`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Connected {
    /// Connections that are there now and were not before.
    pub(crate) ready: u64,
    /// Those that never came, and why.
    pub(crate) failed: BTreeMap<String, u64>,
    /// From its turn until it was there, of each.
    pub(crate) took: Option<Latency>,
    /// When the last one was there, in nanoseconds of the monotonic clock.
    pub(crate) done_at: u64,
}

/// How far those who come are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    /// Authenticated; their rooms are left for another time.
    Known,
    /// With all their rooms open.
    Open,
}

/// When it is measured, in nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) from: u64,
    pub(crate) until: u64,
}

impl Window {
    /// Returns whether `at` is in it.
    pub(crate) const fn holds(self, at: u64) -> bool {
        self.from <= at && at < self.until
    }
}

/// What is to be sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Who sends, and in which room; in turn.
    pub(crate) publishers: Vec<(u32, u32)>,
    pub(crate) pace: Pace,
    /// From when until when, in nanoseconds of the monotonic clock.
    pub(crate) window: Window,
    /// Bytes of a text.
    pub(crate) bytes: usize,
}

/// When the next one is sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Pace {
    /// The `k`th of the worker at `k / per_second` after the beginning, whatever became of those before.
    Open { per_second: f64 },
    /// Faster and faster, or slower and slower, from one rate to the other over the whole plan.
    Ramp { from: f64, to: f64 },
    /// So many a second, each at a moment that nothing tells before.
    Poisson { per_second: f64 },
    /// When one before it is done, so many of each publisher at a time.
    Closed { outstanding: u32 },
    /// So many of each publisher, so many on their way at a time in all.
    Count { each: u32, outstanding: u32 },
}

impl Plan {
    /// Returns how many messages a plan that counts them has.
    pub(crate) fn total(&self) -> Option<u64> {
        match self.pace {
            Pace::Count { each, .. } => Some(u64::from(each) * self.publishers.len() as u64),
            _ => None,
        }
    }
}

impl Pace {
    /// Returns how many a second there should be on the average; `None` where each waits for the one before it.
    pub(crate) const fn offered(self) -> Option<f64> {
        match self {
            Self::Open { per_second } | Self::Poisson { per_second } => Some(per_second),
            Self::Ramp { from, to } => Some(f64::midpoint(from, to)),
            Self::Closed { .. } | Self::Count { .. } => None,
        }
    }

    /// Returns the pace of a part of the publishers, so that all parts together have this one.
    pub(crate) fn share(self, part: f64) -> Self {
        match self {
            Self::Open { per_second } => Self::Open { per_second: per_second * part },
            Self::Ramp { from, to } => Self::Ramp { from: from * part, to: to * part },
            Self::Poisson { per_second } => Self::Poisson { per_second: per_second * part },
            closed @ (Self::Closed { .. } | Self::Count { .. }) => closed,
        }
    }
}

/// Everything that a worker has counted since `Measure`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What was wrong, from the very beginning.
    pub(crate) faults: Faults,
    /// In the window.
    pub(crate) window: Flow,
    /// From the beginning.
    pub(crate) whole: Flow,
    /// Deliveries of messages that were due in the window, in timed rooms.
    pub(crate) delivery: Option<Latency>,
    /// Acks of such messages.
    pub(crate) ack: Option<Latency>,
    /// The longest time from the intended moment to the send itself, in microseconds.
    pub(crate) late_us: u64,
    /// Refusals by code, closes as `close 4001`, and what else was noticed.
    pub(crate) noticed: BTreeMap<String, u64>,
    /// Connections that the server closed, or that broke.
    pub(crate) broken: u64,
    /// Rooms that were opened again from a position.
    pub(crate) resumed: u64,
    /// Connections that are there and read.
    pub(crate) there: u64,
    /// Each message: room, position, due, last arrival (0 for none), arrivals, hash.
    pub(crate) fans: Vec<(u32, u64, u64, u64, u32, u64)>,
    /// By the second of the monotonic clock: sent, acked, delivered.
    pub(crate) seconds: BTreeMap<u64, (u64, u64, u64)>,
    /// CPU of the worker's thread in the window.
    pub(crate) cpu: Cpu,
    /// Sends that were begun and never answered.
    pub(crate) unanswered: u64,
    /// Sends that were due and not made.
    pub(crate) unsent: u64,
}

/// What went by.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// Messages sent.
    pub(crate) sent: u64,
    /// Messages acked.
    pub(crate) acked: u64,
    /// Events of open rooms.
    pub(crate) deliveries: u64,
    /// Reads of sockets that gave something.
    pub(crate) reads: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Flow {
    /// Adds what went by elsewhere.
    pub(crate) const fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.acked += other.acked;
        self.deliveries += other.deliveries;
        self.reads += other.reads;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }
}
