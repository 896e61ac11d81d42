//! One room's final read: what was where, who was a member when, and when it was known.

use super::changes::Changes;
use super::sends::Sends;
use super::verdict::{Counts, Rule, Verdict};
use crate::journal::{ContentHash, Logged, LoggedKind, RoomLog, Sighting};
use rookery_protocol::{ClientId, RoomId, Seq, UserId};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

/// A log with what the journals are compared with.
#[derive(Debug)]
pub(super) struct History {
    room: RoomId,
    events: Vec<Logged>,
    /// Where each named write is.
    places: HashMap<(UserId, ClientId), Seq>,
    /// When each user was a member: first and last position that it may see, ascending.
    periods: HashMap<UserId, Vec<(u64, u64)>>,
    /// When the event at this index was first known to any client.
    known_at: Vec<u64>,
    changes: Changes,
}

impl History {
    /// Indexes `log` and judges it by itself: C2, C4, C8 for writers, C9 and C10.
    pub(super) fn new(log: RoomLog, verdict: &mut Verdict) -> Self {
        let RoomLog { room, events } = log;
        let known_at = vec![u64::MAX; events.len()];
        let changes = Changes::new(&events);
        let mut history =
            Self { room, events, places: HashMap::new(), periods: HashMap::new(), known_at, changes };
        history.periods = periods(&history.events);
        history.number(verdict);
        history.name(verdict);
        history.judge_changes(verdict);
        history.count(&mut verdict.counts);
        history
    }

    fn count(&self, counts: &mut Counts) {
        counts.rooms += 1;
        counts.events += self.events.len() as u64;
        for event in &self.events {
            match event.kind {
                LoggedKind::Edit { .. } => counts.edits += 1,
                LoggedKind::Delete { .. } => counts.deletes += 1,
                LoggedKind::Reaction { .. } => counts.reactions += 1,
                LoggedKind::Pin { .. } => counts.pins += 1,
                _ => {}
            }
        }
    }

    fn number(&self, verdict: &mut Verdict) {
        let mut ord = 0;
        for (event, place) in self.events.iter().zip(1..) {
            if event.seq != Seq(place) {
                verdict.add(Rule::Gap, self.room, event.seq, || format!("is number {place} of the log"));
            }
            ord += u64::from(event.kind == LoggedKind::Message);
            if event.ord != ord {
                verdict.add(Rule::Gap, self.room, event.seq, || {
                    format!("ord is {}, messages so far are {ord}", event.ord)
                });
                ord = event.ord;
            }
        }
        verdict.counts.messages += ord;
    }

    fn name(&mut self, verdict: &mut Verdict) {
        for event in &self.events {
            if event.kind == LoggedKind::Message && !covers(&self.periods, event.by, event.seq) {
                verdict.add(Rule::Outside, self.room, event.seq, || {
                    format!("written by {}, no member", event.by)
                });
            }
            let Some(cid) = event.cid else { continue };
            match self.places.entry((event.by, cid)) {
                Slot::Vacant(slot) => {
                    slot.insert(event.seq);
                }
                Slot::Occupied(first) => verdict.add(Rule::Duplicate, self.room, event.seq, || {
                    format!("{cid} of {} is at {} too", event.by, first.get())
                }),
            }
        }
    }

    /// Returns which room it is.
    pub(super) fn room(&self) -> RoomId {
        self.room
    }

    /// Returns what became of its messages.
    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Returns when each event was first known to any client; `u64::MAX` is never.
    pub(super) fn known(&self) -> impl Iterator<Item = (u64, Seq)> {
        self.known_at.iter().copied().zip(self.events.iter().map(|event| event.seq))
    }

    /// Returns what is at `seq`.
    pub(super) fn at(&self, seq: Seq) -> Option<&Logged> {
        let event = self.events.get(index(seq)?)?;
        (event.seq == seq).then_some(event)
    }

    /// Returns where a named write is.
    pub(super) fn place(&self, by: UserId, cid: ClientId) -> Option<Seq> {
        self.places.get(&(by, cid)).copied()
    }

    /// Returns the newest position.
    pub(super) fn head(&self) -> Seq {
        self.events.last().map_or(Seq::ZERO, |event| event.seq)
    }

    /// Returns the events.
    pub(super) fn events(&self) -> &[Logged] {
        &self.events
    }

    /// Returns the first and the last position of the membership that covers `seq`.
    pub(super) fn period(&self, user: UserId, seq: Seq) -> Option<(u64, u64)> {
        period(&self.periods, user, seq)
    }

    /// Returns where the membership began of somebody who still is a member once `seq` is in the log.
    pub(super) fn joined(&self, user: UserId, seq: Seq) -> Option<u64> {
        self.period(user, seq).filter(|(_, last)| *last > seq.0).map(|(joined, _)| joined)
    }

