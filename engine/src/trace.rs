//! Traces: what a message spent its time with, step by step and node by node.
//!
//! | file | what |
//! |---|---|
//! | `trace.rs` | the tracer of a node, and the trace that travels with a message |
//! | `trace/context.rs` | the ids, and how one process tells them to another |
//! | `trace/span.rs` | a step that is over, and the port to whoever wants to know |
//! | `trace/writes.rs` | frames of traced messages on their way to sockets |
//!
//! Whether a message is traced is decided once, where it comes in. One that is not carries a `None`, so it costs
//! a branch at each step and nothing else. A span holds names of this program, ids and numbers, and its type has
//! room for nothing else: no content, no token, no name of a user.

mod context;
mod span;
mod writes;

pub use crate::metrics::Step;
pub use context::{Incoming, SpanId, TraceContext, TraceId};
pub use span::{About, Number, Span, Spans};

use crate::clock::Clock;
use crate::connection::ConnectionId;
use crate::random::Random;
use bytes::Bytes;
use rookery_protocol::{RoomId, Seq};
use std::num::{NonZeroU64, NonZeroU128};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use writes::{Fanned, Writes};

/// The step of the generator of ids: the golden ratio of 2^64, as in splitmix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// How far apart two looks at the monotonic clock may be with one at the wall clock between, so that the two are
/// compared well enough for spans of several nodes: a thread that was put aside between them is off by
/// milliseconds.
const EPOCH_WITHIN: Duration = Duration::from_micros(5);

/// How often that is tried; the best one counts.
const EPOCH_TRIES: usize = 4;

/// What begins traces, if anything does. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<Tracing>>);

/// What a tracer is made of.
#[derive(Debug)]
pub struct TracerParts {
    /// Where spans go.
    pub spans: Arc<dyn Spans>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids begin; they are no secret.
    pub random: Arc<dyn Random>,
    /// How many of all messages are traced: from 0, none, to 1, all.
    pub ratio: f64,
}

#[derive(Debug)]
struct Tracing {
    spans: Arc<dyn Spans>,
    clock: Arc<dyn Clock>,
    /// The state of splitmix64.
    state: AtomicU64,
    /// A message is traced where the next number is below it.
    below: u128,
    writes: Writes,
}

/// A message of a socket that is being read. It may hold several commands, each with a trace of its own.
#[derive(Debug)]
pub struct Reading {
    tracing: Arc<Tracing>,
    /// When it came, by the monotonic clock.
    received: Duration,
    /// When it was taken apart.
    decoded: Duration,
}

/// The trace of one message on this node: the step under way, and what came before. What is under way when it is
/// dropped is over then.
#[derive(Debug)]
pub struct Trace {
    tracing: Arc<Tracing>,
    id: TraceId,
    /// Wall time at the start of the node's monotonic clock, since the epoch: what is measured within one trace
    /// never goes back, whatever becomes of the wall time.
    epoch: Duration,
    /// The step before.
    parent: Option<SpanId>,
    /// The step under way, if one is.
    step: Option<(Step, SpanId)>,
    /// When the step under way began, or the last one ended; since the epoch.
    since: Duration,
    about: About,
    numbers: Vec<(Number, u64)>,
    error: Option<&'static str>,
}

