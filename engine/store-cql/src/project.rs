//! What follows from a batch: worked out before it is appended, written after.
//!
//! | module | what |
//! |---|---|
//! | `needs` | what has to be known of a room to work it out, and reading that |
//! | `resolve` | plain code: a batch and what is known, to what is to be put where |
//! | `settle` | putting it |
//!
//! Before a batch is appended, everything up to the expected head has been put; what is read then holds at
//! exactly that head if the append succeeds, and is of no matter if it does not. What is to be put is absolute
//! (no counts to add to) and stands in the log beside the head that it follows from, as its [`Tail`]. So
//! anybody can put it, at any time, again and again, more than one at once.

mod needs;
mod resolve;
mod settle;

pub(crate) use needs::Known;
pub(crate) use resolve::{Resolved, resolve};
pub(crate) use settle::settle;

use crate::bucket::Bucket;
use rookery_engine::store::{Membership, RoomRecord};
use rookery_protocol::{ClientId, FileId, Head, Role, RoomId, RoomKind, Seq, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What follows from the newest batch of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tail {
    /// Where the log stands after it.
    pub(crate) standing: Standing,
    /// What is to be put where.
    pub(crate) puts: Vec<Put>,
}

/// Where a room's log stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The newest position.
    pub(crate) head: Head,
    /// The bucket of the newest batch.
    pub(crate) bucket: Bucket,
    /// The newest message.
    pub(crate) newest: Option<Newest>,
}

/// The newest message of a room as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Newest {
    pub(crate) seq: Seq,
    pub(crate) by: UserId,
    /// How it begins; empty where it has no text, or none any more.
    pub(crate) text: String,
}

/// A room's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    kind: RoomKind,
    title: Option<String>,
    about: Option<String>,
    avatar: Option<String>,
    created_at: Timestamp,
    members: u64,
    pub(crate) rev: Seq,
}

impl From<RoomRecord> for Record {
    fn from(record: RoomRecord) -> Self {
        let RoomRecord { room: _, kind, title, about, avatar, created_at, members, rev } = record;
        Self { kind, title, about, avatar, created_at, members, rev }
    }
}

impl Record {
    /// Returns it as the description of `room`.
    pub(crate) fn of(self, room: RoomId) -> RoomRecord {
        let Self { kind, title, about, avatar, created_at, members, rev } = self;
        RoomRecord { room, kind, title, about, avatar, created_at, members, rev }
    }
}

/// What became of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The newest change.
    pub(crate) rev: Seq,
    /// When it was edited, and the body then, as JSON.
    pub(crate) edited: Option<(Timestamp, String)>,
    pub(crate) is_deleted: bool,
    pub(crate) is_pinned: bool,
    /// How many users have set each emoji; in the order of their bytes.
    pub(crate) reactions: BTreeMap<String, u64>,
    /// Whom it mentions; everybody is `None`.
    pub(crate) mentions: Vec<Option<UserId>>,
}

/// One thing that is to be somewhere. Putting it again changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Put {
    /// The event at a position has a name.
    Name { by: UserId, client_id: ClientId, seq: Seq, ord: u64, at: Timestamp },
    /// The room's description.
    Record(Record),
    /// A membership.
    Member { user: UserId, role: Option<Role>, joined: Seq, joined_ord: u64, rev: Seq },
    /// A user has read up to there.
    Read { user: UserId, seq: Seq, ord: u64 },
    /// Whether the message at `seq` mentions a user, or everybody.
    Mention { user: Option<UserId>, seq: Seq, is_live: bool },
    /// What became of the message at `seq`.
    State { seq: Seq, state: State },
    /// Whether a user has set an emoji on the message at `seq`.
    Reaction { seq: Seq, user: UserId, emoji: String, is_live: bool },
    /// The event at `seq` is an edit of the message at `target`.
    Edit { target: Seq, seq: Seq },
    /// The bodies of these events of a bucket are gone; of each, whether it is a change.
    Emptied { bucket: Bucket, events: Vec<(bool, Seq)> },
    /// A notice, written by the batch that ends at the standing.
    Notice { user: UserId, room: RoomId, seq: Seq, kind: String, by: UserId, at: Timestamp },
    /// The message at `seq` carries these files as of `rev`.
    Attach { seq: Seq, files: Vec<FileId>, rev: Seq },
    /// The bucket before is finished, with this head: what followed from its newest batch is no more needed.
    Finished { bucket: Bucket, head: Seq },
}

impl From<Membership> for Put {
    fn from(membership: Membership) -> Self {
        let Membership { room: _, user, role, joined, joined_ord, rev } = membership;
        Self::Member { user, role, joined, joined_ord, rev }
    }
}
