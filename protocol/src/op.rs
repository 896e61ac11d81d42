//! The table of ops: each op's name on the wire and the struct of its fields, once.

use crate::command::{
    Auth, DeliveredMark, InviteAccept, InviteCreate, InviteRevoke, MemberAdd, MemberList, MemberRemove,
    MemberRole, MessageDelete, MessageEdit, MessageSearch, MessageSend, PinSet, PresenceSet, PresenceWatch,
    ProfileUpdate, ReactionSet, ReadList, ReadMark, RoomClose, RoomCreate, RoomDirect, RoomGet, RoomHistory,
    RoomList, RoomOpen, RoomSettings, RoomUpdate, TypingSet, UserBlock, UserGet, UserSearch,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where the fields of an op are read from.
pub(crate) trait Fields {
    /// Why they cannot be read.
    type Error;

    /// Reads them as the struct of an op.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Self::Error>;
}

/// Makes [`Op`] of the table: a variant has the name of its struct, boxed where that is large.
macro_rules! ops {
    ($($name:literal => $variant:ident($fields:ty),)+) => {
        /// What is asked; each variant holds the struct that says what it is.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

            /// Returns the op's name on the wire.
            pub const fn name(&self) -> &'static str {
                match self {
                    Self::Ping => "ping",
                    $(Self::$variant(_) => $name,)+
                }
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
    "auth" => Auth(Box<Auth>),
    "room.create" => RoomCreate(Box<RoomCreate>),
    "room.direct" => RoomDirect(RoomDirect),
    "room.get" => RoomGet(RoomGet),
    "room.update" => RoomUpdate(Box<RoomUpdate>),
    "room.list" => RoomList(RoomList),
    "room.open" => RoomOpen(RoomOpen),
    "room.close" => RoomClose(RoomClose),
    "room.history" => RoomHistory(RoomHistory),
    "room.settings" => RoomSettings(RoomSettings),
    "member.list" => MemberList(MemberList),
    "member.add" => MemberAdd(MemberAdd),
    "member.remove" => MemberRemove(MemberRemove),
    "member.role" => MemberRole(MemberRole),
    "invite.create" => InviteCreate(InviteCreate),
    "invite.revoke" => InviteRevoke(InviteRevoke),
    "invite.accept" => InviteAccept(InviteAccept),
    "user.get" => UserGet(UserGet),
    "user.search" => UserSearch(UserSearch),
    "user.block" => UserBlock(UserBlock),
    "profile.update" => ProfileUpdate(Box<ProfileUpdate>),
    "message.send" => MessageSend(Box<MessageSend>),
    "message.edit" => MessageEdit(Box<MessageEdit>),
    "message.delete" => MessageDelete(MessageDelete),
    "reaction.set" => ReactionSet(Box<ReactionSet>),
    "pin.set" => PinSet(PinSet),
    "message.search" => MessageSearch(Box<MessageSearch>),
    "read.mark" => ReadMark(ReadMark),
    "read.list" => ReadList(ReadList),
    "delivered.mark" => DeliveredMark(DeliveredMark),
    "typing.set" => TypingSet(TypingSet),
    "presence.watch" => PresenceWatch(PresenceWatch),
    "presence.set" => PresenceSet(PresenceSet),
}
