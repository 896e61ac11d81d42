//! Server events: what the server says unasked, `{"ev","d"}`.

use crate::code::{CloseCode, WireError};
use crate::event::Event;
use crate::id::{RoomId, Seq, Timestamp, UserId};
use crate::limits::{AUTH_WITHIN_MS, Limits, PING_EVERY_MS};
use crate::object::{Head, Presence, Preview, ReadCursor, Typing};
use crate::reply::Authenticated;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Something that the server says unasked.
///
/// Reading one from MessagePack takes `ev` before `d`, as the server writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "ev", content = "d")]
pub enum ServerEvent {
    /// The first thing on every connection.
    #[serde(rename = "hello")]
    Hello(Box<Hello>),
    /// The ticket was good; as the reply to `auth`.
    #[serde(rename = "ready")]
    Ready(Box<Authenticated>),
    /// Something durable happened in an open room.
    #[serde(rename = "room.event")]
    RoomEvent(Box<Event>),
    /// This user is no member of the room any more; nothing after `seq` follows.
    #[serde(rename = "room.removed")]
    RoomRemoved {
        /// Which room.
        room: RoomId,
        /// The last position that the membership covers.
        seq: Seq,
    },
    /// This reader was too slow: the room is closed for it, and it opens it again from its position.
    #[serde(rename = "room.lagged")]
    RoomLagged {
        /// Which room.
        room: RoomId,
        /// Its newest position.
        head: Head,
    },
    /// Something happened in a room of this user's that is not open.
    #[serde(rename = "room.head")]
    RoomHead(Box<RoomHead>),
    /// How far this user has read, on another device.
    #[serde(rename = "read.me")]
    ReadMe {
        /// Where.
        room: RoomId,
        /// Up to here.
        read: Seq,
        /// Messages after it.
        unread: u64,
        /// Of those, the ones that mention this user.
        mentions: u64,
    },
    /// How far members have read.
    #[serde(rename = "read")]
    Read(Marks),
    /// How far messages have arrived.
    #[serde(rename = "delivered")]
    Delivered(Marks),
    /// Somebody is typing, or no more.
    #[serde(rename = "typing")]
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Begun or ended.
        on: bool,
        /// What is being made.
        kind: Typing,
    },
    /// Watched users came, went or changed.
    #[serde(rename = "presence")]
    Presence {
        /// Each with its new state.
        users: Vec<Presence>,
    },
    /// What this peer sent could not be used, and cannot be answered by a reply.
    #[serde(rename = "error")]
    Error(WireError),
    /// The server is about to close the connection, which may be opened again.
    #[serde(rename = "bye")]
    Bye {
        /// The close code that follows.
        code: u16,
        /// Why.
        reason: String,
        /// Milliseconds to wait before coming back; full jitter where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u32>,
        /// Another server to come back to, as scheme and host; the same one where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
}

/// What a client has to know before it says anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Hello {
    /// Name and version.
    pub server: String,
    /// Which node.
    pub node: String,
    /// Its wall time.
    pub time: Timestamp,
    /// Silence after which the server pings.
    pub ping_every_ms: u64,
    /// The time for `auth`.
    pub auth_within_ms: u64,
    /// The bounds that concern clients.
    pub limits: Limits,
}

/// The news of a room that is not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomHead {
    /// Which room.
    pub room: RoomId,
    /// Its newest position.
    pub head: Head,
    /// Messages not read.
    pub unread: u64,
    /// Of those, the ones that mention this user.
    pub mentions: u64,
    /// The newest message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// How far members have come: by name in small rooms, counted in large ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Marks {
    /// Who has come where.
    Named {
        /// The room.
        room: RoomId,
        /// The members that moved.
        marks: Vec<ReadCursor>,
    },
    /// How many have come so far.
    Counted {
        /// The room.
        room: RoomId,
        /// The position.
        through: Seq,
        /// The members at it or past it.
        count: u64,
    },
}

impl<'de> Deserialize<'de> for Marks {
    /// By what is there: serde's own way of telling forms apart forgets that MessagePack is a binary
    /// format, in which ids are bytes.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Either {
            room: RoomId,
            marks: Option<Vec<ReadCursor>>,
            through: Option<Seq>,
            count: Option<u64>,
        }
        match Either::deserialize(deserializer)? {
            Either { room, marks: Some(marks), .. } => Ok(Self::Named { room, marks }),
            Either { room, through: Some(through), count: Some(count), .. } => {
                Ok(Self::Counted { room, through, count })
            }
            _ => Err(D::Error::custom("neither `marks` nor `through` and `count`")),
        }
    }
}

impl ServerEvent {
    /// Returns the greeting of `node` at `time`.
    pub fn hello(node: &str, time: Timestamp) -> Self {
        Self::Hello(Box::new(Hello {
            server: concat!("rookery/", env!("CARGO_PKG_VERSION")).to_owned(),
            node: node.to_owned(),
            time,
            ping_every_ms: PING_EVERY_MS,
            auth_within_ms: AUTH_WITHIN_MS,
            limits: Limits::CURRENT,
        }))
    }

    /// Returns the farewell before a close with `code`.
    pub fn bye(code: CloseCode, retry_after_ms: Option<u32>) -> Self {
        Self::Bye { code: code.as_u16(), reason: code.reason().to_owned(), retry_after_ms, url: None }
    }

    /// Returns the farewell of a server that goes down, with when and where to come back.
    pub fn move_to(url: Option<String>, retry_after_ms: u32) -> Self {
        let code = CloseCode::Draining;
        let retry_after_ms = Some(retry_after_ms);
        Self::Bye { code: code.as_u16(), reason: code.reason().to_owned(), retry_after_ms, url }
    }
}