impl Tracer {
    /// Returns a tracer that traces nothing.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Returns a tracer of some messages.
    pub fn new(parts: TracerParts) -> Self {
        let TracerParts { spans, clock, random, ratio } = parts;
        let mut seed = [0; 8];
        random.fill(&mut seed);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a ratio of 2^64, from none to all of it"
        )]
        let below = (ratio.clamp(0.0, 1.0) * 2f64.powi(64)) as u128;
        let state = AtomicU64::new(u64::from_be_bytes(seed));
        Self(Some(Arc::new(Tracing { spans, clock, state, below, writes: Writes::default() })))
    }

    /// Returns whether anything may be traced.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Notes that a message comes now, if one does, where anything is traced.
    pub fn read(&self) -> Option<Reading> {
        let tracing = Arc::clone(self.0.as_ref()?);
        let received = tracing.clock.elapsed();
        Some(Reading { tracing, received, decoded: received })
    }

    /// Begins a trace with step 1, for as many messages as are to be traced.
    pub fn begin(&self) -> Option<Box<Trace>> {
        let tracing = self.0.as_ref()?;
        tracing.takes_one().then(|| tracing.trace(None))
    }

    /// As [`Tracer::begin`], for whoever says of what its message is a part. Where `is_trusted` it also says whether
    /// to trace; anybody else only says so for fewer.
    pub fn begin_within(&self, incoming: Incoming, is_trusted: bool) -> Option<Box<Trace>> {
        let tracing = self.0.as_ref()?;
        let is_taken = incoming.is_sampled && (is_trusted || tracing.takes_one());
        is_taken.then(|| tracing.trace(Some(incoming.context)))
    }

    /// Goes on with what another node traces.
    pub fn go_on(&self, context: &str) -> Option<Box<Trace>> {
        let tracing = self.0.as_ref()?;
        let incoming = Incoming::parse(context).filter(|incoming| incoming.is_sampled)?;
        let mut trace = tracing.trace(Some(incoming.context));
        trace.step = None;
        Some(trace)
    }

    /// Returns whether a frame of a traced message may be on its way to a socket.
    pub fn awaits_writes(&self) -> bool {
        self.0.as_ref().is_some_and(|tracing| !tracing.writes.is_empty())
    }

    /// Notes that the whole of `frame` was written to `connection`.
    pub fn wrote(&self, connection: ConnectionId, frame: &Bytes) {
        let Some(tracing) = &self.0 else { return };
        let now = tracing.clock.elapsed();
        if let Some(Fanned { context, epoch, since, about }) = tracing.writes.wrote(connection, frame, now) {
            tracing.spans.finished(Span {
                context: TraceContext { trace: context.trace, span: tracing.span_id() },
                parent: Some(context.span),
                step: Step::Write,
                start: since,
                end: (epoch + now).max(since),
                about: About { connection: Some(connection), ..about },
                numbers: Vec::new(),
                error: None,
            });
        }
    }
}

impl Reading {
    /// Step 1 is over.
    pub fn decode(&mut self) {
        self.decoded = self.tracing.clock.elapsed();
    }

    /// Step 2 is over: this is one of the commands. Begins the trace of as many as are to be traced.
    pub fn command(&self, op: &'static str, connection: ConnectionId) -> Option<Box<Trace>> {
        if !self.tracing.takes_one() {
            return None;
        }
        let mut trace = self.tracing.trace(None);
        trace.about = About { op: Some(op), connection: Some(connection), ..About::default() };
        trace.since = trace.epoch + self.received;
        trace.pause_at(trace.epoch + self.decoded);
        trace.start(Step::Decode);
        trace.next(Step::Authorise);
        Some(trace)
    }
}

impl Tracing {
    fn takes_one(&self) -> bool {
        u128::from(self.next()) < self.below
    }

    fn trace(self: &Arc<Self>, within: Option<TraceContext>) -> Box<Trace> {
        let (epoch, elapsed) = self.epoch();
        Box::new(Trace {
            id: within.map_or_else(|| self.trace_id(), |context| context.trace),
            epoch,
            parent: within.map(|context| context.span),
            step: Some((Step::Receive, self.span_id())),
            since: epoch + elapsed,
            about: About::default(),
            numbers: Vec::new(),
            error: None,
            tracing: Arc::clone(self),
        })
    }

