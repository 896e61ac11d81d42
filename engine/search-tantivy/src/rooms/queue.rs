//! Which rooms are followed next. One page of a room at a time, so that a long log does not keep short
//! ones waiting.

use super::{Room, Rooms, State};
use crate::fields::{LogNumber, Taken};
use crate::scope::Reach;
use rookery_engine::store::StoreError;
use rookery_protocol::{RoomId, Seq, Timestamp};

/// Rooms that are read at the same time. 8 reads under way hide one another's round trips, and hold some
/// megabytes each at most.
pub(crate) const FOLLOWERS: usize = 8;

/// Rooms that a follower reads before what it has read is taken in: a commit costs some 10 ms, however little
/// is in it.
const ROOMS: usize = 64;

/// Rooms that wait to be followed; searches of more are behind, and find these in the index when they try
/// again.
const QUEUE: usize = 10_000;

/// A room to be followed a page further.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) room: RoomId,
    pub(crate) log: LogNumber,
    /// What is in the index.
    pub(crate) taken: Option<Taken>,
    /// Whether that was compared with the store.
    pub(crate) is_checked: bool,
    pub(crate) wanted: Seq,
}

impl Rooms {
    /// Asks for the rooms of a search, up to their heads. Returns how many followers are to be started.
    pub(crate) fn want(&self, scope: &[Reach], now: Timestamp) -> usize {
        let mut state = self.lock();
        for reach in scope {
            state.want(reach, now);
        }
        let missing = FOLLOWERS.min(state.queue.len()).saturating_sub(state.followers);
        let missing = if state.is_closed { 0 } else { missing };
        state.followers += missing;
        missing
    }

    /// Returns a follower's next rooms, its part of those that wait; without any it ends.
    pub(crate) fn next(&self) -> Vec<Job> {
        let mut state = self.lock();
        let part = state.queue.len().div_ceil(FOLLOWERS).min(ROOMS);
        let part = if state.is_closed { 0 } else { part };
        let rooms: Vec<RoomId> = state.queue.drain(..part).collect();
        let jobs: Vec<Job> = rooms.into_iter().filter_map(|room| state.job(room)).collect();
        if jobs.is_empty() {
            state.followers -= 1;
        }
        jobs
    }

    /// Says that what is in the index is of this log.
    pub(crate) fn checked(&self, job: &Job) {
        let mut state = self.lock();
        if let Some(room) = state.rooms.get_mut(&job.room).filter(|room| room.log == job.log) {
            room.is_checked = true;
        }
    }

    /// Has a room taken in from its beginning, because what is in the index is of another log. Returns how.
    pub(crate) fn begin_anew(&self, job: &Job) -> Option<Job> {
        let mut state = self.lock();
        let next = state.next;
        let room = state.rooms.get_mut(&job.room).filter(|room| room.log == job.log)?;
        let lag = room.lag();
        (room.stale, room.log, room.taken, room.is_checked) = (Some(room.log), next, None, true);
        let more = room.lag() - lag;
        state.behind += more;
        state.next += 1;
        state.job(job.room)
    }

    /// Says how following a room a page further has ended.
    pub(crate) fn followed(&self, room: RoomId, outcome: Result<(), StoreError>) {
        let mut state = self.lock();
        state.followed(room, outcome);
        self.tell(state);
    }

    /// Says that a follower has ended while it was at these rooms.
    pub(crate) fn left(&self, rooms: &[RoomId]) {
        let mut state = self.lock();
        state.followers -= 1;
        for room in rooms {
            state.followed(*room, Err(StoreError::Refused("the room was not taken in".to_owned())));
        }
        self.tell(state);
    }
}

impl State {
    fn want(&mut self, reach: &Reach, now: Timestamp) {
        let is_known = self.rooms.contains_key(&reach.room);
        if !is_known && self.queue.len() >= QUEUE {
            return;
        }
        let log = self.next;
        let room = self.rooms.entry(reach.room).or_insert_with(|| Room::new(log));
        self.next += u64::from(!is_known);
        let lag = room.lag();
        (room.wanted, room.searched) = (room.wanted.max(reach.head.seq), room.searched.max(now));
        self.behind += room.lag() - lag;
        if !room.has(reach.head.seq) && !room.is_queued && self.queue.len() < QUEUE {
            (room.is_queued, room.failed) = (true, None);
            self.queue.push_back(reach.room);
        }
    }

    fn job(&self, id: RoomId) -> Option<Job> {
        let room = self.rooms.get(&id)?;
        let &Room { log, taken, is_checked, wanted, .. } = room;
        Some(Job { room: id, log, taken, is_checked, wanted })
    }

    fn followed(&mut self, id: RoomId, outcome: Result<(), StoreError>) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.failed = outcome.err();
        room.is_queued = room.failed.is_none() && !room.has(room.wanted);
        if room.is_queued {
            self.queue.push_back(id);
        }
    }
}
