//! Events that another node has appended, and telling the others of our own.

use super::Room;
use crate::cluster::{Events, Group, GroupOf, Implied};
use rookery_engine::store::Projection;
use rookery_engine::trace::{Step, TraceContext};
use rookery_protocol::{Event, EventBody, Frame};

impl Room {
    /// Another node has appended these events. They are taken over as one's own where they follow the
    /// head; otherwise, or while a batch of one's own is under way, the store is asked.
    pub(super) fn foreign(&mut self, events: Events) {
        let Some((first, last)) = ends(&events) else { return };
        if last.seq <= self.live.head.seq {
            return;
        }
        self.last_used = self.node.clock().elapsed();
        let is_next = first.seq == self.live.head.seq.next() && is_gapless(&events);
        if !is_next || self.in_flight.is_some() || self.is_outdated || self.live.record.is_none() {
            let last = last.seq;
            return self.told(last);
        }
        for Group { events, implied, trace } in events.groups {
            let mut projections: Vec<_> = implied.into_iter().map(Projection::from).collect();
            projections.extend(events.iter().filter_map(deleted));
            let mut trace = trace.and_then(|context| self.node.tracer().go_on(&context));
            if let (Some(trace), Some(last)) = (&mut trace, events.last()) {
                trace.set_room(self.id);
                trace.set_seq(last.seq);
                trace.next(Step::Encode);
            }
            let frames = self.take_in(events, &projections);
            if trace.is_some() {
                self.audience.encode(&frames);
            }
            self.tell_traced(&frames, trace);
        }
        self.head_moved();
        self.order();
        self.retire_if_absent();
    }

    /// Tells the other nodes what was appended here: the frames of each draft, and what they imply.
    pub(super) fn tell_nodes(&self, done: &[(Vec<Frame>, Vec<Projection>, Option<TraceContext>)]) {
        if self.node.cluster().is_alone() {
            return;
        }
        let implied: Vec<_> = done.iter().map(|(_, projections, _)| Implied::of(projections)).collect();
        let groups = done.iter().zip(&implied).map(|((frames, _, trace), implied)| GroupOf {
            events: frames.iter().filter_map(Frame::as_event).collect(),
            implied,
            trace: trace.map(|context| context.to_string()),
        });
        let groups = groups.collect();
        self.node.cluster().tell_events(self.id, self.live.head.seq, groups);
    }
}

fn ends(events: &Events) -> Option<(&Event, &Event)> {
    let first = events.groups.first()?.events.first()?;
    Some((first, events.groups.last()?.events.last()?))
}

fn is_gapless(events: &Events) -> bool {
    let mut all = events.groups.iter().flat_map(|group| &group.events);
    let mut next = all.clone().next().map(|event| event.seq);
    all.all(|event| {
        let is_next = Some(event.seq) == next && event.room == events.room;
        next = Some(event.seq.next());
        is_next
    })
}

/// What a delete takes away follows from its event.
fn deleted(event: &Event) -> Option<Projection> {
    match (&event.body, event.target) {
        (EventBody::Delete(_), Some(target)) => Some(Projection::Deleted { target, rev: event.seq }),
        _ => None,
    }
}
