//! A client's journal: what it sent and what it saw, in the order in which that happened to it.
//!
//! One JSON Lines file a client. Its first line says whose it is ([`Owner`]), each further line is
//! an [`Entry`]. The final read of a room is a file of the same make ([`RoomLog`]). Nothing here
//! judges: that is the [checker](crate::checker).

mod content;
mod file;
mod room_log;

pub use content::{Content, ContentHash};
pub use file::{JournalReader, JournalWriter, RoomLogFile};
pub use room_log::{Logged, LoggedKind, RoomLog};

use rookery_protocol::{ClientId, ErrorCode, RoomId, Seq, UserId};
use serde::{Deserialize, Serialize};

/// Whose journal it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The client's name, for people.
    pub client: String,
    /// Whom it speaks for; two clients of one user have two journals.
    pub user: UserId,
}

/// One thing that happened to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When: nanoseconds of a clock that all journals of a run share and that never goes back. A
    /// send is stamped before it is written, everything that arrives after it was read.
    pub t: u64,
    /// On which of the client's connections, counted from 1.
    pub conn: u32,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Act {
    /// A message was sent. A client that sends several again does so in their first order.
    Send {
        /// To where.
        room: RoomId,
        /// The name of the message.
        cid: ClientId,
        /// 1, then one more with each repetition.
        attempt: u32,
        /// Of what was sent.
        hash: ContentHash,
    },
    /// The answer: it is in the log.
    Ack {
        /// Where.
        room: RoomId,
        /// Which message.
        cid: ClientId,
        /// Its place.
        seq: Seq,
        /// Messages up to it.
        ord: u64,
        /// It was there before this attempt.
        duplicate: bool,
    },
    /// The answer: this attempt was refused.
    Nack {
        /// Where.
        room: RoomId,
        /// Which message.
        cid: ClientId,
        /// Why.
        code: ErrorCode,
    },
    /// The client waits no longer for the answer to this attempt. (Of attempts on a connection
    /// that has ended nothing need be said.)
    Timeout {
        /// Where.
        room: RoomId,
        /// Which message.
        cid: ClientId,
    },
    /// `room.open` was answered.
    Open {
        /// Which room.
        room: RoomId,
        /// The position that was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Seq>,
        /// Whether the position was too far back.
        reset: bool,
        /// The first event that follows.
        from: Seq,
        /// The room's newest position at that moment.
        head: Seq,
    },
    /// An event came over the stream.
    Recv(Sighting),
    /// An event was on a page of history.
    Read(Sighting),
    /// The stream ended: the client was too slow.
    Lagged {
        /// Of which room.
        room: RoomId,
    },
    /// The stream ended: the user is no member any more.
    Removed {
        /// Of which room.
        room: RoomId,
        /// Nothing follows after this position.
        seq: Seq,
    },
    /// `room.close` was answered.
    Close {
        /// Which room.
        room: RoomId,
    },
    /// `member.add` was answered.
    Join {
        /// Which room.
        room: RoomId,
        /// Who was added.
        user: UserId,
        /// Where it is, or was already, in the log.
        seq: Seq,
    },
    /// `member.remove` was answered.
    Leave {
        /// Which room.
        room: RoomId,
        /// Who was removed or left.
        user: UserId,
        /// Where it is in the log.
        seq: Seq,
    },
    /// The connection ended.
    Closed {
        /// The close code; `None` when it just ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
}

/// An event as a client saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Of which room.
    pub room: RoomId,
    /// Its place.
    pub seq: Seq,
    /// Messages up to it.
    pub ord: u64,
    /// The name its sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<ClientId>,
    /// Of its content.
    pub hash: ContentHash,
}
