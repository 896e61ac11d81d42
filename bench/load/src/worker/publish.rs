//! What is to be sent, and when: the `k`th message at its moment whatever became of those before, or the next one
//! when one before it is done.

use super::Worker;
use super::connection::{Stage, Unanswered};
use super::order::{Pace, Plan};
use super::schedule::Schedule;
use crate::clock;
use crate::wire::stamp::Stamp;
use rookery_protocol::{ClientId, Command, MessageBody, MessageSend, Op, RoomId, WireError};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use uuid::Uuid;

/// Sends between two looks at what has arrived.
const SENT_AT_A_TIME: u32 = 64;

/// What is sent, and what was.
#[derive(Debug, Default)]
pub(super) struct Publishing {
    plan: Option<Plan>,
    /// The next messages of an open schedule.
    schedule: Option<Schedule>,
    /// Messages sent so far, of all plans: their numbers.
    numbers: u32,
    /// Publishers whose turn it is, of a closed schedule; of a count, anybody's turns.
    free: Vec<u32>,
    /// Messages of a count that were sent.
    counted: u64,
    unanswered: u64,
    /// Refused for now: when each is sent again, by whom, which command.
    later: BinaryHeap<Reverse<(u64, usize, u32)>>,
}

impl Publishing {
    /// Returns whether the plan's end is still to come.
    pub(super) fn is_running(&self, now: u64) -> bool {
        let Some(plan) = &self.plan else { return false };
        match &self.schedule {
            Some(schedule) => schedule.due().is_some(),
            None => plan.total().map_or(now < plan.window.until, |total| self.counted < total),
        }
    }

    pub(super) const fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// Returns how many sends an open schedule still had to make.
    pub(super) fn unsent(&self) -> u64 {
        self.schedule.as_ref().map_or(0, Schedule::left)
    }

    /// Returns when there is something to do; in the past where it is now.
    pub(super) fn next_due(&self) -> Option<u64> {
        let later = self.later.peek().map(|next| next.0.0);
        let planned = self.plan.as_ref().and_then(|plan| match &self.schedule {
            Some(schedule) => schedule.due(),
            None => (!self.free.is_empty() && self.is_running(plan.window.from)).then_some(plan.window.from),
        });
        later.into_iter().chain(planned).min()
    }

    /// A message of this publisher is done.
    pub(super) fn is_free(&mut self, publisher: u32) {
        if self.plan.is_some() && self.schedule.is_none() {
            self.free.push(publisher);
        }
    }
}

impl Worker {
    pub(super) fn begin_publishing(&mut self, plan: Plan) {
        let publishers = u32::try_from(plan.publishers.len()).unwrap_or(u32::MAX);
        self.publishing.free = match plan.pace {
            Pace::Closed { outstanding } => (0..outstanding).flat_map(|_| 0..publishers).collect(),
            Pace::Count { outstanding, .. } => vec![0; outstanding as usize],
            _ => Vec::new(),
        };
        self.publishing.counted = 0;
        self.publishing.schedule = Schedule::of(&plan, self.rng.u64(..)).filter(|_| publishers > 0);
        self.publishing.plan = (!plan.publishers.is_empty()).then_some(plan);
        self.tally.expect_all(&self.connections);
    }

    /// Sends what is due.
    pub(super) fn publish_due(&mut self, now: u64) {
        while self.publishing.later.peek().is_some_and(|next| next.0.0 <= now) {
            let Some(Reverse((_, number, id))) = self.publishing.later.pop() else { break };
            self.send_once_more(number, id);
        }
        for _ in 0..SENT_AT_A_TIME {
            let is_running = self.publishing.is_running(now);
            let Some(plan) = &self.publishing.plan else { return };
            let (publisher, due) = match &mut self.publishing.schedule {
                Some(schedule) => match schedule.due() {
                    Some(due) if due <= now => {
                        let publisher = schedule.take() % plan.publishers.len() as u64;
                        (u32::try_from(publisher).unwrap_or(0), due)
                    }
                    _ => return,
                },
                None if !plan.window.holds(now) => return,
                None if !is_running => return,
                None => match self.publishing.free.pop() {
                    Some(_) if plan.total().is_some() => {
                        let publisher = self.publishing.counted % plan.publishers.len() as u64;
                        self.publishing.counted += 1;
                        (u32::try_from(publisher).unwrap_or(0), now)
                    }
                    Some(publisher) => (publisher, now),
                    None => return,
                },
            };
            self.publish(publisher, due);
        }
    }

