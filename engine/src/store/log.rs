//! The log half of the store port: compare-and-append and reading back.

use super::Notice;
use super::{Answer, Membership, RoomRecord, StoreError};
use crate::limits::BATCH_EVENTS;
use rookery_protocol::{ClientId, Event, FileId, Head, Message, MessageBody, RoomId, Seq, Timestamp, UserId};
use std::sync::Arc;

/// A batch for one room: its events and what they imply, applied as one.
#[derive(Clone, Debug)]
pub struct Append {
    /// Whose log.
    pub room: RoomId,
    /// The head that the batch was built on: `events[0].seq` is the next position.
    pub expected: Seq,
    /// At least one event, gapless, of at most [`crate::limits::BATCH_EVENTS`].
    pub events: Arc<[Event]>,
    /// What the events imply, in their order.
    pub projections: Arc<[Projection]>,
}

impl Append {
    /// Checks what a store relies on: the events are this room's, at least one and not too many, and
    /// gapless from the expected head on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the caller has built it wrong, which no retry mends.
    pub fn check(&self) -> Result<(), StoreError> {
        let positions = self.expected.0.saturating_add(1)..;
        let in_place = |(event, seq): (&Event, u64)| event.room == self.room && event.seq.0 == seq;
        if self.events.is_empty() || self.events.len() > BATCH_EVENTS {
            return Err(StoreError::Refused(format!("a batch of {} events", self.events.len())));
        }
        if !self.events.iter().zip(positions).all(in_place) {
            return Err(StoreError::Refused(format!(
                "a batch that does not follow position {}",
                self.expected
            )));
        }
        Ok(())
    }
}

/// One thing that events imply, kept for reading. Writing one again changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Projection {
    /// The room's description, as of `RoomRecord::rev`; an older one never replaces a newer.
    Room(RoomRecord),
    /// One user's membership, as of `Membership::rev`; an older one never replaces a newer.
    Member(Membership),
    /// A user has read up to `seq`, where `ord` messages had been written. Only moves forward.
    Read {
        /// Who.
        user: UserId,
        /// Up to where.
        seq: Seq,
        /// Messages up to there.
        ord: u64,
    },
    /// The message at `seq` mentions `user`, or everybody when `None`.
    Mention {
        /// Who.
        user: Option<UserId>,
        /// Where.
        seq: Seq,
    },
    /// The message at `target` says this now. Whom it mentioned is forgotten: whom it mentions now
    /// follows as [`Projection::Mention`].
    Edited {
        /// Which message.
        target: Seq,
        /// Position of the edit.
        rev: Seq,
        /// When it was edited.
        at: Timestamp,
        /// What it says.
        body: Box<MessageBody>,
    },
    /// The content of the message at `target` is gone: from its event, from those of its edits, with
    /// its reactions, its pin and its mentions. Nothing after it changes the message any more.
    Deleted {
        /// Which message.
        target: Seq,
        /// Position of the delete.
        rev: Seq,
    },
    /// `user` has set `emoji` on the message at `target`, or taken it off.
    Reacted {
        /// Which message.
        target: Seq,
        /// Position of the reaction.
        rev: Seq,
        /// Who.
        user: UserId,
        /// What.
        emoji: String,
        /// Set or taken off.
        on: bool,
    },
    /// The message at `target` was pinned, or unpinned.
    Pinned {
        /// Which message.
        target: Seq,
        /// Position of the pin.
        rev: Seq,
        /// Set or taken off.
        on: bool,
    },
    /// Somebody is to find this in the inbox; kept until [`super::Notices::forget_notices`].
    Notice(Notice),
    /// The message at `seq` carries exactly these files as of `rev`, and no longer those it carried
    /// before; an older `rev` never replaces a newer. Files that are not known are left out. One that
    /// nothing refers to any more is garbage from then on.
    Attach {
        /// Which message.
        seq: Seq,
        /// All of its files; none after it was deleted.
        files: Vec<FileId>,
        /// Position of the event that this follows from: the message itself, its edit or its delete.
        rev: Seq,
    },
}

/// Why a batch was not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The head is not the expected one: somebody appended. Nothing of the batch was applied by
    /// this call, but an earlier call with the same batch may have applied it.
    #[error("append after position {expected}: the head is at {head}")]
    Stale {
        /// What the batch was built on.
        expected: Seq,
        /// What the head is.
        head: Seq,
    },
    /// The head is the expected one, but an event of the batch is in the log already under the
    /// `client_id` that its sender gave it; [`Log::find`] says where. Nothing of the batch was
    /// applied.
    #[error("append what {by} wrote before as {client_id}")]
    Duplicate {
        /// Whose event.
        by: UserId,
        /// Its name.
        client_id: ClientId,
    },
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which part of a log is read. All bounds are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The oldest events after this position.
    After(Seq),
    /// The newest events before this position.
    Before(Seq),
}

/// Where a write that a client named is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its position.
    pub seq: Seq,
    /// Messages up to it.
    pub ord: u64,
    /// When it was ordered.
    pub at: Timestamp,
}

/// The logs of all rooms.
pub trait Log {
    /// Appends a batch if the room's head is `append.expected`; a room without events has head 0.
    ///
    /// `Ok` means durable: the events are in the log at their final place, their
    /// `(room, by, client_id)` can be found, and the projections are readable. All or nothing.
    ///
    /// # Errors
    /// [`AppendError::Stale`] when the head is another one (also where the batch itself was applied
    /// by an earlier call); [`AppendError::Duplicate`] when a named event is there already; otherwise
    /// the three outcomes of [`StoreError`].
    fn append(&self, append: Append) -> Answer<'_, (), AppendError>;

    /// Reads at most `limit` events, ascending by position. A read that starts after an append was
    /// answered sees it.
    fn read(&self, room: RoomId, range: Range, limit: usize) -> Answer<'_, Vec<Event>>;

    /// Reads at most `limit` entries of a page as they are now, ascending by position: every event
    /// that is not a change of another one, with what its changes made of it. `reader` is whose own
    /// reactions are told. `quoted` is left out.
    fn page(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Answer<'_, Vec<Message>>;

    /// Reads the entries at these positions as they are now, as [`Log::page`] does, ascending and
    /// each once; what is no entry is left out.
    fn messages<'a>(&'a self, room: RoomId, seqs: &'a [Seq], reader: UserId) -> Answer<'a, Vec<Message>>;

    /// Finds what `by` wrote in `room` under `client_id`, for as long as the event is kept.
    fn find(&self, room: RoomId, by: UserId, client_id: ClientId) -> Answer<'_, Option<Receipt>>;

    /// Returns the room's newest position, or `None` for a room without events.
    fn head(&self, room: RoomId) -> Answer<'_, Option<Head>>;
}
