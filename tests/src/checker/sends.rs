//! Every message and change that was tried to send, over all journals, and what became of it.

use super::history::History;
use super::verdict::{Rule, Verdict};
use crate::journal::{ContentHash, Logged, LoggedKind, Said};
use rookery_protocol::{ClientId, ErrorCode, RoomId, Seq, UserId};
use std::collections::{HashMap, HashSet};

/// What is known of one write.
#[derive(Debug)]
struct Tried {
    hash: ContentHash,
    said: Option<Said>,
    /// When its first attempt began.
    begun: u64,
    attempts: u32,
    /// Attempts that certainly wrote nothing.
    refused: u32,
    /// Attempts that were answered with anything but a place.
    answered_no: u32,
    ack: Option<Place>,
}

/// A place that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) seq: Seq,
    /// Messages up to it; not said of a change.
    pub(super) ord: Option<u64>,
}

/// A write: where, by whom, under which name.
pub(super) type Key = (RoomId, UserId, ClientId);

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sends {
    tried: HashMap<Key, Tried>,
    /// Deliveries that no log has.
    strays: Vec<(RoomId, Seq, Option<ClientId>)>,
    /// What was seen of messages and edits that the log says nothing of any more.
    gone: HashSet<(RoomId, Seq, ContentHash)>,
}

impl Sends {
    pub(super) fn send(&mut self, key: Key, (hash, said): (ContentHash, Option<Said>), t: u64) -> bool {
        let tried = self.tried.entry(key).or_insert(Tried {
            hash,
            said,
            begun: t,
            attempts: 0,
            refused: 0,
            answered_no: 0,
            ack: None,
        });
        tried.attempts += 1;
        tried.begun = tried.begun.min(t);
        tried.attempts == 1
    }

    pub(super) fn ack(&mut self, key: Key, place: Place, verdict: &mut Verdict) {
        let (room, by, cid) = key;
        let Some(tried) = self.tried.get_mut(&key) else {
            return verdict.add(Rule::NeverSent, room, place.seq, || format!("{cid} of {by} is acked"));
        };
        if let Some(first) = tried.ack.replace(place).filter(|first| *first != place) {
            verdict.add(Rule::Duplicate, room, place.seq, || {
                format!("{cid} of {by} was acked at {} too", first.seq)
            });
        }
    }

    pub(super) fn nack(&mut self, key: Key, code: ErrorCode) {
        if let Some(tried) = self.tried.get_mut(&key) {
            tried.answered_no += 1;
            // `busy` is the one code that leaves the outcome open.
            tried.refused += u32::from(code != ErrorCode::Busy);
        }
    }

    /// The answer was that it was so already.
    pub(super) fn kept(&mut self, key: Key) {
        if let Some(tried) = self.tried.get_mut(&key) {
            tried.answered_no += 1;
            tried.refused += 1;
        }
    }

    /// Somebody saw what the write at `seq` says, and the log does not have that any more.
    pub(super) fn gone(&mut self, room: RoomId, (seq, body): (Seq, ContentHash)) {
        self.gone.insert((room, seq, body));
    }

    /// Returns what a write says, whatever became of it.
    pub(super) fn said(&self, room: RoomId, event: &Logged) -> Option<&Said> {
        self.tried.get(&(room, event.by, event.cid?))?.said.as_ref()
    }

    pub(super) fn stray(&mut self, room: RoomId, seq: Seq, cid: Option<ClientId>) {
        self.strays.push((room, seq, cid));
    }

    /// Returns when the first attempt of a message began.
    pub(super) fn begun(&self, room: RoomId, by: UserId, cid: ClientId) -> Option<u64> {
        Some(self.tried.get(&(room, by, cid))?.begun)
    }

    /// Returns whether a message was answered with a no at any time: its place among its sender's
    /// others is then that of a later attempt.
    pub(super) fn was_put_off(&self, key: Key) -> bool {
        self.tried.get(&key).is_some_and(|tried| tried.answered_no > 0)
    }

    /// Judges C1, C2, C3 and C7 of the messages.
    pub(super) fn judge(&self, rooms: &HashMap<RoomId, History>, verdict: &mut Verdict) {
        for (key, tried) in &self.tried {
            let (room, by, cid) = *key;
            let history = rooms.get(&room);
            let place = history.and_then(|history| history.place(by, cid));
            match (tried.ack, place) {
                (Some(ack), None) => {
                    verdict.add(Rule::Lost, room, ack.seq, || {
                        format!("{cid} of {by} was acked and is not there")
                    });
                }
                (Some(ack), Some(place)) if ack.seq != place => {
                    verdict.add(Rule::Duplicate, room, place, || {
                        format!("{cid} of {by} was acked at {}", ack.seq)
                    });
                }
                (None, Some(place)) if tried.refused == tried.attempts => {
                    verdict.add(Rule::NeverSent, room, place, || format!("{cid} of {by} was refused"));
                }
                (None, _) if tried.refused < tried.attempts => verdict.counts.unknown += 1,
                _ => {}
            }
            let Some(logged) = place.and_then(|place| history?.at(place)) else { continue };
            let ord = tried.ack.and_then(|ack| ack.ord);
            let is_as_sent = logged.said.is_none() || logged.said == tried.said;
            if logged.hash != tried.hash || !is_as_sent || ord.is_some_and(|ord| ord != logged.ord) {
                verdict.add(Rule::Differs, room, logged.seq, || {
                    format!(
                        "{by} sent {cid} as {:?}, acked {:?}; the log has {logged:?}",
                        tried.hash, tried.ack
                    )
                });
            }
        }
        self.judge_gone(rooms, verdict);
        self.judge_origin(rooms, verdict);
    }

    /// What was seen before a delete is what was sent.
    fn judge_gone(&self, rooms: &HashMap<RoomId, History>, verdict: &mut Verdict) {
        for (room, seq, body) in &self.gone {
            let Some(event) = rooms.get(room).and_then(|history| history.at(*seq)) else { continue };
            // One that was never sent is found as such.
            let Some(said) = self.said(*room, event) else { continue };
            if said.body != *body {
                verdict.add(Rule::Differs, *room, *seq, || {
                    format!("was sent as {said:?}, and seen as {body:?} before it was deleted")
                });
            }
        }
    }

    fn judge_origin(&self, rooms: &HashMap<RoomId, History>, verdict: &mut Verdict) {
        for (room, history) in rooms {
            let is_written =
                |event: &&Logged| event.kind == LoggedKind::Message || event.kind.target().is_some();
            for event in history.events().iter().filter(is_written) {
                let is_sent = event.cid.is_some_and(|cid| self.tried.contains_key(&(*room, event.by, cid)));
                if !is_sent {
                    verdict.add(Rule::NeverSent, *room, event.seq, || format!("in the log, by {}", event.by));
                }
            }
        }
        let named: HashSet<ClientId> = if self.strays.is_empty() {
            HashSet::new()
        } else {
            self.tried.keys().map(|key| key.2).collect()
        };
        for (room, seq, cid) in &self.strays {
            let rule = if cid.is_none_or(|cid| named.contains(&cid)) { Rule::Lost } else { Rule::NeverSent };
            verdict.add(rule, *room, *seq, || format!("{cid:?} was delivered and is not in the log"));
        }
    }
}
