//! A client's journal: what it sent and what it saw, in the order in which that happened to it.
//!
//! One JSON Lines file a client. Its first line says whose it is ([`Owner`]), each further line is
//! an [`Entry`]. The final read of a room is a file of the same make ([`RoomLog`]). Nothing here
//! judges: that is the [checker](crate::checker).

mod content;
mod file;
mod room_log;
mod shown;

pub use content::{Content, ContentHash, Said};
pub use file::{JournalReader, JournalWriter, RoomLogFile};
pub use room_log::{Logged, LoggedKind, RoomLog};
pub use shown::{Cursor, Shown, Standing};

use rookery_protocol::{ClientId, ErrorCode, Event, RoomId, Seq, UserId};
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
    /// A message or a change of one was sent. A client that sends several again does so in their
    /// first order.
    Send {
        /// To where.
        room: RoomId,
        /// The name of the message or the change.
        cid: ClientId,
        /// 1, then one more with each repetition.
        attempt: u32,
        /// Of what was sent.
        hash: ContentHash,
        /// What it says, if it is a message or an edit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Said>,
    },
    /// The answer: it is in the log.
    Ack {
        /// Where.
        room: RoomId,
        /// Which message.
        cid: ClientId,
        /// Its place.
        seq: Seq,
        /// Messages up to it; of a message only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ord: Option<u64>,
        /// It was there before this attempt, the answer says.
        duplicate: bool,
    },
    /// The answer: it was so already, and this attempt wrote nothing.
    Kept {
        /// Where.
        room: RoomId,
        /// Which change.
        cid: ClientId,
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
        /// When it was asked for.
        #[serde(default)]
        asked: u64,
    },
    /// An event came over the stream.
    Recv(Sighting),
    /// An entry was on a page of history.
    Read(Box<Shown>),
    /// A mark was sent.
    Mark {
        /// Which room.
        room: RoomId,
        /// Of what.
        cursor: Cursor,
        /// Up to where.
        seq: Seq,
    },
    /// The server said how far this user has come.
    Stand(Standing),
    /// `typing.set` was sent.
    Type {
        /// Which room.
        room: RoomId,
    },
    /// Somebody was said to be typing, or no more.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// A member was said to have come so far.
    Progress {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// In what.
        cursor: Cursor,
        /// Up to where.
        seq: Seq,
    },
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
    /// Of its content, but for what it says.
    pub hash: ContentHash,
    /// Of what it says; `None` where it says nothing, or nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<ContentHash>,
}

impl From<&Event> for Sighting {
    fn from(event: &Event) -> Self {
        let content = Content::from(event);
        Self {
            room: event.room,
            seq: event.seq,
            ord: event.ord,
            cid: event.client_id,
            hash: content.hash(),
            body: content.said().map(|said| said.body),
        }
    }
}
