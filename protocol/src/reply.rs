//! Replies: the one answer to a command.

use crate::code::WireError;
use crate::command::CommandId;
use crate::id::{RoomId, Seq, SessionId, Timestamp};
use crate::message::Message;
use crate::object::{Head, Member, ReadCursor, Room, User};
use crate::word::words;
use schemars::JsonSchema;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Serialize as DeriveSerialize};
use std::borrow::Cow;

/// The answer to one command: `{"id","ok"}` or `{"id","err"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Whose.
    pub id: CommandId,
    /// What came of it.
    pub outcome: Result<ReplyBody, WireError>,
}

impl Reply {
    /// Returns the answer that it was done.
    pub fn ok(id: CommandId, body: impl Into<ReplyBody>) -> Self {
        Self { id, outcome: Ok(body.into()) }
    }

    /// Returns the answer that it was not done.
    pub const fn err(id: CommandId, error: WireError) -> Self {
        Self { id, outcome: Err(error) }
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", &self.id)?;
        match &self.outcome {
            Ok(body) => map.serialize_entry("ok", body)?,
            Err(error) => map.serialize_entry("err", error)?,
        }
        map.end()
    }
}

impl JsonSchema for Reply {
    fn schema_name() -> Cow<'static, str> {
        "Reply".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        #[derive(JsonSchema)]
        #[schemars(untagged)]
        #[expect(dead_code, reason = "only its schema is used")]
        enum Either {
            /// It was done.
            Done { id: CommandId, ok: ReplyBody },
            /// It was not done.
            Refused { id: CommandId, err: WireError },
        }
        Either::json_schema(generator)
    }
}

/// What was done, by what was asked. Which one it is follows from the command.
#[derive(Clone, Debug, PartialEq, Eq, DeriveSerialize, JsonSchema)]
#[serde(untagged)]
pub enum ReplyBody {
    /// Done, and there is nothing to say.
    Empty {},
    /// To `auth`; also the event `ready`.
    Authenticated(Box<Authenticated>),
    /// To `ping`.
    Pong(Pong),
    /// To whatever gives one room.
    Room(Box<Room>),
    /// To `room.list`.
    Rooms(Rooms),
    /// To `room.open`.
    RoomOpened(Box<RoomOpened>),
    /// To `room.history`.
    History(Box<History>),
    /// To `member.list`.
    Members(Members),
    /// To `message.search`.
    Found(Found),
    /// To `message.send`.
    Sent(Sent),
    /// To whatever changes members.
    Written(Written),
}

macro_rules! bodies {
    ($($name:ident,)*) => {$(
        impl From<$name> for ReplyBody {
            fn from(body: $name) -> Self {
                Self::$name(body.into())
            }
        }
    )*};
}

bodies! {
    Authenticated, Pong, Room, Rooms, RoomOpened, History, Members, Found, Sent, Written,
}

impl From<Empty> for ReplyBody {
    fn from(Empty {}: Empty) -> Self {
        Self::Empty {}
    }
}

/// Nothing: what was asked was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// Who speaks on this connection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Authenticated {
    /// The user.
    pub user: User,
    /// The login.
    pub session: SessionId,
    /// The user's inbox, which is open from now on.
    pub inbox: RoomId,
    /// The connection ends then, unless it is given a fresh token.
    pub expires_at: Timestamp,
    /// As `status` of `room.open`, for the inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_status: Option<OpenStatus>,
    /// As `from` of `room.open`, for the inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_from: Option<Seq>,
}

/// The server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Pong {
    /// When the ping was answered.
    pub time: Timestamp,
}

/// A page of one's rooms.
#[derive(Clone, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Rooms {
    /// Newest activity first.
    pub rooms: Vec<Room>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Unread messages of all rooms, not only of this page.
    pub total_unread: u64,
}

words! {
    /// How a stream was joined.
    pub enum OpenStatus {
        /// Everything after the position follows.
        Replayed = "replayed",
        /// The position is too far back: fetch pages up to `from`.
        Reset = "reset",
    }
}

/// A room is heard from now on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct RoomOpened {
    /// How.
    pub status: OpenStatus,
    /// The newest position.
    pub head: Head,
    /// The position of the first event that follows; every one after it follows too.
    pub from: Seq,
    /// The room.
    pub room: Box<Room>,
    /// Where its members have read to, in rooms of up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Vec<ReadCursor>>,
}

/// A page of a room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct History {
    /// Ascending by position.
    pub messages: Vec<Message>,
    /// The newest position.
    pub head: Head,
    /// Whether there are older ones.
    pub more_before: bool,
    /// Whether there are newer ones.
    pub more_after: bool,
}

/// A page of members.
#[derive(Clone, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Members {
    /// Ascending by user id.
    pub members: Vec<Member>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A page of messages that were found.
#[derive(Clone, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Found {
    /// Newest first, as they are now.
    pub messages: Vec<Message>,
    /// Where the next page begins, if there may be one; this one may be short all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A message is durable, at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Its position.
    pub seq: Seq,
    /// Messages up to it.
    pub ord: u64,
    /// When it was ordered.
    pub at: Timestamp,
    /// It had been there before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

/// A change is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveSerialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Its position; of the newest event where nothing was left to change.
    pub seq: Seq,
}
