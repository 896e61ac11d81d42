//! The two codecs: JSON in text frames, MessagePack in binary ones. The only place that encodes and
//! decodes.
//!
//! A command is read in two passes over the bytes: first its id and op, then the fields of that op.
//! No tree is built in between, so what a stranger sends costs no more memory than its own size.

mod batch;
mod json;
mod lenient;
mod msgpack;
mod server;

pub use server::{RawBody, ServerFrame};

use crate::code::{ErrorCode, WireError};
use crate::command::{COMMAND_ID_MAX, Command, CommandId, Op};
use lenient::Lenient;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How frames are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Text frames; ids as text.
    Json,
    /// Binary frames; maps with the same keys, ids as 16 bytes.
    MessagePack,
}

/// Why own data could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// As JSON.
    #[error("encode as JSON")]
    Json(#[from] serde_json::Error),
    /// As MessagePack.
    #[error("encode as MessagePack")]
    MessagePack(#[from] rmp_serde::encode::Error),
}

/// Why bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They are not one value of this codec, or nest too deep, or are no command at all.
    #[error("read the frame: {0}")]
    Malformed(String),
    /// They are, but not of the shape asked for.
    #[error("read the fields: {message}")]
    Shape {
        /// What is wrong.
        message: String,
        /// The field, where it is known.
        field: Option<String>,
    },
}

/// What a frame held.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Its commands in their order; those that could not be understood by themselves among them.
    pub commands: Vec<Result<Command, Rejected>>,
}

/// A command that could not be understood; the connection goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// Its id, if that could be read.
    pub id: Option<CommandId>,
    /// What was wrong.
    pub error: WireError,
}

/// The first pass: what a command is called and what it asks.
#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Lenient<u64>,
    #[serde(default)]
    op: Lenient<String>,
}

impl Codec {
    /// Returns the name that clients ask for it by.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "rookery.v1.json",
            Self::MessagePack => "rookery.v1.msgpack",
        }
    }

    /// Returns the codec of this name.
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        [Self::Json, Self::MessagePack].into_iter().find(|codec| codec.subprotocol() == name)
    }

    /// Returns whether its frames are text frames.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Json)
    }

    /// Encodes one value.
    ///
    /// # Errors
    /// When the value has no form in this codec; own types always have one.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Json => Ok(serde_json::to_vec(value)?),
            Self::MessagePack => Ok(rmp_serde::to_vec_named(value)?),
        }
    }

    /// Decodes one value that takes all of `bytes`.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for bytes that are no value, [`DecodeError::Shape`] for another one.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self {
            Self::Json => json::decode(bytes),
            Self::MessagePack => msgpack::decode(bytes),
        }
    }

    /// Reads what a client has sent: a command, or a batch of at most 32.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] when the bytes are no value of this codec or no command at all: the
    /// connection cannot go on.
    pub fn decode_commands(self, bytes: &[u8]) -> Result<Incoming, DecodeError> {
        match self {
            Self::Json => json::check_depth(bytes)?,
            Self::MessagePack => msgpack::check(bytes)?,
        }
        match batch::split(self, bytes)? {
            None => Ok(Incoming { commands: vec![command(self, bytes)?] }),
            Some(Ok(parts)) => {
                let commands = parts.into_iter().map(|part| command(self, part)).collect::<Result<_, _>>()?;
                Ok(Incoming { commands })
            }
            Some(Err(error)) => Ok(Incoming { commands: vec![Err(Rejected { id: None, error })] }),
        }
    }
}

/// Reads one command: the outer error ends the connection, the inner one is its reply.
fn command(codec: Codec, bytes: &[u8]) -> Result<Result<Command, Rejected>, DecodeError> {
    let envelope: Envelope = codec.decode(bytes).map_err(|error| match error {
        DecodeError::Shape { message, .. } => DecodeError::Malformed(message),
        malformed @ DecodeError::Malformed(_) => malformed,
    })?;
    let id = match envelope.id {
        Lenient::Is(id) => CommandId::try_from(id).ok().filter(|id| (1..=COMMAND_ID_MAX).contains(id)),
        Lenient::Other | Lenient::Absent => None,
    };
    let reject = |error| Ok(Err(Rejected { id, error }));
    let Some(id) = id else {
        let why = format!("a command has an `id` from 1 to {COMMAND_ID_MAX}");
        return reject(WireError::new(ErrorCode::BadRequest, why).field("id"));
    };
    let Lenient::Is(name) = envelope.op else {
        return reject(WireError::new(ErrorCode::BadRequest, "a command has an `op`").field("op"));
    };
    match op(codec, &name, bytes) {
        Ok(op) => Ok(Ok(Command { id, op })),
        Err(error) => reject(error),
    }
}