    fn publish(&mut self, publisher: u32, due: u64) {
        let Some(plan) = &self.publishing.plan else { return };
        let (connection, room) = plan.publishers[publisher as usize];
        let number = self.publishing.numbers;
        self.publishing.numbers += 1;
        self.publishing.unanswered += 1;
        let named = u64::from(self.ground.number) << 32 | u64::from(number);
        let client_id = Uuid::from_u64_pair(self.ground.seed, named);
        let id = self.connections[connection as usize].next_id();
        let send = Unanswered { id, room, client_id, number, due, hash: 0, attempt: 1, publisher };
        self.tally.sent(due, clock::now());
        self.send(connection as usize, send);
    }

    /// Sends a message, now or when the connection is there again; its answer is waited for from now on.
    fn send(&mut self, number: usize, mut send: Unanswered) {
        let stamp = Stamp { sender: self.ground.number, number: send.number, due: send.due };
        let bytes = self.publishing.plan.as_ref().map_or(0, |plan| plan.bytes);
        let (text, hash) = stamp.text(bytes);
        send.hash = hash;
        let command = Command {
            id: send.id,
            op: Op::MessageSend(Box::new(MessageSend {
                room: RoomId(self.tally.rooms[send.room as usize].id),
                client_id: ClientId(send.client_id),
                attempt: (send.attempt > 1).then_some(send.attempt),
                body: MessageBody::text(text),
                reply_to: None,
            })),
        };
        let connection = &mut self.connections[number];
        connection.unanswered.push_back(send);
        if connection.stage == Stage::Ready {
            self.say(number, &command);
        }
    }

    /// Sends everything again that was not answered on the socket before.
    pub(super) fn send_again(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        for send in std::mem::take(&mut connection.unanswered) {
            let id = self.connections[number].next_id();
            self.send(number, Unanswered { id, attempt: send.attempt + 1, ..send });
        }
    }

    fn send_once_more(&mut self, number: usize, id: u32) {
        // On another socket by now, it has been sent again by itself.
        if let Some(send) = self.take_unanswered(number, id) {
            let id = self.connections[number].next_id();
            self.send(number, Unanswered { id, attempt: send.attempt + 1, ..send });
        }
    }

    fn take_unanswered(&mut self, number: usize, id: u32) -> Option<Unanswered> {
        let unanswered = &mut self.connections[number].unanswered;
        let at = unanswered.iter().position(|send| send.id == id)?;
        unanswered.remove(at)
    }

    /// A message is durable.
    pub(super) fn acked(&mut self, number: usize, id: u32, seq: Option<u64>, now: u64) {
        // The answer to a ping of a burst is none to a message.
        let Some(send) = self.take_unanswered(number, id) else { return };
        self.publishing.unanswered -= 1;
        let Some(seq) = seq else { return self.tally.notice("an ack without a position") };
        if let Some(done) = self.tally.ack(&send, seq, now) {
            self.publishing.is_free(done);
        }
    }

    /// A message was refused: for now, or for good.
    pub(super) fn send_refused(&mut self, number: usize, id: u32, error: &WireError, now: u64) {
        self.tally.notice(error.code.as_str());
        if error.retryable {
            let wait = error.retry_after_ms.map_or(100, u64::from) * clock::MILLISECOND;
            self.publishing.later.push(Reverse((now + wait, number, id)));
        } else if let Some(send) = self.take_unanswered(number, id) {
            self.publishing.unanswered -= 1;
            self.publishing.is_free(send.publisher);
        }
    }
}
