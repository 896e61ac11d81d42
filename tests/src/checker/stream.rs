//! One room as one client heard it: where its stream is, what it still owes itself from pages.

use super::history::History;
use super::verdict::{Rule, Verdict};
use crate::journal::Owner;
use rookery_protocol::{RoomId, Seq};

/// How a stream began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub(super) after: Option<Seq>,
    pub(super) reset: bool,
    pub(super) from: Seq,
    pub(super) head: Seq,
    /// How many events the server replays.
    pub(super) replay: u64,
}

/// The state of one client's one room.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The next position of the open stream.
    next: Option<Seq>,
    /// The room's head when the stream began: what comes up to there is read back.
    begun_at: Seq,
    /// The newest position that a stream has reached.
    reached: Option<Seq>,
    /// First and last positions that a reset left to pages.
    owed: Vec<(u64, u64)>,
}

impl Stream {
    /// A stream begins (C5, C8).
    pub(super) fn open(
        &mut self,
        room: RoomId,
        owner: &Owner,
        history: &History,
        opened: Opened,
        verdict: &mut Verdict,
    ) {
        let Opened { after, reset, from, head, replay } = opened;
        let client = &owner.client;
        let Some(joined) = history.joined(owner.user, head) else {
            return verdict
                .add(Rule::Outside, room, head, || format!("{client} opened it and was no member"));
        };
        // What lies before a new membership may be left out: it cannot be seen any more.
        if let (Some(after), Some(reached)) = (after, self.reached)
            && after.0 >= joined.max(reached.0 + 1)
        {
            verdict.add(Rule::Stream, room, after, || format!("{client} resumed there and had {reached}"));
        }
        let wanted = after.map_or(head.0 + 1, |after| (after.0 + 1).max(joined));
        let missing = (head.0 + 1).saturating_sub(wanted);
        let is_given = wanted <= head.0 + 1 && missing <= replay;
        let due = if reset { head.0 + 1 } else { wanted };
        if from.0 != due {
            verdict.add(Rule::Stream, room, from, || {
                format!("{client} asked {after:?}: begins there, not at {due}")
            });
        }
        if reset && is_given {
            verdict.add(Rule::Stream, room, from, || format!("{client} asked {after:?}: reset without need"));
        }
        // What was reached before was seen then, or is owed already.
        let unseen = self.reached.map_or(wanted, |reached| wanted.max(reached.0 + 1));
        if reset && unseen < from.0 {
            self.owed.push((unseen, from.0 - 1));
        }
        self.next = Some(from);
        self.begun_at = head;
        self.reached = self.reached.max(Some(Seq(from.0.saturating_sub(1))));
    }

    /// An event arrives (C5).
    pub(super) fn receive(&mut self, room: RoomId, client: &str, seq: Seq, verdict: &mut Verdict) {
        match self.next {
            None => {
                verdict.add(Rule::Stream, room, seq, || format!("{client} got it and has not the room open"));
            }
            Some(next) if next != seq => {
                verdict.add(Rule::Stream, room, seq, || format!("{client} got it instead of {next}"));
            }
            Some(_) => {}
        }
        self.next = self.next.map(|_| seq.next());
        self.reached = self.reached.max(Some(seq));
    }

    /// Returns the head at which the stream began.
    pub(super) fn begun_at(&self) -> Seq {
        self.begun_at
    }

    /// An event was on a page.
    pub(super) fn read(&mut self, seq: Seq) {
        let Some(index) = self.owed.iter().position(|(first, last)| (*first..=*last).contains(&seq.0)) else {
            return;
        };
        let (first, last) = self.owed.swap_remove(index);
        let rest = [(first, seq.0 - 1), (seq.0 + 1, last)];
        self.owed.extend(rest.into_iter().filter(|(first, last)| first <= last));
    }

    /// The stream ends; it may be resumed.
    pub(super) fn pause(&mut self) {
        self.next = None;
    }

    /// The user is no member any more: what it has not got it will not get.
    pub(super) fn remove(&mut self) {
        self.next = None;
        self.owed.clear();
    }

    /// The journal ends: an open stream is at the end of what its membership covers (C1b).
    pub(super) fn end(&self, room: RoomId, owner: &Owner, history: &History, verdict: &mut Verdict) {
        let Some(next) = self.next else { return };
        let client = &owner.client;
        let head = history.head();
        let Some(joined) = history.joined(owner.user, head) else {
            return verdict.add(Rule::Unseen, room, head, || format!("{client} was not told of its removal"));
        };
        if next <= head {
            verdict.add(Rule::Unseen, room, next, || {
                format!("{client} has it open and has not seen {next} to {head}")
            });
        }
        // What an earlier membership covered cannot be read any more.
        for (first, last) in self.owed.iter().filter(|(_, last)| *last >= joined) {
            // Changes are no entries of pages: what they did is in what they changed.
            let is_entry =
                |seq: &u64| history.at(Seq(*seq)).is_some_and(|event| event.kind.target().is_none());
            let Some(first) = (joined.max(*first)..=*last).find(is_entry) else { continue };
            verdict.add(Rule::Unseen, room, Seq(first), || {
                format!("{client} was reset and never read {first} to {last}")
            });
        }
    }
}
