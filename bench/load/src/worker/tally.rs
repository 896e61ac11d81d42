//! What is counted: of each message its ack and its deliveries, and of each second how much went by.

use super::connection::{Connection, Unanswered};
use super::order::{Flow, Report, RoomToLoad, Window};
use super::publish::Publishing;
use crate::clock;
use crate::result::{Cpu, Recorder};
use crate::usage::of_this_thread;
use crate::verify::{Faults, Heard};
use crate::wire::peek::Id;
use crate::wire::stamp::Stamped;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use uuid::Uuid;

/// Ids are random at their end, which is hash enough.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(end) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*end);
        }
    }

    // The length of the id is no part of it.
    fn write_usize(&mut self, _: usize) {}
}

/// A room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) id: Uuid,
    is_timed: bool,
    /// The greatest position known.
    head: u64,
    /// Subscribers on this worker that read.
    expected: u32,
    /// The position of the first of `fans`.
    base: u64,
    fans: VecDeque<Fan>,
}

/// One message and its deliveries.
#[derive(Clone, Copy, Debug, Default)]
struct Fan {
    /// The hash of its text; 0 where it is not known.
    hash: u64,
    due: u64,
    last: u64,
    seen: u32,
    /// Who sent it and has not been told that it is done; 0 for nobody, else 1 and the publisher.
    publisher: u32,
}

/// See the file's description.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) rooms: Vec<Room>,
    by_id: HashMap<Id, u32, BuildHasherDefault<IdHasher>>,
    pub(super) faults: Faults,
    pub(super) whole: Flow,
    pub(super) broken: u64,
    pub(super) resumed: u64,
    /// Events of rooms that were not told of: of inboxes.
    pub(super) of_inboxes: u64,
    noticed: BTreeMap<String, u64>,
    window: Window,
    /// CPU and flow when the window began, and what of both was in it.
    began: Option<(Cpu, Flow)>,
    ended: Option<(Cpu, Flow)>,
    delivery: Recorder,
    ack: Recorder,
    late: u64,
    seconds: BTreeMap<u64, (u64, u64, u64)>,
    second: (u64, Flow),
}

impl Tally {
    pub(super) fn add_rooms(&mut self, rooms: &[RoomToLoad]) {
        for &RoomToLoad { id, is_timed } in rooms {
            self.by_id.insert(id.into_bytes(), u32::try_from(self.rooms.len()).unwrap_or(u32::MAX));
            self.rooms.push(Room { id, is_timed, head: 0, expected: 0, base: 0, fans: VecDeque::new() });
        }
    }

    /// Returns the number of a room.
    pub(super) fn room(&self, id: Id) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Counts who is to hear what is sent from now on.
    pub(super) fn expect_all(&mut self, connections: &[Connection]) {
        self.rooms.iter_mut().for_each(|room| room.expected = 0);
        for connection in connections.iter().filter(|connection| connection.hears()) {
            for subscription in &connection.subscriptions {
                self.rooms[subscription.room as usize].expected += 1;
            }
        }
    }

    pub(super) fn measure(&mut self, window: Window) {
        self.window = window;
        self.began = None;
        self.ended = None;
        self.delivery.clear();
        self.ack.clear();
        self.late = 0;
    }

    /// Looks whether the window begins or ends, and whether a second is over.
    pub(super) fn turn(&mut self, now: u64) {
        if self.began.is_none() && now >= self.window.from {
            self.began = Some((of_this_thread(), self.whole));
        }
        if let Some((cpu, flow)) = self.began
            && self.ended.is_none()
            && now >= self.window.until
        {
            self.ended = Some((of_this_thread() - cpu, self.whole.since(flow)));
        }
        let second = now / clock::SECOND;
        if second != self.second.0 {
            let passed = self.whole.since(self.second.1);
            if self.second.0 > 0 && (passed.sent, passed.acked, passed.deliveries) != (0, 0, 0) {
                self.seconds.insert(self.second.0, (passed.sent, passed.acked, passed.deliveries));
            }
            self.second = (second, self.whole);
        }
    }

    /// Notes something that is to be told.
    pub(super) fn notice(&mut self, what: &str) {
        match self.noticed.get_mut(what) {
            Some(times) => *times += 1,
            None => drop(self.noticed.insert(what.to_owned(), 1)),
        }
    }

    pub(super) fn sent(&mut self, due: u64, now: u64) {
        self.whole.sent += 1;
        if self.window.holds(due) {
            self.late = self.late.max(now.saturating_sub(due));
        }
    }

    /// Counts one delivery; returns whose message is done with it.
    pub(super) fn deliver(
        &mut self,
        room: u32,
        seq: u64,
        heard: Heard,
        stamped: Option<Stamped>,
        now: u64,
    ) -> Option<u32> {
        self.whole.deliveries += 1;
        let Stamped { stamp, hash } = stamped?;
        let window = self.window;
        let room = &mut self.rooms[room as usize];
        let expected = room.expected;
        let is_timed = room.is_timed;
        let fan = room.fan(seq)?;
        if fan.hash != 0 && fan.hash != hash {
            self.faults.damaged += 1;
            return None;
        }
        if heard == Heard::Again {
            return None;
        }
        fan.hash = hash;
        fan.due = stamp.due;
        fan.last = now;
        fan.seen += 1;
        if is_timed && window.holds(stamp.due) {
            self.delivery.note_us(now.saturating_sub(stamp.due) / 1_000);
        }
        fan.done(expected)
    }

