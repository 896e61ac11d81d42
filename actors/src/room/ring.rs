//! The newest events of a room, encoded: whoever resumes close to the head costs no read.

use rookery_engine::limits::{RING_BYTES, RING_EVENTS};
use rookery_protocol::{Change, Event, EventBody, Frame, Seq, UserId};
use std::collections::VecDeque;

/// A gapless run of events that ends at the room's head.
#[derive(Debug, Default)]
pub(super) struct Ring {
    frames: VecDeque<(Seq, usize, Frame)>,
    bytes: usize,
}

impl Ring {
    /// Adds the next event, whose body is about `bytes` long, and returns its frame.
    pub(super) fn push(&mut self, event: Event) -> Frame {
        let (seq, bytes) = (event.seq, weight(&event));
        let frame = Frame::event(event);
        debug_assert!(self.frames.back().is_none_or(|(last, ..)| last.next() == seq), "a ring has no gap");
        self.frames.push_back((seq, bytes, frame.clone()));
        self.bytes += bytes;
        while self.frames.len() > RING_EVENTS || (self.bytes > RING_BYTES && self.frames.len() > 1) {
            if let Some((_, freed, _)) = self.frames.pop_front() {
                self.bytes -= freed;
            }
        }
        frame
    }

    /// Takes the content of the message at `target` away, and that of its edits.
    pub(super) fn empty(&mut self, target: Seq) {
        for (seq, _, frame) in &mut self.frames {
            let Some(event) = frame.as_event() else { continue };
            let is_edit = event.target == Some(target) && matches!(event.body, EventBody::Edit(_));
            if *seq == target || is_edit {
                let event = event.clone();
                *frame = Frame::event(Event { body: event.body.clone().emptied(), ..event });
            }
        }
    }

    /// Returns the position of the oldest event kept, or `None` when nothing is.
    pub(super) fn first(&self) -> Option<Seq> {
        self.frames.front().map(|(seq, ..)| *seq)
    }

    /// Returns the position of the newest event kept that took `user` out of the room.
    pub(super) fn removal_of(&self, user: UserId) -> Option<Seq> {
        let events = self.frames.iter().rev().filter_map(|(.., frame)| frame.as_event());
        events.filter(|event| gone(event) == Some(user)).map(|event| event.seq).next()
    }

    /// Returns the events from `from` on, oldest first.
    pub(super) fn from(&self, from: Seq) -> impl Iterator<Item = &Frame> {
        self.frames.iter().filter(move |(seq, ..)| *seq >= from).map(|(.., frame)| frame)
    }
}

/// Returns who is no member any more after this event.
pub(super) fn gone(event: &Event) -> Option<UserId> {
    match &event.body {
        EventBody::Member(change) if matches!(change.change, Change::Removed | Change::Left) => {
            Some(change.user)
        }
        _ => None,
    }
}

/// Returns about how many bytes the event takes encoded: its text and a share for the rest.
pub(super) fn weight(event: &Event) -> usize {
    /// What an event takes besides its text: ids, keys, positions.
    const ENVELOPE: usize = 320;
    ENVELOPE + event.body.text_bytes()
}
