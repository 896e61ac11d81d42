//! What the store's answer to a batch means: applied, refused, stale or a repetition.

use super::batch::{InFlight, Ordered};
use super::live::Loaded;
use super::{Room, RoomMessage, unavailable};
use rookery_engine::metrics::Step;
use rookery_engine::store::{AppendError, Projection, Receipt, StoreError};
use rookery_protocol::{ClientId, Event, Frame, ReplyBody, UserId};
use std::sync::Arc;
use std::time::Duration;

impl Room {
    pub(super) fn appended(&mut self, outcome: Result<(), AppendError>) {
        let Some(mut batch) = self.in_flight.take() else { return };
        let took = self.node.clock().elapsed().saturating_sub(batch.started);
        self.node.metrics().store.append_seconds.record(took.as_secs_f64());
        self.node.metrics().commands.step(Step::Persist).record(took.as_secs_f64());
        match outcome {
            Ok(()) => {
                batch.is_durable();
                self.settle(batch);
            }
            Err(AppendError::Stale { .. }) => {
                // Somebody appended, or an earlier try of this very batch was applied: look.
                self.in_flight = Some(batch);
                return self.catch_up();
            }
            Err(AppendError::Duplicate { by, client_id }) => {
                self.in_flight = Some(batch);
                return self.locate(by, client_id);
            }
            Err(AppendError::Store(error)) => self.give_up(batch, &error),
        }
        self.order();
        self.hear_postponed();
        self.retire_if_absent();
    }

    /// The batch is durable: acknowledge each draft, then tell everybody what it did.
    fn settle(&mut self, batch: InFlight) {
        let now = self.node.clock().elapsed();
        self.last_used = now;
        let (mut done, mut encoding) = (Vec::new(), Duration::ZERO);
        for Ordered { mut waiting, composition } in batch.ordered {
            // Whether its users have blocked each other meanwhile it could not ask before.
            self.is_outdated |= waiting.draft.makes_direct();
            let frames = self.take_in(composition.events, &composition.projections);
            let mut trace = waiting.draft.answer.take_trace();
            if let Some(trace) = &mut trace {
                trace.next(Step::Encode);
            }
            let taken_in = self.node.clock().elapsed();
            self.audience.encode(&frames);
            encoding += self.node.clock().elapsed().saturating_sub(taken_in);
            self.node.count_messages(u64::from(matches!(composition.answer, ReplyBody::Sent(_))));
            waiting.draft.answer.ok(composition.answer);
            let context = self.tell_traced(&frames, trace);
            let took = now.saturating_sub(waiting.draft.arrived);
            self.node.metrics().commands.message_seconds.record(took.as_secs_f64());
            done.push((frames, composition.projections, context));
        }
        self.node.metrics().commands.step(Step::Encode).record(encoding.as_secs_f64());
        self.time_fan_out(now + encoding);
        self.tell_nodes(&done);
        self.heads.is_ours = true;
        self.head_moved();
    }

    /// Takes the events of one draft over, and what they imply.
    pub(super) fn take_in(&mut self, events: Vec<Event>, projections: &[Projection]) -> Vec<Frame> {
        let last = events.len().saturating_sub(1);
        let apply = |(index, event)| {
            // All that a draft implies holds once its last event is there.
            let implied = if index == last { projections } else { &[] };
            self.live.apply(event, implied)
        };
        events.into_iter().enumerate().map(apply).collect()
    }

    fn give_up(&self, mut batch: InFlight, error: &StoreError) {
        let trace_id = batch.trace_id().map(tracing::field::display);
        tracing::warn!(room = %self.id, %error, trace_id, "batch not appended");
        for ordered in batch.ordered {
            match error {
                // The answer, dropped, says that the outcome is not known.
                StoreError::Unknown(_) => drop(ordered.waiting.draft.answer),
                StoreError::Refused(_) | StoreError::Fatal(_) => {
                    ordered.waiting.draft.answer.err(unavailable());
                }
            }
        }
    }

    fn locate(&self, by: UserId, client_id: ClientId) {
        let (node, room, myself) = (Arc::clone(&self.node), self.id, self.myself.clone());
        self.node.tasks().spawn(async move {
            let receipt = node.store().find(room, by, client_id).await;
            drop(myself.send_message(RoomMessage::Located(by, client_id, receipt)));
        });
    }

