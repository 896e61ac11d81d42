//! The table of ops: each op's name on the wire, the struct of its fields and the one of its reply,
//! once. Decoding, documents and generated types all come from it.

use crate::codec::{DecodeError, RawBody};
use crate::command::{
    Auth, DeliveredMark, InviteAccept, InviteCreate, InviteRevoke, MemberAdd, MemberList, MemberRemove,
    MemberRole, MessageDelete, MessageEdit, MessageSearch, MessageSend, PinSet, PresenceSet, PresenceWatch,
    ProfileUpdate, ReactionSet, ReadList, ReadMark, RoomClose, RoomCreate, RoomDirect, RoomGet, RoomHistory,
    RoomList, RoomOpen, RoomSettings, RoomUpdate, TypingSet, UserBlock, UserGet, UserSearch,
};
use crate::object::{Room, RoomView, User};
use crate::reply::{
    Authenticated, Changed, Empty, Found, History, InviteCreated, Members, Pong, ReadMarked, Readers,
    ReplyBody, RoomOpened, Rooms, Sent, Set, Users, Watched, Written,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where the fields of an op are read from.
pub(crate) trait Fields {
    /// Why they cannot be read.
    type Error;

    /// Reads them as the struct of an op.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Self::Error>;
}

/// Makes the schema of a type, or a reference to it.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What documents and generated types say of an op.
#[derive(Clone, Copy, Debug)]
pub struct OpShape {
    /// Its name on the wire.
    pub name: &'static str,
    /// The type of `d`, by name and by schema; `None` where there are no fields.
    pub fields: Option<(&'static str, SchemaOf)>,
    /// The type of `ok` in its reply, by name and by schema.
    pub reply: (&'static str, SchemaOf),
}

/// Makes [`Op`] of the table: a variant has the name of its struct, boxed where that is large; after
/// the arrow stands what its reply holds.
macro_rules! ops {
    ($($name:literal => $variant:ident($fields:ty) -> $reply:ident,)+) => {
        /// What is asked; each variant holds the struct that says what it is.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        #[serde(tag = "op", content = "d")]
        pub enum Op {
            /// Asks for the server's time.
            #[serde(rename = "ping")]
            Ping,
            $(
                #[doc = concat!("`", $name, "`: see [`", stringify!($variant), "`].")]
                #[serde(rename = $name)]
                $variant($fields),
            )+
        }

        impl Op {
            /// The names of all ops, in the order of PROTOCOL.
            pub const NAMES: &'static [&'static str] = &["ping", $($name),+];

            /// What is said of each op, in the order of [`Op::NAMES`].
            pub const SHAPES: &'static [OpShape] = &[
                OpShape {
                    name: "ping",
                    fields: None,
                    reply: ("Pong", |generator| generator.subschema_for::<Pong>()),
                },
                $(OpShape {
                    name: $name,
                    fields: Some((stringify!($variant), |generator| generator.subschema_for::<$fields>())),
                    reply: (stringify!($reply), |generator| generator.subschema_for::<$reply>()),
                },)+
            ];

            /// Returns the op's name on the wire.
            pub const fn name(&self) -> &'static str {
                match self {
                    Self::Ping => "ping",
                    $(Self::$variant(_) => $name,)+
                }
            }

            /// Returns its place in [`Op::NAMES`], without a look at names.
            pub const fn index(&self) -> usize {
                enum Index { Ping, $($variant,)+ }
                (match self {
                    Self::Ping => Index::Ping,
                    $(Self::$variant(_) => Index::$variant,)+
                }) as usize
            }

            /// Reads the fields of the op of this name; `None` where there is no such op.
            pub(crate) fn read<F: Fields>(name: &str, fields: &F) -> Option<Result<Self, F::Error>> {
                Some(match name {
                    "ping" => Ok(Self::Ping),
                    $($name => fields.read().map(Self::$variant),)+
                    _ => return None,
                })
            }
        }

        impl ReplyBody {
            /// Reads what follows `ok` in the reply to the op of this name; `None` where there is no
            /// such op.
            pub fn read(op: &str, body: &RawBody) -> Option<Result<Self, DecodeError>> {
                Some(match op {
                    "ping" => body.read::<Pong>().map(Self::from),
                    $($name => body.read::<$reply>().map(Self::from),)+
                    _ => return None,
                })
            }
        }

        $(
            impl From<$variant> for Op {
                fn from(fields: $variant) -> Self {
                    Self::$variant(fields.into())
                }
            }
        )+
    };
}

ops! {
    "auth" => Auth(Box<Auth>) -> Authenticated,
    "room.create" => RoomCreate(Box<RoomCreate>) -> Room,
    "room.direct" => RoomDirect(RoomDirect) -> Room,
    "room.get" => RoomGet(RoomGet) -> Room,
    "room.update" => RoomUpdate(Box<RoomUpdate>) -> Room,
    "room.list" => RoomList(RoomList) -> Rooms,
    "room.open" => RoomOpen(RoomOpen) -> RoomOpened,
    "room.close" => RoomClose(RoomClose) -> Empty,
    "room.history" => RoomHistory(RoomHistory) -> History,
    "room.settings" => RoomSettings(RoomSettings) -> RoomView,
    "member.list" => MemberList(MemberList) -> Members,
    "member.add" => MemberAdd(MemberAdd) -> Written,
    "member.remove" => MemberRemove(MemberRemove) -> Written,
    "member.role" => MemberRole(MemberRole) -> Written,
    "invite.create" => InviteCreate(InviteCreate) -> InviteCreated,
    "invite.revoke" => InviteRevoke(InviteRevoke) -> Empty,
    "invite.accept" => InviteAccept(InviteAccept) -> Room,
    "user.get" => UserGet(UserGet) -> User,
    "user.search" => UserSearch(UserSearch) -> Users,
    "user.block" => UserBlock(UserBlock) -> Empty,
    "profile.update" => ProfileUpdate(Box<ProfileUpdate>) -> User,
    "message.send" => MessageSend(Box<MessageSend>) -> Sent,
    "message.edit" => MessageEdit(Box<MessageEdit>) -> Changed,
    "message.delete" => MessageDelete(MessageDelete) -> Changed,
    "reaction.set" => ReactionSet(Box<ReactionSet>) -> Set,
    "pin.set" => PinSet(PinSet) -> Set,
    "message.search" => MessageSearch(Box<MessageSearch>) -> Found,
    "read.mark" => ReadMark(ReadMark) -> ReadMarked,
    "read.list" => ReadList(ReadList) -> Readers,
    "delivered.mark" => DeliveredMark(DeliveredMark) -> Empty,
    "typing.set" => TypingSet(TypingSet) -> Empty,
    "presence.watch" => PresenceWatch(PresenceWatch) -> Watched,
    "presence.set" => PresenceSet(PresenceSet) -> Empty,
}
