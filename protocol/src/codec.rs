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

use crate::bounded;
use crate::code::{ErrorCode, WireError};
use crate::command::{COMMAND_ID_MAX, Command, CommandId};
use crate::op::{Fields, Op};
use lenient::Lenient;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Characters of a peer's own words that a refusal repeats.
const SHOWN_CHARS: usize = 64;

/// Characters of a decoder's message that a refusal repeats, and of the path to a field; both may quote the peer at
/// any length.
const MESSAGE_CHARS: usize = 200;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its commands in their order; those that could not be understood by themselves among them.
    pub commands: Vec<Result<Command, Rejected>>,
}

/// A command that could not be understood; the connection goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    let Object(envelope): Object<Envelope> = codec.decode(bytes).map_err(|error| match error {
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
    match Op::read(&name, &Args { codec, command: bytes }) {
        Some(Ok(op)) => Ok(Ok(Command { id, op })),
        Some(Err(error)) => reject(error),
        None => {
            let shown: String = name.chars().take(SHOWN_CHARS).collect();
            reject(WireError::new(ErrorCode::UnknownOp, format!("there is no op `{shown}`")))
        }
    }
}

/// The second pass: where the fields of an op are.
struct Args<'a> {
    codec: Codec,
    command: &'a [u8],
}

/// A command without its id and op; an op whose fields may all be absent needs none.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct ArgsOf<T> {
    #[serde(default)]
    d: Option<Object<T>>,
}

/// A struct that is an object on the wire, and not an array of its fields' values.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Object<T>(#[serde(deserialize_with = "bounded::object")] T);

impl Fields for Args<'_> {
    type Error = WireError;

    fn read<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        let none = match self.codec {
            Codec::Json => b"{}".as_slice(),
            Codec::MessagePack => msgpack::EMPTY_MAP,
        };
        let args = self.codec.decode::<ArgsOf<T>>(self.command);
        let args = args.and_then(|args| args.d.map_or_else(|| self.codec.decode(none), |d| Ok(d.0)));
        args.map_err(|error| match error {
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
}

/// Names the field that a value of another shape has: its path, or the one that is missing.
fn shape(path: &str, message: &str) -> DecodeError {
    // The place in the frame says nothing to whoever has not written the frame by hand.
    let message = message.split_once(" at line ").map_or(message, |(message, _)| message);
    let message: String = message.chars().take(MESSAGE_CHARS).collect();
    let path =
        path.strip_prefix("d.").or(if path == "d" || path == "." { Some("") } else { None }).unwrap_or(path);
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let field = match (path, missing) {
        ("", None) => None,
        ("", Some(name)) => Some(name.to_owned()),
        (path, None) => Some(path.chars().take(MESSAGE_CHARS).collect()),
        (path, Some(name)) => Some(format!("{path}.{name}")),
    };
    DecodeError::Shape { message, field }
}