    pub(super) fn located(
        &mut self,
        by: UserId,
        client_id: ClientId,
        receipt: Result<Option<Receipt>, StoreError>,
    ) {
        let Some(batch) = self.in_flight.take() else { return };
        match receipt {
            Ok(receipt) => {
                if let Some(receipt) = receipt {
                    self.node.metrics().commands.duplicates.increment(1);
                    self.live.remembered.insert(by, client_id, receipt);
                }
                self.put_back(batch);
            }
            Err(error) => self.give_up(batch, &error),
        }
        self.order();
        self.hear_postponed();
        self.retire_if_absent();
    }

    /// Nothing of the batch was applied: its drafts wait again, first in line.
    fn put_back(&mut self, batch: InFlight) {
        for mut ordered in batch.ordered.into_iter().rev() {
            if let Some(trace) = ordered.waiting.draft.answer.trace() {
                trace.next(Step::Order);
            }
            self.waiting.push_front(ordered.waiting);
        }
    }

    /// Takes over what the store holds, and lets the listeners hear what they have missed.
    pub(super) fn take_over(&mut self, loaded: Loaded) {
        let Loaded { live, missed } = loaded;
        let before = std::mem::replace(&mut self.live, live);
        self.live.remembered.adopt(before.remembered);
        let Some(missed) = missed else {
            drop(self.in_flight.take());
            self.ask_again();
            self.dismiss();
            self.audience.set_told(self.live.head.seq);
            return self.head_moved();
        };
        let mut is_ours = false;
        if let Some(batch) = self.in_flight.take() {
            is_ours = was_applied(batch.events(), &missed);
            if is_ours {
                // An earlier try was applied. All of it is looked for: another node may have appended what
                // begins the same, where one draft was sent to both.
                for ordered in batch.ordered {
                    ordered.waiting.draft.answer.ok(ordered.composition.answer);
                }
            } else {
                self.put_back(batch);
            }
        }
        let has_moved = !missed.is_empty();
        for event in missed {
            self.tell(&Frame::event(event), None);
        }
        self.audience.set_told(self.live.head.seq);
        if has_moved {
            self.node.cluster().tell_head(self.id, self.live.head.seq, is_ours);
            self.heads.is_ours |= is_ours;
            self.head_moved();
        }
    }
}

/// Whether all of a batch is in the log, with its content or, since a delete, without.
fn was_applied<'a>(mut batch: impl Iterator<Item = &'a Event>, log: &[Event]) -> bool {
    batch.all(|own| {
        let found = log.binary_search_by_key(&own.seq, |event| event.seq).map(|index| &log[index]);
        found.is_ok_and(|event| {
            event == own || *event == Event { body: own.body.clone().emptied(), ..own.clone() }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::{EventBody, MessageBody, RoomId, Seq, Timestamp};
    use uuid::Uuid;

    fn event(seq: u64, text: &str) -> Event {
        Event {
            room: RoomId(Uuid::nil()),
            seq: Seq(seq),
            ord: seq,
            at: Timestamp(1),
            by: UserId(Uuid::nil()),
            client_id: Some(ClientId(Uuid::from_u128(u128::from(seq)))),
            target: None,
            reply_to: None,
            body: EventBody::Message(MessageBody::text(text)),
        }
    }

    #[test]
    fn a_batch_is_in_the_log_where_all_of_it_is_and_not_where_it_begins_as_another() {
        let batch = [event(5, "first"), event(6, "second")];
        let log = |second| vec![event(5, "first"), second, event(7, "of somebody else")];
        assert!(was_applied(batch.iter(), &log(event(6, "second"))));
        let emptied = Event { body: batch[1].body.clone().emptied(), ..event(6, "second") };
        assert!(was_applied(batch.iter(), &log(emptied)), "deleted since");
        assert!(!was_applied(batch.iter(), &log(event(6, "another"))), "another node sent the first too");
        assert!(!was_applied(batch.iter(), &[event(5, "first")]));
        assert!(!was_applied(batch.iter(), &[]));
    }
}
