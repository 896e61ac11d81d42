//! Taking drafts, and turning what waits into the next batch.

use super::batch::{Built, InFlight, Line, Lookup, Waiting, build};
use super::draft::{Action, Draft, Known, Question};
use super::ring::weight;
use super::{Phase, Room, RoomMessage, busy, unavailable};
use crate::node::Node;
use rookery_engine::Throttled;
use rookery_engine::limits::{RESEND_AFTER, RESEND_AFTER_AT_MOST, WAITING_DRAFTS};
use rookery_engine::metrics::Step;
use rookery_engine::store::{Append, AppendError, Projection, StoreError};
use rookery_engine::trace::TraceId;
use rookery_protocol::{Event, Seq, UserId};
use std::sync::Arc;
use tokio::time::sleep;

impl Room {
    pub(super) fn submit(&mut self, draft: Draft) {
        self.last_used = self.node.clock().elapsed();
        let Some(draft) = self.forward(draft) else { return };
        // A refused settle would say that what was sent before it is done.
        if self.is_full() && !matches!(draft.action, Action::Settle) {
            return draft.answer.err(busy(&self.node));
        }
        if let Err(refused) = self.spend(&draft.action) {
            return draft.answer.err(refused.into());
        }
        self.queue(draft, None);
        self.order();
        self.retire_if_absent();
    }

    /// Takes a message's place among those that a room may have in a second, for what people do there often. What
    /// the server does by itself, and who is in the room, is not held up by those who write.
    pub(super) fn spend(&mut self, action: &Action) -> Result<(), Throttled> {
        match action {
            Action::Send(_) | Action::Edit(_) | Action::Delete(_) | Action::React(_) | Action::Pin(_) => {
                self.node.rates().room(&mut self.sends, self.node.moment())
            }
            _ => Ok(()),
        }
    }

