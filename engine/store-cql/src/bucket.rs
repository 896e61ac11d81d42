//! Which partition of a room's log an event is in.
//!
//! A batch is wholly in the bucket of its first position, so that it is one partition's and all or
//! nothing. The bucket of the batch that follows a head is therefore known from the head alone: once the
//! head of a bucket is its last position or beyond, nobody appends there any more.

use rookery_engine::limits::BATCH_EVENTS;
use rookery_protocol::Seq;
use std::ops::RangeInclusive;

/// The number of a bucket; 0 is the first.
pub(crate) type Bucket = u64;

/// How a log is cut into buckets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buckets {
    size: u64,
}

impl Buckets {
    pub(crate) const fn of_size(size: u64) -> Self {
        Self { size: if size == 0 { 1 } else { size } }
    }

    /// Returns the bucket of a position itself: where the batch is that begins with it.
    pub(crate) const fn of(self, seq: Seq) -> Bucket {
        seq.0.saturating_sub(1) / self.size
    }

    /// Returns the buckets that the event at `seq` can be in: that of its own position, or the one of a
    /// position before it at which its batch began.
    pub(crate) const fn places(self, seq: Seq) -> RangeInclusive<Bucket> {
        let earliest = Seq(seq.0.saturating_sub(BATCH_EVENTS as u64 - 1));
        self.of(earliest)..=self.of(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_in_its_bucket_or_in_that_of_its_batch() {
        let buckets = Buckets::of_size(10);
        assert_eq!([0, 1, 10, 11, 20, 21].map(|seq| buckets.of(Seq(seq))), [0, 0, 0, 1, 1, 2]);
        assert_eq!(buckets.places(Seq(5)), 0..=0);
        assert_eq!(buckets.places(Seq(64)), 0..=6);
        assert_eq!(buckets.places(Seq(74)), 1..=7);
        let buckets = Buckets::of_size(10_000);
        assert_eq!(buckets.places(Seq(10_063)), 0..=1);
        assert_eq!(buckets.places(Seq(10_064)), 1..=1);
    }
}
