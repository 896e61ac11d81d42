//! How long the committer waits for a group.
//!
//! Where the disk is fast a commit is over before the next write comes, so each message of a thousand
//! rooms pays for a commit of its own: its fsync, its pages of the log, and two switches of threads. Where several
//! rooms are written to, a group may therefore wait until a few milliseconds after the last one began. The
//! form is that of `PostgreSQL`'s `commit_delay` and `commit_siblings`; here the siblings are the
//! rooms of the newest appends. One room alone, and a writer that goes from room to room with one message under way,
//! wait for nothing: the second shows by that nothing has come while the committer waited.

use rookery_protocol::RoomId;
use std::time::Duration;
use tokio::time::Instant;

/// From the beginning of one group to that of the next, at most, where the next waits for more writes.
const GATHER: Duration = Duration::from_millis(4);

/// The newest appends whose rooms are counted: as many writes a group waits for, if they were to as many rooms.
const NEWEST: usize = 8;

/// Groups that do not wait after some waited in vain, at most.
const MOST_UNWAITED: u32 = 64;

/// What a group waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Writes that are enough.
    pub(super) wanted: usize,
    /// Until when at the latest.
    pub(super) until: Instant,
}

/// What the committer knows of the groups before.
#[derive(Debug)]
pub(super) struct Pace {
    /// The rooms of the newest appends, in a ring.
    newest: [Option<RoomId>; NEWEST],
    appends: usize,
    /// When the last group began.
    begun: Instant,
    /// How many groups are not to wait.
    unwaited: u32,
    /// How many were not to wait after the last that waited in vain.
    in_vain: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { newest: [None; NEWEST], appends: 0, begun: Instant::now(), unwaited: 0, in_vain: 0 }
    }

    /// Notes an append to `room`.
    pub(super) const fn appended(&mut self, room: RoomId) {
        self.newest[self.appends % NEWEST] = Some(room);
        self.appends += 1;
    }

    /// Returns what the next group waits for.
    pub(super) fn patience(&mut self) -> Patience {
        let wanted = if self.unwaited > 0 { 1 } else { self.rooms() };
        self.unwaited = self.unwaited.saturating_sub(1);
        Patience { wanted, until: self.begun + GATHER }
    }

    /// Notes that a group begins, for which `patience` waited while it grew from `first` writes to `all`.
    pub(super) fn begins(&mut self, patience: Patience, first: usize, all: usize) {
        let now = Instant::now();
        self.begun = now;
        if first >= patience.wanted {
            return;
        }
        if all > first {
            self.in_vain = 0;
        } else if now >= patience.until {
            self.in_vain = (self.in_vain * 2).clamp(1, MOST_UNWAITED);
            self.unwaited = self.in_vain;
        }
    }

    /// Counts the rooms of the newest appends.
    fn rooms(&self) -> usize {
        let mut rooms = self.newest;
        rooms.sort_unstable();
        let first = usize::from(rooms[0].is_some());
        first + rooms.windows(2).filter(|pair| pair[1].is_some() && pair[0] != pair[1]).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn after(rooms: &[u128]) -> Pace {
        let mut pace = Pace::new();
        for room in rooms {
            pace.appended(RoomId(Uuid::from_u128(*room)));
        }
        pace
    }

    #[test]
    fn a_group_waits_for_as_many_writes_as_rooms_were_written_to() {
        assert_eq!(Pace::new().patience().wanted, 0);
        assert_eq!(after(&[1, 1, 1]).patience().wanted, 1);
        assert_eq!(after(&[1, 2, 1, 3]).patience().wanted, 3);
        assert_eq!(after(&[9, 9, 9, 9, 1, 1, 2, 1, 3, 1, 1, 1]).patience().wanted, 3);
    }

    #[test]
    fn who_waits_in_vain_waits_for_ever_fewer_groups() {
        let mut pace = after(&[1, 2, 3, 4]);
        let mut waited = 0;
        for _ in 0..1000 {
            let patience = Patience { until: Instant::now(), ..pace.patience() };
            waited += usize::from(patience.wanted > 1);
            pace.begins(patience, 1, 1);
        }
        assert!((10..40).contains(&waited), "{waited}");
        // One that comes in the meantime shows that waiting is worth it.
        while pace.patience().wanted == 1 {}
        let patience = pace.patience();
        pace.begins(patience, 1, 2);
        assert_eq!(pace.patience().wanted, 4);
    }
}
