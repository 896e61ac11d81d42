//! What the server says unasked, read.

use rookery_protocol::{
    Authenticated, DecodeError, Event, Head, Hello, RawBody, RoomHead, RoomId, Seq, WireError,
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
    /// `error`.
    Error(WireError),
    /// `bye`.
    Bye {
        /// The close code that follows.
        code: u16,
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// Anything else.
    Other {
        /// Which.
        ev: String,
        /// What it says.
        body: RawBody,
    },
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
            "error" => Self::Error(body.read()?),
            "bye" => {
                let Bye { code, retry_after_ms } = body.read()?;
                Self::Bye { code, retry_after: retry_after_ms.map(Duration::from_millis) }
            }
            _ => Self::Other { ev, body },
        })
    }
}
