//! The batch: what waits when the previous append returns becomes the next one. No timer.

use super::compose::{Composed, Composition, Place, compose};
use super::draft::{Action, Draft, Known};
use super::live::Live;
use super::ring::weight;
use rookery_engine::bus::NodeId;
use rookery_engine::limits::{BATCH_BYTES, BATCH_EVENTS};
use rookery_engine::store::Append;
use rookery_engine::trace::{Number, Step, TraceId};
use rookery_protocol::{Event, RoomId, Seq, Timestamp};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// A draft that waits for its turn, and what was looked up for it.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Counts up; names the draft in the store's answer to its question.
    pub(super) ticket: u64,
    pub(super) draft: Draft,
    pub(super) lookup: Lookup,
    /// The line that it stands in, if another node has sent it.
    pub(super) line: Option<Line>,
}

/// The drafts of another node that are taken in their order or not at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) from: NodeId,
    pub(super) run: u64,
    /// Its sender does not wait any longer, and may have had it ordered elsewhere.
    pub(super) until: Instant,
}

/// What was taken from the front of what waits.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) ordered: Vec<Ordered>,
    /// Whether the next one would be refused, or found to be done, by what this node may be the last to
    /// know.
    pub(super) is_in_doubt: bool,
}

/// How far the looking up has come.
#[derive(Debug)]
pub(super) enum Lookup {
    /// There is nothing to look up.
    None,
    /// The store has been asked; nothing after this draft is ordered before it. What has changed since
    /// of the message that it is to change.
    Asked(Vec<Event>),
    /// The store has answered.
    Known(Known),
}

/// A draft in the batch under way.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) waiting: Waiting,
    pub(super) composition: Composition,
}

/// The batch under way: handed to the store, outcome not known yet.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) ordered: Vec<Ordered>,
    /// When it was handed over, by the monotonic clock.
    pub(super) started: Duration,
}

impl InFlight {
    /// Returns the batch as the store takes it; the same every time.
    pub(super) fn append(&self, room: RoomId, live: &Live) -> Append {
        Append {
            room,
            expected: live.head.seq,
            events: self.events().cloned().collect(),
            projections: self
                .ordered
                .iter()
                .flat_map(|ordered| ordered.composition.projections.iter().cloned())
                .collect(),
        }
    }

    /// Step 4 is over for each of its drafts: the store is asked to keep them.
    pub(super) fn is_persisted(&mut self) {
        let size = self.events().count();
        for one in &mut self.ordered {
            if let Some(trace) = one.waiting.draft.answer.trace() {
                if let Some(last) = one.composition.events.last() {
                    trace.set_seq(last.seq);
                }
                trace.next(Step::Persist);
                trace.count(Number::BatchEvents, size);
            }
        }
    }

    /// Step 5 is over for each of its drafts: the store has kept them.
    pub(super) fn is_durable(&mut self) {
        for one in &mut self.ordered {
            if let Some(trace) = one.waiting.draft.answer.trace() {
                trace.pause();
            }
        }
    }

    /// Returns what names it in the log of a node, where one of its drafts is traced.
    pub(super) fn trace_id(&mut self) -> Option<TraceId> {
        self.ordered.iter_mut().find_map(|one| one.waiting.draft.answer.trace()).map(|trace| trace.id())
    }

    /// Returns the events in their order.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.ordered.iter().flat_map(|ordered| ordered.composition.events.iter())
    }
}

/// Takes from the front of `waiting` what makes one batch, answers what needs none, and returns the
/// batch, if anything is left for it. Only drafts with a ticket before `sure_until` are answered without
/// having been appended: what `live` says was so when they came.
pub(super) fn build(
    room: RoomId,
    live: &Live,
    waiting: &mut VecDeque<Waiting>,
    now: Timestamp,
    sure_until: u64,
) -> Built {
    let mut is_in_doubt = false;
    let mut place = Place { seq: live.head.seq, ord: live.head.ord, at: now.max(live.head.at) };
    let mut ordered: Vec<Ordered> = Vec::new();
    let (mut events, mut bytes) = (0, 0);
    while let Some(next) = waiting.front() {
        let known = match &next.lookup {
            Lookup::None => None,
            Lookup::Asked(_) => break,
            Lookup::Known(known) => Some(known),
        };
        if matches!(next.draft.action, Action::Settle) && !ordered.is_empty() {
            break;
        }
        // The same write twice in one batch: the second is answered once the first is durable.
        if next.draft.client_id().is_some_and(|id| is_named(&ordered, next, id)) {
            break;
        }
        // What it changes changes in this batch already: it is looked at once that is durable.
        if next.draft.target().is_some_and(|target| is_changed(&ordered, target)) {
            break;
        }
        let is_sure = next.ticket < sure_until || matches!(next.draft.action, Action::Settle);
        match compose(room, live, &next.draft, known, place) {
            Ok(Composed::Done(_)) | Err(_) if !is_sure => {
                is_in_doubt = true;
                break;
            }
            Ok(Composed::Events(composition)) => {
                let more: usize = composition.events.iter().map(weight).sum();
                let fits = events + composition.events.len() <= BATCH_EVENTS && bytes + more <= BATCH_BYTES;
                if !ordered.is_empty() && !fits {
                    break;
                }
                let Some(waiting) = waiting.pop_front() else { break };
                events += composition.events.len();
                bytes += more;
                if let Some(last) = composition.events.last() {
                    place = Place { seq: last.seq, ord: last.ord, at: place.at };
                }
                let changes_rights = composition.changes_rights;
                ordered.push(Ordered { waiting, composition });
                if changes_rights {
                    break;
                }
            }
            Ok(Composed::Done(answer)) => {
                if let Some(waiting) = waiting.pop_front() {
                    waiting.draft.answer.ok(answer);
                }
            }
            Err(error) => {
                if let Some(waiting) = waiting.pop_front() {
                    waiting.draft.answer.err(error);
                }
            }
        }
    }
    Built { ordered, is_in_doubt }
}

fn is_changed(ordered: &[Ordered], target: Seq) -> bool {
    ordered.iter().any(|other| other.waiting.draft.target() == Some(target))
}

fn is_named(ordered: &[Ordered], next: &Waiting, id: rookery_protocol::ClientId) -> bool {
    ordered
        .iter()
        .any(|other| other.waiting.draft.by == next.draft.by && other.waiting.draft.client_id() == Some(id))
}
