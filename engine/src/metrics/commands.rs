//! Commands: rate, errors and duration of every op, and of every step of a message.

use super::buckets::{COARSE, SECONDS, STEPS};
use super::handle::By;
use super::row::{
    Row,
    Values::{Cross, Each},
    subject,
};
use metrics::Unit::{Count, Seconds};
use metrics::{Counter, Histogram};
use rookery_protocol::{ErrorCode, Op};

/// How a command was answered, in the order of [`Outcome`].
const OUTCOMES: &[&str] = &["ok", "refused", "failed"];

/// The steps of a message, in the order of [`Step`].
const STEP_NAMES: &[&str] =
    &["receive", "decode", "authorise", "order", "persist", "encode", "fan_out", "write"];

/// What is hit: the rules of throttles by their names, and the bounds of what waits.
const LIMITS: &[&str] = &[
    "register-address",
    "register-account",
    "login-address",
    "login-account",
    "mail-address",
    "mail-account",
    "proof-address",
    "factor-account",
    "user-search",
    "handle-change",
    "passwords",
    "connections",
    "uploads",
    "request-time",
    "room-drafts",
    "room-parked",
];

const ERROR_CODES: &[&str] = &{
    let mut words = [""; ErrorCode::ALL.len()];
    let mut index = 0;
    while index < words.len() {
        words[index] = ErrorCode::ALL[index].as_str();
        index += 1;
    }
    words
};

/// How a command was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It was refused for what it asks.
    Refused,
    /// It was not done, or is not known to be, for a reason of the server's: an error with status 5xx.
    Failed,
}

impl From<ErrorCode> for Outcome {
    fn from(code: ErrorCode) -> Self {
        if code.http_status() >= 500 { Self::Failed } else { Self::Refused }
    }
}

/// A step of a message, as the architecture page numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// From its bytes until a credit is taken for it and the session has it, without the next one.
    Receive,
    /// From bytes to commands, for each frame.
    Decode,
    /// From the session's mailbox to the room's.
    Authorise,
    /// From the room's mailbox into a batch.
    Order,
    /// The append, for each batch.
    Persist,
    /// The events of a batch, in the codecs of its audience.
    Encode,
    /// The frames of a batch into outboxes, the acks too.
    FanOut,
    /// One vectored write to a socket; a sample.
    Write,
}

subject! {
    /// Counts commands.
    CommandMetrics {
        commands: By<Counter> = Row::of("rookery_commands_total", Count, "Commands of WebSocket connections answered, by op and by how: failed is the server's fault.").by(&["op", "outcome"], Cross(Op::NAMES, OUTCOMES));
        errors: By<Counter> = Row::of("rookery_command_errors_total", Count, "Errors told to WebSocket connections, by code; those without a command too.").by(&["code"], Each(ERROR_CODES));
        seconds: By<Histogram> = Row::of("rookery_command_duration_seconds", Seconds, "Time from a command's arrival until its reply is queued, by op.").by(&["op"], Each(Op::NAMES)).over(COARSE);
        steps: By<Histogram> = Row::of("rookery_step_duration_seconds", Seconds, "Time of each of the eight steps of a message.").by(&["step"], Each(STEP_NAMES)).over(STEPS);
        message_seconds: Histogram = Row::of("rookery_message_duration_seconds", Seconds, "Time from a draft's arrival in its room until it is acknowledged and fanned out.").over(SECONDS);
        duplicates: Counter = Row::of("rookery_duplicates_total", Count, "Writes that were answered from the log because they had been made before.");
        limits: By<Counter> = Row::of("rookery_limits_hit_total", Count, "Requests, commands and connections refused by a limit, by which.").by(&["limit"], Each(LIMITS));
    }
}

impl Step {
    /// Returns its name, in metrics and in traces.
    pub const fn name(self) -> &'static str {
        STEP_NAMES[self as usize]
    }
}

impl CommandMetrics {
    /// Returns the histogram of a step.
    pub fn step(&self, step: Step) -> &Histogram {
        self.steps.at(step as usize)
    }

    /// Counts an answer to the op with this index, which took `seconds`.
    pub fn answered(&self, op: usize, outcome: Outcome, seconds: f64) {
        self.commands.cross(op, outcome as usize).increment(1);
        self.seconds.at(op).record(seconds);
    }

    /// Counts an error that a connection is told.
    pub fn error(&self, code: ErrorCode) {
        self.errors.at(code as usize).increment(1);
    }
}