    /// Returns whether no more drafts can wait.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_DRAFTS
    }

    /// Puts a draft at the end of what waits, and asks what has to be known for it.
    pub(super) fn queue(&mut self, mut draft: Draft, line: Option<Line>) {
        if let Some(trace) = draft.answer.trace() {
            trace.next(Step::Order);
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let lookup = match draft.question() {
            None => Lookup::None,
            Some(question) => {
                self.ask(ticket, question);
                Lookup::Asked(Vec::new())
            }
        };
        self.waiting.push_back(Waiting { ticket, draft, lookup, line });
    }

    fn ask(&self, ticket: u64, question: Question) {
        let (node, room, myself) = (Arc::clone(&self.node), self.id, self.myself.clone());
        self.node.tasks().spawn(async move {
            let known = match question {
                Question::Written(by, client_id) => {
                    node.store().find(room, by, client_id).await.map(Known::Written)
                }
                Question::Target(by, client_id, target) => {
                    let seqs = [target];
                    let store = node.store();
                    tokio::try_join!(store.find(room, by, client_id), store.messages(room, &seqs, by))
                        .map(|(written, mut found)| Known::Target(written, found.pop().map(Box::new)))
                }
                Question::Addable(by, users) => addable(&node, by, users).await,
            };
            drop(myself.send_message(RoomMessage::Known(ticket, known)));
        });
    }

    pub(super) fn known(&mut self, ticket: u64, known: Result<Known, StoreError>) {
        let Some(index) = self.waiting.iter().position(|waiting| waiting.ticket == ticket) else { return };
        match known {
            Ok(mut known) => {
                let is_behind = self.in_flight.is_none() && known.newest() > self.live.head.seq;
                let waiting = &mut self.waiting[index];
                if let Lookup::Asked(since) = &waiting.lookup {
                    for change in since {
                        known.merge(change, waiting.draft.by);
                    }
                }
                waiting.lookup = Lookup::Known(known);
                if is_behind && matches!(self.phase, Phase::Live) {
                    // Somebody else has appended it; our listeners have to hear it too.
                    return self.catch_up();
                }
            }
            Err(_) => {
                if let Some(waiting) = self.waiting.remove(index) {
                    waiting.draft.answer.err(unavailable());
                }
            }
        }
        self.order();
        self.retire_if_absent();
    }

    /// Drafts that wait to change the same message take the change over, known or still asked for.
    pub(super) fn changed(&mut self, change: &Event) {
        let same = |waiting: &&mut Waiting| waiting.draft.target() == change.target;
        for waiting in self.waiting.iter_mut().filter(same) {
            match &mut waiting.lookup {
                Lookup::None => {}
                Lookup::Asked(since) => since.push(change.clone()),
                Lookup::Known(known) => known.merge(change, waiting.draft.by),
            }
        }
    }

    /// Asks again what drafts wait to change: there may be changes that nobody has told them of.
    pub(super) fn ask_again(&mut self) {
        for index in 0..self.waiting.len() {
            let waiting = &mut self.waiting[index];
            if waiting.draft.target().is_none() {
                continue;
            }
            // Under another ticket, so that an answer on its way is not taken for the new one.
            waiting.ticket = self.next_ticket;
            waiting.lookup = Lookup::Asked(Vec::new());
            self.next_ticket += 1;
            if let (ticket, Some(question)) = (waiting.ticket, waiting.draft.question()) {
                self.ask(ticket, question);
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a batch has at most 64 events and some 100 KiB")]
    fn count_batch(&self, batch: &InFlight, append: &Append) {
        let metrics = self.node.metrics();
        let bytes: usize = append.events.iter().map(weight).sum();
        metrics.store.append_events.record(append.events.len() as f64);
        metrics.store.append_bytes.record(bytes as f64);
        for ordered in &batch.ordered {
            let waited = batch.started.saturating_sub(ordered.waiting.draft.arrived);
            metrics.commands.step(Step::Order).record(waited.as_secs_f64());
        }
    }

    /// Hands the next batch to the store, if none is under way and something waits.
    pub(super) fn order(&mut self) {
        if self.in_flight.is_some() || !matches!(self.phase, Phase::Live) {
            return;
        }
        if self.is_outdated || self.is_behind() {
            return self.catch_up();
        }
        if !self.pauses() {
            self.order_now();
        }
    }

    /// Hands the next batch to the store, as [`Room::order`] does once there is nothing to pause for.
    pub(super) fn order_now(&mut self) {
        if self.in_flight.is_some() || !matches!(self.phase, Phase::Live) {
            return;
        }
        self.drop_late();
        let (now, sure_until) = (self.node.clock().now(), self.sure_until());
        let Built { ordered, is_in_doubt } = build(self.id, &self.live, &mut self.waiting, now, sure_until);
        if ordered.is_empty() {
            if is_in_doubt {
                self.look_before_refusing();
            }
            return;
        }
        let mut batch = InFlight { ordered, started: self.node.clock().elapsed() };
        batch.is_persisted();
        let append = batch.append(self.id, &self.live);
        self.count_batch(&batch, &append);
        let traced = batch.trace_id();
        self.in_flight = Some(batch);
        let (node, myself) = (Arc::clone(&self.node), self.myself.clone());
        let has_notices = append.projections.iter().any(|one| matches!(one, Projection::Notice(_)));
        self.node.tasks().spawn(async move {
            let outcome = append_until_known(&node, append, traced).await;
            drop(myself.send_message(RoomMessage::Appended(outcome)));
            if has_notices {
                // Here, since the room may have died meanwhile, and they are durable all the same.
                node.wake_courier();
            }
        });
    }
}

/// Finds out whether all of `users` are there, and between whom of them and `by` there is a block.
async fn addable(node: &Node, by: UserId, users: Vec<UserId>) -> Result<Known, StoreError> {
    let found = node.store().users(&users).await?;
    let blocked = node.blocked_either_way(by, &users).await?;
    let is_found = |user: &UserId| found.iter().any(|found| found.id == *user);
    Ok(Known::Addable { missing: users.into_iter().find(|user| !is_found(user)), blocked })
}

/// Appends, sending the identical batch again while its outcome is not known: its positions must
/// never be given to other events.
///
/// A refusal of a later try says nothing of an earlier one: then the head tells what became of it.
async fn append_until_known(node: &Node, append: Append, traced: Option<TraceId>) -> Result<(), AppendError> {
    let trace_id = traced.map(tracing::field::display);
    let (room, expected) = (append.room, append.expected);
    let (mut pause, mut is_in_doubt) = (RESEND_AFTER, false);
    loop {
        let outcome = node.store().append(append.clone()).await;
        node.metrics().store.appends.of(label(&outcome)).increment(1);
        match outcome {
            Err(AppendError::Store(StoreError::Unknown(reason))) => {
                is_in_doubt = true;
                tracing::warn!(%room, head = %expected, reason, trace_id, "outcome of an append not known");
            }
            Err(AppendError::Store(refused)) if is_in_doubt => match node.store().head(room).await {
                Ok(head) => {
                    let head = head.map_or(Seq::ZERO, |head| head.seq);
                    let is_untouched = head == expected;
                    let stale = AppendError::Stale { expected, head };
                    return Err(if is_untouched { AppendError::Store(refused) } else { stale });
                }
                Err(error) => tracing::warn!(%room, %error, trace_id, "outcome of an append not asked for"),
            },
            outcome => return outcome,
        }
        sleep(pause).await;
        pause = (pause * 2).min(RESEND_AFTER_AT_MOST);
    }
}

const fn label(outcome: &Result<(), AppendError>) -> &'static str {
    match outcome {
        Ok(()) => "applied",
        Err(AppendError::Stale { .. } | AppendError::Duplicate { .. }) => "stale",
        Err(AppendError::Store(StoreError::Refused(_))) => "refused",
        Err(AppendError::Store(StoreError::Unknown(_))) => "unknown",
        Err(AppendError::Store(StoreError::Fatal(_))) => "fatal",
    }
}
