//! Commands: what a client asks, one struct an op (PROTOCOL sections 1 to 5).
//!
//! Fields that are not known are ignored. A list is read only up to its bound.

mod member;
mod message;
mod room;
mod signal;
mod user;

pub use member::{InviteAccept, InviteCreate, InviteRevoke, MemberAdd, MemberList, MemberRemove, MemberRole};
pub use message::{MessageDelete, MessageEdit, MessageSearch, MessageSend, PinSet, ReactionSet};
pub use room::{
    RoomClose, RoomCreate, RoomDirect, RoomGet, RoomHistory, RoomList, RoomOpen, RoomSettings, RoomUpdate,
};
pub use signal::{DeliveredMark, PresenceSet, PresenceWatch, ReadList, ReadMark, TypingSet};
pub use user::{Auth, ProfileUpdate, UserBlock, UserGet, UserSearch};

use crate::op::Op;
use schemars::JsonSchema;
use serde::Serialize;

/// Names a command on its connection: 1 to 2^31 - 1, chosen by the client.
pub type CommandId = u32;

/// The greatest [`CommandId`].
pub const COMMAND_ID_MAX: CommandId = CommandId::MAX >> 1;

/// One thing that a client asks: `{"id","op","d"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Command {
    /// What its reply is named by.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub id: CommandId,
    /// What is asked: `op` and `d` on the wire.
    #[serde(flatten)]
    pub op: Op,
}
