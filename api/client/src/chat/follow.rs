//! A followed room: its position, whether it is open, and what a reset left to pages.

use rookery_protocol::{Message, OpenStatus, RoomOpened, Seq};
use std::time::Duration;
use tokio::time::Instant;

/// The wait before a room that could not be opened for now is tried again, where the server named
/// none.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Followed {
    /// The last event that was seen.
    pub(super) position: Option<Seq>,
    pub(super) state: Stream,
    pub(super) owed: Option<Owed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// To be opened at that time.
    Closed(Option<Instant>),
    Opening,
    Open,
}

/// Pages that are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    /// Read up to here.
    pub(super) after: Seq,
    /// The first position that came over the stream.
    pub(super) before: Seq,
    /// When to ask for the next page; `None` while one is under way.
    pub(super) ask_at: Option<Instant>,
}

impl Followed {
    pub(super) fn new(position: Option<Seq>) -> Self {
        Self { position, state: Stream::Closed(None), owed: None }
    }

    /// Returns when the room has something to ask, if that is not at once.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let open_at = if let Stream::Closed(time) = self.state { time } else { None };
        let page_at = self.owed.and_then(|owed| owed.ask_at);
        open_at.into_iter().chain(page_at).min()
    }

    /// The connection ended.
    pub(super) fn disconnected(&mut self) {
        self.state = Stream::Closed(None);
        if let Some(owed) = &mut self.owed {
            owed.ask_at = Some(Instant::now());
        }
    }

    pub(super) fn opened(&mut self, after: Option<Seq>, opened: &RoomOpened) {
        self.state = Stream::Open;
        if opened.status == OpenStatus::Reset {
            // Pages that are owed from an earlier reset go on to this one's end.
            let after = self.owed.map_or(after.unwrap_or(Seq::ZERO), |owed| owed.after);
            let ask_at = self.owed.map_or(Some(Instant::now()), |owed| owed.ask_at);
            self.owed = Some(Owed { after, before: opened.from, ask_at });
        }
        self.position = Some(Seq(opened.from.0.saturating_sub(1)));
    }

    /// Takes an event of the stream. Returns whether it is the one that was due.
    pub(super) fn take(&mut self, seq: Seq) -> bool {
        let is_due = self.position.is_some_and(|position| position.next() == seq);
        if is_due {
            self.position = Some(seq);
        }
        is_due
    }

    /// Takes a page, and returns those of its messages that were owed.
    pub(super) fn page(&mut self, messages: Vec<Message>) -> Vec<Message> {
        let Some(owed) = &mut self.owed else { return Vec::new() };
        owed.ask_at = Some(Instant::now());
        let is_owed = |message: &Message| message.event.seq > owed.after && message.event.seq < owed.before;
        let messages: Vec<Message> = messages.into_iter().filter(is_owed).collect();
        match messages.last().map(|last| last.event.seq) {
            Some(last) if last.next() < owed.before => owed.after = last,
            _ => self.owed = None,
        }
        messages
    }
}