/// The second pass: the fields of the op.
fn op(codec: Codec, name: &str, bytes: &[u8]) -> Result<Op, WireError> {
    Ok(match name {
        "ping" => Op::Ping,
        "auth" => Op::Auth(Box::new(args(codec, bytes)?)),
        "room.create" => Op::RoomCreate(Box::new(args(codec, bytes)?)),
        "room.direct" => Op::RoomDirect(args(codec, bytes)?),
        "room.get" => Op::RoomGet(args(codec, bytes)?),
        "room.update" => Op::RoomUpdate(Box::new(args(codec, bytes)?)),
        "room.list" => Op::RoomList(args(codec, bytes)?),
        "room.open" => Op::RoomOpen(args(codec, bytes)?),
        "room.close" => Op::RoomClose(args(codec, bytes)?),
        "room.history" => Op::RoomHistory(args(codec, bytes)?),
        "room.settings" => Op::RoomSettings(args(codec, bytes)?),
        "member.list" => Op::MemberList(args(codec, bytes)?),
        "member.add" => Op::MemberAdd(args(codec, bytes)?),
        "member.remove" => Op::MemberRemove(args(codec, bytes)?),
        "member.role" => Op::MemberRole(args(codec, bytes)?),
        "invite.create" => Op::InviteCreate(args(codec, bytes)?),
        "invite.revoke" => Op::InviteRevoke(args(codec, bytes)?),
        "invite.accept" => Op::InviteAccept(args(codec, bytes)?),
        "user.get" => Op::UserGet(args(codec, bytes)?),
        "user.search" => Op::UserSearch(args(codec, bytes)?),
        "user.block" => Op::UserBlock(args(codec, bytes)?),
        "profile.update" => Op::ProfileUpdate(Box::new(args(codec, bytes)?)),
        "message.send" => Op::MessageSend(Box::new(args(codec, bytes)?)),
        "message.edit" => Op::MessageEdit(Box::new(args(codec, bytes)?)),
        "message.delete" => Op::MessageDelete(args(codec, bytes)?),
        "reaction.set" => Op::ReactionSet(Box::new(args(codec, bytes)?)),
        "pin.set" => Op::PinSet(args(codec, bytes)?),
        "message.search" => Op::MessageSearch(Box::new(args(codec, bytes)?)),
        "read.mark" => Op::ReadMark(args(codec, bytes)?),
        "read.list" => Op::ReadList(args(codec, bytes)?),
        "delivered.mark" => Op::DeliveredMark(args(codec, bytes)?),
        "typing.set" => Op::TypingSet(args(codec, bytes)?),
        "presence.watch" => Op::PresenceWatch(args(codec, bytes)?),
        "presence.set" => Op::PresenceSet(args(codec, bytes)?),
        _ => {
            let shown: String = name.chars().take(64).collect();
            return Err(WireError::new(ErrorCode::UnknownOp, format!("there is no op `{shown}`")));
        }
    })
}

/// Where the fields of an op are; an op whose fields may all be absent needs none.
#[derive(Debug, Deserialize)]
struct Fields<T> {
    #[serde(default = "Option::default")]
    d: Option<T>,
}

fn args<T: DeserializeOwned>(codec: Codec, bytes: &[u8]) -> Result<T, WireError> {
    let fields = codec.decode::<Fields<T>>(bytes).and_then(|fields| match fields.d {
        Some(fields) => Ok(fields),
        None => match codec {
            Codec::Json => json::decode(b"{}"),
            Codec::MessagePack => msgpack::decode(msgpack::EMPTY_MAP),
        },
    });
    fields.map_err(|error| match error {
        DecodeError::Malformed(message) => WireError::new(ErrorCode::BadRequest, message),
        DecodeError::Shape { message, field } => {
            let error = WireError::new(ErrorCode::Invalid, message);
            match field {
                Some(field) => error.field(field),
                None => error,
            }
        }
    })
}

/// Names the field that a value of another shape has: its path, or the one that is missing.
fn shape(path: &str, message: String) -> DecodeError {
    let path =
        path.strip_prefix("d.").or(if path == "d" || path == "." { Some("") } else { None }).unwrap_or(path);
    let missing = message
        .split_once("missing field `")
        .and_then(|(_, rest)| rest.split_once('`'))
        .map(|(name, _)| name);
    let field = match (path, missing) {
        ("", None) => None,
        ("", Some(name)) => Some(name.to_owned()),
        (path, None) => Some(path.to_owned()),
        (path, Some(name)) => Some(format!("{path}.{name}")),
    };
    DecodeError::Shape { message, field }
}
