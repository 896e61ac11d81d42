//! What the server says unasked, read.

use rookery_protocol::{
    Authenticated, DecodeError, Event, Head, Hello, Marks, RawBody, ReadMarked, RoomHead, RoomId, Seq,
    UserId, WireError,
};
use serde::Deserialize;
use std::time::Duration;

/// An event of the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// `hello`.
    Hello(Box<Hello>),
    /// `ready`.
    Ready(Box<Authenticated>),
    /// `room.event`.
    Event(Box<Event>),
    /// A `room.event` of a type that this client does not know: a position without content.
    Position {
        /// Of which room.
        room: RoomId,
        /// Where.
        seq: Seq,
    },
    /// `room.removed`.
    Removed {
        /// From which room.
        room: RoomId,
        /// Nothing follows after it.
        seq: Seq,
    },
    /// `room.lagged`.
    Lagged {
        /// In which room.
        room: RoomId,
        /// Its newest position.
        head: Head,
    },
    /// `room.head`.
    RoomHead(Box<RoomHead>),
    /// `read.me`, `read`, `delivered` or `typing`.
    Signal(Box<Signal>),
    /// `error`.
    Error(WireError),
    /// `bye`.
    Bye {
        /// The close code that follows.
        code: u16,
        /// When to come back.
        retry_after: Option<Duration>,
        /// Where to, as it was told.
        url: Option<String>,
    },
    /// Anything else.
    Other {
        /// Which.
        ev: String,
        /// What it says.
        body: RawBody,
    },
}

/// What is said once and never repeated: how far members are, who is typing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `read.me`: how far this user has read on another device.
    ReadMe {
        /// Where.
        room: RoomId,
        /// How far.
        marked: ReadMarked,
    },
    /// `read`: how far members have read.
    Read(Marks),
    /// `delivered`: how far messages have arrived.
    Delivered(Marks),
    /// `typing`.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Begun or ended.
        on: bool,
    },
}

#[derive(Deserialize)]
struct Room {
    room: RoomId,
}

#[derive(Deserialize)]
struct Typing {
    room: RoomId,
    user: UserId,
    on: bool,
}

#[derive(Deserialize)]
struct Position {
    room: RoomId,
    seq: Seq,
}

#[derive(Deserialize)]
struct Lagged {
    room: RoomId,
    head: Head,
}

#[derive(Deserialize)]
struct Bye {
    code: u16,
    #[serde(default)]
    retry_after_ms: Option<u64>,
    #[serde(default)]
    url: Option<String>,
}

impl Notice {
    /// Reads the event `ev`.
    pub(crate) fn read(ev: String, body: RawBody) -> Result<Self, DecodeError> {
        Ok(match ev.as_str() {
            "room.event" => {
                if let Ok(event) = body.read() {
                    Self::Event(Box::new(event))
                } else {
                    let Position { room, seq } = body.read()?;
                    Self::Position { room, seq }
                }
            }
            "hello" => Self::Hello(Box::new(body.read()?)),
            "ready" => Self::Ready(Box::new(body.read()?)),
            "room.removed" => {
                let Position { room, seq } = body.read()?;
                Self::Removed { room, seq }
            }
            "room.lagged" => {
                let Lagged { room, head } = body.read()?;
                Self::Lagged { room, head }
            }
            "room.head" => Self::RoomHead(Box::new(body.read()?)),
            "read.me" => {
                let Room { room } = body.read()?;
                Self::Signal(Box::new(Signal::ReadMe { room, marked: body.read()? }))
            }
            "read" => Self::Signal(Box::new(Signal::Read(body.read()?))),
            "delivered" => Self::Signal(Box::new(Signal::Delivered(body.read()?))),
            "typing" => {
                let Typing { room, user, on } = body.read()?;
                Self::Signal(Box::new(Signal::Typing { room, user, on }))
            }
            "error" => Self::Error(body.read()?),
            "bye" => {
                let Bye { code, retry_after_ms, url } = body.read()?;
                Self::Bye { code, retry_after: retry_after_ms.map(Duration::from_millis), url }
            }
            _ => Self::Other { ev, body },
        })
    }
}
