//! What waits to be told: frames in their order, values, and how many frames there were for whom.
//!
//! A frame that is refused is counted all the same, so that those who do not get it hear of a loss.

use crate::envelope::{Envelope, HEADER, Kind, counts};
use crate::hearing::forget;
use bytes::Bytes;
use rookery_engine::bus::{NodeId, Peer};
use rookery_engine::limits::{BUS_FRAME, BUS_VALUE, BUS_WAITING_BYTES, BUS_WAITING_FRAMES};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// Values in one batch: with their keys at most 1 MiB.
const BATCH_VALUES: usize = 1000;

/// Frames in one batch; where Redis answers in 0.1 ms, 512 of them are far beyond what it takes a second.
const BATCH_FRAMES: usize = 512;

/// Bytes of frames in one batch, which has to pass within the time of one request.
const BATCH_BYTES: usize = BUS_FRAME;

/// Keys that were changed while Redis was away, above which all is kept again instead.
const CHANGED_KEYS: usize = 65_536;

/// For whom something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    One(NodeId),
    All,
}

/// What is told together, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Whether all that is kept goes first.
    pub(crate) clears: bool,
    /// Keys with their values, `None` where they have none any more.
    pub(crate) values: Vec<(Uuid, Option<Bytes>)>,
    /// Envelopes.
    pub(crate) frames: Vec<(To, Vec<u8>)>,
}

/// The queue between the port's methods, which never wait, and a session.
#[derive(Debug)]
pub(crate) struct Outgoing {
    me: NodeId,
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// The session that takes frames, while there is one.
    session: Option<u32>,
    is_closed: bool,
    frames: VecDeque<(To, Vec<u8>)>,
    bytes: usize,
    broadcasts: u64,
    directs: HashMap<NodeId, u64>,
    own: HashMap<Uuid, Bytes>,
    changed: HashSet<Uuid>,
    clears: bool,
}

impl Outgoing {
    pub(crate) fn new(me: NodeId) -> Self {
        Self { me, waiting: Mutex::default(), wake: Notify::new() }
    }

    /// Queues a frame. Returns whether it is.
    pub(crate) fn frame(&self, to: To, frame: Bytes) -> bool {
        if frame.len() > BUS_FRAME {
            return false;
        }
        let mut waiting = self.lock();
        let (kind, directs) = match to {
            To::One(node) => {
                let directs = waiting.directs.entry(node).or_default();
                *directs += 1;
                (Kind::One, *directs)
            }
            To::All => {
                waiting.broadcasts += 1;
                (Kind::All, 0)
            }
        };
        let has_room = waiting.frames.len() < BUS_WAITING_FRAMES
            && waiting.bytes + frame.len() <= BUS_WAITING_BYTES
            && !waiting.is_closed;
        let is_queued = has_room && waiting.push(self.me, to, kind, directs, frame);
        drop(waiting);
        self.wake.notify_one();
        is_queued
    }

    /// Queues how many frames there were so far.
    pub(crate) fn beacon(&self, kind: Kind) {
        let mut waiting = self.lock();
        let said = counts(waiting.directs.iter());
        waiting.push(self.me, To::All, kind, 0, said);
        drop(waiting);
        self.wake.notify_one();
    }

    /// Keeps a value, or takes it away.
    pub(crate) fn value(&self, key: Uuid, value: Option<Bytes>) {
        let mut waiting = self.lock();
        match value.filter(|value| value.len() <= BUS_VALUE) {
            Some(value) => drop(waiting.own.insert(key, value)),
            None => drop(waiting.own.remove(&key)),
        }
        waiting.changed.insert(key);
        if waiting.changed.len() > CHANGED_KEYS.max(waiting.own.len()) {
            waiting.keep_all();
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Takes frames from now on, and tells all values again.
    pub(crate) fn open(&self, session: u32) {
        let mut waiting = self.lock();
        waiting.session = Some(session);
        let Waiting { own, changed, .. } = &mut *waiting;
        changed.extend(own.keys());
        drop(waiting);
        self.wake.notify_one();
    }

    /// Takes no frames any more, and forgets those that wait.
    pub(crate) fn interrupt(&self) {
        let mut waiting = self.lock();
        (waiting.session, waiting.bytes) = (None, 0);
        waiting.frames.clear();
    }

    /// Takes no frames any more, for good; those that wait stay.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Forgets how many frames there were for nodes that are not there, once they are many.
    pub(crate) fn keep(&self, peers: &[Peer]) {
        forget(&mut self.lock().directs, peers);
    }

    /// Returns what is to be told next, empty where nothing is. No frame overtakes a value that was kept
    /// before it.
    pub(crate) fn take(&self) -> Batch {
        let mut waiting = self.lock();
        let Waiting { own, changed, .. } = &mut *waiting;
        let next: Vec<Uuid> = changed.iter().take(BATCH_VALUES).copied().collect();
        let mut batch = Batch::default();
        for key in next {
            changed.remove(&key);
            batch.values.push((key, own.get(&key).cloned()));
        }
        batch.clears = std::mem::take(&mut waiting.clears);
        if waiting.changed.is_empty() {
            batch.frames = waiting.take_frames();
        }
        batch
    }

    /// Waits until something is to be told.
    ///
    /// # Cancel safety
    /// Safe. It may return although [`Outgoing::take`] has been called since.
    pub(crate) async fn filled(&self) {
        loop {
            let is_filled = {
                let waiting = self.lock();
                !waiting.frames.is_empty() || !waiting.changed.is_empty() || waiting.clears
            };
            if is_filled {
                return;
            }
            self.wake.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Returns whether there is a session to take it.
    fn push(&mut self, from: NodeId, to: To, kind: Kind, directs: u64, frame: Bytes) -> bool {
        let Some(session) = self.session else { return false };
        let broadcasts = self.broadcasts;
        self.bytes += frame.len();
        let envelope = Envelope { kind, session, from, broadcasts, directs, frame };
        self.frames.push_back((to, envelope.encode()));
        true
    }

    fn take_frames(&mut self) -> Vec<(To, Vec<u8>)> {
        let (mut count, mut bytes) = (0, 0);
        for (_, frame) in self.frames.iter().take(BATCH_FRAMES) {
            bytes += frame.len();
            if count > 0 && bytes > BATCH_BYTES {
                break;
            }
            count += 1;
        }
        let frames: Vec<_> = self.frames.drain(..count).collect();
        self.bytes -= frames.iter().map(|(_, frame)| frame.len() - HEADER).sum::<usize>();
        frames
    }

    /// Clears what is kept in Redis and keeps all of it again.
    fn keep_all(&mut self) {
        self.clears = true;
        self.changed = self.own.keys().copied().collect();
    }
}

#[cfg(test)]
mod tests;
