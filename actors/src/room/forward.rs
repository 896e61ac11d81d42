//! Drafts between nodes: those that are sent to the room's home, and those that come here as to one.
//!
//! What is sent is kept until the answer is there. It is numbered, and the home takes the numbers of a
//! run in their order or not at all, so that what one sender pipelines keeps its order also where a
//! part of it gets lost. Where the home does not answer, or has not taken something, all of it is ordered
//! here, in its order: what has a name is found in the log if it is there.

use super::batch::Line;
use super::draft::{Action, Draft};
use super::{Room, RoomMessage, busy};
use crate::answer::Answer;
use crate::cluster::{Asked, Home, Outcome, Submitting};
use rookery_engine::bus::NodeId;
use rookery_engine::limits::{CLUSTER_NODES, WAITING_DRAFTS};
use rookery_protocol::{ReplyBody, UserId};
use std::collections::{HashMap, VecDeque};
use tokio::time::{Instant, sleep_until};

/// Drafts that the room's home has, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Forwards {
    sent: VecDeque<Sent>,
    /// Where they were sent, and as which run.
    to: Option<(NodeId, u64)>,
    next: u64,
    /// Whether somebody says when the answer is due.
    is_timed: bool,
    /// Nothing is sent before this moment, since the last time it was not answered.
    not_before: Option<Instant>,
}

#[derive(Debug)]
struct Sent {
    number: u64,
    draft: Draft,
    due: Instant,
}

/// A draft that another node has sent here as to the room's home.
#[derive(Debug)]
pub(crate) struct Forwarded {
    /// Who has sent it.
    pub(crate) from: NodeId,
    /// Its place in its run.
    pub(crate) asked: Asked,
    /// It must not be ordered later than this.
    pub(crate) until: Instant,
    /// Who wants it.
    pub(crate) by: UserId,
    /// What.
    pub(crate) action: Action,
    /// Who waits.
    pub(crate) answer: Answer,
}

/// At a home: which number of which run comes next, of each node.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<NodeId, (u64, Option<u64>)>);

impl Forwards {
    /// Returns whether somebody waits for an answer.
    pub(super) fn is_busy(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Lets everything go: the answers, dropped, say that the outcome is not known.
    pub(super) fn let_go(&mut self) {
        self.sent.clear();
    }

    fn position(&self, number: u64) -> Option<usize> {
        self.sent.iter().position(|sent| sent.number == number && !is_settle(&sent.draft))
    }
}

impl Lines {
    /// Takes this number if it is next in line; a new run begins with 0.
    fn take(&mut self, from: NodeId, run: u64, number: u64) -> bool {
        if self.0.len() >= CLUSTER_NODES && !self.0.contains_key(&from) {
            return false;
        }
        let line = self.0.entry(from).or_insert((0, None));
        if run > line.0 && number == 0 {
            *line = (run, Some(0));
        }
        let is_next = *line == (run, Some(number));
        if is_next {
            line.1 = Some(number + 1);
        }
        is_next
    }

    /// Takes nothing more of this run.
    fn end(&mut self, from: NodeId, run: u64) {
        if let Some(line) = self.0.get_mut(&from).filter(|line| line.0 == run) {
            line.1 = None;
        }
    }
}

impl Room {
    /// Sends a draft to the room's home, or answers it; returns it where it is to be ordered here.
    pub(super) fn forward(&mut self, draft: Draft) -> Option<Draft> {
        if self.forwards.sent.is_empty() && self.node.cluster().is_alone() {
            return Some(draft);
        }
        let Some((node, as_of)) = self.forwards_to() else {
            // Those before it go first.
            self.fall_back(None, "moved");
            return Some(draft);
        };
        if is_settle(&draft) {
            if self.forwards.sent.is_empty() {
                return Some(draft);
            }
            self.remember(draft);
            return None;
        }
        if let Action::Create(_) = draft.action
            && self.live.record.is_some()
            && self.live.members.contains_key(&draft.by)
        {
            draft.answer.ok(ReplyBody::Empty {});
            return None;
        }
        if self.forwards.sent.len() >= WAITING_DRAFTS {
            draft.answer.err(busy(&self.node));
            return None;
        }
        self.send(node, as_of, draft);
        None
    }

    /// Returns where drafts are sent, if they are to be. Nothing is sent while something is ordered here,
    /// which would be overtaken.
    fn forwards_to(&self) -> Option<(NodeId, u64)> {
        let Home::There { node, as_of } = self.node.cluster().home_of(self.id) else { return None };
        let is_on_the_way = !self.forwards.sent.is_empty();
        let is_same = self.forwards.to.is_some_and(|(to, _)| to == node);
        let is_free = self.waiting.is_empty()
            && self.in_flight.is_none()
            && self.forwards.not_before.is_none_or(|at| Instant::now() >= at);
        (if is_on_the_way { is_same } else { is_free }).then_some((node, as_of))
    }

    fn send(&mut self, node: NodeId, as_of: u64, mut draft: Draft) {
        let run = match self.forwards.to {
            Some((_, run)) if !self.forwards.sent.is_empty() => run,
            _ => {
                let run = self.node.cluster().next_run();
                (self.forwards.to, self.forwards.next) = (Some((node, run)), 0);
                run
            }
        };
        let number = self.forwards.next;
        let asked = Asked { room: self.id, run, number };
        let trace = draft.answer.trace().and_then(|trace| trace.context());
        let submitting = Submitting { asked, as_of, by: draft.by, action: &draft.action, trace };
        let is_sent = self.node.cluster().submit(node, &submitting);
        self.remember(draft);
        self.forwards.next += 1;
        if !is_sent {
            self.fall_back(Some(number), "moved");
        }
    }