    /// Compares what somebody saw with the log, but for what it says (C3). Returns whether the place is
    /// in the log.
    pub(super) fn compare(&mut self, client: &str, seen: &Sighting, t: u64, verdict: &mut Verdict) -> bool {
        let Some(event) = self.at(seen.seq) else { return false };
        if event.hash != seen.hash || event.cid != seen.cid || event.ord != seen.ord {
            verdict.add(Rule::Differs, self.room, seen.seq, || {
                format!("{client} saw {seen:?}, the log has {event:?}")
            });
        }
        self.note_known(seen.seq, t);
        true
    }

    /// Compares what an event of a stream says with the log (C3), of a stream that began at `head` (C9).
    /// Returns, where the log does not say that any more, the place and what was seen of it.
    pub(super) fn compare_said(
        &self,
        client: &str,
        seen: &Sighting,
        head: Seq,
        verdict: &mut Verdict,
    ) -> Option<(Seq, ContentHash)> {
        let event = self.at(seen.seq)?;
        let logged = event.said.as_ref().map(|said| said.body);
        let Some(body) = seen.body else {
            if logged.is_some() {
                verdict.add(Rule::Differs, self.room, seen.seq, || {
                    format!("{client} saw it without its content, which nobody deleted")
                });
            }
            return None;
        };
        let emptied = self.changes.emptied_at(event);
        if let Some(delete) = emptied.filter(|delete| *delete <= head) {
            verdict.add(Rule::Redacted, self.room, seen.seq, || {
                format!("{client} opened the room at {head} and was given what {delete} deletes")
            });
        }
        if logged.is_none() && emptied.is_some() {
            return Some((seen.seq, body));
        }
        if logged != Some(body) {
            verdict.add(Rule::Differs, self.room, seen.seq, || {
                format!("{client} saw it say {body:?}, the log has {logged:?}")
            });
        }
        None
    }

    /// Notes that some client knew at `t` that the event at `seq` was in the log.
    pub(super) fn note_known(&mut self, seq: Seq, t: u64) {
        if let Some(known_at) = index(seq).and_then(|index| self.known_at.get_mut(index)) {
            *known_at = t.min(*known_at);
        }
    }

    /// Judges the order in real time (C6): what was known before a send began is before it.
    pub(super) fn judge_order(&self, sends: &Sends, verdict: &mut Verdict) {
        let mut later_known_at = u64::MAX;
        let mut later = Seq::ZERO;
        for (event, known_at) in self.events.iter().zip(&self.known_at).rev() {
            let begun = event.cid.and_then(|cid| sends.begun(self.room, event.by, cid));
            if begun.is_some_and(|begun| later_known_at < begun) {
                verdict.add(Rule::Order, self.room, event.seq, || {
                    format!("sent by {} when {later} was known already", event.by)
                });
            }
            if *known_at < later_known_at {
                (later_known_at, later) = (*known_at, event.seq);
            }
        }
    }
}

fn index(seq: Seq) -> Option<usize> {
    usize::try_from(seq.0.checked_sub(1)?).ok()
}

/// Reads the members' periods from the log: from the event that adds a member to the one that
/// removes it, both included. Founders, who are added together with the room, are there from 1 on.
fn periods(events: &[Logged]) -> HashMap<UserId, Vec<(u64, u64)>> {
    let mut periods: HashMap<UserId, Vec<(u64, u64)>> = HashMap::new();
    let mut is_founding = true;
    for event in events {
        let created = &events[0];
        let is_first = event.seq == created.seq;
        match event.kind {
            LoggedKind::Added { user } => {
                is_founding = is_founding && event.at == created.at && event.by == created.by;
                let from = if is_founding { created.seq.0 } else { event.seq.0 };
                let of_user = periods.entry(user).or_default();
                if of_user.last().is_none_or(|(_, last)| *last < event.seq.0) {
                    of_user.push((from, u64::MAX));
                }
            }
            LoggedKind::Removed { user } => {
                is_founding = false;
                if let Some((_, last)) = periods.get_mut(&user).and_then(|of_user| of_user.last_mut()) {
                    *last = event.seq.0.min(*last);
                }
            }
            _ => is_founding = is_founding && is_first,
        }
    }
    periods
}

fn covers(periods: &HashMap<UserId, Vec<(u64, u64)>>, user: UserId, seq: Seq) -> bool {
    period(periods, user, seq).is_some()
}

fn period(periods: &HashMap<UserId, Vec<(u64, u64)>>, user: UserId, seq: Seq) -> Option<(u64, u64)> {
    // The last one is nearly always it.
    periods.get(&user)?.iter().rev().find(|(first, last)| (*first..=*last).contains(&seq.0)).copied()
}
