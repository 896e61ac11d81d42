//! One room's final read: what was where, who was a member when, and when it was known.

use super::sends::Sends;
use super::verdict::{Rule, Verdict};
use crate::journal::{Logged, LoggedKind, RoomLog, Sighting};
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
}

impl History {
    /// Indexes `log` and judges it by itself: C2, C4, C8 for writers.
    pub(super) fn new(log: RoomLog, verdict: &mut Verdict) -> Self {
        let RoomLog { room, events } = log;
        let known_at = vec![u64::MAX; events.len()];
        let mut history = Self { room, events, places: HashMap::new(), periods: HashMap::new(), known_at };
        history.periods = periods(&history.events);
        history.number(verdict);
        history.name(verdict);
        verdict.counts.rooms += 1;
        verdict.counts.events += history.events.len() as u64;
        history
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

    /// Compares what somebody saw with the log (C3). Returns whether the place is in the log.
    pub(super) fn compare(&mut self, client: &str, seen: &Sighting, t: u64, verdict: &mut Verdict) -> bool {
        let Some(event) = self.at(seen.seq) else { return false };
        if event.hash != seen.hash || event.cid != seen.cid || event.ord != seen.ord {
            verdict.add(Rule::Differs, self.room, seen.seq, || {
                format!("{client} saw {seen:?}, the log has {event:?}")
            });
        }
        self.known(seen.seq, t);
        true
    }

    /// Notes that some client knew at `t` that the event at `seq` was in the log.
    pub(super) fn known(&mut self, seq: Seq, t: u64) {
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
            LoggedKind::Message | LoggedKind::Other => is_founding = is_founding && is_first,
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
