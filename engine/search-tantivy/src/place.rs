//! What hits are ordered by, on every node alike, so that a page goes on wherever the next one is asked for.

use rookery_protocol::{RoomId, Seq, Timestamp};

/// Where a message is among all: greater is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The latest moment of any event up to the message, so that it grows with the position.
    pub(crate) order: Timestamp,
    pub(crate) room: RoomId,
    pub(crate) seq: Seq,
}

impl Place {
    /// Returns the cursor of a page that ends here.
    pub(crate) fn cursor(self) -> String {
        format!("{}.{}.{}", self.order.0, self.room, self.seq)
    }

    /// Reads what [`Place::cursor`] wrote.
    pub(crate) fn parse(cursor: &str) -> Option<Self> {
        let mut parts = cursor.split('.');
        let place = Self {
            order: Timestamp(parts.next()?.parse().ok()?),
            room: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
        };
        (parts.next().is_none() && place.cursor() == cursor).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_no_other_way() {
        let place = Place { order: Timestamp(-7), room: RoomId(uuid::Uuid::from_u128(0xabc)), seq: Seq(12) };
        let cursor = place.cursor();
        assert_eq!(Place::parse(&cursor), Some(place));
        for other in
            [cursor.to_uppercase(), format!("{cursor}.1"), format!("+{cursor}"), format!("0{cursor}")]
        {
            assert_eq!(Place::parse(&other), None, "{other}");
        }
    }
}