    fn remember(&mut self, draft: Draft) {
        let due = Instant::now() + self.node.cluster().answers_within();
        self.forwards.sent.push_back(Sent { number: self.forwards.next, draft, due });
        self.time_answers();
    }

    /// Has somebody say when the first answer is due.
    fn time_answers(&mut self) {
        if self.forwards.is_timed {
            return;
        }
        if let Some(first) = self.forwards.sent.front() {
            self.forwards.is_timed = true;
            let (due, myself) = (first.due, self.myself.clone());
            self.node.tasks().spawn(async move {
                sleep_until(due).await;
                drop(myself.send_message(RoomMessage::AnswerDue));
            });
        }
    }

    pub(super) fn answer_due(&mut self) {
        self.forwards.is_timed = false;
        let now = Instant::now();
        if self.forwards.sent.front().is_some_and(|first| first.due <= now) {
            tracing::warn!(room = %self.id, "the home of the room does not answer");
            self.fall_back(None, "late");
        }
        self.time_answers();
    }

    /// The room's home has answered a draft.
    pub(super) fn answered(&mut self, from: NodeId, asked: Asked, outcome: Outcome) {
        if self.forwards.to != Some((from, asked.run)) {
            return;
        }
        let Some(index) = self.forwards.position(asked.number) else { return };
        if outcome == Outcome::NotTaken {
            self.fall_back(Some(asked.number), "not_taken");
            return self.retire_if_absent();
        }
        if let Some(Sent { draft, .. }) = self.forwards.sent.remove(index) {
            let label = if outcome == Outcome::Unknown { "unknown" } else { "answered" };
            self.node.metrics().cluster.forwards.of(label).increment(1);
            match outcome {
                Outcome::Done => draft.answer.ok(ReplyBody::Empty {}),
                Outcome::Sent(sent) => draft.answer.ok(sent),
                Outcome::Written(written) => draft.answer.ok(written),
                Outcome::Changed(changed) => draft.answer.ok(changed),
                Outcome::Set(set) => draft.answer.ok(set),
                Outcome::Refused(error) => draft.answer.err(error),
                // The answer, dropped, says so.
                Outcome::Unknown | Outcome::NotTaken => drop(draft.answer),
            }
        }
        while self.forwards.sent.front().is_some_and(|first| is_settle(&first.draft)) {
            if let Some(settle) = self.forwards.sent.pop_front() {
                settle.draft.answer.ok(ReplyBody::Empty {});
            }
        }
        self.retire_if_absent();
    }

    /// The room may have another home.
    pub(super) fn home_moved(&mut self) {
        if !self.forwards.sent.is_empty() && self.forwards_to().is_none() {
            self.fall_back(None, "moved");
        }
    }

    /// Has everything that was sent ordered here, in its order. What has no name may have been done
    /// already, unless it is one that the home has certainly not taken: those from number `not_taken` on.
    fn fall_back(&mut self, not_taken: Option<u64>, why: &'static str) {
        if self.forwards.sent.is_empty() {
            return;
        }
        self.forwards.not_before = Some(Instant::now() + self.node.cluster().answers_within());
        if let Some((home, _)) = self.forwards.to {
            self.node.cluster().tell_astray(home, self.id);
        }
        for Sent { number, mut draft, .. } in std::mem::take(&mut self.forwards.sent) {
            if !is_settle(&draft) {
                self.node.metrics().cluster.forwards.of(why).increment(1);
            }
            if not_taken.is_none_or(|from| number < from) {
                if !draft.may_be_repeated() {
                    // The answer, dropped, says that the outcome is not known.
                    drop(draft.answer);
                    continue;
                }
                draft.repeat();
            }
            self.queue(draft, None);
        }
        self.order();
    }

    /// Another node has sent a draft here, as to the room's home.
    pub(super) fn forwarded(&mut self, forwarded: Forwarded) {
        let Forwarded { from, asked: Asked { run, number, .. }, until, by, action, answer } = forwarded;
        let now = self.node.clock().elapsed();
        self.last_used = now;
        if self.is_full() || until <= Instant::now() || !self.lines.take(from, run, number) {
            self.lines.end(from, run);
            return answer.not_taken();
        }
        if let Err(refused) = self.spend(&action) {
            return answer.err(refused.into());
        }
        self.queue(Draft { by, action, answer, arrived: now }, Some(Line { from, run, until }));
        self.order();
        self.retire_if_absent();
    }

    /// Lets those drafts of other nodes go whose senders do not wait any longer, with all that came
    /// after them in their line: they may have been ordered elsewhere by now.
    pub(super) fn drop_late(&mut self) {
        let now = Instant::now();
        let is_late = |line: &Line| line.until <= now;
        if !self.waiting.iter().filter_map(|waiting| waiting.line.as_ref()).any(is_late) {
            return;
        }
        let mut ended: Vec<(NodeId, u64)> = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let Some(line) = waiting.line else {
                self.waiting.push_back(waiting);
                continue;
            };
            if ended.contains(&(line.from, line.run)) || is_late(&line) {
                ended.push((line.from, line.run));
                self.lines.end(line.from, line.run);
                waiting.draft.answer.not_taken();
            } else {
                self.waiting.push_back(waiting);
            }
        }
    }
}

const fn is_settle(draft: &Draft) -> bool {
    matches!(draft.action, Action::Settle)
}
