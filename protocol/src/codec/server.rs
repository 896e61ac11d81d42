//! Reading what the server says, for clients: first what kind of frame it is, later what is in it.

use super::{Codec, DecodeError, json, msgpack};
use crate::code::WireError;
use crate::command::CommandId;
use crate::server_event::ServerEvent;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// A frame of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFrame {
    /// The reply to a command that was done.
    Ok {
        /// Whose.
        id: CommandId,
        /// What came of it.
        body: RawBody,
    },
    /// The reply to a command that was not done.
    Err {
        /// Whose.
        id: CommandId,
        /// Why.
        error: WireError,
    },
    /// An event.
    Event {
        /// Which.
        ev: String,
        /// What it says.
        body: RawBody,
    },
}

/// The content of a frame, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBody {
    codec: Codec,
    frame: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Shape {
    #[serde(default)]
    id: Option<CommandId>,
    #[serde(default)]
    ev: Option<String>,
    #[serde(default)]
    ok: Option<IgnoredAny>,
    #[serde(default)]
    err: Option<WireError>,
}

#[derive(Debug, Deserialize)]
struct Content<T> {
    #[serde(alias = "ok")]
    d: T,
}

impl Codec {
    /// Reads a frame of the server.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode_server(self, bytes: &[u8]) -> Result<ServerFrame, DecodeError> {
        match self {
            Self::Json => json::check_depth(bytes)?,
            Self::MessagePack => msgpack::check(bytes)?,
        }
        let shape: Shape = self.decode(bytes)?;
        let body = || RawBody { codec: self, frame: bytes.to_vec() };
        match shape {
            Shape { id: Some(id), ok: Some(_), err: None, .. } => Ok(ServerFrame::Ok { id, body: body() }),
            Shape { id: Some(id), err: Some(error), ok: None, .. } => Ok(ServerFrame::Err { id, error }),
            Shape { ev: Some(ev), id: None, .. } => Ok(ServerFrame::Event { ev, body: body() }),
            _ => Err(DecodeError::Malformed("it is neither a reply nor an event".to_owned())),
        }
    }
}

impl RawBody {
    /// Reads the content as `T`: the `ok` of a reply, the `d` of an event.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.codec.decode::<Content<T>>(&self.frame).map(|content| content.d)
    }

    /// Reads the whole frame as an event.
    ///
    /// # Errors
    /// When it is a reply, or an event that this version does not know.
    pub fn event(&self) -> Result<ServerEvent, DecodeError> {
        self.codec.decode(&self.frame)
    }
}
