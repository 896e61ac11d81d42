//! Whether a subscriber has heard everything, once, and in order.
//!
//! A room's events have the positions 1, 2, 3 … without a gap. So a subscriber that was told where its stream begins
//! knows of each event whether it is the next one, and at the end, told the head, whether anything is missing.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How far one subscriber of one room is.
#[derive(Debug, Default)]
pub(crate) struct Position {
    /// The position that has to come next; 0 before the stream has begun.
    next: u64,
    /// Positions that were passed over and have not come since.
    missing: BTreeSet<u64>,
}

/// What an event is to a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The next one.
    InOrder,
    /// One beyond the next: what is between has not come.
    AfterGap,
    /// One that was passed over before.
    OutOfOrder,
    /// One that has come before.
    Again,
}

/// What was wrong with deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    /// Never came.
    pub(crate) lost: u64,
    /// Came again.
    pub(crate) doubled: u64,
    /// Came after a later one.
    pub(crate) reordered: u64,
    /// Came with another content than was sent, or than others were told at that position.
    pub(crate) damaged: u64,
}

impl Position {
    /// Begins the stream, or begins it again: the next event is `from`.
    pub(crate) fn begin(&mut self, from: u64) {
        self.next = from;
    }

    /// Returns the last position before the next one, to resume after; `None` before the stream has begun.
    pub(crate) fn last(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// Hears of the event at `seq`.
    pub(crate) fn hear(&mut self, seq: u64, faults: &mut Faults) -> Heard {
        if seq == self.next {
            self.next += 1;
            return Heard::InOrder;
        }
        if seq > self.next {
            self.missing.extend(self.next..seq);
            self.next = seq + 1;
            return Heard::AfterGap;
        }
        if self.missing.remove(&seq) {
            faults.reordered += 1;
            return Heard::OutOfOrder;
        }
        faults.doubled += 1;
        Heard::Again
    }

    /// Returns whether everything up to `head` has come.
    pub(crate) fn has_all(&self, head: u64) -> bool {
        self.next > head && self.missing.is_empty()
    }

    /// Counts what has not come of what there is up to `head`, as lost: it is waited for no more.
    pub(crate) fn close(&mut self, head: u64, faults: &mut Faults) {
        faults.lost += std::mem::take(&mut self.missing).len() as u64;
        // One whose stream never began is reported as a failed connection.
        if self.next > 0 {
            faults.lost += (head + 1).saturating_sub(self.next);
            self.next = self.next.max(head + 1);
        }
    }
}

impl Faults {
    /// Adds what another has found.
    pub(crate) const fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.damaged += other.damaged;
    }

    /// Returns whether nothing was wrong.
    pub(crate) fn is_clean(self) -> bool {
        self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(stream: &[u64], head: u64) -> Faults {
        let (mut position, mut faults) = (Position::default(), Faults::default());
        position.begin(5);
        for &seq in stream {
            position.hear(seq, &mut faults);
        }
        let has_all = position.has_all(head);
        position.close(head, &mut faults);
        assert_eq!(has_all, faults.lost == 0);
        position.close(head, &mut faults);
        faults
    }

    #[test]
    fn a_whole_stream_is_clean() {
        assert!(verdict(&[5, 6, 7], 7).is_clean());
        assert!(verdict(&[], 4).is_clean());
    }

    #[test]
    fn what_is_lost_in_the_middle_or_at_the_end_is_found() {
        assert_eq!(verdict(&[5, 7], 7), Faults { lost: 1, ..Faults::default() });
        assert_eq!(verdict(&[5, 6], 9), Faults { lost: 3, ..Faults::default() });
        assert_eq!(verdict(&[], 7), Faults { lost: 3, ..Faults::default() });
        assert_eq!(verdict(&[9], 10), Faults { lost: 5, ..Faults::default() });
    }

    #[test]
    fn what_comes_again_is_found() {
        assert_eq!(verdict(&[5, 6, 6, 7, 5], 7), Faults { doubled: 2, ..Faults::default() });
        assert_eq!(verdict(&[4, 5], 5), Faults { doubled: 1, ..Faults::default() }, "from before the stream");
    }

    #[test]
    fn what_comes_late_is_reordered_and_not_lost() {
        assert_eq!(verdict(&[6, 5, 7], 7), Faults { reordered: 1, ..Faults::default() });
        assert_eq!(verdict(&[7, 6, 5, 5], 7), Faults { reordered: 2, doubled: 1, ..Faults::default() });
    }

    #[test]
    fn a_stream_that_is_resumed_goes_on_where_it_was() {
        let (mut position, mut faults) = (Position::default(), Faults::default());
        assert_eq!(position.last(), None);
        position.begin(5);
        position.hear(5, &mut faults);
        assert_eq!(position.last(), Some(5));
        position.begin(6);
        assert_eq!(position.hear(6, &mut faults), Heard::InOrder);
        assert!(faults.is_clean());
    }
}
