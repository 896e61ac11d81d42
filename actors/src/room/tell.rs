//! Telling the audience: an event and what it does to who listens, a signal, and what is counted of it.
//!
//! A large audience hears it from its relays, later. So what is counted is counted when it is done, by whoever
//! has told the last one.

use super::Room;
use super::ring::gone;
use crate::node::Node;
use rookery_engine::metrics::Step;
use rookery_engine::trace::{Trace, TraceContext};
use rookery_engine::{EphemeralKey, FanOut, Metrics, Published, Told};
use rookery_protocol::{Codec, EventBody, Frame, MemberChange, ServerEvent, UserId};
use std::sync::Arc;
use std::time::Duration;

impl Room {
    /// Fans the events of one draft out, which are encoded. Returns what other nodes go on with, where they are
    /// traced.
    pub(super) fn tell_traced(
        &mut self,
        frames: &[Frame],
        mut trace: Option<Box<Trace>>,
    ) -> Option<TraceContext> {
        let (last, before) = frames.split_last()?;
        if let Some(trace) = &mut trace {
            let spoken = [Codec::Json, Codec::MessagePack].into_iter();
            let spoken = spoken.filter(|codec| self.audience.speaks(*codec));
            // It is written behind the others.
            trace.fan_out(spoken.map(|codec| last.bytes(codec)).collect());
        }
        let context = trace.as_ref().and_then(|trace| trace.context());
        for frame in before {
            self.tell(frame, None);
        }
        self.tell(last, trace);
        context
    }

    /// Fans a durable event out; whoever it takes out of the room hears it last.
    pub(super) fn tell(&mut self, frame: &Frame, mut trace: Option<Box<Trace>>) {
        let published = self.audience.publish(
            frame,
            || self.lagged_notice(),
            || {
                let (metrics, audience) = (Arc::clone(self.node.metrics()), Arc::downgrade(&self.audience));
                let trace = trace.take();
                Box::new(move |done| {
                    if let Some(audience) = audience.upgrade() {
                        audience.activity().delivered(done.queued);
                    }
                    count(&metrics, done, trace);
                })
            },
        );
        let told = self.told_now(published);
        self.audience.activity().note(self.last_used, told.map_or(0, |told| told.queued));
        if let Some(told) = told {
            count(self.node.metrics(), told, trace);
        }
        let Some(event) = frame.as_event() else { return };
        self.audience.set_told(event.seq);
        if event.body.is_change() {
            self.changed(event);
        }
        if matches!(event.body, EventBody::Message(_)) {
            self.ended_typing(event.by);
        }
        if let EventBody::Member(MemberChange { user, role: Some(role), .. }) = &event.body {
            self.ended_typing_as(*user, *role);
        }
        if let Some(gone) = gone(event) {
            self.ended_typing(gone);
            self.marks.forget(gone);
            let notice = Frame::server(ServerEvent::RoomRemoved { room: self.id, seq: event.seq });
            let removed = self.audience.remove(gone, &notice);
            self.told_now(removed);
        }
    }

    /// Tells those who listen a signal, but not the connections of `besides`.
    pub(super) fn tell_signal(&self, key: EphemeralKey, signal: &Frame, besides: Option<UserId>) {
        let count = |metrics: &Metrics, done: FanOut| {
            metrics.rooms.signals_dropped.increment(done.lagged as u64);
        };
        let published = self.audience.signal(key, signal, besides, || {
            let metrics = Arc::clone(self.node.metrics());
            Box::new(move |done| count(&metrics, done))
        });
        if let Some(done) = self.told_now(published) {
            count(self.node.metrics(), done);
        }
    }

    /// Notes how long it takes from `begun` until everybody has been told.
    pub(super) fn time_fan_out(&self, begun: Duration) {
        let end = move |node: &Node| {
            let took = node.clock().elapsed().saturating_sub(begun);
            node.metrics().commands.step(Step::FanOut).record(took.as_secs_f64());
        };
        if self.relays.is_empty() {
            return end(&self.node);
        }
        let published = self.audience.mark(|| {
            let node = Arc::clone(&self.node);
            Box::new(move |_| end(&node)) as Told
        });
        self.told_now(published);
    }

    /// Returns what a listener is told who has to open the room again.
    pub(super) fn lagged_notice(&self) -> Frame {
        Frame::server(ServerEvent::RoomLagged { room: self.id, head: self.live.head })
    }

    /// Returns what a publication did, or calls the relays where it waits for them.
    fn told_now(&self, published: Published) -> Option<FanOut> {
        match published {
            Published::Told(done) => Some(done),
            Published::Waits { full } => {
                self.node.metrics().rooms.relays_full.increment(full as u64);
                self.relays.call();
                None
            }
        }
    }
}

/// Counts an event that everybody has been told, and ends its trace on this node.
fn count(metrics: &Metrics, done: FanOut, trace: Option<Box<Trace>>) {
    let rooms = &metrics.rooms;
    rooms.deliveries.increment(done.queued as u64);
    rooms.lagged.increment(done.lagged as u64);
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 connections")]
    rooms.recipients.record(done.queued as f64);
    if let Some(mut trace) = trace {
        trace.fanned_out(done.queued, done.lagged);
    }
}
