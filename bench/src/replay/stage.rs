//! What all players share: the rooms, what was said where, how fast it went, and how far it is.

use super::cluster::Disturbed;
use hdrhistogram::Histogram;
use rookery_protocol::{ClientId, ErrorCode, Op, RoomId, Seq, UserId};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::SetOnce;
use tokio::time::Instant;

/// Significant digits of the latencies: two, which is within 1 %.
const DIGITS: u8 = 2;

/// The longest latency that is told from longer ones, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// The shared state of a replay.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The rooms, in the order of their scripts.
    pub(crate) rooms: Vec<RoomId>,
    /// Every player's user, in the order of the cast.
    pub(crate) users: Vec<UserId>,
    /// For each room, where each step's message is; `None` once it is known not to be anywhere.
    places: Vec<Vec<SetOnce<Option<Seq>>>>,
    /// When the journals' clock began.
    begun: Instant,
    done: AtomicU64,
    ledger: Mutex<Ledger>,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// When each message was first sent.
    sent_at: HashMap<ClientId, Instant>,
    /// Microseconds from the first attempt to the answer.
    pub(crate) acked: Histogram<u64>,
    /// Microseconds from the first attempt to each delivery.
    pub(crate) delivered: Histogram<u64>,
    /// What was refused for good, by error code.
    pub(crate) refused: HashMap<String, u64>,
    /// Changes of what was deleted meanwhile, and marks of who had left.
    pub(crate) too_late: u64,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
    /// Servers that stood still beyond their lease and woke while there was something to do.
    pub(crate) pauses: u64,
    /// Writes that those tried, and that were refused.
    pub(crate) refused_on_waking: u64,
}

impl Stage {
    pub(crate) fn new(rooms: Vec<RoomId>, users: Vec<UserId>, steps: &[usize]) -> Self {
        let places =
            steps.iter().map(|steps| std::iter::repeat_with(SetOnce::new).take(*steps).collect()).collect();
        let histogram = || Histogram::new_with_max(LONGEST, DIGITS).expect("the bounds are a histogram's");
        let ledger = Ledger {
            sent_at: HashMap::new(),
            acked: histogram(),
            delivered: histogram(),
            refused: HashMap::new(),
            too_late: 0,
            faults: BTreeMap::new(),
            pauses: 0,
            refused_on_waking: 0,
        };
        Self {
            rooms,
            users,
            places,
            begun: Instant::now(),
            done: AtomicU64::new(0),
            ledger: Mutex::new(ledger),
        }
    }

    /// Returns the index of a room that is played, if it is one.
    pub(crate) fn room(&self, room: RoomId) -> Option<usize> {
        self.rooms.iter().position(|played| *played == room)
    }

    /// Returns a moment as the journals write it.
    pub(crate) fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Notes that a step has come to its end, and for a message where it is.
    pub(crate) fn finish(&self, room: usize, step: usize, place: Option<Seq>) {
        // A step ends once; that it ended before is found by the checker as a second ack.
        let _ = self.places[room][step].set(place);
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until a step has come to its end and returns where its message is.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn place(&self, room: usize, step: usize) -> Option<Seq> {
        *self.places[room][step].wait().await
    }

    /// Returns how many steps have come to their end.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self, message: ClientId, at: Instant) {
        self.ledger().sent_at.entry(message).or_insert(at);
    }

    pub(crate) fn acked(&self, message: ClientId) {
        let mut ledger = self.ledger();
        if let Some(micros) = ledger.micros(message) {
            ledger.acked.saturating_record(micros);
        }
    }

    pub(crate) fn delivered(&self, message: ClientId) {
        let mut ledger = self.ledger();
        if let Some(micros) = ledger.micros(message) {
            ledger.delivered.saturating_record(micros);
        }
    }

    /// Notes that something was refused for good. That a message which is deleted cannot be changed is
    /// no fault; nor is that who has left cannot mark.
    pub(crate) fn refused(&self, op: &Op, code: ErrorCode) {
        let is_late = matches!(
            op,
            Op::MessageEdit(_)
                | Op::MessageDelete(_)
                | Op::ReactionSet(_)
                | Op::PinSet(_)
                | Op::ReadMark(_)
                | Op::DeliveredMark(_)
        );
        let mut ledger = self.ledger();
        if is_late && code == ErrorCode::NotFound {
            ledger.too_late += 1;
        } else {
            *ledger.refused.entry(code.to_string()).or_default() += 1;
        }
    }

    /// Notes what went wrong, and whether there was still something to do after it.
    pub(crate) fn disturbed(&self, disturbed: Disturbed, is_playing: bool) {
        let mut ledger = self.ledger();
        *ledger.faults.entry(disturbed.what).or_default() += 1;
        if let Some(refused) = disturbed.refused_on_waking.filter(|_| is_playing) {
            ledger.pauses += 1;
            ledger.refused_on_waking += refused;
        }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn micros(&self, message: ClientId) -> Option<u64> {
        let since: Duration = self.sent_at.get(&message)?.elapsed();
        Some(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}
