//! What was known of a room when: the bounds of what an answer can have been given from.

use super::history::History;
use super::sends::Sends;
use super::verdict::{Rule, Verdict};
use rookery_protocol::{RoomId, Seq};

/// Something that a room's head was told with.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) room: RoomId,
    /// When it was asked for.
    pub(super) asked: u64,
    pub(super) head: Seq,
    pub(super) client: String,
}

/// A room's head through time, as far as the journals tell.
#[derive(Debug)]
pub(super) struct Horizon {
    /// When any client knew that the head was at least there, ascending in both.
    known: Vec<(u64, Seq)>,
    /// When what is there was first sent, and nothing after it, ascending in both.
    begun: Vec<(u64, Seq)>,
    end: Seq,
}

impl Horizon {
    pub(super) fn new(history: &History, sends: &Sends) -> Self {
        let mut known: Vec<(u64, Seq)> = history.known().filter(|(t, _)| *t < u64::MAX).collect();
        known.sort_unstable();
        let mut highest = Seq::ZERO;
        known.retain(|(_, seq)| {
            let is_news = *seq > highest;
            highest = highest.max(*seq);
            is_news
        });
        let mut begun: Vec<(u64, Seq)> = Vec::new();
        for event in history.events() {
            let at = event.cid.and_then(|cid| sends.begun(history.room(), event.by, cid)).unwrap_or(0);
            if begun.last().is_none_or(|(last, _)| *last < at) {
                begun.push((at, event.seq));
            }
        }
        Self { known, begun, end: history.head() }
    }

    /// Returns the least that the head was for somebody who asked at `t`.
    pub(super) fn floor(&self, t: u64) -> Seq {
        let later = self.known.partition_point(|(known, _)| *known < t);
        later.checked_sub(1).map_or(Seq::ZERO, |index| self.known[index].1)
    }

    /// Returns the most that the head was for somebody who had the answer at `t`.
    pub(super) fn ceiling(&self, t: u64) -> Seq {
        let later = self.begun.partition_point(|(begun, _)| *begun <= t);
        self.begun.get(later).map_or(self.end, |(_, seq)| Seq(seq.0 - 1))
    }

    /// Judges that who asked was told of everything that was known before (C14).
    pub(super) fn judge(&self, look: &Look, verdict: &mut Verdict) {
        let Look { room, asked, head, client } = look;
        let floor = self.floor(*asked);
        if *head < floor {
            verdict.add(Rule::Stale, *room, *head, || {
                format!("{client} was told that this is the head, and {floor} was known before it asked")
            });
        }
    }
}
