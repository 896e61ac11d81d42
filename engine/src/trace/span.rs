//! A step of a message that is over, and the port to whoever wants to know of it.

use super::context::{SpanId, TraceContext};
use crate::connection::ConnectionId;
use crate::metrics::Step;
use rookery_protocol::{RoomId, Seq};
use std::fmt::Debug;
use std::time::Duration;

/// A number that a step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Events in the batch that went to the store as one.
    BatchEvents,
    /// Outboxes that took the event.
    Queued,
    /// Outboxes that had no room for it.
    Lagged,
}

impl Number {
    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BatchEvents => "rookery.batch_events",
            Self::Queued => "rookery.queued",
            Self::Lagged => "rookery.lagged",
        }
    }
}

/// What a span is about, as far as it is known by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What was asked.
    pub op: Option<&'static str>,
    /// In which room.
    pub room: Option<RoomId>,
    /// At which position it is.
    pub seq: Option<Seq>,
    /// The connection that it came by, or is written to. It counts on its node only.
    pub connection: Option<ConnectionId>,
}

/// A step that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its ids.
    pub context: TraceContext,
    /// The step before it, which may be another process's; `None` where the trace begins.
    pub parent: Option<SpanId>,
    /// Which step.
    pub step: Step,
    /// When it began, since the epoch.
    pub start: Duration,
    /// When it was over, since the epoch; not before it began.
    pub end: Duration,
    /// What it is about.
    pub about: About,
    /// What it counted.
    pub numbers: Vec<(Number, u64)>,
    /// The wire's code of what it was refused with, if it was.
    pub error: Option<&'static str>,
}

/// Where spans go.
pub trait Spans: Debug + Send + Sync {
    /// Takes a span, or drops it where too many wait. Actors call it: it never waits.
    fn finished(&self, span: Span);
}
