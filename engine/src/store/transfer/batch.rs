//! A piece of a log with what it implies, cut from the log as it is now.

use crate::limits::{BATCH_BYTES, BATCH_EVENTS};
use crate::store::{Append, Membership, Projection, RoomRecord};
use rookery_protocol::{Event, EventBody, FileId, Mention, MessageBody, RoomId, Seq, UserId};
use serde::{Deserialize, Serialize};

/// A piece of a room's log: at least one event, gapless, of at most [`BATCH_EVENTS`].
///
/// It is not a batch that was appended once, but one that comes to the same: content that was taken away is
/// away, and what the store keeps beside the events is there as it is now, with the event that it follows
/// from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Whose log.
    pub room: RoomId,
    /// Its events, ascending.
    pub events: Vec<Event>,
    /// What of them the events themselves do not say.
    pub implied: Vec<Implied>,
}

/// What follows from events and cannot be told from them alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Implied {
    /// As [`Projection::Room`].
    Room(RoomRecord),
    /// As [`Projection::Member`].
    Member(Membership),
    /// As [`Projection::Mention`].
    Mention {
        /// Who; everybody without it.
        user: Option<UserId>,
        /// Where.
        seq: Seq,
    },
    /// As [`Projection::Attach`]; files that are doomed are not among `files`, which ascend.
    Attach {
        /// Which message.
        seq: Seq,
        /// All of its files.
        files: Vec<FileId>,
        /// Position of the event that this follows from.
        rev: Seq,
    },
}

impl Implied {
    /// Returns what it is ordered by in a batch: the same in every store.
    fn order(&self) -> (u8, Seq, Option<UserId>) {
        match self {
            Self::Room(record) => (0, record.rev, None),
            Self::Member(member) => (1, member.rev, Some(member.user)),
            Self::Mention { user, seq } => (2, *seq, *user),
            Self::Attach { seq, .. } => (3, *seq, None),
        }
    }

    fn projection(&self) -> Projection {
        match self {
            Self::Room(record) => Projection::Room(record.clone()),
            Self::Member(membership) => Projection::Member(*membership),
            Self::Mention { user, seq } => Projection::Mention { user: *user, seq: *seq },
            Self::Attach { seq, files, rev } => {
                Projection::Attach { seq: *seq, files: files.clone(), rev: *rev }
            }
        }
    }
}

/// What a store is asked about some events of a room, all of it by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The room's record, if its `rev` is one of these: [`Implied::Room`].
    pub records: Vec<Seq>,
    /// The membership of this user, if its `rev` is this: [`Implied::Member`].
    pub members: Vec<(UserId, Seq)>,
    /// Whether the message there mentions this user, or everybody: [`Implied::Mention`]; ascending, each once.
    pub mentions: Vec<(Seq, Option<UserId>)>,
    /// The files of the message there, if they are as of this position: [`Implied::Attach`].
    pub files: Vec<(Seq, Seq)>,
}

impl Asked {
    /// Returns what is to be asked about `events`.
    pub fn about(events: &[Event]) -> Self {
        let mut asked = Self::default();
        for event in events {
            let target = event.target.unwrap_or(event.seq);
            match &event.body {
                EventBody::Message(body) => {
                    asked.mentions(body, target);
                    if !body.attachments.is_empty() {
                        asked.files.push((target, event.seq));
                    }
                }
                EventBody::Edit(edit) => {
                    asked.mentions(&edit.body, target);
                    asked.files.push((target, event.seq));
                }
                EventBody::Delete(_) => asked.files.push((target, event.seq)),
                EventBody::Member(change) => {
                    asked.members.push((change.user, event.seq));
                    asked.records.push(event.seq);
                }
                EventBody::Room(_) => asked.records.push(event.seq),
                EventBody::Reaction(_) | EventBody::Pin(_) | EventBody::Emptied(_) => {}
            }
        }
        asked.mentions.sort_unstable();
        asked.mentions.dedup();
        asked
    }

    fn mentions(&mut self, body: &MessageBody, target: Seq) {
        self.mentions.extend(body.mentions.iter().map(|mention| match mention {
            Mention::All => (target, None),
            Mention::User(user) => (target, Some(*user)),
        }));
    }

    /// Returns whether nothing is asked.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.members.is_empty()
            && self.mentions.is_empty()
            && self.files.is_empty()
    }
}

impl Batch {
    /// Cuts the first batch off `events`, of which there is at least one. Where it ends follows from the
    /// events alone, so the same log is always cut the same way.
    pub(super) fn cut(mut events: Vec<Event>) -> Vec<Event> {
        let mut bytes = 0;
        let fits = |event: &&Event| {
            bytes += event.body.text_bytes();
            bytes <= BATCH_BYTES
        };
        let count = events.iter().take(BATCH_EVENTS).take_while(fits).count();
        events.truncate(count.max(1));
        events
    }

    /// Returns the batch of `events` with what a store holds of them.
    pub(super) fn new(room: RoomId, events: Vec<Event>, mut implied: Vec<Implied>) -> Self {
        implied.sort_by_key(Implied::order);
        Self { room, events, implied }
    }

    /// Returns the position of its newest event.
    pub fn newest(&self) -> Seq {
        self.events.last().map_or(Seq::ZERO, |event| event.seq)
    }

    /// Returns the files that its messages carry.
    pub(super) fn files(&self) -> impl Iterator<Item = FileId> {
        let files = self.implied.iter().map(|implied| match implied {
            Implied::Attach { files, .. } => files.as_slice(),
            Implied::Room(_) | Implied::Member(_) | Implied::Mention { .. } => &[],
        });
        files.flatten().copied()
    }

    /// Returns the append that brings a store without these events to where the exporting store was:
    /// first what the events say themselves, then what is implied as it was in the end.
    ///
    /// A mention is told again with each edit of its message, since an edit forgets all that was mentioned
    /// before it.
    pub fn append(&self) -> Append {
        let changes = self.events.iter().filter_map(change);
        let projections = changes.chain(self.implied.iter().map(Implied::projection)).collect();
        let first = self.events.first().map_or(Seq::ZERO, |event| event.seq);
        let expected = Seq(first.0.saturating_sub(1));
        Append { room: self.room, expected, events: self.events.as_slice().into(), projections }
    }
}

/// Returns what an event says became of its target. An edit whose content is gone says nothing: what took
/// the content is a delete of the same message, which is in the log behind it.
fn change(event: &Event) -> Option<Projection> {
    let (target, rev) = (event.target?, event.seq);
    Some(match &event.body {
        EventBody::Edit(edit) => {
            Projection::Edited { target, rev, at: event.at, body: Box::new(edit.body.clone()) }
        }
        EventBody::Delete(_) => Projection::Deleted { target, rev },
        EventBody::Reaction(reaction) => Projection::Reacted {
            target,
            rev,
            user: event.by,
            emoji: reaction.emoji.clone(),
            on: reaction.on,
        },
        EventBody::Pin(pin) => Projection::Pinned { target, rev, on: pin.on },
        EventBody::Message(_) | EventBody::Member(_) | EventBody::Room(_) | EventBody::Emptied(_) => {
            return None;
        }
    })
}