    /// Returns the wall time at the start of the monotonic clock, and what that shows now.
    fn epoch(&self) -> (Duration, Duration) {
        let mut best: Option<(Duration, Duration, Duration)> = None;
        for _ in 0..EPOCH_TRIES {
            let before = self.clock.elapsed();
            let wall = self.clock.since_epoch();
            let now = self.clock.elapsed();
            let took = now.saturating_sub(before);
            if best.is_none_or(|(least, ..)| took < least) {
                best = Some((took, wall.saturating_sub(before + took / 2), now));
            }
            if took <= EPOCH_WITHIN {
                break;
            }
        }
        best.map_or_else(Default::default, |(_, epoch, now)| (epoch, now))
    }

    fn trace_id(&self) -> TraceId {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        TraceId(NonZeroU128::new(bits).unwrap_or(NonZeroU128::MIN))
    }

    fn span_id(&self) -> SpanId {
        SpanId(NonZeroU64::new(self.next()).unwrap_or(NonZeroU64::MIN))
    }

    /// Returns a number as by chance: splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
    /// Generators, 2014), whose state two threads may move on at once.
    fn next(&self) -> u64 {
        let mut z = self.state.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Trace {
    /// Returns what names it in a log.
    pub const fn id(&self) -> TraceId {
        self.id
    }

    /// Returns what another process goes on with: the step under way, or the last one.
    pub fn context(&self) -> Option<TraceContext> {
        let span = self.step.map(|(_, span)| span).or(self.parent)?;
        Some(TraceContext { trace: self.id, span })
    }

    /// Returns the step under way.
    pub fn step(&self) -> Option<Step> {
        self.step.map(|(step, _)| step)
    }

    /// The step under way is over, and this one has begun.
    pub fn next(&mut self, step: Step) {
        self.pause();
        self.start(step);
    }

    fn start(&mut self, step: Step) {
        self.step = Some((step, self.tracing.span_id()));
    }

    /// The step under way is over. The time from now on belongs to the next one, whenever that is known.
    pub fn pause(&mut self) {
        self.pause_at(self.epoch + self.tracing.clock.elapsed());
    }

    fn pause_at(&mut self, now: Duration) {
        let Some((step, span)) = self.step.take() else { return };
        self.tracing.spans.finished(Span {
            context: TraceContext { trace: self.id, span },
            parent: self.parent,
            step,
            start: self.since,
            end: now,
            about: self.about,
            numbers: std::mem::take(&mut self.numbers),
            error: self.error.take(),
        });
        self.parent = Some(span);
        self.since = now;
    }

    /// Says what came in.
    pub const fn set_op(&mut self, op: &'static str) {
        self.about.op = Some(op);
    }

    /// Says for which room it is.
    pub const fn set_room(&mut self, room: RoomId) {
        self.about.room = Some(room);
    }

    /// Says at which position it ends.
    pub const fn set_seq(&mut self, seq: Seq) {
        self.about.seq = Some(seq);
    }

    /// Says a number of the step under way.
    pub fn count(&mut self, what: Number, number: usize) {
        self.numbers.push((what, number as u64));
    }

    /// The step under way has come to nothing, for a reason of the wire's.
    pub const fn fail(&mut self, code: &'static str) {
        self.error = Some(code);
    }

    /// Step 7 has begun: `frames`, in every codec that is heard, go to outboxes from now on. Their writes are noted
    /// until enough are, also those made before [`Trace::fanned_out`].
    pub fn fan_out(&mut self, frames: Vec<Bytes>) {
        self.next(Step::FanOut);
        let Some(context) = self.context().filter(|_| !frames.is_empty()) else { return };
        let fanned = Fanned { context, epoch: self.epoch, since: self.since, about: self.about };
        self.tracing.writes.begin(fanned, frames);
    }

    /// Step 7 is over: so many outboxes have taken the frame, and so many had no room for it.
    pub fn fanned_out(&mut self, queued: usize, lagged: usize) {
        self.count(Number::Queued, queued);
        self.count(Number::Lagged, lagged);
        let context = self.context();
        self.pause();
        if let Some(context) = context {
            self.tracing.writes.queued(context, queued, self.since);
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.pause();
    }
}

#[cfg(test)]
mod tests;