    /// Counts one ack; returns whose message is done with it.
    pub(super) fn ack(&mut self, send: &Unanswered, seq: u64, now: u64) -> Option<u32> {
        self.whole.acked += 1;
        let room = &mut self.rooms[send.room as usize];
        if room.is_timed && self.window.holds(send.due) {
            self.ack.note_us(now.saturating_sub(send.due) / 1_000);
        }
        let expected = room.expected;
        let fan = room.fan(seq)?;
        if fan.hash != 0 && fan.hash != send.hash {
            self.faults.damaged += 1;
        }
        fan.hash = send.hash;
        fan.due = send.due;
        fan.publisher = send.publisher + 1;
        fan.done(expected)
    }

    /// Returns the greatest position known of each room in which something happened.
    pub(super) fn heads(&self) -> Vec<(u32, u64)> {
        (0..)
            .zip(&self.rooms)
            .filter(|(_, room)| room.head > 0)
            .map(|(number, room)| (number, room.head))
            .collect()
    }

    pub(super) fn report(&mut self, connections: &[Connection], publishing: &Publishing) -> Report {
        let fans = (0..).zip(&self.rooms).flat_map(|(number, room)| {
            let fans = (room.base..).zip(&room.fans).filter(|(_, fan)| fan.hash != 0);
            fans.map(move |(seq, fan)| (number, seq, fan.due, fan.last, fan.seen, fan.hash))
        });
        // A window without an end ends now.
        let so_far = |(cpu, flow)| (of_this_thread() - cpu, self.whole.since(flow));
        let (cpu, window) = self.ended.or(self.began.map(so_far)).unwrap_or_default();
        Report {
            faults: self.faults,
            window,
            whole: self.whole,
            delivery: self.delivery.latency(),
            ack: self.ack.latency(),
            late_us: self.late / 1_000,
            noticed: self.noticed.clone(),
            broken: self.broken,
            resumed: self.resumed,
            there: connections.iter().filter(|connection| connection.hears()).count() as u64,
            fans: fans.collect(),
            seconds: self.seconds.clone(),
            cpu,
            unanswered: publishing.unanswered(),
            unsent: publishing.unsent(),
        }
    }
}

impl Room {
    /// Returns what is known of the message at `seq`; `None` for one before those that are kept.
    fn fan(&mut self, seq: u64) -> Option<&mut Fan> {
        self.head = self.head.max(seq);
        if self.fans.is_empty() {
            self.base = seq;
        }
        // A message that was sent later may be heard of before one that was sent earlier.
        while seq < self.base && self.base - seq <= 1_000 {
            self.fans.push_front(Fan::default());
            self.base -= 1;
        }
        let at = usize::try_from(seq.checked_sub(self.base)?).ok()?;
        if at >= self.fans.len() {
            self.fans.resize(at + 1, Fan::default());
        }
        self.fans.get_mut(at)
    }
}

impl Fan {
    /// Returns the sender of what is acked and has reached everybody, once.
    fn done(&mut self, expected: u32) -> Option<u32> {
        if self.seen < expected {
            return None;
        }
        std::mem::take(&mut self.publisher).checked_sub(1)
    }
}

impl Flow {
    /// Returns what went by since.
    const fn since(self, before: Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            acked: self.acked - before.acked,
            deliveries: self.deliveries - before.deliveries,
            reads: self.reads - before.reads,
            bytes_in: self.bytes_in - before.bytes_in,
            bytes_out: self.bytes_out - before.bytes_out,
        }
    }
}

/// Returns whether a connection has heard its rooms up to these heads, or is not there to hear them.
pub(super) fn has_all(connection: &Connection, heads: &[(u32, u64)]) -> bool {
    connection.stops
        || head_of_each(connection, heads)
            .all(|(place, head)| connection.subscriptions[place].position.has_all(head))
}

/// Counts what a connection has not heard up to these heads.
pub(super) fn close(connection: &mut Connection, heads: &[(u32, u64)], faults: &mut Faults) {
    if !connection.stops {
        for (place, head) in head_of_each(connection, heads).collect::<Vec<_>>() {
            connection.subscriptions[place].position.close(head, faults);
        }
    }
}

/// Returns the place of each of a connection's rooms that has a head, and that head.
fn head_of_each(connection: &Connection, heads: &[(u32, u64)]) -> impl Iterator<Item = (usize, u64)> {
    connection.subscriptions.iter().enumerate().filter_map(|(place, open)| {
        // A stream that never began is a connection that never came, which is told apart.
        open.position.last()?;
        let at = heads.binary_search_by_key(&open.room, |(room, _)| *room).ok()?;
        Some((place, heads[at].1))
    })
}
